"""A wiring file: which servo or controller drives which joint. Read strictly, turned into a `Machine`."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from robot.arms import ArmDescription, load_arm
from robot.arms.parse import Table, frozen
from robot.hardware import Hardware
from robot.hardware.own import OwnDriver
from robot.hardware.parts import FixedRail, Machine, Part
from robot.hardware.servo.bus import Bus
from robot.hardware.servo.dynamixel import DynamixelBus
from robot.hardware.servo.feetech import FeetechBus
from robot.hardware.servo.part import Axis, Jaws, ServoPart
from robot.hardware.servo.port import SerialPort
from robot.hardware.ur.part import UrPart
from robot.hardware.ur.rtde import PORT
from robot.hardware.ur.stream import SCRIPT_PORT, TcpStream
from robot.hardware.xarm.part import XArmPart
from robot.hardware.xarm.sdk import ANSWER
from robot.hardware.xarm.sdk import PORT as COMMAND_PORT

SERVOS = ("feetech", "dynamixel")
CONTROLLERS = {
    "ur": {"rtde_port": PORT, "script_port": SCRIPT_PORT},
    "xarm": {"port": COMMAND_PORT},
}
"""Arms behind a controller of their own: its ports, by the keys that say where else they are reached."""

OWN = "own"
"""A driver that the wiring file names."""

KINDS = (*SERVOS, *CONTROLLERS, OWN)
AXIS = ("servo", "zero", "ticks_per_unit")
XARMS = ("xarm6", "lite6")
PLAY = 1e-3  # a base that is bolted down counts as a rail with so much room to each side [m]
SERVO_RATE, CONTROLLER_RATE = 100.0, 125.0  # [1/s]; a bus at 1 Mbit/s serves nine servos in about 5 ms
NAP = 0.02  # between two looks whether drives have come on [s]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wiring:
    """What a wiring file says.

    Attributes:
        servos: joints driven by bus servos, by place in the joint vector.
        jaws: on the servo bus; None = a driver of its own has them.
        rail_at: where a base that is bolted down stands on the rail's scale [m]; None when a servo drives the rail.
        device, baud: of the servo bus.
        protocol: of the servo bus, "feetech" or "dynamixel".
        host: of the arm's controller; empty without one.
        ports: by the controller's own port, where it is reached instead; for a network that maps them.
        camera: file of `berrybrain calibrate hand-eye`; None = the drawing's.
        driver: named by the file; then it drives everything.
    """

    kind: str
    arm: ArmDescription
    servos: Mapping[int, Axis]
    jaws: Jaws | None = None
    rail_at: float | None
    device: str = ""
    baud: int = 0
    protocol: str = ""
    host: str = ""
    ports: Mapping[int, int]
    camera: Path | None = None
    driver: OwnDriver | None = None


def read_wiring(path: Path, kind: str, address: str = "") -> Wiring:
    """Read a wiring file for one kind of hardware.

    Args:
        address: stands in for what the file says of the arm's device or host; empty = the file holds.

    Raises:
        ValueError: it cannot be read, or a key is wrong; the message says which and what was expected.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{path}: expected TOML: {error}") from error
    wiring = parse_wiring(values, kind, path)
    if not address:
        return wiring
    if wiring.driver is not None:
        return replace(wiring, driver=replace(wiring.driver, settings={**wiring.driver.settings, "address": address}))
    return replace(wiring, host=address) if kind in CONTROLLERS else replace(wiring, device=address)


def parse_wiring(values: Mapping[str, Any], kind: str, path: Path) -> Wiring:
    """Build the wiring out of parsed TOML; a calibration's path is relative to the wiring file's folder."""
    if kind not in KINDS:
        raise ValueError(f"expected hardware out of {list(KINDS)}, got {kind!r}")
    if kind == OWN:
        return _own(values, path)
    keys = ["arm", "bus", "rail", "gripper", kind if kind in CONTROLLERS else "joints"]
    root = Table(values, path.name, [*keys, *(k for k in ("calibration", "camera") if k in values)])
    unit, camera = (path.parent / root.text(k) if k in values else None for k in ("calibration", "camera"))
    arm = load_arm(root.text("arm"), unit, camera)
    if kind == "xarm" and arm.name not in XARMS:
        raise root.error("arm", f"one out of {list(XARMS)}, the arms with this controller", arm.name)
    bus = root.table("bus", ["protocol", "device", "baud"])
    protocol = bus.text("protocol")
    if protocol not in SERVOS or kind not in (protocol, *CONTROLLERS):
        raise bus.error("protocol", "feetech or dynamixel, as the hardware asked for", protocol)
    servos: dict[int, Axis] = {}
    fixed = "fixed" in values["rail"]
    rail = root.table("rail", ["fixed"] if fixed else AXIS)
    if not fixed:
        servos[0] = _axis(rail, turns=True)
    if kind not in CONTROLLERS:
        joints = root.table("joints", arm.arm.joints)
        servos |= {i: _axis(joints.table(name, AXIS)) for i, name in enumerate(arm.arm.joints, start=1)}
    bolted = rail.number("fixed") if fixed else None
    gripper = root.table("gripper", (*AXIS, "force_at_full_load", "blade"))
    controller = None
    ports: dict[int, int] = {}
    if kind in CONTROLLERS:
        mapped = {name: port for name, port in CONTROLLERS[kind].items() if name in values[kind]}
        controller = root.table(kind, ["host", *mapped])
        ports = {port: controller.integer(name) for name, port in mapped.items()}
    blade = gripper.table("blade", ("servo", "housed", "out"))
    return Wiring(
        kind=kind,
        arm=arm if bolted is None else bolted_down(arm, bolted),
        servos=servos,
        jaws=Jaws(
            opening=_axis(gripper),
            force_at_full_load=gripper.number("force_at_full_load", positive=True),
            blade=blade.integer("servo"),
            housed=int(blade.number("housed")),
            out=int(blade.number("out")),
        ),
        rail_at=bolted,
        camera=camera,
        device=bus.text("device"),
        baud=bus.integer("baud"),
        protocol=protocol,
        host=controller.text("host") if controller is not None else "",
        ports=ports,
    )


