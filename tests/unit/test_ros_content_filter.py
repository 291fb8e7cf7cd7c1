"""Filters of subscriptions: what passes, and which expressions are refused."""

from __future__ import annotations

import pytest

from robot.ros.content_filter import compile_filter
from robot.ros.exceptions import RCLError
from robot.ros.interfaces import rcl_interfaces, sensor_msgs, std_msgs

JOINTS = sensor_msgs.msg.JointState(header=std_msgs.msg.Header(frame_id="base"), name=["a", "b"], position=[1.5, -2.0])


@pytest.mark.parametrize(
    ("expression", "parameters", "passes"),
    [
        ("header.frame_id = 'base'", [], True),
        ("header.frame_id = %0", ["'base'"], True),
        ("header.frame_id <> %1", ["'x'", "'base'"], False),
        ("position[0] > 1 and position[1] <= -2.0", [], True),
        ("position[0] BETWEEN %0 AND %1", ["1", "2"], True),
        ("position[0] NOT BETWEEN 1 AND 2", [], False),
        ("NOT (position[0] < 1 OR name[0] != 'a')", [], True),
        ("header.frame_id LIKE 'b%' AND name[1] like '_'", [], True),
        ("header.frame_id NOT LIKE 'b%'", [], False),
        ("1 = 2 OR 3e0 = 3 AND TRUE = true", [], True),
        ("velocity[0] > 1", [], False),
        ("no.such.field = 1", [], False),
        ("header.frame_id > 1", [], False),
    ],
)
def test_a_filter_passes_what_it_says(expression: str, parameters: list[str], passes: bool) -> None:
    assert compile_filter(expression, parameters)(JOINTS) is passes


def test_booleans_are_compared() -> None:
    descriptor = rcl_interfaces.msg.ParameterDescriptor(read_only=True)
    assert compile_filter("read_only = TRUE", [])(descriptor)
    assert not compile_filter("read_only = %0", ["FALSE"])(descriptor)


@pytest.mark.parametrize(
    "expression", ["", "a", "a =", "a = 1 b", "(a = 1", "a = %3", "a ? 1", "a BETWEEN 1", "a NOT 1", "= 1", "a = 'open"]
)
def test_what_cannot_be_read_is_refused(expression: str) -> None:
    with pytest.raises(RCLError, match="content filter"):
        compile_filter(expression, ["1"])
