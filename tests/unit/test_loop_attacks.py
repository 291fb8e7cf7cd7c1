"""The control loop against broken drivers and careless programs: the arm ends at rest, and it is told why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from robot.arms import load_arm
from robot.hardware import GripperState, HardwareError, JointState, StopCategory
from robot.hardware.fake import FakeHardware
from robot.kinematics import solve
from robot.loop import ControlLoop, LoopError, LoopSettings
from robot.motion import joint_move
from robot.safety import State

ARM = load_arm("ur3e")
DT = 0.004
HOME = np.array([0.4, -1.5, -2.0, 1.5, 0.5, 1.5, 0.0])
RAIL = np.array([0.5, 0, 0, 0, 0, 0, 0])
LEVEL = np.stack([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]], axis=1)
Measured = tuple[JointState, GripperState]


class Rig:
    """A loop in RUN with its hardware; `bend` changes what is measured, `stops` are those that got through."""

    def __init__(self, position: np.ndarray = HOME) -> None:
        self.time = 0.0
        self.stops: list[StopCategory] = []
        self.deaf = False
        self.bend: Callable[[JointState, GripperState], Measured] = lambda joints, gripper: (joints, gripper)
        self.hardware = FakeHardware(ARM, self.monotonic, position=position)
        self._read, self._stop = self.hardware.read, self.hardware.stop
        self.hardware.read = lambda: self.bend(*self._read())  # type: ignore[method-assign]
        self.hardware.stop = self._heard  # type: ignore[method-assign]
        self.loop = ControlLoop(self.hardware, ARM, self, LoopSettings(local_reset=False))
        self.loop.bring_up()
        self.run(0.02)
        self.loop.start()

    def _heard(self, category: StopCategory) -> None:
        if self.deaf:
            raise HardwareError("hardware_lost", "nobody heard")
        self.stops.append(category)
        self._stop(category)

    def now(self) -> float:
        return 1_780_000_000.0 + self.time

    def monotonic(self) -> float:
        return self.time

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / DT)):
            self.time += DT
            self.loop.tick()

    @property
    def state(self) -> State:
        return self.loop.supervisor.state


@pytest.mark.parametrize(
    "bend",
    [
        lambda j, g: (replace(j, position=j.position[:6]), g),
        lambda j, g: (replace(j, velocity=j.velocity.reshape(1, 7)), g),
        lambda j, g: (replace(j, effort=np.zeros(6)), g),
    ],
    ids=["position", "velocity", "effort"],
)
def test_a_driver_that_measures_another_number_of_joints_is_a_fault_in_the_middle_of_a_move(
    bend: Callable[[JointState, GripperState], Measured],
) -> None:
    rig = Rig()
    motion = rig.loop.follow(joint_move(ARM, HOME, HOME + RAIL))
    rig.run(0.5)
    rig.bend = bend
    rig.run(0.1)
    assert rig.state is State.FAULT
    assert rig.loop.supervisor.causes == ("hardware_fault",)
    assert (motion.done, motion.code) == (True, "hardware_fault")


@pytest.mark.parametrize("stamp", [float("nan"), float("inf"), 1e6])
def test_stamps_that_are_no_time_of_this_clock_stop_the_arm(stamp: float) -> None:
    rig = Rig()
    rig.loop.follow(joint_move(ARM, HOME, HOME + RAIL))
    rig.run(0.5)
    rig.bend = lambda joints, gripper: (replace(joints, stamp=stamp), gripper)
    rig.run(DT)
    assert rig.state is State.FAULT
    assert rig.loop.supervisor.causes == ("sensor_frozen",)


@pytest.mark.parametrize("late", [0.06, float("nan")])
def test_a_gripper_whose_measurement_stands_still_stops_the_arm_before_the_blade_trusts_it(late: float) -> None:
    rig = Rig()
    rig.bend = lambda joints, gripper: (joints, replace(gripper, stamp=rig.time - late))
    rig.run(DT)
    assert rig.state is State.FAULT
    assert rig.loop.supervisor.causes == ("sensor_frozen",)


def test_a_stop_that_the_device_did_not_hear_is_told_it_again_once_it_answers() -> None:
    rig = Rig()
    rig.deaf = True
    rig.hardware.faults.codes = ("estop_input",)
    rig.run(0.1)
    assert rig.state is State.ESTOP
    assert rig.hardware._powered, "it has not heard"
    assert not rig.stops
    rig.deaf = False
    rig.run(DT)
    assert rig.stops == [StopCategory.STOP_THEN_POWER_OFF]
    assert not rig.hardware._powered
    rig.run(0.1)
    assert len(rig.stops) == 1, "once is enough"


def test_a_stop_that_was_owed_is_forgotten_when_somebody_has_powered_the_drives_again() -> None:
    rig = Rig()
    rig.hardware.faults.codes = ("over_current",)
    rig.deaf = True
    rig.run(0.1)
    rig.hardware.faults.codes = ()
    rig.run(0.1)
    rig.loop.supervisor.clear("hardware_lost")
    assert rig.loop.reset() == ""
    rig.deaf = False
    rig.run(0.1)
    assert (rig.state, rig.stops) == (State.READY, [])


def test_what_began_and_was_stopped_between_two_ticks_never_moves() -> None:
    rig = Rig()
    rig.loop.stop()
    rig.run(0.1)
    assert rig.loop.reset() == ""
    assert rig.loop.start() == ""
    motion = rig.loop.follow(joint_move(ARM, HOME, HOME + RAIL))
    grip = rig.loop.grip(0.0, 0.8)
    rig.loop.stop()
    rig.run(0.5)
    assert rig.loop.joints.position[0] == pytest.approx(HOME[0], abs=1e-5)
    assert (motion.done, motion.code) == (True, "operator_stop")
    assert (grip.done, grip.code) == (True, "operator_stop")
    assert rig.loop.gripper.opening == pytest.approx(ARM.tool.opening_max, abs=1e-4)


def test_an_arm_that_comes_up_far_beyond_a_limit_is_held_where_it_is_and_told() -> None:
    outside = HOME.copy()
    outside[0] = ARM.position_max[0] + 0.2
    rig = Rig(outside)
    rig.run(0.5)
    assert rig.hardware._q[0] == pytest.approx(outside[0], abs=1e-6), "no set point leaps to the limit"
    assert rig.state.name == "PSTOP"
    assert rig.loop.supervisor.causes == ("joint_limit",)
    assert rig.loop.reset() == ""
    assert rig.loop.start() == ""
    inside = joint_move(ARM, outside - RAIL, outside - 2.0 * RAIL)
    rig.loop.follow(replace(inside, positions=inside.positions + RAIL))
    rig.run(4.0)
    assert rig.state is State.RUN
    assert rig.hardware._q[0] == pytest.approx(outside[0] - 0.5, abs=1e-3), "the way back in is open"


def test_an_arm_a_hair_beyond_a_limit_is_held_at_the_limit() -> None:
    outside = HOME.copy()
    outside[0] = ARM.position_max[0] + 0.002
    rig = Rig(outside)
    rig.run(0.5)
    assert rig.state is State.RUN
    assert rig.loop.set_point[0] == ARM.position_max[0]


def at_the_crop() -> np.ndarray:
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = LEVEL, (0.5, 0.5, 0.95)
    found: np.ndarray = solve(ARM, pose, HOME, rail=0.4)[0]
    return found


def holding() -> Rig:
    """Return a rig at the crop that holds fruit."""
    rig = Rig(at_the_crop())
    rig.hardware.held_width = 0.03
    rig.loop.grip(0.01, 0.8)
    rig.run(1.0)
    return rig


def test_the_blade_does_not_sweep_on_a_way_that_has_just_begun() -> None:
    rig = holding()
    here = rig.loop.set_point
    rig.loop.follow(joint_move(ARM, here, here + RAIL))
    with pytest.raises(LoopError, match="the arm is on its way"):
        rig.loop.cut()


def test_the_arm_stands_still_until_the_blade_is_back() -> None:
    rig = holding()
    here = rig.loop.set_point
    cut = rig.loop.cut()
    with pytest.raises(LoopError, match="the blade is out"):
        rig.loop.follow(joint_move(ARM, here, here + RAIL))
    rig.run(0.02)
    cut.end("canceled")
    rig.run(DT)
    assert rig.loop.gripper.blade_out
    with pytest.raises(LoopError, match="the blade is out"):
        rig.loop.follow(joint_move(ARM, here, here + RAIL))
    rig.run(2.0)
    rig.loop.follow(joint_move(ARM, here, here + RAIL))


def test_a_measurement_lost_in_the_tick_after_a_pause_leaves_the_arm_watched() -> None:
    """After a pause the loop holds the measured joints; what is no number must not become a set point."""
    rig = Rig()
    rig.loop.follow(joint_move(ARM, HOME, HOME + RAIL))
    rig.run(0.5)
    rig.time += 0.2
    rig.hardware.faults.not_a_number = True
    rig.run(DT)
    assert rig.state is State.FAULT
    assert np.isfinite(rig.loop.set_point).all()
    rig.hardware.faults.not_a_number = False
    rig.run(0.1)
    rig.bend = lambda joints, gripper: (
        replace(joints, position=joints.position + RAIL * (rig.time % 1.0), velocity=RAIL),
        gripper,
    )
    rig.run(0.3)
    assert {"runaway", "encoder_jump"} & set(rig.loop.supervisor.causes)


def test_a_time_to_begin_by_that_is_no_number_has_passed() -> None:
    with pytest.raises(LoopError, match="command_expired"):
        Rig().loop.follow(joint_move(ARM, HOME, HOME + RAIL), valid_until=float("nan"))
