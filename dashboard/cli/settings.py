"""What the processes of one run share: written once by the parent, read by each process."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dashboard.cli.errors import Misuse

if TYPE_CHECKING:
    from telemetry.farm import Farm

FILE = "settings.json"
FARM = "farm.toml"
SCORED = (
    "ripe_present",
    "picked",
    "placed",
    "damaged",
    "unripe_picked",
    "neighbours_lost",
    "dropped",
    "berries_present",
)
"""What the cell counts when it ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """One run of a farm in simulation.

    Attributes:
        run: run directory: sockets, clock, tally.
        data: the farm's state folder.
        farm: the farm file that holds for this run, a copy in the run directory.
        robot: id of the robot that works.
        host, port: of the MQTT broker.
        seed: of the bed, the noise and the weather.
        epoch: UTC epoch seconds at simulated time 0.
        rate: simulated seconds per wall second at most; 0 = as fast as possible.
        scenario: name of a simulated cell: how fruit, leaves and clusters are.
        http_port: where the dashboard serves its pages; 0 = without a dashboard.
        hardware: kind of the machine that is driven; empty = the cell is simulated.
        wiring: its wiring file.
        address: stands in for the wiring file's device or host when it is not empty.
        camera: what `vision.camera` opens; empty = another program shows the berries.
    """

    run: str
    data: str
    farm: str
    robot: str
    host: str
    port: int
    seed: int
    epoch: float
    rate: float
    scenario: str = "bed"
    http_port: int = 0
    hardware: str = ""
    wiring: str = ""
    address: str = ""
    camera: str = ""

    @property
    def clock(self) -> Path:
        """The file of the shared clock."""
        return Path(self.run) / "clock"

    @property
    def score(self) -> Path:
        """Where the cell writes what became of the berries, when it ends."""
        return Path(self.run) / "score.json"

    def write(self) -> Path:
        """Write the settings into the run directory and return where."""
        path = Path(self.run) / FILE
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")
        return path

    @classmethod
    def read(cls, path: Path) -> RunSettings:
        """Read what `write` wrote."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def load_farm(self) -> Farm:
        from telemetry.farm import load_farm

        return load_farm(self.farm)


def find_farm(farm: Path | None, data: Path) -> tuple[str, bool]:
    """Return the text of the farm file that holds, and whether it is the built-in one.

    The file named on the command line goes first, then DATA/farm.toml, then ./farm.toml, then the built-in farm.

    Raises:
        Misuse: the file is missing or breaks a rule.
    """
    from telemetry.farm import FarmError, default_farm_text, load_farm

    candidates = [farm] if farm else [path for path in (data / FARM, Path(FARM)) if path.exists()]
    if not candidates:
        return default_farm_text(), True
    try:
        load_farm(candidates[0])
        return candidates[0].read_text(encoding="utf-8"), False
    except FarmError as error:
        raise Misuse(str(error)) from error
