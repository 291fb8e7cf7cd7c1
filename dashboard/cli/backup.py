"""`berrybrain backup`: the farm's whole state in one file, while it runs."""

from __future__ import annotations

from pathlib import Path

import click

from dashboard.cli.errors import Problem
from dashboard.cli.options import data_option


@click.command(name="backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@data_option()
@click.option("--force", is_flag=True, help="Overwrite FILE, when the new backup is complete.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(*, file: Path, data: Path, force: bool, as_json: bool) -> None:
    """Write measurements, events, records, alarms and accounts into FILE, a tar archive.

    It may run at any time. The file holds password hashes: keep it where only you can read it.
    """
    import time
    from dataclasses import asdict

    from dashboard.cli.figures import report
    from telemetry.store.backup import backup
    from telemetry.store.journal import StoreError

    if file.exists() and not force:
        raise Problem(f"{file} exists: name another file, or add --force")
    try:
        copied = backup(data, file, time.time())
    except StoreError as error:
        raise Problem(f"no backup was written: {error.detail}") from error
    report({"file": str(file), **asdict(copied)}, as_json)
