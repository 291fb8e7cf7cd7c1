"""An order's fate follows from what is said of it, and a closed order never opens again."""

from __future__ import annotations

from typing import Any

import pytest

from telemetry.brain.orders import OrderBook, OrderStatus
from telemetry.messages import Ack, AckStatus, Command, Event


def command(order_id: str = "o1", issuer: str = "brain", **arguments: Any) -> Command:
    defaults = {"segments": [0, 1], "quota": 10}
    return Command(id=order_id, issuer=issuer, expires_at=100.0, command="harvest", arguments=defaults | arguments)


def book(*acks: AckStatus) -> OrderBook:
    orders = OrderBook()
    orders.add(command(), "berry-1", 0.0)
    for n, status in enumerate(acks):
        orders.acknowledge(Ack(id="o1", at=0.0, status=status, reason=status.value), 1.0 + n)
    return orders


def status(orders: OrderBook) -> OrderStatus:
    order = orders.get("o1")
    assert order is not None
    return order.status


def event(type_: str, **data: Any) -> Event:
    return Event(at=1e9, seq=0, boot="b", type=type_, data={"order_id": "o1"} | data)


@pytest.mark.parametrize(
    ("acks", "expected"),
    [
        ([], OrderStatus.SENT),
        ([AckStatus.ACCEPTED], OrderStatus.ACCEPTED),
        ([AckStatus.DUPLICATE], OrderStatus.ACCEPTED),
        ([AckStatus.ACCEPTED, AckStatus.DONE], OrderStatus.DONE),
        ([AckStatus.ACCEPTED, AckStatus.FAILED], OrderStatus.FAILED),
        ([AckStatus.REJECTED], OrderStatus.REJECTED),
        ([AckStatus.EXPIRED], OrderStatus.EXPIRED),
        ([AckStatus.DONE, AckStatus.ACCEPTED], OrderStatus.DONE),
        ([AckStatus.REJECTED, AckStatus.DONE], OrderStatus.REJECTED),
    ],
)
def test_acknowledgements_decide_the_status(acks: list[AckStatus], expected: OrderStatus) -> None:
    assert status(book(*acks)) is expected


def test_order_events_close_an_order_as_acknowledgements_do() -> None:
    orders = book()
    orders.report(event("order", status="started"), 5.0)
    assert status(orders) is OrderStatus.ACCEPTED
    orders.report(event("order", status="failed", fault="eyes_lost"), 9.0)
    order = orders.get("o1")
    assert order is not None
    assert (order.status, order.reason, order.changed_at) == (OrderStatus.FAILED, "eyes_lost", 9.0)


def test_order_nobody_took_expires_at_its_time_and_not_before() -> None:
    orders = book()
    orders.expire(99.9, lost_after=1000.0)
    assert status(orders) is OrderStatus.SENT
    orders.expire(100.0, lost_after=1000.0)
    assert status(orders) is OrderStatus.EXPIRED


def test_accepted_order_outlives_its_expiry_and_is_lost_only_after_long_silence() -> None:
    orders = book(AckStatus.ACCEPTED)
    orders.report(event("pick", result="ok"), 500.0)
    orders.expire(1400.0, lost_after=1000.0)
    assert status(orders) is OrderStatus.ACCEPTED
    orders.expire(1501.0, lost_after=1000.0)
    assert status(orders) is OrderStatus.LOST


def test_order_is_open_for_its_robot_until_it_ends() -> None:
    orders = book(AckStatus.ACCEPTED)
    assert orders.open("berry-1") is orders.get("o1")
    assert orders.open("berry-2") is None
    orders.acknowledge(Ack(id="o1", at=0.0, status=AckStatus.DONE), 3.0)
    assert orders.open("berry-1") is None
    assert orders.last("berry-1") is orders.get("o1")


def test_order_that_filled_its_quota_was_cut_short() -> None:
    for picked, short in ((9, {}), (10, {"o1": True})):
        orders = book(AckStatus.ACCEPTED)
        orders.report(event("order", status="done", picked=picked), 5.0)
        assert orders.cut_short() == short


def test_commands_of_others_and_repeats_are_left_out() -> None:
    orders = book(AckStatus.ACCEPTED)
    orders.add(command(), "berry-1", 50.0)
    orders.add(command("o2", issuer="dashboard"), "berry-1", 50.0)
    orders.acknowledge(Ack(id="o2", at=0.0, status=AckStatus.DONE), 51.0)
    assert [order.command.id for order in orders] == ["o1"]
    assert status(orders) is OrderStatus.ACCEPTED


@pytest.mark.parametrize(
    "arguments",
    [{"segments": 5}, {"segments": [[1]]}, {"segments": ["0"]}, {"segments": [True]}, {"quota": [1]}, {"quota": "9"}],
)
def test_a_journalled_order_the_brain_would_never_write_is_left_out(arguments: dict[str, Any]) -> None:
    orders = OrderBook()
    orders.add(command("odd", **arguments), "berry-1", 0.0)
    orders.add(command("o1"), "berry-1", 1.0)
    assert [order.command.id for order in orders] == ["o1"]
    assert orders.cut_short() == {}
