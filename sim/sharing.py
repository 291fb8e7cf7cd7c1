"""Robots on one rail before one bed side, in lock-step: who leases which stretch, orders, and how it went."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from robot.nodes.convert import LATCHED, RELIABLE, to_time
from robot.nodes.space import SpaceNode, SpaceSettings
from robot.pick.candidates import Window
from robot.ros.context import Context
from robot.ros.interfaces import berry_msgs
from robot.ros.node import Node
from robot.ros.transport.inprocess import InProcess
from robot.span import extent
from sim.lockstep import Lockstep
from sim.scene.settings import SceneSettings

Array = npt.NDArray[np.float64]

STRETCH = 0.4
"""Length of the segments that are claimed and harvested one by one [m]."""

LENGTH = 3.2
"""Of a bed side as long as one rail serves [m]."""

EVERY = 0.02
"""Between two looks at the distance between the robots [s]."""

NAMES = ("left", "right")
ROW = "/row"


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """How the robots of one row did.

    Attributes:
        picked: by each one's own count.
        placed: berries that are really in a punnet.
        nearest: the smallest free space between two robots along the rail [m]; infinite for one.
        overlaps: looks at which two stretches that were held came nearer than the gap.
        outside: how far a robot's body reached beyond the stretch that it held, at most [m].
        stops: causes, in the order in which they stopped a robot, its name before.
        seconds: from the order until the last one had finished [s].
        ready: until every one was ready for an order, from when its programs were started [s].
        waited: time in which a robot waited for room, of all [s].
    """

    picked: tuple[int, ...]
    placed: int
    ripe: int
    nearest: float
    overlaps: int
    outside: float
    stops: tuple[str, ...]
    seconds: float
    ready: float
    waited: float
    finished: bool


class SharedRail:
    """Robots on one rail; each gets its share of the segments, from left to right.

    Args:
        scene: the bed side.
        arms: by the robots' names, from left to right; one alone shares with nobody and needs no lease.
    """

    def __init__(self, time: Lockstep, scene: SceneSettings, arms: Mapping[str, ArmDescription]) -> None:
        self.time, self.scene, self.arms, self.names = time, scene, dict(arms), tuple(arms)
        self.context = Context(InProcess(time))
        self.row = "" if len(arms) == 1 else ROW
        self.gap = SpaceSettings(machines=self.names).gap
        self.space = self.leases() if self.row else None
        self.orders: dict[str, Any] = {}
        self.tasks: dict[str, str] = {}
        self.latched: dict[str, bool] = {}
        """Which robots are stopped until a person resets them."""
        self.outcomes: list[Any] = []
        self.stops: list[str] = []
        self._held_by: dict[str, tuple[str, ...]] = {}
        self._ordered_at = 0.0
        self._joints: dict[str, Callable[[], Array]] = {}
        self._nearest, self._overlaps, self._outside, self._waited = float("inf"), 0, 0.0, 0.0
        self._watcher = Node("watcher", context=self.context)
        time.every(EVERY, self._look)

    def leases(self) -> SpaceNode:
        """Start the node that leases the row; again after it was ended."""
        return SpaceNode(self.context, self.time, SpaceSettings(machines=self.names, namespace=ROW), self.arms)

    def begins(self, name: str) -> float:
        """Return where a robot's share of the bed begins [m]."""
        return self.scene.origin + self.scene.length * self.names.index(name) / len(self.names)

    def watch(self, name: str, joints: Callable[[], Array]) -> None:
        """Follow one robot: what it says, and where it truly is (`joints`, shape (7,))."""
        self._joints[name] = joints

        def on_safety(message: Any) -> None:
            self.latched[name] = bool(message.needs_reset)
            self._held_by[name] = tuple(message.causes)
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
            (berry_msgs.msg.PickOutcome, "picks", self.outcomes.append, RELIABLE),
        ]
        for kind, topic, heard, quality in kinds:
            self._watcher.create_subscription(kind, f"/{name}/{topic}", heard, quality)

    def get_ready(self, limit: float = 30.0) -> None:
        """Let time pass until nothing keeps a robot from an order: its programs are heard, and it has room to stand."""
        self.time.run(until=lambda: all(self._held_by.get(name) == () for name in self.names), seconds=limit)

    def order(self, shares: Mapping[str, Sequence[int]] | None = None) -> None:
        """Give robots segments to harvest; without `shares` all of them, as many to each."""
        self._ordered_at = self.time.monotonic()
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

    def over(self) -> bool:
        """Tell whether nothing more will happen: each robot's order has ended, or it waits for a person."""
        return all(self.done(name) or self.latched.get(name, False) for name in self.names)

    def run(self, limit: float, *, until: Callable[[], bool] | None = None) -> None:
        """Let time pass until all orders have ended, or `until()`, or for `limit` seconds."""
        self.time.run(until=until or self.done, seconds=limit)

    def together(self, *, placed: int, ripe: int) -> Together:
        """Return how it went so far, with the truth about the fruit."""
        return Together(
            picked=tuple(int(self.orders[name].picked) if name in self.orders else 0 for name in self.names),
            placed=placed,
            ripe=ripe,
            nearest=self._nearest,
            overlaps=self._overlaps,
            outside=self._outside,
            stops=tuple(stop for stop in self.stops if stop),
            seconds=self.time.monotonic() - self._ordered_at,
            ready=self._ordered_at,
            waited=self._waited,
            finished=self.done() and all(order.status == "done" for order in self.orders.values()),
        )

    def _look(self) -> None:
        places = {name: extent(self.arms[name], joints()) for name, joints in self._joints.items()}
        for (_, end), (begin, _) in pairwise(places[name] for name in self.names):
            self._nearest = min(self._nearest, begin - end)
        if self.space is not None:
            held = {name: self.space.stretch(name) for name in self.names}
            stretches = sorted(stretch for stretch in held.values() if stretch is not None)
            self._overlaps += any(b[0] < a[1] for a, b in pairwise(stretches))
            for name, stretch in held.items():
                if stretch is not None:
                    low, high = places[name]
                    self._outside = max(self._outside, stretch[0] - low, high - stretch[1])
        self._waited += EVERY * sum(task == "waiting_for_room" for task in self.tasks.values())
