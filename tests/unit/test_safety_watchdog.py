"""Watchdogs and the blade's interlock, one rule at a time."""

import numpy as np
import pytest

from robot.arms import load_arm
from robot.safety import FeedbackWatch, Heartbeats, LateWatch, State, TrackingWatch, blade_allowed

ARM = load_arm("ur3e")
Q = np.array([0.4, -1.5, -2.0, 1.5, 0.5, 1.5, 0.0])
STILL = np.zeros(7)


def test_a_program_is_lost_until_first_heard_and_again_after_the_age() -> None:
    hearts = Heartbeats(("eyes", "picker"), 0.5)
    assert hearts.lost(0.0) == ("eyes", "picker")
    hearts.beat("eyes", 1.0)
    hearts.beat("stranger", 1.0)
    assert hearts.lost(1.5) == ("picker",)
    assert hearts.lost(1.51) == ("eyes", "picker")
    assert hearts.required == ("eyes", "picker")


def test_a_measurement_that_advances_is_good() -> None:
    watch = FeedbackWatch(ARM)
    assert [watch.judge(t, Q, STILL, t) for t in np.arange(10) * 0.004] == [""] * 10


@pytest.mark.parametrize(
    ("position", "velocity"), [(Q * np.nan, STILL), (Q, STILL * np.nan), (Q[:6], STILL), (Q, Q[:3])]
)
def test_a_measurement_that_is_no_number_is_a_fault(position: np.ndarray, velocity: np.ndarray) -> None:
    assert FeedbackWatch(ARM).judge(0.0, position, velocity, 0.0) == "hardware_fault"


def test_a_stamp_that_stands_still_is_frozen_after_fifty_milliseconds() -> None:
    watch = FeedbackWatch(ARM)
    assert watch.judge(1.0, Q, STILL, 1.0) == ""
    assert watch.judge(1.0, Q, STILL, 1.049) == ""
    assert watch.judge(1.0, Q, STILL, 1.054) == "sensor_frozen"
    assert watch.judge(1.06, Q, STILL, 1.06) == ""


def test_a_stamp_that_steps_back_or_is_old_is_frozen() -> None:
    watch = FeedbackWatch(ARM)
    assert watch.judge(1.0, Q, STILL, 1.0) == ""
    assert watch.judge(0.9, Q, STILL, 1.004) == "sensor_frozen"
    assert FeedbackWatch(ARM).judge(1.0, Q, STILL, 1.06) == "sensor_frozen"


def test_a_stamp_from_the_future_or_that_is_no_number_hides_neither_a_jump_nor_a_standstill() -> None:
    for stamp in (1.06, 9.0, float("inf"), float("nan")):
        watch = FeedbackWatch(ARM)
        assert watch.judge(0.996, Q, STILL, 0.996) == ""
        assert watch.judge(stamp, Q + 1.0, STILL, 1.0) == "sensor_frozen"
        assert watch.judge(1.004, Q + 1.0, STILL, 1.004) == "encoder_jump"


@pytest.mark.parametrize("joint", range(7))
def test_a_jump_of_an_encoder_is_seen_and_full_speed_is_not_one(joint: int) -> None:
    watch = FeedbackWatch(ARM)
    watch.judge(1.0, Q, STILL, 1.0)
    moved = Q.copy()
    moved[joint] += ARM.velocity[joint] * 0.004
    assert watch.judge(1.004, moved, STILL, 1.004) == ""
    moved = moved + ARM.velocity * 0.04
    assert watch.judge(1.044, moved, STILL, 1.044) == ""
    moved = moved.copy()
    moved[joint] += 0.15
    assert watch.judge(1.048, moved, STILL, 1.048) == "encoder_jump"
    watch.restart()
    assert watch.judge(1.052, Q, STILL, 1.052) == ""


def test_a_servos_lag_is_no_tracking_error_and_a_stuck_joint_is() -> None:
    watch = TrackingWatch(ARM)
    watch.restart(Q)
    path = [Q + np.array([0, 3.0, 0, 0, 0, 0, 0]) * 0.004 * k for k in range(60)]
    for k, q in enumerate(path):
        watch.commanded(q)
        assert not watch.exceeded(watch.error(path[max(0, k - 10)]))
    assert watch.error(Q)[1] == pytest.approx(3.0 * 0.004 * 48)
    assert watch.exceeded(watch.error(Q))


@pytest.mark.parametrize("joint", range(7))
def test_one_number_that_is_none_is_enough(joint: int) -> None:
    broken = Q.copy()
    broken[joint] = np.nan
    assert FeedbackWatch(ARM).judge(0.0, broken, STILL, 0.0) == "hardware_fault"
    assert FeedbackWatch(ARM).judge(0.0, Q, broken, 0.0) == "hardware_fault"


def test_one_late_tick_is_counted_three_in_a_row_or_a_very_late_one_stop() -> None:
    watch = LateWatch(0.004)
    assert watch.judge(0.0) == (False, False)
    assert watch.judge(0.004) == (False, False)
    assert watch.judge(0.0111) == (True, False)
    assert watch.judge(0.015) == (False, False)
    assert watch.judge(0.0221) == (True, False)
    assert watch.judge(0.0292) == (True, False)
    assert watch.judge(0.0363) == (True, True)
    watch.restart()
    assert watch.judge(9.0) == (False, False)
    assert watch.judge(9.0125) == (True, True)


GOOD = {
    "state": State.RUN,
    "tool": (0.5, 0.5, 0.9),
    "tool_speed": 0.0,
    "force": 0.6,
    "opening": 0.030,
}


def test_the_blade_sweeps_only_when_everything_is_right() -> None:
    assert blade_allowed(ARM, **GOOD) == ""  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        *[("state", state, "only in RUN") for state in State if state is not State.RUN],
        ("tool", (0.5, 0.2, 0.9), "outside the crop volume"),
        ("tool", (0.5, 0.5, 1.4), "outside the crop volume"),
        ("tool", (0.5, float("nan"), 0.9), "outside the crop volume"),
        ("tool_speed", 0.05, "moves"),
        ("force", 0.0, "nothing is held"),
        ("force", float("nan"), "nothing is held"),
        ("opening", 0.002, "nothing is held"),
        ("opening", 0.5, "nothing is held"),
    ],
)
def test_the_blade_is_locked_when_one_thing_is_wrong(key: str, value: object, reason: str) -> None:
    assert reason in blade_allowed(ARM, **{**GOOD, key: value})  # type: ignore[arg-type]
