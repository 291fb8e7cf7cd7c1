"""The fault table: what breaks at the hardware's boundary, how the loop ends, and how far the arm gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from robot.arms import load_arm
from robot.hardware import GripperCommand, JointCommand
from robot.hardware.fake import FakeHardware, Faults
from robot.kinematics import forward
from robot.loop import ControlLoop, LoopSettings
from robot.motion import joint_move, line_move
from robot.safety import POWER_OFF, State

ARM = load_arm("ur3e")
DT = 0.004
HOME = np.array([0.4, -1.5, -2.0, 1.5, 0.5, 1.5, 0.0])
GOAL = HOME + np.array([0.6, 0.8, 0.0, 0.0, 0.0, 0.0, 0.0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One fault in the middle of a move. `within`: the state is reached [s]; `travel`: of the rail after that [m]."""

    name: str
    inject: Callable[[Faults], None]
    state: State
    cause: str
    within: float
    travel: float


def set_(**values: object) -> Callable[[Faults], None]:
    def inject(faults: Faults) -> None:
        for name, value in values.items():
            setattr(faults, name, value)

    return inject


JUMP = np.array([0.0, 0.4, 0, 0, 0, 0, 0])
DRIFT = np.array([0.05, 0, 0, 0, 0, 0, 0])
TABLE = (
    Row(name="commands get lost", inject=set_(drop_writes=True), state=State.PSTOP, cause="tracking_error",
        within=0.6, travel=0.01),
    Row(name="measurement freezes", inject=set_(frozen=True), state=State.FAULT, cause="sensor_frozen",
        within=0.08, travel=0.02),
    Row(name="measurement is no number", inject=set_(not_a_number=True), state=State.FAULT, cause="hardware_fault",
        within=0.01, travel=0.02),
    Row(name="encoder jumps", inject=set_(offset=JUMP), state=State.FAULT, cause="encoder_jump",
        within=0.01, travel=0.02),
    Row(name="joint is stuck", inject=set_(stuck=(1,)), state=State.PSTOP, cause="tracking_error",
        within=1.0, travel=0.25),
    Row(name="position is off", inject=set_(offset=DRIFT), state=State.FAULT, cause="encoder_jump",
        within=0.01, travel=0.02),
    Row(name="device disconnects", inject=set_(disconnected=True), state=State.FAULT, cause="hardware_lost",
        within=0.01, travel=0.04),
    Row(name="drive reports a fault", inject=set_(codes=("over_current",)), state=State.FAULT, cause="hardware_fault",
        within=0.01, travel=0.02),
    Row(name="stop input opens", inject=set_(codes=("estop_input",)), state=State.ESTOP, cause="estop_input",
        within=0.01, travel=0.02),
    Row(name="door opens", inject=set_(codes=("door_open",)), state=State.PSTOP, cause="door_open",
        within=0.01, travel=0.25),
)  # fmt: skip


class Rig:
    def __init__(self) -> None:
        self.time = 0.0
        self.hardware = FakeHardware(ARM, lambda: self.time, position=HOME)
        self.loop = ControlLoop(self.hardware, ARM, self, LoopSettings(local_reset=False))
        self.loop.bring_up()
        self.run(0.02)
        assert self.loop.start() == ""

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / DT)):
            self.time += DT
            self.loop.tick()

    def true_rail(self) -> float:
        return float(self.hardware._q[0])


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_a_fault_in_the_middle_of_a_move_ends_in_its_state_soon_and_near(row: Row) -> None:
    rig = Rig()
    motion = rig.loop.follow(joint_move(ARM, HOME, GOAL))
    rig.run(0.8)
    assert rig.loop.moving
    row.inject(rig.hardware.faults)
    begin = rig.time
    while rig.loop.supervisor.state is State.RUN and rig.time - begin < 3.0:
        rig.run(DT)
    assert rig.loop.supervisor.state is row.state
    assert row.cause in rig.loop.supervisor.causes
    assert rig.time - begin <= row.within
    where = rig.true_rail()
    rig.run(1.0)
    assert abs(rig.true_rail() - where) <= row.travel
    assert motion.done
    assert motion.code == row.cause
    rest = rig.true_rail()
    rig.run(1.0)
    assert abs(rig.true_rail() - rest) < 1e-4
    assert rig.loop.start() != ""


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_after_the_fault_is_gone_reset_and_start_bring_it_back(row: Row) -> None:
    rig = Rig()
    rig.loop.follow(joint_move(ARM, HOME, GOAL))
    rig.run(0.8)
    row.inject(rig.hardware.faults)
    rig.run(2.0)
    rig.hardware.faults = Faults()
    rig.run(0.1)
    assert rig.loop.supervisor.state is row.state  # nothing comes back by itself
    assert rig.loop.reset() == ""
    if rig.loop.supervisor.causes == ("position_mismatch",):  # it is not where it was measured when it stopped
        assert row.cause in ("encoder_jump", "hardware_lost")
        assert rig.loop.reset() == ""
    assert rig.loop.supervisor.state is State.READY
    assert rig.loop.start() == ""
    before = rig.loop.set_point.copy()
    rig.run(0.2)
    assert np.allclose(rig.loop.set_point, before)
    goal = before.copy()
    goal[0] += 0.1
    motion = rig.loop.follow(joint_move(ARM, before, goal))
    rig.run(2.0)
    assert (motion.done, motion.code) == (True, "")


