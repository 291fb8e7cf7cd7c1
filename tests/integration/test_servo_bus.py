"""Servo buses octet by octet: published packets, lost and damaged replies, overload, a held fruit, a serial port."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from robot.arms import load_arm
from robot.hardware import GripperCommand, HardwareError, JointCommand, StopCategory
from robot.hardware.parts import FixedRail, Machine
from robot.hardware.servo import dynamixel, feetech
from robot.hardware.servo.bus import BusError
from robot.hardware.servo.dynamixel import DynamixelBus
from robot.hardware.servo.feetech import FeetechBus
from robot.hardware.servo.part import Axis, Jaws, ServoPart
from robot.hardware.servo.port import SerialPort
from sim.devices.servos import FakeBus, PtyServos

ARM = load_arm("so101")
TURN = 4096 / (2 * np.pi)
AXES = {joint: Axis(servo=joint, zero=2048, ticks_per_unit=TURN) for joint in range(1, 6)}
JAWS = Jaws(
    opening=Axis(servo=6, zero=1000, ticks_per_unit=20000.0), force_at_full_load=8.0, blade=7, housed=1000, out=1400
)


class Table:
    """An SO-101 bolted to a table: five joints, jaws and blade on one bus."""

    def __init__(self, protocol: str) -> None:
        self.time = 0.0
        places = {axis.servo: axis.ticks(0.0) for axis in AXES.values()} | {6: 1000 + 0.06 * 20000, 7: 1000.0}
        self.bus = FakeBus(protocol, places, lambda: self.time)
        kind = FeetechBus if protocol == "feetech" else DynamixelBus
        part = ServoPart(kind(self.bus), AXES, lambda: self.time, jaws=JAWS, tool=ARM.tool)
        rail = FixedRail(0.0, lambda: self.time)
        self.machine = Machine(ARM, [rail, part], lambda: self.time, name=protocol, rate=125.0)
        self.seq = 0

    def up(self) -> Table:
        self.machine.configure()
        self.machine.activate()
        return self

    def tick(self, q: np.ndarray, *, opening: float = 0.06, force: float = 1.0, cut: bool = False) -> None:
        self.time += 0.008
        self.seq += 1
        self.machine.write(
            JointCommand(seq=self.seq, valid_until=self.time + 0.05, position=q, velocity=np.zeros(6)),
            GripperCommand(seq=self.seq, valid_until=self.time + 0.05, opening=opening, max_force=force, cut=cut),
        )


@pytest.fixture(params=["feetech", "dynamixel"])
def table(request: pytest.FixtureRequest) -> Table:
    return Table(request.param).up()


def test_feetech_packets_are_those_of_the_manual() -> None:
    # Feetech, "Communication protocol manual": ping of servo 1 and its reply; write 2048 to servo 1's goal.
    assert feetech.packet(1, feetech.PING) == bytes.fromhex("ff ff 01 02 01 fb")
    assert feetech.packet(1, 0) == bytes.fromhex("ff ff 01 02 00 fc")
    goal = feetech.packet(1, feetech.WRITE, bytes([42]) + (2048).to_bytes(2, "little"))
    assert goal == bytes.fromhex("ff ff 01 05 03 2a 00 08 c4")


def test_dynamixel_packets_are_those_of_the_manual() -> None:
    # ROBOTIS e-manual, protocol 2.0: ping of servo 1, its reply, read of four octets at 132.
    assert dynamixel.packet(1, dynamixel.PING) == bytes.fromhex("ff ff fd 00 01 03 00 01 19 4e")
    reply = dynamixel.packet(1, dynamixel.STATUS, bytes.fromhex("00 06 04 26"))
    assert reply == bytes.fromhex("ff ff fd 00 01 07 00 55 00 06 04 26 65 5d")
    read = dynamixel.packet(1, dynamixel.READ, bytes.fromhex("84 00 04 00"))
    assert read == bytes.fromhex("ff ff fd 00 01 07 00 02 84 00 04 00 1d 15")


def test_a_header_inside_dynamixel_data_is_stuffed() -> None:
    packet = dynamixel.packet(1, dynamixel.WRITE, b"\x74\x00\xff\xff\xfd\x00")
    assert b"\xff\xff\xfd\xfd\x00" in packet
    assert int.from_bytes(packet[5:7], "little") == len(packet) - 7


@pytest.mark.parametrize(("value", "sign"), [(0, 15), (-1, 15), (30719, 15), (-1023, 10), (17, 10)])
def test_numbers_with_a_sign_bit_come_back(value: int, sign: int) -> None:
    assert feetech.signed(feetech.unsigned(value, sign), sign) == value


def test_more_turns_than_feetech_can_count_are_refused() -> None:
    with pytest.raises(ValueError, match="within"):
        feetech.unsigned(40000, 15)


def test_one_lost_or_damaged_reply_is_asked_for_again(table: Table) -> None:
    for fault in ("lost", "damaged"):
        setattr(table.bus, fault, 1)
        joints, _ = table.machine.read()
        assert np.allclose(joints.position, 0.0, atol=2e-3)


@pytest.mark.parametrize("fault", ["lost", "damaged"])
def test_a_line_that_stays_broken_is_a_lost_device(table: Table, fault: str) -> None:
    setattr(table.bus, fault, 1000)
    with pytest.raises(HardwareError) as caught:
        table.machine.read()
    assert caught.value.code == "hardware_lost"
    assert "servo 1" in caught.value.detail


def test_an_overloaded_servo_is_a_fault_the_loop_sees(table: Table) -> None:
    assert table.machine.read()[0].faults == ()
    table.bus.servos[3].overload = True
    assert table.machine.read()[0].faults == ("hardware_fault",)


def test_a_servo_that_is_missing_at_start_is_named() -> None:
    bench = Table("feetech")
    del bench.bus.servos[4]
    with pytest.raises(HardwareError, match="servo 4"):
        bench.machine.configure()


def test_power_does_not_make_the_servos_leap_to_an_old_goal() -> None:
    bench = Table("feetech")
    for servo in bench.bus.servos.values():
        servo.table[42:44] = (100).to_bytes(2, "little")
    bench.up()
    bench.time += 0.5
    assert np.allclose(bench.machine.read()[0].position, 0.0, atol=2e-3)


def test_a_held_fruit_is_measured_and_pressed_no_harder_than_asked(table: Table) -> None:
    table.bus.servos[6].blocked_at = 1000 + 0.025 * 20000
    for _ in range(120):
        table.tick(np.zeros(6), opening=0.0, force=0.8)
    _, gripper = table.machine.read()
    assert gripper.opening == pytest.approx(0.025, abs=1e-3)
    assert gripper.force == pytest.approx(0.8, abs=0.05)


def test_stop_takes_the_blade_home(table: Table) -> None:
    table.tick(np.zeros(6), cut=True)
    table.time += 0.1
    assert table.machine.read()[1].blade_out
    table.machine.stop(StopCategory.STOP_AND_HOLD)
    table.time += 0.2
    assert not table.machine.read()[1].blade_out


def test_a_machine_says_which_joints_nobody_drives() -> None:
    bench = Table("feetech")
    with pytest.raises(ValueError, match=r"expected parts for joints \[0, 1, 2, 3, 4, 5\]"):
        Machine(ARM, [FixedRail(0.0, lambda: bench.time)], lambda: 0.0, name="x", rate=100.0)


@pytest.mark.parametrize("protocol", ["feetech", "dynamixel"])
def test_a_real_serial_port_carries_it_and_tells_when_it_is_pulled(protocol: str) -> None:
    pytest.importorskip("serial", reason="pip install 'berrybrain[servo]'")
    places = {1: 2000.0, 2: 3000.0}
    bus = FakeBus(protocol, places, lambda: 0.0)
    with PtyServos(bus) as line:
        port = SerialPort(line.name, 1_000_000, timeout=2.0)
        real = FeetechBus(port) if protocol == "feetech" else DynamixelBus(port)
        for servo in places:
            real.ping(servo)
            real.prepare(servo, forceful=False)
        assert [r.position for r in real.read([1, 2])] == [2000, 3000]
        line.unplug()
        with pytest.raises(BusError):
            real.read([1])
        real.close()


def test_without_pyserial_it_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "serial", None)
    with pytest.raises(HardwareError, match=r"pip install 'berrybrain\[servo\]'") as caught:
        SerialPort("/dev/ttyUSB0", 1_000_000)
    assert caught.value.code == "hardware_not_configured"


def test_a_port_that_is_not_there_says_what_to_look_at() -> None:
    pytest.importorskip("serial", reason="pip install 'berrybrain[servo]'")
    with pytest.raises(HardwareError, match="is it plugged in") as caught:
        SerialPort("/dev/ttyNOBODY", 1_000_000)
    assert caught.value.code == "hardware_lost"


def test_only_servos_that_turn_round_and_round_lose_the_range_set_in_them() -> None:
    bus = FakeBus("feetech", {1: 0.0, 2: 0.0}, lambda: 0.0)
    for servo in bus.servos.values():
        servo.table[9:13] = bytes.fromhex("00 02 00 0e")
    axes = {0: Axis(servo=1, zero=0, ticks_per_unit=15000.0, turns=True), 1: Axis(servo=2, zero=0, ticks_per_unit=1.0)}
    ServoPart(FeetechBus(bus), axes, lambda: 0.0).configure()
    assert bus.servos[1].table[9:13] == bytes(4)
    assert bus.servos[2].table[9:13] == bytes.fromhex("00 02 00 0e")
