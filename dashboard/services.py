"""What the routes stand on: handed to the application once, by the process that built it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dashboard.alarms import AlarmBook, NoAlarms
from dashboard.audit import Audit
from dashboard.auth import Accounts
from dashboard.commands import Commands
from dashboard.reader import Reader
from dashboard.view import FarmView
from telemetry.clock import Clock
from telemetry.door.http import Door
from telemetry.farm import Farm
from telemetry.messages.tables import Fault, Metric, faults, metrics

STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The farm as the dashboard reaches it.

    Attributes:
        clock: `now()` is the farm's time (simulated in a demo), `monotonic()` is the wall's.
        metrics, faults: the two tables of the farm's contract, read once.
        failed: called when a part has ended that must not: the process ends and is started again.
        static: folder of the pages.
        editing: look for changed files of the pages at each request; for those who write them.
        door: answers programs that write lines or ask for measurements, with tokens of their own.
    """

    farm: Farm
    clock: Clock
    view: FarmView
    commands: Commands
    accounts: Accounts
    audit: Audit
    reader: Reader
    alarms: AlarmBook = field(default_factory=NoAlarms)
    metrics: Mapping[str, Metric] = field(default_factory=metrics)
    faults: Mapping[str, Fault] = field(default_factory=faults)
    failed: Callable[[], None] = lambda: None
    static: Path = STATIC
    editing: bool = False
    door: Door | None = None
