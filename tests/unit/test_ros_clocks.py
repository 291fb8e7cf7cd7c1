"""Durations, instants, clocks and their jumps."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from robot.ros.clock import Clock, ClockChange, ClockEvent, JumpThreshold, ROSClock, TimeJump
from robot.ros.clock_type import ClockType
from robot.ros.duration import Duration, Infinite
from robot.ros.time import Time


def test_durations_add_subtract_multiply_and_compare() -> None:
    one, half = Duration(seconds=1), Duration(nanoseconds=500_000_000)
    assert one + half == Duration(seconds=1.5)
    assert one - half == half == one * 0.5 == 0.5 * one
    assert half < one <= Duration(seconds=1) and one != half
    assert one * float("inf") == Infinite and str(Infinite) == "Infinite"
    with pytest.raises(ValueError, match="nan"):
        _ = one * float("nan")
    with pytest.raises(TypeError):
        _ = one < 3  # type: ignore[operator]
    assert Duration.from_msg(Duration(seconds=-1.5).to_msg()) == Duration(seconds=-1.5)
    with pytest.raises(TypeError, match=r"builtin_interfaces\.msg\.Duration"):
        Duration.from_msg(Time().to_msg())


@pytest.mark.parametrize("nanoseconds", [2**63, -(2**63) - 1])
def test_a_duration_has_to_fit_64_bits(nanoseconds: int) -> None:
    with pytest.raises(OverflowError):
        Duration(nanoseconds=nanoseconds)


def test_instants_overflow_and_never_get_negative() -> None:
    last = Time(nanoseconds=2**63 - 1)
    with pytest.raises(OverflowError):
        Time(nanoseconds=2**63)
    with pytest.raises(OverflowError):
        _ = last + Duration(nanoseconds=1)
    with pytest.raises(ValueError, match="negative"):
        _ = Time(nanoseconds=1) - Duration(nanoseconds=2)
    assert Time(nanoseconds=1) - Time(nanoseconds=3) == Duration(nanoseconds=-2)
    with pytest.raises(TypeError):
        _ = Time() + Time()  # type: ignore[operator]
    with pytest.raises(TypeError):
        Time(clock_type=2)  # type: ignore[arg-type]


def test_an_instant_becomes_a_date_unless_its_clock_has_no_epoch() -> None:
    assert Time(seconds=86_400 * 365).to_datetime().year in (1970, 1971)
    with pytest.raises(TypeError):
        Time(clock_type=ClockType.STEADY_TIME).to_datetime()


def test_a_clock_of_ros_time_is_a_ros_clock() -> None:
    assert isinstance(Clock(clock_type=ClockType.ROS_TIME), ROSClock)
    assert ROSClock().clock_type == ClockType.ROS_TIME
    steady = Clock(clock_type=ClockType.STEADY_TIME)
    first = steady.now()
    assert steady.now() >= first
    with pytest.raises(TypeError):
        Clock(clock_type="STEADY_TIME")  # type: ignore[arg-type]


def test_thresholds_have_to_point_their_way() -> None:
    with pytest.raises(ValueError, match="min_forward"):
        JumpThreshold(min_forward=Duration(nanoseconds=0), min_backward=None)
    with pytest.raises(ValueError, match="min_backward"):
        JumpThreshold(min_forward=None, min_backward=Duration(nanoseconds=1))
    with pytest.raises(ValueError, match="At least one"):
        JumpThreshold(min_forward=None, min_backward=None, on_clock_change=False)
    threshold = JumpThreshold(min_forward=None, min_backward=None)
    with pytest.raises(ValueError, match="callable"):
        ROSClock().create_jump_callback(threshold)


@pytest.mark.parametrize(
    ("forward", "backward", "to", "told"),
    [
        (Duration(seconds=1), None, 11.5, [1_500_000_000]),
        (Duration(seconds=1), None, 10.5, []),
        (Duration(seconds=1), None, 9.0, []),
        (None, Duration(seconds=-1), 8.5, [-1_500_000_000]),
        (None, Duration(seconds=-1), 9.5, []),
    ],
)
def test_jumps_beyond_the_threshold_are_told_with_their_length(
    forward: Duration | None, backward: Duration | None, to: float, told: list[int]
) -> None:
    clock, heard = ROSClock(), []
    clock.set_ros_time_override(Time(seconds=10, clock_type=ClockType.ROS_TIME))
    clock._set_ros_time_is_active(True)
    before: list[float] = []
    threshold = JumpThreshold(min_forward=forward, min_backward=backward, on_clock_change=False)
    handle = clock.create_jump_callback(
        threshold,
        pre_callback=lambda: before.append(clock.now().nanoseconds / 1e9),
        post_callback=lambda jump: heard.append(jump.delta.nanoseconds),
    )
    clock.set_ros_time_override(Time(seconds=to, clock_type=ClockType.ROS_TIME))
    assert heard == told
    assert before == [10.0] * len(told)
    handle.unregister()
    clock.set_ros_time_override(Time(seconds=1000, clock_type=ClockType.ROS_TIME))
    assert len(heard) == len(told)


def test_switching_simulated_time_is_a_jump_of_its_own_kind() -> None:
    clock, heard = ROSClock(), []
    clock.set_ros_time_override(Time(seconds=1, clock_type=ClockType.ROS_TIME))
    threshold = JumpThreshold(min_forward=None, min_backward=None, on_clock_change=True)
    with clock.create_jump_callback(threshold, post_callback=lambda jump: heard.append(jump.clock_change)):
        clock._set_ros_time_is_active(True)
        clock._set_ros_time_is_active(True)
        assert clock.now().nanoseconds == 10**9
        clock._set_ros_time_is_active(False)
    assert heard == [ClockChange.ROS_TIME_ACTIVATED, ClockChange.ROS_TIME_DEACTIVATED]
    assert clock.now().nanoseconds > 10**18
    with pytest.raises(TypeError):
        TimeJump("changed", Duration())  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        clock.set_ros_time_override(3)  # type: ignore[arg-type]


def test_an_event_ends_a_wait_on_simulated_time() -> None:
    clock, event = ROSClock(), ClockEvent()
    clock._set_ros_time_is_active(True)
    waiting: Any = threading.Thread(
        target=event.wait_until_ros, args=(clock, Time(seconds=5, clock_type=ClockType.ROS_TIME))
    )
    waiting.start()
    event.set()
    waiting.join(5.0)
    assert not waiting.is_alive() and event.is_set()