def test_a_loop_that_dies_leaves_the_driver_to_hold_within_the_commands_age(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig()
    expiries: list[float] = []
    write = rig.hardware.write

    def written(joints: JointCommand, gripper: GripperCommand) -> None:
        expiries.append(max(joints.valid_until, gripper.valid_until) - rig.time)
        write(joints, gripper)

    monkeypatch.setattr(rig.hardware, "write", written)
    rig.loop.follow(joint_move(ARM, HOME, GOAL))
    rig.run(0.8)
    assert len(expiries) == 200
    assert max(expiries) <= ARM.safety.command_age + 1e-9
    died = rig.time
    rail = rig.true_rail()
    rig.time = died + 5.0
    rig.hardware.read()
    assert abs(rig.true_rail() - rail) < ARM.rail.velocity * (ARM.safety.command_age + 0.02)
    rest = rig.true_rail()
    rig.time += 5.0
    rig.hardware.read()
    assert rig.true_rail() == rest


def test_a_device_that_never_answers_cannot_be_brought_up() -> None:
    hardware = FakeHardware(ARM, lambda: 0.0)
    hardware.faults.disconnected = True
    loop = ControlLoop(
        hardware, ARM, type("C", (), {"monotonic": lambda s: 0.0, "now": lambda s: 0.0})(), LoopSettings()
    )
    with pytest.raises(Exception, match="hardware_lost"):
        loop.bring_up()
    assert not loop.supervisor.motion_allowed


class Reversed(FakeHardware):
    """Joint 1 moves away from its set point, as after its encoder was wired the wrong way round."""

    def _advance(self) -> None:
        before = self._q.copy()
        super()._advance()
        if self._powered:
            self._q[1] = before[1] - np.clip(8.0 * (self._q[1] - before[1]), -0.0125, 0.0125)
            self._v[1] = (self._q[1] - before[1]) / DT


def test_a_joint_that_runs_away_has_its_power_taken() -> None:
    rig = Rig()
    rig.hardware.__class__ = Reversed
    rig.loop.follow(joint_move(ARM, HOME, GOAL))
    begin = rig.time
    while rig.loop.supervisor.state is State.RUN and rig.time - begin < 3.0:
        rig.run(DT)
    rig.run(2 * DT)
    assert rig.loop.supervisor.state is State.FAULT
    assert not POWER_OFF.isdisjoint(rig.loop.supervisor.causes)
    assert not rig.hardware._powered
    where = rig.hardware._q.copy()
    assert abs(where[1] - HOME[1]) < 0.3
    rig.run(1.0)
    assert np.array_equal(rig.hardware._q, where)


def test_a_joint_that_moves_while_its_set_point_stands_has_its_power_taken_within_a_centimetre() -> None:
    rig = Rig()
    rig.run(0.2)
    rig.hardware.__class__ = Slips
    rig.run(0.2)
    assert rig.loop.supervisor.state is State.FAULT
    assert rig.loop.supervisor.causes[0] == "runaway"
    assert not rig.hardware._powered
    assert abs(rig.true_rail() - HOME[0]) < 0.012


class Slips(FakeHardware):
    """The rail moves on by itself at a third of its speed while it has power."""

    speed, told = 0.2, 0.2

    def _advance(self) -> None:
        before = float(self._q[0])
        super()._advance()
        if self._powered:
            self._q[0], self._v[0] = before + self.speed * DT, self.told


@pytest.mark.parametrize(("speed", "told", "cause"), [(0.2, 0.2, "runaway"), (-1.0, 0.0, "overspeed")])
@pytest.mark.parametrize("at_once", [True, False])
def test_an_arm_that_does_not_hold_after_a_fault_has_its_power_taken(
    speed: float, told: float, cause: str, at_once: bool
) -> None:
    rig = Rig()
    rig.hardware.faults.codes = ("over_current",)
    rig.run(DT if at_once else 0.2)
    assert rig.hardware._powered, "the fault alone is answered by holding"
    rig.hardware.faults.codes = ()
    rig.hardware.__class__ = type("Drifts", (Slips,), {"speed": speed, "told": told})
    rig.run(0.5)
    assert cause in rig.loop.supervisor.causes
    assert not rig.hardware._powered
    assert abs(rig.true_rail() - HOME[0]) < 0.05
    where = rig.true_rail()
    rig.run(0.5)
    assert rig.true_rail() == where


class Compensates(FakeHardware):
    """Joint 3 stops in the middle of a move, although the joints before it count on it."""

    def _advance(self) -> None:
        before = float(self._q[3])
        super()._advance()
        self._q[3], self._v[3] = before, 0.0


def test_a_stuck_joint_that_makes_the_tool_too_fast_has_the_power_taken_before_it_is_far_behind() -> None:
    rig = Rig()
    goal = forward(ARM, HOME)
    goal[1, 3] += 0.2
    rig.loop.follow(line_move(ARM, HOME, goal, speed=0.45))
    rig.run(0.3)
    rig.hardware.__class__ = Compensates
    begin = rig.time
    while rig.loop.supervisor.state is State.RUN and rig.time - begin < 3.0:
        rig.run(DT)
    assert rig.loop.supervisor.state is State.FAULT
    assert rig.loop.supervisor.causes == ("overspeed",)
    rig.run(2 * DT)
    assert not rig.hardware._powered
