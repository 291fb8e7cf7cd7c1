"""The simulated hardware behind the robot's protocol: measures, expires, stops, and fails on demand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from robot.hardware import GripperCommand, Hardware, HardwareError, JointCommand, StopCategory
from sim.cell import TICK, Cell, CellSettings
from sim.hardware import SimHardware
from sim.scene import SceneSettings

BARE = CellSettings(scene=SceneSettings(length=0.3, berries=0))


@pytest.fixture
def cell() -> Cell:
    return Cell(BARE, 1)


@pytest.fixture
def hardware(cell: Cell) -> SimHardware:
    hardware = SimHardware(cell)
    hardware.configure()
    hardware.activate()
    return hardware


def send(
    cell: Cell, hardware: Hardware, seq: int, position: np.ndarray, velocity: np.ndarray, *, opening: float = 0.03
) -> None:
    until = cell.time + 0.05
    hardware.write(
        JointCommand(seq=seq, valid_until=until, position=position, velocity=velocity),
        GripperCommand(seq=seq, valid_until=until, opening=opening, max_force=1.0),
    )


def drive(cell: Cell, hardware: Hardware, seconds: float, speed: float = 0.5, joint: int = 1) -> np.ndarray:
    """Move one joint at constant speed, softly begun; return the last set point."""
    start, q = cell.joints, cell.joints
    n = round(seconds / TICK)
    for k in range(n):
        v = np.zeros(7)
        v[joint] = speed * min(1.0, (k + 1) / 25)
        send(cell, hardware, k + 1, q, v)
        q = q + v * TICK
        cell.step()
        hardware.read()
    assert abs(q[joint] - start[joint]) > 0.01
    return q


def test_feedback_follows_the_arm_within_a_milliradian(cell: Cell, hardware: SimHardware) -> None:
    q = drive(cell, hardware, 0.4)
    state, _ = hardware.read()
    assert np.abs(state.position - q).max() < 2e-3
    assert state.velocity[1] == pytest.approx(0.5, abs=0.05)
    assert state.position is not q


def test_a_disconnected_motor_shows_in_the_feedback(cell: Cell, hardware: SimHardware) -> None:
    hardware.faults.disconnected.add("shoulder_pan_joint")
    q = drive(cell, hardware, 0.5)
    state, _ = hardware.read()
    assert abs(q[1] - state.position[1]) > 0.12
    assert state.faults == ()
    hardware.faults.codes = ("hardware_fault",)
    cell.step()
    assert hardware.read()[0].faults == ("hardware_fault",)


def test_positions_come_in_encoder_steps(cell: Cell, hardware: SimHardware) -> None:
    drive(cell, hardware, 0.1)
    state, gripper = hardware.read()
    counts = state.position[1:] / (2.0 * math.pi / 2**17)
    assert np.abs(counts - np.round(counts)).max() < 1e-6
    assert gripper.opening / 2e-5 == pytest.approx(round(gripper.opening / 2e-5), abs=1e-6)


def test_an_expired_command_stops_the_arm_and_holds(cell: Cell, hardware: SimHardware) -> None:
    drive(cell, hardware, 0.4)
    for _ in range(100):
        cell.step()
    at = cell.joints
    for _ in range(100):
        cell.step()
    assert np.abs(cell.joints - at).max() < 1e-4
    assert np.abs(cell.data.qvel[cell.scene.names.joint_dof]).max() < 1e-3


def test_old_and_expired_commands_are_ignored(cell: Cell, hardware: SimHardware) -> None:
    home = cell.joints
    send(cell, hardware, 5, home, np.zeros(7))
    far = home + np.array([0.0, 0.5, 0, 0, 0, 0, 0])
    send(cell, hardware, 4, far, np.zeros(7))
    hardware.write(
        JointCommand(seq=9, valid_until=cell.time - 0.001, position=far, velocity=np.zeros(7)),
        GripperCommand(seq=9, valid_until=cell.time - 0.001, opening=0.0, max_force=1.0),
    )
    for _ in range(50):
        cell.step()
    assert np.abs(cell.joints - home).max() < 1e-4
    assert cell.opening > 0.025


@pytest.mark.parametrize("category", list(StopCategory))
def test_every_stop_category_ends_at_rest(cell: Cell, hardware: SimHardware, category: StopCategory) -> None:
    drive(cell, hardware, 0.4)
    hardware.stop(category)
    for _ in range(100):
        cell.step()
    assert np.abs(cell.data.qvel[cell.scene.names.joint_dof]).max() < 1e-3
    off = "drives_off" in hardware.read()[0].faults
    assert off == (category is not StopCategory.STOP_AND_HOLD)


def test_without_power_commands_do_nothing(cell: Cell) -> None:
    hardware = SimHardware(cell)
    with pytest.raises(HardwareError, match="hardware_not_configured"):
        hardware.activate()
    hardware.configure()
    home = cell.joints
    send(cell, hardware, 1, home + 0.2, np.zeros(7))
    for _ in range(25):
        cell.step()
    assert np.abs(cell.joints - home).max() < 1e-4
    assert "drives_off" in hardware.read()[0].faults


def test_a_frozen_driver_repeats_its_stamp(cell: Cell, hardware: SimHardware) -> None:
    first, _ = hardware.read()
    hardware.faults.frozen = True
    for _ in range(5):
        cell.step()
    assert hardware.read()[0] is first
    hardware.faults.frozen = False
    assert hardware.read()[0].stamp == pytest.approx(5 * TICK)


def test_injected_jump_and_nan_reach_the_reader(cell: Cell, hardware: SimHardware) -> None:
    hardware.faults.jump["elbow_joint"] = 0.3
    hardware.faults.nan.add("rail_joint")
    cell.step()
    state, _ = hardware.read()
    assert state.position[3] - cell.joints[3] == pytest.approx(0.3, abs=1e-3)
    assert math.isnan(state.position[0])


def test_lost_communication_raises(cell: Cell, hardware: SimHardware) -> None:
    hardware.faults.comms_lost = True
    with pytest.raises(HardwareError, match="hardware_comms_lost"):
        hardware.read()
    with pytest.raises(HardwareError, match="hardware_comms_lost"):
        send(cell, hardware, 1, cell.joints, np.zeros(7))


def test_a_nan_set_point_is_refused_and_the_arm_stays(cell: Cell, hardware: SimHardware) -> None:
    bad = cell.joints
    bad[2] = math.nan
    with pytest.raises(HardwareError, match="command_not_finite"):
        send(cell, hardware, 1, bad, np.zeros(7))
    cell.step()
    assert np.all(np.isfinite(cell.joints))


def test_the_arm_does_not_sag_under_its_weight(cell: Cell, hardware: SimHardware) -> None:
    home = cell.joints
    for k in range(250):
        send(cell, hardware, k + 1, home, np.zeros(7))
        cell.step()
    assert np.abs(cell.joints - home).max() < 1e-3
