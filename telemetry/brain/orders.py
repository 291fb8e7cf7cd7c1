"""Work orders and what became of them, folded from commands, acknowledgements and order events."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from telemetry.messages import Ack, AckStatus, Command, Event

log = logging.getLogger(__name__)

ISSUER = "brain"
COMMAND = "harvest"


class OrderStatus(StrEnum):
    SENT = "sent"
    ACCEPTED = "accepted"
    DONE = "done"
    FAILED = "failed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    LOST = "lost"  # accepted, then no word of it for too long


OPEN = frozenset({OrderStatus.SENT, OrderStatus.ACCEPTED})
BY_ACK = {
    AckStatus.ACCEPTED: OrderStatus.ACCEPTED,
    AckStatus.DUPLICATE: OrderStatus.ACCEPTED,  # the robot has it: an earlier acknowledgement was lost
    AckStatus.DONE: OrderStatus.DONE,
    AckStatus.FAILED: OrderStatus.FAILED,
    AckStatus.REJECTED: OrderStatus.REJECTED,
    AckStatus.EXPIRED: OrderStatus.EXPIRED,
}
BY_EVENT = {"started": OrderStatus.ACCEPTED, "done": OrderStatus.DONE, "failed": OrderStatus.FAILED}


@dataclass(slots=True)
class Order:
    """One work order. `published_at`: last sent, `changed_at`: last word of it [UTC epoch s]; `picked` as reported."""

    command: Command
    robot: str
    published_at: float
    changed_at: float
    status: OrderStatus = OrderStatus.SENT
    reason: str = ""
    picked: int = 0

    @property
    def segments(self) -> tuple[int, ...]:
        return tuple(self.command.arguments.get("segments", ()))

    @property
    def cut_short(self) -> bool:
        """Tell whether it ended because its quota was full."""
        quota = int(self.command.arguments.get("quota", 0))
        return self.status is OrderStatus.DONE and 0 < quota <= self.picked


class OrderBook:
    """Every order of this brain, oldest first. A closed order never opens again."""

    def __init__(self) -> None:
        self._orders: dict[str, Order] = {}

    def __iter__(self) -> Iterator[Order]:
        return iter(self._orders.values())

    def get(self, order_id: str) -> Order | None:
        return self._orders.get(order_id)

    def add(self, command: Command, robot: str, at: float) -> None:
        """Note an order that was sent, or found in the journal after a restart; a known one is left as it is.

        The journal holds what anybody wrote in this brain's name: what it would not have written itself is left out.
        """
        if command.issuer != ISSUER or command.command != COMMAND or command.id in self._orders:
            return
        segments, quota = command.arguments.get("segments", ()), command.arguments.get("quota", 0)
        if isinstance(segments, list | tuple) and all(map(_is_whole, segments)) and _is_whole(quota):
            self._orders[command.id] = Order(command=command, robot=robot, published_at=at, changed_at=at)
        else:
            log.warning(
                "order %s left out: expected a list of segments and a quota, got %.80r, %.80r",
                command.id,
                segments,
                quota,
            )

    def acknowledge(self, ack: Ack, at: float) -> None:
        """Take an acknowledgement in that arrived `at`; the robot's own clock may be wrong."""
        self._advance(ack.id, BY_ACK[ack.status], at, ack.reason)

    def report(self, event: Event, at: float) -> None:
        """Take a robot's event in that arrived `at`: any word of an order shows that it is alive."""
        order = self._orders.get(str(event.data.get("order_id", "")))
        if order is None:
            return
        order.changed_at = max(order.changed_at, at)
        if event.type == "order":
            picked = event.data.get("picked", 0)
            order.picked = max(order.picked, int(picked) if isinstance(picked, int | float) else 0)
            status = BY_EVENT.get(str(event.data.get("status")))
            if status is not None:
                self._advance(order.command.id, status, at, str(event.data.get("fault") or ""))

    def expire(self, now: float, *, lost_after: float) -> None:
        """Close orders that nobody took before they expired, and accepted ones without a word for `lost_after` [s]."""
        for order in self:
            if order.status is OrderStatus.SENT and now >= order.command.expires_at:
                self._advance(order.command.id, OrderStatus.EXPIRED, now, "not acknowledged in time")
            elif order.status is OrderStatus.ACCEPTED and now - order.changed_at > lost_after:
                self._advance(order.command.id, OrderStatus.LOST, now, "no word of it")

    def open(self, robot: str) -> Order | None:
        """Return the order a robot has not finished; None when it is free."""
        return next((o for o in self if o.robot == robot and o.status in OPEN), None)

    def last(self, robot: str) -> Order | None:
        """Return the newest order of a robot; None when it never had one."""
        orders = [order for order in self if order.robot == robot]
        return orders[-1] if orders else None

    def cut_short(self) -> dict[str, bool]:
        """Return the orders that ended on their quota."""
        return {order.command.id: True for order in self if order.cut_short}

    def _advance(self, order_id: str, status: OrderStatus, at: float, reason: str) -> None:
        order = self._orders.get(order_id)
        if order is None or order.status not in OPEN:
            return
        order.status = status
        order.changed_at = max(order.changed_at, at)
        order.reason = reason


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
