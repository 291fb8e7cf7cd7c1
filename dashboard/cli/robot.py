"""`berrybrain robot`: run a robot on its hardware, or look at that hardware and tell what it measures."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dashboard.cli.errors import Misuse, Problem
from dashboard.cli.options import data_option, farm_option

if TYPE_CHECKING:
    from robot.hardware import Hardware

KINDS = ("feetech", "dynamixel", "ur", "xarm", "own")


def driver(_: click.Context, __: click.Parameter, value: str) -> tuple[str, str]:
    """Split `ur:192.168.1.10` or `feetech:/dev/ttyUSB0`; the address may be left out."""
    kind, _colon, address = value.partition(":")
    if kind not in KINDS:
        raise click.BadParameter(f"expected one of {', '.join(KINDS)}, or KIND:ADDRESS, got {value}")
    return kind, address


@click.command(name="robot")
@click.option(
    "--hardware",
    metavar="KIND[:ADDRESS]",
    callback=driver,
    required=True,
    help="What drives the arm: feetech, dynamixel, ur, xarm, or own: the class that the wiring file names; an address "
    "stands in for that of the wiring file.",
)
@click.option(
    "--wiring",
    metavar="FILE",
    type=click.Path(path_type=Path),
    required=True,
    help="TOML file: arm, bus, which servo drives which joint; robot/hardware/README.md shows one.",
)
@click.option("--check", is_flag=True, help="Connect, tell what is measured, and end. Moves nothing.")
@click.option("--samples", type=click.IntRange(min=2), default=200, show_default=True, help="--check: readings taken.")
@click.option("--json", "as_json", is_flag=True, help="--check: print one JSON object.")
@data_option("State folder: orders, black boxes, logs.")
@farm_option()
@click.option("--robot", metavar="ID", default="", help="Which of the farm file's robots it is.  [default: the first]")
@click.option(
    "--camera",
    metavar="SOURCE",
    default="",
    help="realsense, oak, opencv:0, an address, or a folder. Left out: another program publishes the berries.",
)
@click.option(
    "--pages",
    metavar="PORT",
    type=click.IntRange(1, 65535),
    help="Run the farm here too, store, brain and pages. Left out: the robot alone, a farm elsewhere orders.",
)
@click.option(
    "--button",
    is_flag=True,
    help="This terminal is the reset button: Enter answers a stop, then starts. Only from where the robot is seen.",
)
def command(
    *,
    hardware: tuple[str, str],
    wiring: Path,
    check: bool,
    samples: int,
    as_json: bool,
    data: Path,
    farm: Path | None,
    robot: str,
    camera: str,
    pages: int | None,
    button: bool,
) -> None:
    """Run a robot on its hardware until Ctrl-C: control loop, safety, picking, gateway, one process each.

    It comes up stopped (not_homed). Somebody who sees it presses reset, and starts it; then it works off its orders.
    The hard-wired stop, guards and the arm's own controller stay what they are; this does not replace them.
    """
    kind, address = hardware
    if not check:
        from dashboard.cli.robot_serve import Machine, serve

        wanted = Machine(
            kind=kind,
            address=address,
            wiring=wiring,
            data=data,
            farm=farm,
            robot=robot,
            camera=camera,
            pages=pages,
            button=button,
        )
        serve(wanted, click.echo)
        return
    found = look(kind, address, wiring, samples)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    for name, value in found["joints"].items():
        click.echo(f"{name:<24} {value:+.4f}")
    click.echo(f"{'opening':<24} {found['opening']:.4f} m, {found['force']:.2f} N")
    click.echo(f"{'answers in':<24} {found['read_p50_ms']} ms, 99 % in {found['read_p99_ms']} ms")
    click.echo(f"{'faults':<24} {', '.join(found['faults']) or 'none'}")


def look(kind: str, address: str, wiring: Path, samples: int) -> dict[str, Any]:
    """Connect, measure and let go; return what `measure` found.

    Raises:
        Misuse: the wiring file is wrong.
        Problem: the machine does not answer.
    """
    from robot.hardware import HardwareError
    from robot.hardware.wiring import connect, read_wiring

    try:
        machine = connect(read_wiring(wiring, kind, address), time.monotonic)
    except ValueError as error:
        raise Misuse(str(error)) from error
    except HardwareError as error:
        raise Problem(str(error)) from error
    try:
        return measure(machine, samples)
    except HardwareError as error:
        raise Problem(str(error)) from error
    finally:
        machine.shutdown()


def measure(machine: Hardware, samples: int) -> dict[str, Any]:
    """Return what the hardware measures and how long an answer takes [ms].

    Raises:
        HardwareError: it does not answer.
    """
    import numpy as np

    machine.configure()
    took = []
    for _ in range(samples):
        begin = time.perf_counter()
        joints, gripper = machine.read()
        took.append((time.perf_counter() - begin) * 1e3)
    has = machine.capabilities
    p50, p99 = np.percentile(took, [50, 99])
    return {
        "hardware": has.name,
        "joints": {name: round(float(q), 5) for name, q in zip(has.joint_names, joints.position, strict=True)},
        "opening": round(gripper.opening, 5),
        "force": round(gripper.force, 3),
        "blade_out": gripper.blade_out,
        "faults": [*joints.faults, *gripper.faults],
        "read_p50_ms": round(float(p50), 3),
        "read_p99_ms": round(float(p99), 3),
    }