def _own(values: Mapping[str, Any], path: Path) -> Wiring:
    """Build the wiring of a driver that the file names: it drives all joints and the gripper."""
    optional = [key for key in ("calibration", "camera", "rail") if key in values]
    root = Table(values, path.name, ["arm", "driver", *optional])
    unit, camera = (path.parent / root.text(k) if k in values else None for k in ("calibration", "camera"))
    arm = load_arm(root.text("arm"), unit, camera)
    bolted = root.table("rail", ["fixed"]).number("fixed") if "rail" in values else None
    named = values["driver"] if isinstance(values["driver"], Mapping) else {}
    place = root.table("driver", ["class", *(key for key in named if key != "class")]).text("class")
    settings = {key: value for key, value in named.items() if key != "class"}
    return Wiring(
        kind=OWN,
        arm=arm if bolted is None else bolted_down(arm, bolted),
        servos={},
        rail_at=bolted,
        ports={},
        camera=camera,
        driver=OwnDriver(place=place, settings=settings, file=path.name),
    )


def bolted_down(arm: ArmDescription, at: float) -> ArmDescription:
    """Return the arm with a rail that stays where it is, so that nothing is planned that would need it to move."""
    low, high = arm.position_min.copy(), arm.position_max.copy()
    low[0], high[0] = at - PLAY, at + PLAY
    rail = replace(arm.rail, position_min=at - PLAY, position_max=at + PLAY)
    return replace(arm, rail=rail, position_min=frozen(low), position_max=frozen(high))


def _axis(table: Table, *, turns: bool = False) -> Axis:
    scale = table.number("ticks_per_unit")
    if scale == 0.0:
        raise table.error("ticks_per_unit", "a number that is not 0", scale)
    return Axis(servo=table.integer("servo"), zero=int(table.number("zero")), ticks_per_unit=scale, turns=turns)


def connect(wiring: Wiring, monotonic: Callable[[], float]) -> Hardware:
    """Open the ports and return the machine, not configured yet.

    Raises:
        HardwareError: a port or a controller is not there, or pyserial is missing.
        ValueError: the driver that the wiring file names is none.
    """
    arm = wiring.arm
    if wiring.driver is not None:
        return wiring.driver.open(arm, monotonic)
    port = SerialPort(wiring.device, wiring.baud)
    bus: Bus = FeetechBus(port) if wiring.protocol == "feetech" else DynamixelBus(port)
    parts: list[Part] = [ServoPart(bus, wiring.servos, monotonic, jaws=wiring.jaws, tool=arm.tool)]
    if wiring.rail_at is not None:
        parts.append(FixedRail(wiring.rail_at, monotonic))
    if wiring.kind in SERVOS:
        return Machine(arm, parts, monotonic, name=wiring.kind, rate=SERVO_RATE)

    def stream(number: int, patience: float = ANSWER) -> TcpStream:
        return TcpStream(wiring.host, wiring.ports.get(number, number), patience=patience)

    if wiring.kind == "xarm":
        lite, nap = arm.name == "lite6", partial(time.sleep, NAP)
        parts.append(XArmPart(partial(stream, COMMAND_PORT), lite=lite, monotonic=monotonic, nap=nap))
    else:
        parts.append(UrPart(partial(stream, patience=1.0), expiry=arm.safety.command_age, monotonic=monotonic))
    return Machine(arm, parts, monotonic, name=wiring.kind, rate=CONTROLLER_RATE, powers_off=wiring.kind == "xarm")
