"""What every driver of the hardware protocol must do, asked of the stand-in and of the simulated cell alike."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import pytest

from robot.arms import load_arm
from robot.hardware import GripperCommand, GripperState, Hardware, HardwareError, JointCommand, JointState, StopCategory
from robot.hardware.fake import FakeHardware
from robot.hardware.parts import Machine
from robot.hardware.servo.dynamixel import DynamixelBus
from robot.hardware.servo.feetech import FeetechBus
from robot.hardware.servo.part import Axis, Jaws, ServoPart
from robot.hardware.ur.part import UrPart
from robot.hardware.xarm.part import XArmPart
from sim.devices.servos import FakeBus
from sim.devices.ur import FakeController, MemoryStream
from sim.devices.xarm import FakeXArm, MemoryXArm

ARM = load_arm("ur3e")
DT = 0.004
AGE = ARM.safety.command_age


class Bench(Protocol):
    """A driver, the time it lives in, and two ways to break it."""

    hardware: Hardware

    def time(self) -> float: ...
    def pass_tick(self) -> None: ...
    def lose_motor(self, joint: int) -> None: ...
    def unplug(self) -> None: ...


class FakeBench:
    def __init__(self) -> None:
        self._time = 0.0
        self._fake = FakeHardware(ARM, self.time)
        self.hardware: Hardware = self._fake

    def time(self) -> float:
        return self._time

    def pass_tick(self) -> None:
        self._time += DT

    def lose_motor(self, joint: int) -> None:
        self._fake.faults.stuck = (joint,)

    def unplug(self) -> None:
        self._fake.faults.disconnected = True


class SimBench:
    def __init__(self) -> None:
        from sim.cell import Cell, CellSettings
        from sim.hardware import SimHardware
        from sim.scene.settings import SceneSettings

        self._cell = Cell(CellSettings(scene=SceneSettings(berries=2, plants_per_m=1.0, length=0.6)), 1)
        self._sim = SimHardware(self._cell)
        self.hardware: Hardware = self._sim

    def time(self) -> float:
        return self._cell.time

    def pass_tick(self) -> None:
        self._cell.step()

    def lose_motor(self, joint: int) -> None:
        self._sim.faults.disconnected = {ARM.joint_names[joint]}

    def unplug(self) -> None:
        self._sim.faults.comms_lost = True


RAIL_TICKS, TURN = 15000.0, 4096 / (2 * np.pi)
AXES = {0: Axis(servo=1, zero=0, ticks_per_unit=RAIL_TICKS, turns=True)} | {
    joint: Axis(servo=joint + 1, zero=2048, ticks_per_unit=TURN * (-1) ** joint) for joint in range(1, 7)
}
JAWS = Jaws(
    opening=Axis(servo=8, zero=1000, ticks_per_unit=20000.0), force_at_full_load=10.0, blade=9, housed=1024, out=1424
)


class ServoBench:
    """Seven joints, jaws and blade on one bus, every octet of it."""

    protocol = "feetech"

    def __init__(self) -> None:
        self._time = 0.0
        home = [0.5, -1.57, -2.2, 2.2, 0.6, 1.57, 0.0]
        places = {axis.servo: axis.ticks(home[joint]) for joint, axis in AXES.items()}
        places |= {8: JAWS.opening.ticks(ARM.tool.opening_max), 9: JAWS.housed}
        self._bus = FakeBus(self.protocol, places, self.time)
        kind = FeetechBus if self.protocol == "feetech" else DynamixelBus
        part = ServoPart(kind(self._bus), AXES, self.time, jaws=JAWS, tool=ARM.tool)
        self.hardware: Hardware = Machine(ARM, [part], self.time, name=self.protocol, rate=125.0)

    def time(self) -> float:
        return self._time

    def pass_tick(self) -> None:
        self._time += DT

    def lose_motor(self, joint: int) -> None:
        self._bus.servos[AXES[joint].servo].stuck = True

    def unplug(self) -> None:
        self._bus.unplugged = True


class DynamixelBench(ServoBench):
    protocol = "dynamixel"


class UrBench:
    """A UR arm's controller, and a servo bus with rail, jaws and blade."""

    def __init__(self) -> None:
        self._time = 0.0
        places = {1: AXES[0].ticks(0.5), 8: JAWS.opening.ticks(ARM.tool.opening_max), 9: JAWS.housed}
        self._bus = FakeBus("feetech", places, self.time)
        self._controller = FakeController([-1.57, -2.2, 2.2, 0.6, 1.57, 0.0], self.time)
        part = ServoPart(FeetechBus(self._bus), {0: AXES[0]}, self.time, jaws=JAWS, tool=ARM.tool)
        arm = UrPart(lambda port: MemoryStream(self._controller, port, self.pass_tick), expiry=AGE, monotonic=self.time)
        self.hardware: Hardware = Machine(ARM, [part, arm], self.time, name="ur", rate=125.0, powers_off=False)

    def time(self) -> float:
        return self._time

    def pass_tick(self) -> None:
        self._time += DT

    def lose_motor(self, joint: int) -> None:
        if joint:
            self._controller.stuck.add(joint - 1)
        else:
            self._bus.servos[1].stuck = True

    def unplug(self) -> None:
        self._controller.unplugged = True


