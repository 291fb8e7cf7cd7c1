"""The processes of a run: what each holds and what its death means. Adding a process adds a row."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path

from dashboard.cli.settings import RunSettings
from dashboard.supervise import OnDeath, Program


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """One kind of process.

    Attributes:
        module: file in dashboard.cli whose function `function` builds and runs it.
        on_death: restart it, or end the run.
        slot: its place in the shared clock, so that the cell waits for it; None for those that need no waiting.
        stage: processes of a lower stage end first.
        hardware: only where a machine is driven; None = there and in simulation, False = in simulation only.
    """

    module: str
    function: str
    on_death: OnDeath = OnDeath.RESTART
    slot: int | None = None
    stage: int = 0
    hardware: bool | None = None


ROLES: dict[str, Role] = {
    "broker": Role(module="farm_roles", function="broker", stage=3),
    "ingest": Role(module="farm_roles", function="ingest", slot=0, stage=2),
    "brain": Role(module="farm_roles", function="brain", slot=1, stage=1),
    "keeper": Role(module="farm_roles", function="keeper", stage=1),
    "greenhouse": Role(module="farm_roles", function="greenhouse", slot=2, hardware=False),
    "cell": Role(module="cell_role", function="cell", on_death=OnDeath.ENDS_ALL, hardware=False),
    "control": Role(module="hardware_role", function="control", on_death=OnDeath.ENDS_ALL, hardware=True),
    "camera": Role(module="hardware_role", function="camera", hardware=True),
    "eyes": Role(module="robot_roles", function="eyes", slot=3),
    "picker": Role(module="robot_roles", function="picker", slot=4),
    "mission": Role(module="robot_roles", function="mission", slot=5),
    "gateway": Role(module="robot_roles", function="gateway", slot=6),
    "dashboard": Role(module="dashboard_role", function="dashboard", stage=1),
}


def program(name: str, settings: Path, *, joined: bool = False) -> Program:
    """Return how the process `name` is started; `joined`: on the user's own ROS graph, not in the run directory."""
    code = "import sys; from dashboard.cli import main; main(sys.argv[1:])"
    argv = (sys.executable, "-c", code, "process", name, "--settings", str(settings))
    # Sockets of the robot's wire lie in the run directory; an engineer's own node joins with the same variable.
    environment = {} if joined else {"BERRYBRAIN_ROS_DIR": str(settings.parent / "ros")}
    return Program(name=name, argv=argv, on_death=ROLES[name].on_death, environment=environment)


def build(settings: RunSettings, name: str) -> None:
    """Build the process `name` and run it until it is asked to end."""
    role = ROLES[name]
    getattr(importlib.import_module(f"dashboard.cli.{role.module}"), role.function)(settings, name, role.slot)
