"""Two robots on one rail before one bed side, every node of both in lock-step: the lease keeps them apart."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from robot.arms import load_arm
from robot.nodes.convert import LATCHED, RELIABLE, to_time
from robot.nodes.row_lease import EXPIRED
from robot.nodes.space import SpaceNode, SpaceSettings, extent
from robot.pick.candidates import Window
from robot.ros.context import Context
from robot.ros.interfaces import berry_msgs
from robot.ros.node import Node
from robot.ros.transport.inprocess import InProcess
from sim.fast.hardware import HOME, FastHardware, parked
from sim.fast.rig import FastRig, FastRigSettings
from sim.fast.row import Row, Where
from sim.lockstep import Lockstep
from sim.scene.settings import Mix, SceneSettings

STRETCH = 0.4
"""Length of the segments that are claimed and harvested one by one [m]."""

EVERY = 0.02
"""Between two looks at the distance between the robots [s]."""

EPOCH = 1779256800.0
NAMES = ("left", "right")


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """How the robots of one row did.

    Attributes:
        picked: by each one's own count.
        placed: berries that are really in a punnet.
        nearest: the smallest free space between two robots along the rail [m]; infinite for one.
        overlaps: looks at which two stretches that were held came nearer than the gap.
        stops: causes, in the order in which they stopped a robot, its name before.
        seconds: until the last one had finished [s].
        waited: time in which a robot waited for room, of all [s].
    """

    picked: tuple[int, ...]
    placed: int
    ripe: int
    nearest: float
    overlaps: int
    stops: tuple[str, ...]
    seconds: float
    waited: float
    finished: bool


def bed(berries: int, unripe: int) -> SceneSettings:
    """Return a bed side as long as one rail serves."""
    return SceneSettings(length=3.2, segment_length=STRETCH, mix=Mix(isolated=berries, unripe=unripe))


class SharedRow:
    """Robots on one rail; each gets its share of the segments, from left to right.

    Args:
        names: of the robots, from left to right; one alone shares with nobody and needs no lease.
    """

    def __init__(self, scene: SceneSettings, seed: int, names: Sequence[str] = NAMES) -> None:
        self.time = Lockstep(EPOCH)
        self.scene, self.names = scene, tuple(names)
        self._context = Context(InProcess(self.time))
        self.arm = load_arm(scene.arm)
        self.fruit = Row(scene, seed)
        alone = len(self.names) == 1
        self.space = None if alone else self.leases()
        self.machines: dict[str, FastHardware] = {}
        self.rigs: dict[str, FastRig] = {}
        self.orders: dict[str, Any] = {}
        self.tasks: dict[str, str] = {}
        self.stops: list[str] = []
        self._nearest, self._overlaps, self._waited = float("inf"), 0, 0.0
        self._watcher = Node("watcher", context=self._context)
        for number, name in enumerate(self.names):
            begin = scene.origin + scene.length * number / len(self.names)
            home = begin + 0.1 if number else HOME[0]
            row = self.fruit.shared()
            machine = self.machines[name] = FastHardware(self.arm, self.time.monotonic, row, parked(self.arm, home))
            settings = FastRigSettings(
                scene=scene, seed=seed, namespace=f"/{name}", row="" if alone else "/row", local_reset=False
            )
            self.rigs[name] = FastRig(
                self.time,
                self._context,
                settings,
                arm=self.arm,
                row=row,
                hardware=machine,
                joints=lambda machine=machine: machine.q,  # type: ignore[misc]
                moved=machine.advance,
            )
            self._listen(name)
        self.time.every(EVERY, self._look)

    def leases(self) -> SpaceNode:
        """Start the node that leases the row; again after it was ended."""
        return SpaceNode(self._context, self.time, SpaceSettings(machines=self.names), self.arm)

    def _listen(self, name: str) -> None:
        def on_safety(message: Any) -> None:
            cause = f"{name} {message.causes[0]}" if message.causes else ""
            if message.state in ("HOLD", "PSTOP", "FAULT") and self.stops[-1:] != [cause]:
                self.stops.append(cause)

        def on_state(message: Any) -> None:
            self.tasks[name] = message.task

        def on_order(message: Any) -> None:
            self.orders[name] = message

        kinds: list[tuple[Any, str, Callable[[Any], None], Any]] = [
            (berry_msgs.msg.SafetyState, "safety/state", on_safety, LATCHED),
            (berry_msgs.msg.MissionState, "mission/state", on_state, LATCHED),
            (berry_msgs.msg.OrderStatus, "orders/status", on_order, RELIABLE),
        ]
        for kind, topic, heard, quality in kinds:
            self._watcher.create_subscription(kind, f"/{name}/{topic}", heard, quality)

    def order(self, shares: Mapping[str, Sequence[int]] | None = None) -> None:
        """Give robots segments to harvest; without `shares` all of them, as many to each."""
        count = math.ceil(self.scene.length / self.scene.segment_length - 1e-9)
        parts = [part.tolist() for part in np.array_split(np.arange(count), len(self.names))]
        window = Window()
        for name, share in (shares or dict(zip(self.names, parts, strict=True))).items():
            request = berry_msgs.srv.SubmitOrder.Request(
                id=f"order-{name}",
                issuer="bench",
                expires_at=to_time(self.time.now() + 86400.0),
                bed="bed-1",
                side="a",
                segments=list(share),
                segment_length=self.scene.segment_length,
                ripeness_min=window.ripeness_min,
                ripeness_max=window.ripeness_max,
                speed=1.0,
                force=1.0,
            )
            self._watcher.create_client(berry_msgs.srv.SubmitOrder, f"/{name}/orders/submit").call_async(request)

    def done(self, *names: str) -> bool:
        """Tell whether the orders of some robots, or of all, have ended."""
        ended = [self.orders[name].status in ("done", "failed") for name in names or self.names if name in self.orders]
        return len(ended) == len(names or self.names) and all(ended)

    def run(self, limit: float, *, until: Callable[[], bool] | None = None) -> None:
        """Let time pass until all orders have ended, or `until()`, or for `limit` seconds."""
        self.time.run(until=until or self.done, seconds=limit)

    def result(self) -> Together:
        """Return how it went so far."""
        window = Window()
        return Together(
            picked=tuple(int(self.orders[name].picked) if name in self.orders else 0 for name in self.names),
            placed=self.fruit.count(Where.PLACED),
            ripe=sum(window.ripeness_min <= berry.ripeness <= window.ripeness_max for berry in self.fruit.berries),
            nearest=self._nearest,
            overlaps=self._overlaps,
            stops=tuple(stop for stop in self.stops if stop),
            seconds=self.time.monotonic(),
            waited=self._waited,
            finished=self.done() and all(order.status == "done" for order in self.orders.values()),
        )

    def _look(self) -> None:
        places = [extent(self.arm, self.machines[name].q) for name in self.names]
        for (_, end), (begin, _) in pairwise(places):
            self._nearest = min(self._nearest, begin - end)
        if self.space is not None:
            held = sorted(h for h in map(self.space.stretch, self.names) if h is not None)
            self._overlaps += any(b[0] < a[1] for a, b in pairwise(held))
        self._waited += EVERY * sum(task == "waiting_for_room" for task in self.tasks.values())

    def close(self) -> None:
        for rig in self.rigs.values():
            rig.close()


def harvest(seed: int, berries: int, names: Sequence[str]) -> Together:
    """Harvest one bed side by robots that share its rail."""
    row = SharedRow(bed(berries, berries // 2), seed, names)
    row.order()
    row.run(limit=40.0 * (berries + 8))
    result = row.result()
    row.close()
    return result


def compare(seed: int, berries: int) -> dict[str, Any]:
    """Harvest one bed side with one robot and with two; return both rates and their ratio."""
    alone, both = harvest(seed, berries, NAMES[:1]), harvest(seed, berries, NAMES)
    one, two = sum(alone.picked) / alone.seconds, sum(both.picked) / both.seconds
    return {
        "seed": seed,
        "ripe": alone.ripe,
        "picked_by_one": sum(alone.picked),
        "picked_by_two": sum(both.picked),
        "placed_by_two": both.placed,
        "seconds_one": round(alone.seconds, 1),
        "seconds_two": round(both.seconds, 1),
        "waited_s": round(both.waited, 1),
        "nearest_m": round(both.nearest, 3),
        "overlaps": both.overlaps,
        "stops_one": list(alone.stops),
        "stops_two": [stop for stop in both.stops if EXPIRED not in stop],
        "finished": alone.finished and both.finished,
        "ratio": round(two / one, 2) if one else None,
    }