class XArmBench:
    """A UFACTORY controller behind the maker's SDK, and a servo bus with rail, jaws and blade."""

    def __init__(self) -> None:
        if importlib.util.find_spec("xarm") is None:  # importing it makes a folder in the home
            pytest.skip("pip install 'berrybrain[xarm]'")
        self._time = 0.0
        places = {1: AXES[0].ticks(0.5), 8: JAWS.opening.ticks(ARM.tool.opening_max), 9: JAWS.housed}
        self._bus = FakeBus("feetech", places, self.time)
        self._controller = FakeXArm([-1.57, -2.2, 2.2, 0.6, 1.57, 0.0], self.time)
        part = ServoPart(FeetechBus(self._bus), {0: AXES[0]}, self.time, jaws=JAWS, tool=ARM.tool)
        arm = XArmPart(
            lambda: MemoryXArm(self._controller, self.pass_tick),
            lite=False,
            monotonic=self.time,
            nap=self.pass_tick,
        )
        self.hardware: Hardware = Machine(ARM, [part, arm], self.time, name="xarm", rate=125.0)

    def time(self) -> float:
        return self._time

    def pass_tick(self) -> None:
        self._time += DT

    def lose_motor(self, joint: int) -> None:
        if joint:
            self._controller.stuck.add(joint - 1)
        else:
            self._bus.servos[1].stuck = True

    def unplug(self) -> None:
        self._controller.unplugged = True


