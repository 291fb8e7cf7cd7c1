"""One short segment harvested in virtual time: every node, physics and rendered pictures in one thread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from robot.nodes.convert import RELIABLE, to_time
from robot.ros.interfaces import berry_msgs
from robot.ros.node import Node
from sim.cell import CellSettings
from sim.lockstep import Lockstep
from sim.rig import Rig, RigSettings
from vision import default_detector

SECONDS = 90.0
"""Virtual time within which the one segment is done [s]."""


class Watcher(Node):
    """Orders one segment and notes what becomes of it."""

    def __init__(self, rig: Rig) -> None:
        super().__init__("watcher", context=rig.context, namespace="/robot")
        self.status = ""
        self.fault = ""
        self.results: Counter[str] = Counter()
        self.attempted = 0
        self.counted: Any = None
        self.faults: set[str] = set()
        self._submit = self.create_client(berry_msgs.srv.SubmitOrder, "orders/submit")
        self.create_subscription(berry_msgs.msg.PickOutcome, "picks", self._on_pick, RELIABLE)
        self.create_subscription(berry_msgs.msg.OrderStatus, "orders/status", self._on_status, RELIABLE)
        self.create_subscription(berry_msgs.msg.SegmentCount, "segment_counts", self._on_count, RELIABLE)
        self.create_subscription(berry_msgs.msg.BerryArray, "berries", self._on_berries, RELIABLE)

    def order(self, now: float) -> None:
        request = berry_msgs.srv.SubmitOrder.Request(
            id="order-1", issuer="test", expires_at=to_time(now + 3600.0), bed="bed-1", side="a", segments=[0],
            segment_length=0.6, ripeness_min=0.8, ripeness_max=1.0, quota=0, speed=1.0, force=1.0,
        )  # fmt: skip
        self._submit.call_async(request)

    def _on_pick(self, message: Any) -> None:
        self.results[message.result] += 1
        self.attempted += message.attempt > 0

    def _on_status(self, message: Any) -> None:
        self.status, self.fault = message.status, message.fault

    def _on_count(self, message: Any) -> None:
        self.counted = message

    def _on_berries(self, message: Any) -> None:
        self.faults.add(message.fault)


def harvest(
    cell: CellSettings, seed: int, *, dark: bool = False, until: Callable[[Watcher], bool] = lambda _: False
) -> tuple[Watcher, Rig]:
    """Harvest segment 0 until the order has ended or `until` holds; the caller closes the rig.

    Args:
        dark: the camera sees nothing.
    """
    time = Lockstep(epoch=cell.epoch)
    rig = Rig(time, RigSettings(cell=cell, seed=seed), default_detector())
    rig.camera.faults.dark = dark
    watcher = Watcher(rig)
    time.run(seconds=1.0)
    watcher.order(time.now())
    time.run(until=lambda: watcher.status in ("done", "failed") or until(watcher), seconds=SECONDS)
    return watcher, rig
