"""Payloads of the robot's events and the arguments of a harvest command."""

from __future__ import annotations

from typing import Any

import pytest

from robot.nodes.gateway_texts import count_data, finite, order_data, pick_data, read_harvest
from robot.ros.interfaces import berry_msgs

GOOD: dict[str, Any] = {
    "bed": "bed-1",
    "side": "a",
    "segments": [0, 2],
    "segment_length": 0.5,
    "ripeness_min": 0.75,
    "ripeness_max": 0.95,
    "quota": 12,
    "speed": 0.8,
    "force": 0.9,
}


def test_a_complete_harvest_command_is_read_as_it_is() -> None:
    assert read_harvest(GOOD) == GOOD


def test_what_is_left_out_of_a_harvest_command_gets_its_default() -> None:
    fields = read_harvest({"bed": "bed-1", "side": "a", "segments": [1]})
    assert (fields["ripeness_min"], fields["ripeness_max"], fields["quota"], fields["speed"]) == (0.8, 1.0, 0, 1.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bed", ""),
        ("bed", 3),
        ("side", None),
        ("segments", []),
        ("segments", [-1]),
        ("segments", "0-3"),
        ("segments", [True]),
        ("quota", -1),
        ("quota", 1.5),
        ("speed", 0.0),
        ("speed", 2.0),
        ("force", 80.0),
        ("ripeness_min", "ripe"),
        ("segment_length", True),
    ],
)
def test_a_wrong_argument_is_refused_by_its_name(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name):
        read_harvest(GOOD | {name: value})


def test_a_pick_event_has_the_keys_of_the_contract() -> None:
    data = pick_data(berry_msgs.msg.PickOutcome(result="ok", attempt=1, punnet="p1", segment=3, mass=0.0123456))
    expected = "order_id bed side segment berry_id x y z ripeness stage diameter result attempt seconds peak_force"
    assert list(data) == [*expected.split(), "mass", "punnet"]
    assert (data["segment"], data["mass"], data["punnet"]) == (3, 0.01235, "p1")


def test_a_count_event_has_the_keys_of_the_contract() -> None:
    data = count_data(berry_msgs.msg.SegmentCount(order_id="o", bed="b", side="a", segment=1, ripe=4, in_window=3))
    expected = "order_id bed side segment flower green white turning ripe overripe in_window ripe_mass"
    assert list(data) == expected.split()
    assert (data["ripe"], data["in_window"]) == (4, 3)


def test_an_order_event_has_the_keys_of_the_contract() -> None:
    data = order_data(berry_msgs.msg.OrderStatus(id="o1", status="done", picked=5, placed=4, attempted=6))
    assert data == {"order_id": "o1", "status": "done", "picked": 5, "placed": 4, "attempted": 6, "fault": ""}


def test_numbers_no_message_can_hold_are_left_out_with_the_list_they_are_in() -> None:
    nan, inf = float("nan"), float("inf")
    content = {"a": nan, "b": 1.0, "c": {"d": -inf, "e": "nan"}, "f": [0.0, nan], "g": [{"h": inf, "i": 2}], "j": None}
    assert finite(content) == {"b": 1.0, "c": {"e": "nan"}, "g": [{"i": 2}], "j": None}