class Driver:
    """Speaks to a driver as the control loop does."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.hardware = bench, bench.hardware
        self.seq = 0
        self.opening, self.force, self.cut = ARM.tool.opening_max, 1.0, False
        self.hardware.configure()
        self.hardware.activate()
        self.wait(0.1)
        self.home = self.joints().position.copy()

    def joints(self) -> JointState:
        return self.hardware.read()[0]

    def gripper(self) -> GripperState:
        return self.hardware.read()[1]

    def write(self, q: np.ndarray, *, age: float = AGE, seq: int | None = None) -> None:
        self.seq += 1
        number, until = self.seq if seq is None else seq, self.bench.time() + age
        self.hardware.write(
            JointCommand(seq=number, valid_until=until, position=q, velocity=np.zeros(7)),
            GripperCommand(seq=number, valid_until=until, opening=self.opening, max_force=self.force, cut=self.cut),
        )

    def wait(self, seconds: float, each: Callable[[], Any] | None = None) -> None:
        for _ in range(round(seconds / DT)):
            self.bench.pass_tick()
            self.hardware.read()
            if each is not None:
                each()

    def go(self, q: np.ndarray, seconds: float) -> None:
        """Walk to `q` in equal steps, one per tick, and give it time to arrive."""
        begin = self.joints().position
        n = round(seconds / DT)
        for k in range(1, n + 1):
            self.bench.pass_tick()
            self.write(begin + (q - begin) * k / n)
        self.wait(0.3, lambda: self.write(q))


@pytest.fixture(
    params=[FakeBench, SimBench, ServoBench, DynamixelBench, UrBench, XArmBench],
    ids=["fake", "sim", "feetech", "dynamixel", "ur", "xarm"],
)
def driver(request: pytest.FixtureRequest) -> Driver:
    return Driver(request.param())


def shifted(q: np.ndarray, by: float = 0.1) -> np.ndarray:
    return q + by * np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0])


def test_it_names_its_joints_and_limits_in_the_arms_order(driver: Driver) -> None:
    has = driver.hardware.capabilities
    assert has.joint_names == ARM.joint_names
    assert has.position_min.shape == has.position_max.shape == has.velocity_max.shape == (7,)
    assert np.all(has.position_min < has.position_max)
    assert np.all(has.velocity_max > 0.0)
    assert has.rate >= 100.0
    assert StopCategory.STOP_AND_HOLD in has.stop_categories


def test_it_holds_where_it_is_when_activated(driver: Driver) -> None:
    driver.wait(1.0)
    state = driver.joints()
    assert np.allclose(state.position, driver.home, atol=2e-3)
    assert state.faults == ()


def test_its_stamps_follow_time(driver: Driver) -> None:
    stamps = []
    driver.wait(0.2, lambda: stamps.append(driver.joints().stamp))
    assert np.all(np.diff(stamps) > 0.0)
    assert abs(stamps[-1] - driver.bench.time()) < 0.02


def test_it_goes_where_it_is_sent(driver: Driver) -> None:
    driver.go(shifted(driver.home), 0.5)
    assert np.allclose(driver.joints().position, shifted(driver.home), atol=5e-3)


def test_what_it_measures_is_not_what_it_was_told(driver: Driver) -> None:
    driver.write(shifted(driver.home, 0.02))
    assert np.allclose(driver.joints().position, driver.home, atol=2e-3)
    driver.bench.pass_tick()
    assert np.abs(driver.joints().position - shifted(driver.home, 0.02)).min() > 1e-3


def test_a_motor_without_power_is_seen_in_the_measurement(driver: Driver) -> None:
    driver.bench.lose_motor(0)
    driver.go(shifted(driver.home), 0.5)
    state = driver.joints()
    assert abs(state.position[0] - shifted(driver.home)[0]) > 0.05
    assert abs(state.position[6] - shifted(driver.home)[6]) < 5e-3


def test_velocity_is_measured_too(driver: Driver) -> None:
    speeds = []
    begin = driver.home
    for k in range(100):
        driver.bench.pass_tick()
        driver.write(begin + np.array([0.2 * DT * k, 0, 0, 0, 0, 0, 0]))
        speeds.append(driver.joints().velocity[0])
    assert np.mean(speeds[-25:]) == pytest.approx(0.2, abs=0.02)


def test_it_stops_near_where_it_was_when_commands_cease(driver: Driver) -> None:
    q = driver.home.copy()
    for _ in range(100):
        driver.bench.pass_tick()
        q = q + 0.3 * DT * np.array([1.0, 0, 0, 0, 0, 0, 1.0])
        driver.write(q)
    driver.wait(AGE + 0.4)
    rest = driver.joints().position.copy()
    driver.wait(0.5)
    assert np.allclose(driver.joints().position, rest, atol=2e-3)
    assert np.abs(rest - q).max() < 0.3 * (AGE + 0.05)


def test_a_command_that_is_already_old_does_nothing(driver: Driver) -> None:
    driver.write(shifted(driver.home), age=-0.001)
    driver.wait(0.3)
    assert np.allclose(driver.joints().position, driver.home, atol=2e-3)


def test_a_repeated_or_earlier_number_is_ignored(driver: Driver) -> None:
    driver.write(driver.home, seq=1000)
    driver.wait(0.2, lambda: driver.write(shifted(driver.home), seq=999))
    driver.wait(0.1, lambda: driver.write(shifted(driver.home), seq=1000))
    assert np.allclose(driver.joints().position, driver.home, atol=2e-3)


def test_stop_outranks_what_was_written(driver: Driver) -> None:
    far = driver.home + np.array([0.4, 0, 0, 0, 0, 0, 0])
    for k in range(50):
        driver.bench.pass_tick()
        driver.write(driver.home + (far - driver.home) * k * DT, age=5.0)
    driver.hardware.stop(StopCategory.STOP_AND_HOLD)
    driver.wait(0.3)
    rest = driver.joints().position.copy()
    driver.wait(0.5)
    assert np.allclose(driver.joints().position, rest, atol=2e-3)


def test_after_power_off_nothing_moves_until_it_is_activated_again(driver: Driver) -> None:
    driver.hardware.stop(StopCategory.STOP_THEN_POWER_OFF)
    driver.wait(0.2)
    rest = driver.joints().position.copy()
    driver.go(shifted(rest), 0.3)
    assert np.allclose(driver.joints().position, rest, atol=2e-3)
    driver.hardware.activate()
    driver.wait(0.3)
    assert np.allclose(driver.joints().position, rest, atol=2e-3)
    driver.go(shifted(rest), 0.5)
    assert np.allclose(driver.joints().position, shifted(rest), atol=5e-3)


def test_the_pads_go_to_their_opening_and_no_faster_than_they_can(driver: Driver) -> None:
    driver.opening = 0.02
    openings = []
    driver.wait(1.0, lambda: (driver.write(driver.home), openings.append(driver.gripper().opening)))
    assert openings[-1] == pytest.approx(0.02, abs=1.5e-3)
    assert np.abs(np.diff(openings)).max() <= 1.3 * ARM.tool.opening_velocity * DT + 1e-4
    assert driver.gripper().force < 0.15


def test_the_pads_stop_when_their_command_expires(driver: Driver) -> None:
    driver.opening = 0.0
    driver.write(driver.home)
    driver.wait(0.5)
    assert driver.gripper().opening > 0.03


def test_the_blade_sweeps_once_per_rising_edge(driver: Driver) -> None:
    out = []
    driver.cut = True
    driver.wait(1.0, lambda: (driver.write(driver.home), out.append(driver.gripper().blade_out)))
    sweeps = sum(1 for before, now in zip([False, *out], out, strict=False) if now and not before)
    assert sweeps == 1
    assert not out[-1]
    assert sum(out) * DT == pytest.approx(ARM.tool.blade_time, rel=0.35)
    driver.cut = False
    driver.wait(0.1, lambda: driver.write(driver.home))
    driver.cut = True
    driver.wait(0.1, lambda: driver.write(driver.home))
    assert driver.gripper().blade_out


def test_a_device_that_does_not_answer_raises_with_a_code(driver: Driver) -> None:
    driver.bench.unplug()
    with pytest.raises(HardwareError) as caught:
        driver.hardware.read()
    assert caught.value.code
    with pytest.raises(HardwareError):
        driver.write(driver.home)


def test_it_lets_go_in_order(driver: Driver) -> None:
    driver.hardware.deactivate()
    rest = driver.joints().position.copy()
    driver.go(shifted(rest), 0.2)
    assert np.allclose(driver.joints().position, rest, atol=2e-3)
    driver.hardware.shutdown()
