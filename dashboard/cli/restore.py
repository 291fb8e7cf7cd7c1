"""`berrybrain restore`: a farm's state out of a backup."""

from __future__ import annotations

from pathlib import Path

import click

from dashboard.cli.errors import Problem


@click.command(name="restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option(
    "--data",
    metavar="DIR",
    type=click.Path(path_type=Path),
    required=True,
    help="State folder to make; it must be missing or empty.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(*, file: Path, data: Path, as_json: bool) -> None:
    """Bring back what `berrybrain backup` wrote to FILE; every byte is checked before anything is put in place."""
    from dataclasses import asdict

    from dashboard.cli.figures import report
    from telemetry.store.backup import restore
    from telemetry.store.journal import StoreError

    try:
        copied = restore(file, data)
    except StoreError as error:
        raise Problem(f"nothing was restored: {error.detail}") from error
    report({"data": str(data), **asdict(copied)}, as_json)
