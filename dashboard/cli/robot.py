"""`berrybrain robot`: look at the hardware of a robot: does it answer, what does it measure, how fast."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dashboard.cli.errors import Problem

if TYPE_CHECKING:
    from robot.hardware import Hardware

KINDS = ("feetech", "dynamixel", "ur")


@click.command(name="robot")
@click.option("--hardware", "kind", type=click.Choice(KINDS), required=True, help="What drives the arm.")
@click.option(
    "--wiring",
    metavar="FILE",
    type=click.Path(path_type=Path),
    required=True,
    help="TOML file: arm, bus, which servo drives which joint; robot/hardware/README.md shows one.",
)
@click.option("--samples", type=click.IntRange(min=2), default=200, show_default=True, help="How often it is asked.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(*, kind: str, wiring: Path, samples: int, as_json: bool) -> None:
    """Connect to a robot's hardware and tell what it measures. Moves nothing; takes the torque off bus servos."""
    from robot.hardware import HardwareError
    from robot.hardware.wiring import connect, read_wiring

    try:
        machine = connect(read_wiring(wiring, kind), time.monotonic)
    except (ValueError, HardwareError) as error:
        raise Problem(str(error)) from error
    try:
        found = look(machine, samples)
    except HardwareError as error:
        raise Problem(str(error)) from error
    finally:
        machine.shutdown()
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    for name, value in found["joints"].items():
        click.echo(f"{name:<24} {value:+.4f}")
    click.echo(f"{'opening':<24} {found['opening']:.4f} m, {found['force']:.2f} N")
    click.echo(f"{'answers in':<24} {found['read_p50_ms']} ms, 99 % in {found['read_p99_ms']} ms")
    click.echo(f"{'faults':<24} {', '.join(found['faults']) or 'none'}")


def look(machine: Hardware, samples: int) -> dict[str, Any]:
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
