"""A wiring file: which servo or controller drives which joint. Read strictly, turned into a `Machine`."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robot.arms import ArmDescription, load_arm
from robot.arms.parse import Table
from robot.hardware.parts import FixedRail, Machine, Part
from robot.hardware.servo.bus import Bus
from robot.hardware.servo.dynamixel import DynamixelBus
from robot.hardware.servo.feetech import FeetechBus
from robot.hardware.servo.part import Axis, Jaws, ServoPart
from robot.hardware.servo.port import SerialPort
from robot.hardware.ur.part import UrPart
from robot.hardware.ur.stream import TcpStream

KINDS = ("feetech", "dynamixel", "ur")
AXIS = ("servo", "zero", "ticks_per_unit")
SERVO_RATE, UR_RATE = 100.0, 125.0  # [1/s]; a bus at 1 Mbit/s serves nine servos in about 5 ms


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wiring:
    """What a wiring file says.

    Attributes:
        servos: joints driven by bus servos, by place in the joint vector.
        rail_at: where a base that is bolted down stands on the rail's scale [m]; None when a servo drives the rail.
        device, baud: of the servo bus.
        protocol: of the servo bus, "feetech" or "dynamixel".
        host: of the UR controller; empty without one.
    """

    kind: str
    arm: ArmDescription
    servos: Mapping[int, Axis]
    jaws: Jaws
    rail_at: float | None
    device: str
    baud: int
    protocol: str
    host: str


def read_wiring(path: Path, kind: str) -> Wiring:
    """Read a wiring file for one kind of hardware.

    Raises:
        ValueError: it cannot be read, or a key is wrong; the message says which and what was expected.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{path}: {error}") from error
    return parse_wiring(values, kind, path)


def parse_wiring(values: Mapping[str, Any], kind: str, path: Path) -> Wiring:
    """Build the wiring out of parsed TOML; a calibration's path is relative to the wiring file's folder."""
    if kind not in KINDS:
        raise ValueError(f"expected hardware out of {list(KINDS)}, got {kind!r}")
    keys = ["arm", "bus", "rail", "gripper"] + (["ur"] if kind == "ur" else ["joints"])
    root = Table(values, path.name, [*keys, *(k for k in ("calibration",) if k in values)])
    unit = path.parent / root.text("calibration") if "calibration" in values else None
    arm = load_arm(root.text("arm"), unit)
    bus = root.table("bus", ["protocol", "device", "baud"])
    protocol = bus.text("protocol")
    if protocol not in ("feetech", "dynamixel") or kind not in (protocol, "ur"):
        raise bus.error("protocol", "feetech or dynamixel, as the hardware asked for", protocol)
    servos: dict[int, Axis] = {}
    fixed = "fixed" in values["rail"]
    rail = root.table("rail", ["fixed"] if fixed else AXIS)
    if not fixed:
        servos[0] = _axis(rail, turns=True)
    if kind != "ur":
        joints = root.table("joints", arm.arm.joints)
        servos |= {i: _axis(joints.table(name, AXIS)) for i, name in enumerate(arm.arm.joints, start=1)}
    gripper = root.table("gripper", (*AXIS, "force_at_full_load", "blade"))
    blade = gripper.table("blade", ("servo", "housed", "out"))
    return Wiring(
        kind=kind,
        arm=arm,
        servos=servos,
        jaws=Jaws(
            opening=_axis(gripper),
            force_at_full_load=gripper.number("force_at_full_load", positive=True),
            blade=blade.integer("servo"),
            housed=int(blade.number("housed")),
            out=int(blade.number("out")),
        ),
        rail_at=rail.number("fixed") if fixed else None,
        device=bus.text("device"),
        baud=bus.integer("baud"),
        protocol=protocol,
        host=root.table("ur", ["host"]).text("host") if kind == "ur" else "",
    )


def _axis(table: Table, *, turns: bool = False) -> Axis:
    scale = table.number("ticks_per_unit")
    if scale == 0.0:
        raise table.error("ticks_per_unit", "a number that is not 0", scale)
    return Axis(servo=table.integer("servo"), zero=int(table.number("zero")), ticks_per_unit=scale, turns=turns)


def connect(wiring: Wiring, monotonic: Callable[[], float]) -> Machine:
    """Open the ports and return the machine, not configured yet.

    Raises:
        HardwareError: a port or a controller is not there, or pyserial is missing.
    """
    arm = wiring.arm
    port = SerialPort(wiring.device, wiring.baud)
    bus: Bus = FeetechBus(port) if wiring.protocol == "feetech" else DynamixelBus(port)
    parts: list[Part] = [ServoPart(bus, wiring.servos, monotonic, jaws=wiring.jaws, tool=arm.tool)]
    if wiring.rail_at is not None:
        parts.append(FixedRail(wiring.rail_at, monotonic))
    if wiring.kind != "ur":
        return Machine(arm, parts, monotonic, name=wiring.kind, rate=SERVO_RATE)
    expiry = arm.safety.command_age
    parts.append(UrPart(lambda number: TcpStream(wiring.host, number), expiry=expiry, monotonic=monotonic))
    return Machine(arm, parts, monotonic, name="ur", rate=UR_RATE, powers_off=False)
