"""Picks, counts and orders for the farm, each once: as they happen, and from the mission, which keeps them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from robot.nodes.convert import RELIABLE, to_seconds
from robot.nodes.gateway_texts import count_data, count_key, finite, order_data, order_key, pick_data, pick_key
from robot.ros.interfaces import berry_msgs
from robot.ros.node import Node
from robot.ros.task import Future
from telemetry.clock import Clock
from telemetry.mqtt.device import DevicePublisher
from telemetry.mqtt.outbox import Outbox

PERIOD_S = 2.0
"""The mission is asked so often for outcomes that have not come by themselves [s]."""
OVERDUE_S = 10.0
"""Its answer is waited for so long before it is asked again [s]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Punnet:
    """The punnet in use; `mass` [kg]."""

    id: str = ""
    berries: int = 0
    mass: float = 0.0


class Outcomes:
    """Puts each outcome into the outbox once, known by its key, and counts punnets; both survive a kill.

    Args:
        capacity: of a punnet; full ones are closed.
        order_told: called with the data of an order's event, once for each.
    """

    def __init__(
        self,
        node: Node,
        clock: Clock,
        *,
        device: DevicePublisher,
        outbox: Outbox,
        capacity: int,
        order_told: Callable[[dict[str, Any]], None],
    ) -> None:
        self._clock, self._device, self._outbox = clock, device, outbox
        self._capacity = capacity
        self._order_told = order_told
        self._punnet = Punnet(**json.loads(outbox.note("punnet", "{}")))
        self._asked_at = float("-inf")
        self._take = node.create_client(berry_msgs.srv.TakeOutcomes, "outcomes/take")
        node.create_subscription(berry_msgs.msg.PickOutcome, "picks", self._on_pick, RELIABLE)
        node.create_subscription(berry_msgs.msg.SegmentCount, "segment_counts", self._on_count, RELIABLE)
        node.create_subscription(berry_msgs.msg.OrderStatus, "orders/status", self._on_order, RELIABLE)
        node.create_timer(PERIOD_S, self._ask)

    def close_punnet(self) -> None:
        """Close the punnet in use, if there is one."""
        if self._punnet.id and self._punnet.berries:
            self._send_punnet(closed=True)
        self._punnet = Punnet()
        self._outbox.write_note("punnet", "{}")

    def _on_pick(self, message: Any) -> None:
        self._tell("pick", finite(pick_data(message)), to_seconds(message.header.stamp), pick_key(message))

    def _on_count(self, message: Any) -> None:
        self._tell("count", finite(count_data(message)), to_seconds(message.header.stamp), count_key(message))

    def _on_order(self, message: Any) -> None:
        self._tell("order", order_data(message), to_seconds(message.header.stamp), order_key(message))

    def _tell(self, type: str, data: dict[str, Any], at: float, key: str) -> None:
        if type == "pick":
            self._tell_pick(data, at, key)
        elif self._device.event(type, data, at=at, key=key) and type == "order":
            if data["status"] != "started":
                self.close_punnet()
            self._order_told(data)

    def _tell_pick(self, data: dict[str, Any], at: float, key: str) -> None:
        punnet, placed_in = self._punnet, data["punnet"]
        if placed_in:
            before = punnet if placed_in == punnet.id else Punnet(id=placed_in)
            punnet = Punnet(id=placed_in, berries=before.berries + 1, mass=before.mass + data.get("mass", 0.0))
        # The punnet's count is kept in the same transaction: a gateway that is killed here goes on counting right.
        if not self._device.event("pick", data, at=at, key=key, notes={"punnet": json.dumps(asdict(punnet))}):
            return
        if placed_in and placed_in != self._punnet.id and self._punnet.berries:
            self._send_punnet(closed=True)
        self._punnet = punnet
        if placed_in and punnet.berries >= self._capacity:
            self.close_punnet()
        elif placed_in:
            self._send_punnet(closed=False)

    def _send_punnet(self, *, closed: bool) -> None:
        punnet = self._punnet
        data = {"punnet": punnet.id, "berries": punnet.berries, "mass": round(punnet.mass, 5), "closed": closed}
        self._device.event("punnet", data)

    def _ask(self) -> None:
        """Ask the mission for what it keeps; one question at a time, again when an answer is overdue."""
        now = self._clock.monotonic()
        if now - self._asked_at < OVERDUE_S or not self._take.service_is_ready():
            return
        self._asked_at = now
        journal, after = self._outbox.note("journal"), int(self._outbox.note("taken", "0"))
        request = berry_msgs.srv.TakeOutcomes.Request(journal=journal, after=after)
        self._take.call_async(request).add_done_callback(self._on_outcomes)

    def _on_outcomes(self, future: Future[Any]) -> None:
        answer: Any = future.result()
        self._asked_at = float("-inf")
        for type, key, at, text in zip(answer.types, answer.keys, answer.stamps, answer.data, strict=True):
            self._tell(type, json.loads(text), float(at), key)
        if answer.journal != self._outbox.note("journal"):
            self._outbox.write_note("journal", answer.journal)
        if len(answer.ids):
            self._outbox.write_note("taken", str(int(answer.ids[-1])))
            self._ask()
