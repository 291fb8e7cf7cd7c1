"""The dashboard's process in a run: it reads what is stored, hears what is said, and is waited for by nobody."""

from __future__ import annotations

import sys
from pathlib import Path

from dashboard.cli.host import open_clock
from dashboard.cli.known_broker import credentials
from dashboard.cli.prepare import HOST
from dashboard.cli.settings import RunSettings


def dashboard(settings: RunSettings, name: str, slot: int | None) -> None:
    """Serve the pages on the run's port until asked to end."""
    from dashboard.serve import ServeSettings, run

    farm = settings.load_farm()
    wanted = ServeSettings(
        data=Path(settings.data),
        farm=farm,
        mqtt_host=settings.host,
        mqtt_port=settings.port,
        host=HOST,
        port=settings.http_port,
        network=credentials(farm.mqtt),
    )
    try:
        run(wanted, open_clock(settings, slot))
    except OSError as error:
        sys.exit(f"cannot serve pages on {wanted.host}:{wanted.port}: {error.strerror}")
