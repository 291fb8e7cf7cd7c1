"""The edges of every limit in the safety layer, from both sides; found by breaking its code on purpose."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from robot.arms import load_arm
from robot.safety import (
    STANDING,
    FeedbackWatch,
    Heartbeats,
    LateWatch,
    LoadWatch,
    MotionLease,
    State,
    Supervisor,
    TrackingWatch,
    blade_allowed,
)
from robot.safety.interlock import FORCE_MIN, OPENING_MIN, STILL
from robot.safety.watchdog import FROZEN_AGE, LAG_TICKS, LOOKS, OVERLOAD, OVERLOAD_AGE, OVERSPEED, ToolWatch

ARM = load_arm("ur3e")
DT = 0.004
HOME = np.array([0.4, -1.5, -2.0, 1.5, 0.5, 1.5, 0.0])
REST = np.zeros(7)
CROP_LOW, CROP_HIGH = ARM.safety.crop_volume_min, ARM.safety.crop_volume_max


def blade(**changed: object) -> str:
    good = {"state": State.RUN, "tool": (0.5, 0.5, 0.9), "tool_speed": 0.0, "force": 0.6, "opening": 0.03}
    return blade_allowed(ARM, **{**good, **changed})  # type: ignore[arg-type]


def test_the_blades_limits_include_their_ends() -> None:
    assert blade(force=FORCE_MIN) == ""
    assert blade(force=np.nextafter(FORCE_MIN, 0.0)) != ""
    assert blade(opening=OPENING_MIN) == ""
    assert blade(opening=np.nextafter(OPENING_MIN, 0.0)) != ""
    assert blade(opening=ARM.tool.opening_max) == ""
    assert blade(opening=np.nextafter(ARM.tool.opening_max, 1.0)) != ""
    assert blade(tool_speed=STILL) == ""
    assert blade(tool_speed=np.nextafter(STILL, 1.0)) != ""
    assert (FORCE_MIN, OPENING_MIN, STILL) == (0.08, 0.008, 0.02)


@pytest.mark.parametrize("axis", range(3))
def test_the_crop_volume_includes_its_faces_and_ends_there(axis: int) -> None:
    for face, out in ((CROP_LOW, -1e-9), (CROP_HIGH, 1e-9)):
        tool = [0.5, 0.5, 0.9]
        tool[axis] = float(face[axis])
        assert blade(tool=tuple(tool)) == ""
        tool[axis] += out
        assert "outside the crop volume" in blade(tool=tuple(tool))


def test_the_blade_says_why_with_numbers() -> None:
    assert blade(tool=(0.12345, 0.1, 0.9)) == "the tool is at (0.123, 0.1, 0.9) m, outside the crop volume"
    assert blade(opening=0.0021) == "nothing is held: the pads are 2.1 mm apart"
    assert blade(state=State.HOLD) == "the robot is in HOLD, the blade works only in RUN"
    assert blade(force=0.034) == "nothing is held: pad force 0.03 N"


def ready() -> Supervisor:
    s = Supervisor()
    s.power_on()
    s.enable()
    return s


def test_every_change_is_counted_up_and_a_repetition_is_none() -> None:
    s = ready()
    seen = [s.changes]

    def changed(by: int) -> None:
        seen.append(s.changes)
        assert seen[-1] - seen[-2] == by, seen

    s.start()
    changed(1)
    s.momentary("operator_hold")  # a cause and a state
    changed(2)
    s.momentary("operator_hold")
    changed(0)
    s.raise_cause("eyes_lost")
    changed(1)
    s.raise_cause("eyes_lost")
    changed(0)
    s.clear("eyes_lost")
    changed(1)
    s.clear("eyes_lost")
    changed(0)
    s.momentary("operator_stop")
    changed(2)
    s.momentary("operator_stop")
    changed(0)
    s.reset()  # the cause is answered, and the state changes
    changed(2)
    s.raise_cause("tracking_error")  # active, latched, and the state
    changed(3)


def test_times_that_motion_was_no_longer_allowed_are_counted() -> None:
    s = Supervisor()
    assert (s.changes, s.stops) == (0, 0)
    s = ready()
    assert s.stops == 0
    for began in (s.start, s.manual):
        before = s.stops
        assert began()
        assert s.stops == before
        s.momentary("operator_stop")
        s.momentary("estop_input")
        assert s.stops == before + 1
        assert s.reset()
        s.enable()
        assert s.stops == before + 1


def test_a_momentary_report_of_a_lasting_hold_is_not_latched_and_of_a_lasting_stop_is() -> None:
    s = ready()
    s.start()
    s.raise_cause("eyes_lost")
    s.momentary("eyes_lost")
    s.clear("eyes_lost")
    assert s.causes == ()
    s.raise_cause("tracking_error")
    s.clear("tracking_error")
    assert s.causes == ("tracking_error",)


def test_requests_are_refused_while_something_is_unanswered() -> None:
    s = ready()
    s.disable()
    s.raise_cause("tracking_error")
    assert not s.enable()
    s = ready()
    s.raise_cause("eyes_lost")
    assert not s.start()
    assert not s.manual()
    s.clear("eyes_lost")
    assert s.manual()
    assert s.state is State.MANUAL_REDUCED
    s.momentary("operator_hold")
    assert s.causes == ("operator_hold",)
    assert not s.manual()  # out of HOLD only `start` leads on; the hold stays unanswered
    assert s.causes == ("operator_hold",)
    assert s.power_off()
    assert not s.power_off()


def test_a_reset_says_whether_it_answered_anything() -> None:
    s = ready()
    assert not s.reset()
    s.momentary("operator_hold")
    assert not s.reset()
    s.momentary("operator_stop")
    assert s.reset()
    assert s.causes == ("operator_hold",)
    before = s.changes
    assert not s.reset()
    assert s.changes == before


def test_a_reset_button_needs_to_be_let_go_first() -> None:
    s = ready()
    s.momentary("operator_stop")
    assert not s.reset_input(False)
    assert s.reset_input(True)
    assert s.state is State.READY
    s.momentary("operator_stop")
    assert not s.reset_input(True)
    assert not s.reset_input(False)
    assert s.state is State.PSTOP


def test_a_heartbeat_of_exactly_the_age_is_still_heard() -> None:
    hearts = Heartbeats(("eyes",), 0.5)
    hearts.beat("eyes", 1.0)
    assert hearts.lost(1.5) == ()
    assert hearts.lost(np.nextafter(1.5, 2.0)) == ("eyes",)


def test_a_measurement_of_exactly_the_age_is_fresh() -> None:
    assert FROZEN_AGE == 0.05
    assert FeedbackWatch(ARM).judge(1.0, HOME, REST, 1.0 + 0.0499) == ""
    assert FeedbackWatch(ARM).judge(1.0, HOME, REST, 1.0 + 0.0501) == "sensor_frozen"
    assert FeedbackWatch(ARM).judge(0.0, HOME, REST, 0.05) == ""
    watch = FeedbackWatch(ARM)
    watch.judge(0.0, HOME, REST, 0.0)
    assert watch.judge(0.0, HOME, REST, 0.05) == ""
    assert watch.judge(0.0, HOME, REST, 0.051) == "sensor_frozen"


@pytest.mark.parametrize(("shape", "which"), [((7, 1), 0), ((8,), 0), ((8,), 1), ((0,), 1)])
def test_measurements_of_another_shape_are_a_fault(shape: tuple[int, ...], which: int) -> None:
    arrays = [HOME, REST]
    arrays[which] = np.zeros(shape)
    assert FeedbackWatch(ARM).judge(0.0, *arrays, 0.0) == "hardware_fault"


@pytest.mark.parametrize("joint", range(7))
@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_a_jump_is_what_half_again_the_full_speed_and_a_margin_do_not_explain(joint: int, side: float) -> None:
    margin = 0.02 if joint == 0 else 0.05
    explained = 1.5 * ARM.velocity[joint] * 0.02 + margin
    for share, wrong in ((0.999, ""), (1.001, "encoder_jump")):
        watch = FeedbackWatch(ARM)
        watch.judge(1.0, HOME, REST, 1.0)
        moved = HOME.copy()
        moved[joint] += side * share * explained
        assert watch.judge(1.02, moved, REST, 1.02) == wrong


def tracking(q: np.ndarray = HOME) -> TrackingWatch:
    watch = TrackingWatch(ARM)
    watch.restart(q)
    return watch


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_a_tracking_error_begins_beyond_its_limit(side: float) -> None:
    watch = tracking(REST)
    limit = ARM.safety.tracking_error
    for joint in range(7):
        measured = REST.copy()
        measured[joint] = side * limit[joint]
        error = watch.error(measured)
        assert error[joint] == limit[joint]
        assert not watch.exceeded(error)
        measured[joint] = np.nextafter(measured[joint], side * 9.0)
        assert watch.exceeded(watch.error(measured))


def test_the_set_points_of_the_last_ticks_count_and_no_older_ones() -> None:
    watch = tracking()
    far = HOME + 0.5
    for _ in range(LAG_TICKS - 1):
        watch.commanded(far)
    assert not watch.error(HOME).any()
    watch.commanded(far)
    assert np.allclose(watch.error(HOME), 0.5)
    assert LAG_TICKS == 12


@pytest.mark.parametrize("side", [-1.0, 1.0])
@pytest.mark.parametrize("moving", [True, False])
def test_a_joint_runs_away_when_it_is_too_far_and_goes_further(side: float, moving: bool) -> None:
    speed = 0.02 * ARM.velocity
    limit = ARM.safety.tracking_error if moving else np.array([0.008] + [0.03] * 6)
    for joint in range(7):
        watch = tracking(REST)
        if moving:
            set_point = REST.copy()
            set_point[joint] = -side * 1e-9
            watch.commanded(set_point)
        measured, velocity = REST.copy(), REST.copy()
        measured[joint] = side * limit[joint] * 1.01
        velocity[joint] = side * speed[joint] * 1.01
        assert watch.runs_away(watch.error(measured), measured, velocity)
        assert not watch.runs_away(watch.error(measured), measured, -velocity)
        assert not watch.runs_away(watch.error(measured), measured, velocity / 1.02)
        assert not watch.runs_away(watch.error(measured / 1.02), measured / 1.02, velocity)
        velocity[joint] = side * speed[joint]
        assert not watch.runs_away(watch.error(measured), measured, velocity)
        measured[joint], velocity[joint] = side * limit[joint], side * 1.0
        assert not watch.runs_away(watch.error(measured), measured, velocity)
        other = np.roll(velocity, 1)
        measured[joint] = side * limit[joint] * 1.01
        assert not watch.runs_away(watch.error(measured), measured, other)


def test_while_the_blade_is_out_half_as_far_is_too_far() -> None:
    for joint in range(7):
        watch, measured, velocity = tracking(REST), REST.copy(), REST.copy()
        measured[joint], velocity[joint] = 0.51 * STANDING[joint], 1.0
        assert not watch.runs_away(watch.error(measured), measured, velocity)
        assert watch.runs_away(watch.error(measured), measured, velocity, cutting=True)
        measured[joint] = 0.49 * STANDING[joint]
        assert not watch.runs_away(watch.error(measured), measured, velocity, cutting=True)


def straight(q: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    return float(q[0]), float(q[1]), float(q[2])


def told(watch: ToolWatch, speed: float, looks: int, limit: float, axis: int = 0) -> bool:
    """Feed positions of a tool that moves at `speed` [m/s] along one axis; return the last verdict."""
    fast = False
    for k in range(looks):
        q = REST.copy()
        q[axis] = speed * 0.004 * k
        fast = watch.too_fast(0.004 * k, q, limit)
    return fast


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_tools_measured_speed_is_too_fast_beyond_a_servos_ripple(axis: int) -> None:
    assert OVERSPEED == 1.2
    assert LOOKS == 6
    assert told(ToolWatch(straight), 0.601, LOOKS, 0.5, axis)
    assert told(ToolWatch(straight), -0.601, LOOKS, 0.5, axis)
    assert not told(ToolWatch(straight), 0.599, 20, 0.5, axis)
    assert not told(ToolWatch(straight), 9.0, LOOKS - 1, 0.5, axis)
    watch = ToolWatch(straight)
    assert told(watch, 0.25, 20, 0.2, axis)
    assert watch.speed == pytest.approx(0.25)


def test_a_measurement_that_is_not_new_says_nothing_about_the_tools_speed() -> None:
    watch = ToolWatch(straight)
    assert told(watch, 1.0, LOOKS, 0.5)
    far = REST + 9.0
    assert not watch.too_fast(0.004 * (LOOKS - 1), far, 0.5)
    assert not watch.too_fast(0.001, far, 0.5)
    assert watch.too_fast(0.004 * LOOKS, far, 0.5)
    watch.restart()
    assert watch.speed == 0.0
    assert not watch.too_fast(0.1, far, 0.5)
    assert not watch.too_fast(0.104, REST, 0.5)


def test_a_load_counts_only_beyond_the_limit_and_for_longer_than_a_start_takes() -> None:
    assert (OVERLOAD, OVERLOAD_AGE) == (1.1, 0.1)
    for joint in range(7):
        watch, effort = LoadWatch(ARM), REST.copy()
        limit = np.concatenate([[9e9], ARM.arm.effort])
        effort[joint] = -1.11 * limit[joint]
        assert not watch.judge(0.0, effort)
        assert not watch.judge(0.1, effort)
        assert watch.judge(0.101, effort) == (joint > 0)
        assert not watch.judge(0.2, effort / 1.02)
        assert not watch.judge(0.3, effort)
        assert not watch.judge(0.399, effort)
        assert watch.judge(0.402, effort) == (joint > 0)
        exact = effort * 0.0
        exact[joint] = watch._limit[joint]
        assert not watch.judge(9.0, exact)
        assert not watch.judge(9.2, exact)
    assert not watch.judge(9.0, np.full(7, np.nan))


def test_late_begins_beyond_half_a_period_and_very_late_beyond_two() -> None:
    watch = LateWatch(1.0)
    times = [0.0, 1.5, 3.0, 4.51, 5.51, 8.51, 9.51, 12.52]
    told = [watch.judge(t) for t in times]
    late = [False, False, False, True, False, True, False, True]
    assert told == list(zip(late, [False, False, False, False, False, False, False, True], strict=True))


def test_three_late_ticks_in_a_row_stop_and_two_do_not() -> None:
    watch = LateWatch(1.0)
    told = [watch.judge(t)[1] for t in (0.0, 1.6, 3.2, 4.2, 5.8, 7.4, 9.0, 10.6)]
    assert told == [False, False, False, False, False, False, True, True]


def test_a_lease_of_any_small_age_is_possible_and_a_new_one_is_nobodys() -> None:
    lease = MotionLease(1e-3)
    assert lease.holder == ""
    assert not lease.renew(0, 0.0)
    assert not lease.release(0)
    assert lease.acquire("a", 0.0) == 1
    assert not lease.lost(1e-3)
    assert lease.acquire("a", 5.0) == 2
    assert not lease.lost(5.0)


def test_a_reset_answers_a_stop_while_a_program_is_still_silent() -> None:
    s = ready()
    s.raise_cause("eyes_lost")
    s.momentary("operator_stop")
    assert s.reset()
    assert s.causes == ("eyes_lost",)
    assert not s.start()
