"""The control loop on the kinematic stand-in, tick by tick in virtual time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from robot.arms import load_arm
from robot.gripper import Cut, Grip
from robot.hardware import GripperState, HardwareError, JointState, StopCategory
from robot.hardware.fake import FakeHardware
from robot.kinematics import solve, tool_position
from robot.loop import BlackBox, ControlLoop, LoopError, LoopSettings
from robot.loop.blackbox import COLUMNS
from robot.loop.jaws import Jaws
from robot.motion import Trajectory, joint_move, line_move
from robot.safety import Limiter, State

ARM = load_arm("ur3e")
DT = 0.004
HOME = np.array([0.4, -1.5, -2.0, 1.5, 0.5, 1.5, 0.0])
LEVEL = np.stack([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]], axis=1)


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return 1_780_000_000.0 + self.time

    def monotonic(self) -> float:
        return self.time


class Rig:
    """A loop with its hardware and clock; `sent` are the set points of every tick."""

    def __init__(self, position: np.ndarray = HOME, **settings: object) -> None:
        self.clock = Clock()
        self.hardware = FakeHardware(ARM, self.clock.monotonic, position=position)
        settings = {"local_reset": False, **settings}
        self.loop = ControlLoop(self.hardware, ARM, self.clock, LoopSettings(**settings))  # type: ignore[arg-type]
        self.loop.bring_up()
        self.sent = [self.loop.set_point.copy()]
        self.run(0.02)

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / DT)):
            self.clock.time += DT
            self.loop.tick()
            self.sent.append(self.loop.set_point.copy())

    def until_rest(self, seconds: float = 20.0) -> None:
        deadline = self.clock.time + seconds
        while self.loop.moving and self.clock.time < deadline:
            self.run(DT)
        assert not self.loop.moving

    @property
    def state(self) -> State:
        return self.loop.supervisor.state

    def along_rail(self, by: float = 0.5) -> Trajectory:
        goal = self.loop.set_point.copy()
        goal[0] += by
        return joint_move(ARM, self.loop.set_point, goal)


@pytest.fixture
def rig() -> Rig:
    made = Rig()
    assert made.loop.start() == ""
    return made


def test_bringing_up_ends_ready_at_rest_and_start_is_needed_to_move() -> None:
    rig = Rig()
    assert rig.state is State.READY
    with pytest.raises(LoopError, match="not_allowed"):
        rig.loop.follow(rig.along_rail())
    with pytest.raises(LoopError, match="not_allowed"):
        rig.loop.grip(0.02, 1.0)
    rig.run(0.5)
    assert np.allclose(rig.loop.joints.position, HOME)


def test_a_trajectory_ends_measured_at_its_goal(rig: Rig) -> None:
    move = rig.along_rail()
    motion = rig.loop.follow(move)
    rig.run(move.duration + 0.2)
    assert (motion.done, motion.code) == (True, "")
    assert np.allclose(rig.loop.joints.position, move.positions[-1], atol=1e-4)


def test_set_points_stay_inside_the_limits_through_hold_and_stop(rig: Rig) -> None:
    rig.loop.follow(rig.along_rail())
    rig.run(0.5)
    rig.loop.hold()
    rig.until_rest()
    assert rig.loop.start() == ""
    rig.loop.follow(rig.along_rail())
    rig.run(0.4)
    rig.loop.stop()
    rig.until_rest()
    q = np.array(rig.sent)
    v = np.diff(q, axis=0) / DT
    a = np.diff(v, axis=0) / DT
    assert np.all(np.abs(v) <= ARM.velocity * 1.01)
    assert np.all(np.abs(a) <= ARM.acceleration * 1.27)
    speeds = np.linalg.norm(np.diff([tool_position(ARM, row) for row in q], axis=0), axis=1) / DT
    assert speeds.max() <= ARM.safety.tool_speed_auto * 1.02
    assert rig.loop.stats.rejected == 0


def test_a_hold_on_a_straight_line_stops_on_the_line(rig: Rig) -> None:
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = LEVEL, [0.5, 0.38, 0.95]
    pre = solve(ARM, pose, HOME)[0]
    rig = Rig(pre)
    rig.loop.start()
    pose[1, 3] = 0.55
    motion = rig.loop.follow(line_move(ARM, pre, pose))
    rig.run(0.35)
    rig.loop.hold()
    rig.until_rest()
    rig.run(DT)
    assert (motion.done, motion.code) == (True, "operator_hold")
    for q in rig.sent:
        x, _, z = tool_position(ARM, q)
        assert (x, z) == pytest.approx((0.5, 0.95), abs=3e-4)


def test_a_held_trajectory_is_never_resumed(rig: Rig) -> None:
    rig.loop.follow(rig.along_rail())
    rig.run(0.4)
    rig.loop.hold()
    assert rig.loop.start() != ""  # not while it is still coming to rest
    rig.until_rest()
    assert rig.loop.start() == ""
    where = rig.loop.set_point.copy()
    rig.run(1.0)
    assert np.array_equal(rig.loop.set_point, where)


def test_a_stop_outranks_a_hold_that_is_under_way(rig: Rig) -> None:
    motion = rig.loop.follow(rig.along_rail())
    rig.run(0.4)
    rig.loop.hold()
    rig.run(0.02)
    rig.loop.stop()
    rig.until_rest(0.6)
    rig.run(DT)
    assert rig.state is State.PSTOP
    assert motion.code == "operator_hold"  # the first reason is kept


def test_cancel_brakes_along_the_path_and_stays_in_run(rig: Rig) -> None:
    motion = rig.loop.follow(rig.along_rail())
    rig.run(0.4)
    motion.cancel()
    rig.run(DT)
    rig.until_rest(1.0)
    rig.run(DT)
    assert (motion.done, motion.code, rig.state) == (True, "canceled", State.RUN)


def test_only_one_trajectory_at_a_time_and_only_from_here(rig: Rig) -> None:
    far = Trajectory(
        times=np.array([0.0, 1.0]),
        positions=np.stack([HOME + 0.1, HOME + 0.1]),
        velocities=np.zeros((2, 7)),
        accelerations=np.zeros((2, 7)),
    )
    with pytest.raises(LoopError, match="bad_start"):
        rig.loop.follow(far)
    rig.loop.follow(rig.along_rail())
    with pytest.raises(LoopError, match="busy"):
        rig.loop.follow(rig.along_rail())


def test_a_plan_from_measured_joints_is_joined_without_a_jump(rig: Rig) -> None:
    offset = np.array([0.001, 0.004, -0.004, 0.003, 0.0, -0.003, 0.002])
    goal = HOME + offset
    goal[0] += 0.3
    motion = rig.loop.follow(joint_move(ARM, HOME + offset, goal))
    rig.run(3.0)
    assert (motion.done, motion.code, rig.loop.stats.rejected) == (True, "", 0)
    assert np.allclose(rig.loop.set_point, goal, atol=1e-9)


def test_a_trajectory_that_breaks_the_limits_is_stopped_by_the_limiter(rig: Rig) -> None:
    times = np.linspace(0.0, 1.0, 126)
    bad = Trajectory(
        times=times,
        positions=HOME + np.outer(np.where(times > 0.5, 0.02, 0.0), np.ones(7)),
        velocities=np.zeros((126, 7)),
        accelerations=np.zeros((126, 7)),
    )
    rig.loop._follower._reference.follow(bad)  # past the checks of `follow`
    rig.run(1.5)
    assert rig.state is State.PSTOP
    assert rig.loop.supervisor.causes[0] in ("joint_speed", "joint_acceleration")
    assert rig.loop.stats.rejected == 1
    assert np.allclose(rig.loop.joints.position, HOME, atol=1e-3)


def test_reset_never_moves_and_waits_for_rest(rig: Rig) -> None:
    rig.loop.follow(rig.along_rail())
    rig.run(0.4)
    rig.loop.stop()
    rig.run(DT)
    assert "rest" in rig.loop.reset()
    rig.until_rest()
    where = rig.loop.set_point.copy()
    assert rig.loop.reset() == ""
    assert rig.state is State.READY
    rig.run(0.2)
    assert np.array_equal(rig.loop.set_point, where)
    assert rig.loop.start() == ""


@pytest.mark.parametrize("share", [0.10, 0.15, 0.20, 0.25, 0.30, 0.40, 0.5])
def test_a_stop_while_a_joint_nears_full_speed_is_made_by_the_loop_itself(rig: Rig, share: float) -> None:
    goal = HOME.copy()
    goal[6] += 4.0
    move = joint_move(ARM, HOME, goal)
    rig.loop.follow(move)
    rig.run(share * move.duration)
    rig.loop.stop()
    rig.run(1.5)
    assert (rig.state, rig.loop.supervisor.causes) == (State.PSTOP, ("operator_stop",))
    assert not rig.loop.moving


def test_a_start_with_the_arm_elsewhere_is_refused_until_reset(rig: Rig) -> None:
    rig.loop.hold()
    rig.run(0.3)
    rig.hardware.faults.offset = np.array([0.006, 0, 0, 0, 0, 0, 0])
    rig.run(0.1)
    assert "position_mismatch" in rig.loop.start()
    rig.run(DT)
    assert rig.state is State.PSTOP
    assert rig.loop.reset() == ""
    assert rig.loop.start() == ""
    assert rig.loop.set_point[0] == pytest.approx(HOME[0] + 0.006)


class WeakHardware(FakeHardware):
    """Drives that cannot be powered while `weak`."""

    weak = False

    def activate(self) -> None:
        if self.weak:
            raise HardwareError("hardware_lost", "the brakes do not open")
        super().activate()


def test_a_reset_that_cannot_power_the_drives_is_a_fault_that_another_reset_answers() -> None:
    clock = Clock()
    hardware = WeakHardware(ARM, clock.monotonic, position=HOME)
    loop = ControlLoop(hardware, ARM, clock, LoopSettings(local_reset=False))
    loop.bring_up()

    def run(seconds: float) -> None:
        for _ in range(round(seconds / DT)):
            clock.time += DT
            loop.tick()

    run(0.1)
    hardware.faults.codes = ("over_current",)
    run(0.1)
    hardware.faults.codes, hardware.weak = (), True
    run(0.1)
    with pytest.raises(HardwareError, match="brakes"):
        loop.reset()
    run(0.1)
    assert (loop.supervisor.state, loop.supervisor.causes) == (State.FAULT, ("hardware_lost",))
    hardware.weak = False
    assert loop.reset() == ""
    assert loop.start() == ""


def test_a_start_that_was_on_its_way_when_the_operator_held_does_not_end_the_hold(rig: Rig) -> None:
    rig.loop.hold()
    assert "hold" in rig.loop.start()
    rig.run(0.2)
    assert rig.loop.start() != ""
    assert rig.state is State.HOLD
    rig.run(0.1)
    assert rig.loop.start() == ""


def test_nobody_far_away_answers_a_stop_where_the_button_is_at_the_machine() -> None:
    rig = Rig(local_reset=True)
    rig.loop.reset_button(False)
    assert rig.loop.start() == ""
    rig.loop.stop()
    rig.run(0.1)
    assert "reset button" in rig.loop.reset()
    assert rig.state is State.PSTOP
    assert rig.loop.reset_button(True) == ""
    assert rig.state is State.READY
    rig.run(0.1)
    assert rig.state is State.READY  # a reset never moves
    assert rig.loop.start() == ""
    rig.loop.stop()
    rig.run(0.1)
    rig.loop.reset_button(True)  # held down: no edge
    assert rig.state is State.PSTOP
    rig.loop.reset_button(False)
    assert rig.state is State.PSTOP
    rig.loop.reset_button(True)
    assert rig.state is State.READY
    assert LoopSettings().local_reset


@pytest.mark.parametrize(("joint", "by", "moved"), [(0, 0.006, True), (0, 0.004, False), (3, 0.04, True)])
def test_an_arm_that_was_moved_while_it_had_no_power_is_not_resumed(
    rig: Rig, joint: int, by: float, moved: bool
) -> None:
    rig.hardware.faults.codes = ("estop_input",)
    rig.run(0.3)
    assert rig.state is State.ESTOP
    rig.hardware.faults.disconnected = True
    rig.run(0.1)
    rig.hardware._q[joint] += by
    rig.hardware.faults.codes, rig.hardware.faults.disconnected = (), False
    rig.run(0.1)
    assert rig.loop.reset() == ""
    if moved:
        assert rig.state is State.PSTOP
        assert rig.loop.supervisor.causes == ("position_mismatch",)
        assert rig.loop.start() != ""
        assert rig.loop.reset() == ""
    assert rig.state is State.READY
    assert rig.loop.start() == ""


@pytest.mark.parametrize("moving", [False, True])
def test_an_arm_that_was_moved_while_it_did_not_answer_is_not_resumed(rig: Rig, moving: bool) -> None:
    if moving:
        rig.loop.follow(rig.along_rail())
        rig.run(0.5)
    rig.hardware.faults.disconnected = True
    rig.run(0.1)
    assert rig.loop.supervisor.causes == ("hardware_lost",)
    rig.hardware._advance()
    rig.hardware._q[3] += 0.5
    rig.hardware._target = rig.hardware._q.copy()
    rig.hardware.faults.disconnected = False
    rig.run(0.1)
    assert rig.loop.reset() == ""
    assert rig.loop.supervisor.causes == ("position_mismatch",)
    assert rig.loop.start() != ""


def test_an_arm_that_is_pushed_from_the_moment_it_has_no_power_is_not_resumed(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, push = rig.hardware.read, np.array([0.0, 0, 0, 0.05, 0, 0, 0])

    def pushed() -> tuple[JointState, GripperState]:
        joints, gripper = read()
        return replace(joints, velocity=push), gripper

    monkeypatch.setattr(rig.hardware, "read", pushed)
    rig.hardware.faults.codes = ("estop_input",)
    for _ in range(1500):
        rig.hardware._q += push * DT
        rig.run(DT)
    monkeypatch.setattr(rig.hardware, "read", read)
    rig.hardware.faults.codes = ()
    rig.run(0.1)
    assert rig.loop.reset() == ""
    assert rig.loop.supervisor.causes == ("position_mismatch",)
    assert rig.loop.start() != ""


def test_an_arm_that_coasted_to_rest_at_full_speed_is_where_it_was_left(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.loop.follow(rig.along_rail(1.5))
    rig.run(1.3)
    speed = abs(float(rig.loop.joints.velocity[0]))
    assert speed > 0.35
    read = rig.hardware.read

    def braking() -> tuple[JointState, GripperState]:
        joints, gripper = read()
        return replace(joints, velocity=np.array([speed, 0, 0, 0, 0, 0, 0])), gripper

    monkeypatch.setattr(rig.hardware, "read", braking)
    rig.hardware.faults.codes = ("estop_input",)
    rig.run(DT)
    assert rig.state is State.ESTOP
    begin = float(rig.hardware._q[0])
    while speed > 0.0:  # the brakes need their way
        rig.hardware._q[0] += speed * DT
        speed = max(speed - float(ARM.acceleration[0]) * DT, 0.0)
        rig.run(DT)
    assert rig.hardware._q[0] - begin > 0.04
    rig.hardware.faults.codes = ()
    rig.run(0.1)
    assert rig.loop.reset() == ""
    assert rig.loop.start() == ""


def test_a_fault_in_the_tick_after_a_reset_stops_the_driver_again(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.hardware.faults.codes = ("over_current",)
    rig.run(0.1)
    rig.hardware.faults.codes = ()
    rig.run(0.1)
    stops: list[StopCategory] = []
    monkeypatch.setattr(rig.hardware, "stop", stops.append)
    assert rig.loop.reset() == ""
    rig.hardware.faults.codes = ("over_current",)
    rig.run(0.1)
    assert rig.state is State.FAULT
    assert stops == [StopCategory.STOP_AND_HOLD]


def test_an_encoder_that_jumps_is_no_speed_of_the_tool(rig: Rig) -> None:
    rig.hardware.faults.offset = np.array([0.0, 0, 0, 0.2, 0, 0, 0])
    rig.run(0.2)
    assert rig.state is State.FAULT
    assert rig.loop.supervisor.causes[0] == "encoder_jump"
    assert "overspeed" not in rig.loop.supervisor.causes
    assert rig.hardware._powered, "it holds"


def test_a_joint_that_bears_too_much_for_too_long_stops_the_arm(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    read = rig.hardware.read
    effort = np.concatenate([[9e9], ARM.arm.effort * 1.2])  # the rail's is nobody's to judge

    def loaded() -> tuple[JointState, GripperState]:
        joints, gripper = read()
        return replace(joints, effort=effort), gripper

    monkeypatch.setattr(rig.hardware, "read", loaded)
    rig.run(0.09)
    assert rig.state is State.RUN
    rig.run(0.03)
    assert rig.state is State.PSTOP
    assert rig.loop.supervisor.causes == ("overload",)
    effort[1:] = ARM.arm.effort * 1.05
    rig.run(0.01)
    assert rig.loop.reset() == ""


def test_an_arm_that_does_not_know_where_it_is_never_starts() -> None:
    rig = Rig()
    rig.hardware.faults.codes = ("not_homed",)
    rig.run(0.05)
    assert rig.state is State.FAULT
    assert rig.loop.start() != ""
    assert rig.loop.reset() != ""
    rig.hardware.faults.codes = ()
    rig.run(0.05)
    assert rig.state is State.FAULT
    assert rig.loop.reset() == ""
    assert rig.state is State.READY


def test_manual_mode_moves_at_the_reduced_speed_of_the_tool() -> None:
    rig = Rig()
    assert rig.loop.supervisor.manual()
    rig.loop.follow(rig.along_rail(0.3))
    rig.run(5.0)
    speeds = np.linalg.norm(np.diff([tool_position(ARM, q) for q in rig.sent], axis=0), axis=1) / DT
    assert 0.2 < speeds.max() <= ARM.safety.tool_speed_manual * 1.02
    assert not rig.loop.moving


def test_late_ticks_make_the_arm_slower_never_faster(rig: Rig) -> None:
    rig.loop.follow(rig.along_rail())
    for _ in range(300):
        rig.clock.time += 3 * DT
        rig.loop.tick()
        rig.sent.append(rig.loop.set_point.copy())
    assert rig.state is State.RUN  # in virtual time the policy is off
    assert rig.loop.stats.late >= 299
    assert np.abs(np.diff(np.array(rig.sent), axis=0)).max() <= ARM.velocity[0] * DT * 1.01


def test_late_ticks_stop_the_arm_where_the_overrun_policy_applies() -> None:
    rig = Rig(overrun_policy=True)
    rig.loop.start()
    rig.clock.time += 0.02
    rig.loop.tick()
    assert rig.state is State.PSTOP
    assert rig.loop.supervisor.causes == ("loop_overrun",)


def test_a_loop_that_comes_back_after_its_commands_expired_leaves_the_arm_where_the_drives_held_it() -> None:
    rig = Rig(overrun_policy=True)
    assert rig.loop.start() == ""
    motion = rig.loop.follow(rig.along_rail(1.0))
    rig.run(1.0)
    assert abs(rig.loop.joints.velocity[0]) > 0.2
    rig.clock.time += 1.5  # a suspended machine; the drives stop and hold by themselves
    rig.run(DT)
    held = rig.loop.joints.position.copy()
    rig.run(0.5)
    assert np.allclose(rig.loop.joints.position, held, atol=1e-3), "a stop planned before is none any more"
    assert rig.state is State.PSTOP
    assert (motion.done, motion.code) == (True, "command_expired")
    assert rig.loop.reset() == ""
    assert rig.loop.start() == ""


def test_a_stop_that_the_limiter_refuses_is_left_to_the_driver(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.loop.follow(rig.along_rail())
    rig.run(0.5)
    rig.loop.hold()
    rig.run(DT)
    monkeypatch.setattr(Limiter, "judge", lambda *_, stopping, **__: "joint_limit" if stopping else "")
    rig.run(2 * DT)
    assert rig.state is State.FAULT
    assert "hardware_fault" in rig.loop.supervisor.causes
    rest = rig.loop.joints.position
    rig.run(0.5)
    assert np.allclose(rig.loop.joints.position, rest, atol=1e-6)


def test_a_stop_while_the_pads_open_opens_them_no_further() -> None:
    jaws = Jaws(ARM.tool)
    jaws.grip(ARM.tool.opening_max, 1.0, 0.0)
    held = GripperState(stamp=0.1, opening=0.028, opening_velocity=0.0, force=0.6, blade_out=False)
    jaws.stop("operator_stop", held)
    assert jaws.command(1, 1.0, blade=True).opening == 0.028


def test_pads_keep_what_they_hold_when_the_robot_stops(rig: Rig) -> None:
    rig.hardware.held_width = 0.03
    grip = rig.loop.grip(0.01, 0.8)
    rig.run(1.0)
    assert grip.stalled
    rig.loop.stop()
    rig.run(1.0)
    assert rig.loop.gripper.force == pytest.approx(0.8, abs=0.05)


def test_pads_stop_where_they_are_when_nothing_is_held(rig: Rig) -> None:
    grip = rig.loop.grip(0.0, 0.8)
    rig.run(0.12)
    rig.loop.stop()
    rig.run(0.5)
    assert (grip.done, grip.code) == (True, "operator_stop")
    assert 0.03 < rig.loop.gripper.opening < 0.055


def test_what_presses_the_pads_for_an_instant_holds_the_robot_and_is_told_for_long_enough_to_be_heard(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, struck_at = rig.hardware.read, rig.clock.time + DT

    def struck() -> tuple[JointState, GripperState]:
        joints, gripper = read()
        return joints, replace(gripper, force=10.0) if rig.clock.time == struck_at else gripper

    monkeypatch.setattr(rig.hardware, "read", struck)
    rig.run(0.3)
    assert (rig.state, rig.loop.supervisor.causes) == (State.HOLD, ("gripper_force",))
    assert rig.loop.start(), "it is still told"
    rig.run(0.3)
    assert (rig.state, rig.loop.supervisor.causes) == (State.HOLD, ())
    assert rig.loop.start() == ""


def test_the_pads_force_is_capped_by_the_tool_whatever_is_asked(rig: Rig) -> None:
    assert rig.loop.grip(0.02, 1000.0).max_force == ARM.tool.force_max
    assert rig.loop.grip(0.02, 0.0).max_force == ARM.tool.force_limit
    with pytest.raises(LoopError, match="command_invalid"):
        rig.loop.grip(0.02, float("inf"))


def test_the_driver_is_told_to_stop_when_the_hard_wired_input_opens(rig: Rig) -> None:
    rig.loop.follow(rig.along_rail())
    rig.run(0.4)
    rig.hardware.faults.codes = ("estop_input",)
    rig.run(DT)
    where = rig.loop.joints.position.copy()
    rig.run(0.5)
    assert rig.state is State.ESTOP
    assert np.abs(rig.loop.joints.position - where).max() < 0.005
    assert rig.loop.reset() != ""
    rig.hardware.faults.codes = ()
    rig.run(DT)
    assert rig.loop.reset() == ""
    assert rig.state is State.READY
    assert rig.loop.start() == ""


def test_shutting_down_takes_the_power_away(rig: Rig) -> None:
    rig.loop.shut_down()
    assert rig.state is State.OFF
    assert rig.loop.start() != ""


def state(opening: float, velocity: float = 0.0, *, blade: bool = False) -> GripperState:
    return GripperState(stamp=0.0, opening=opening, opening_velocity=velocity, force=0.0, blade_out=blade)


def test_a_grip_that_never_ends_is_jammed() -> None:
    grip = Grip(opening=0.0, max_force=1.0, now=0.0)
    for k in range(1000):
        grip.update(state(0.04, 0.05 if k % 2 else -0.05), k * DT)
    assert (grip.done, grip.code) == (True, "gripper_jammed")
    grip.end("later")
    assert grip.code == "gripper_jammed"


def test_a_cut_counts_only_when_the_blade_was_seen_out_and_back() -> None:
    cut = Cut(now=0.0, blade_time=0.25)
    cut.update(state(0.03), 0.1)
    assert not cut.done
    cut.update(state(0.03, blade=True), 0.15)
    cut.update(state(0.03), 0.3)
    assert (cut.done, cut.code, cut.seconds) == (True, "", 0.3)
    stuck = Cut(now=0.0, blade_time=0.25)
    stuck.update(state(0.03), 0.21)
    assert stuck.code == "gripper_jammed"
    out = Cut(now=0.0, blade_time=0.25)
    out.update(state(0.03, blade=True), 0.9)
    out.update(state(0.03, blade=True), 1.0)
    assert out.code == "gripper_jammed"


def test_the_black_box_keeps_the_last_rows_in_order() -> None:
    box = BlackBox(5)
    assert box.snapshot()["time"].shape == (0, 1)
    for k in range(7):
        box.row()[:] = k
    assert box.snapshot()["time"].ravel().tolist() == [2, 3, 4, 5, 6]
    assert set(box.snapshot()) == set(COLUMNS)
