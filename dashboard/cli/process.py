"""`berrybrain process` (hidden): be one process of a run. The parent starts it; nobody types it."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="process", hidden=True)
@click.argument("name")
@click.option("--settings", "path", type=click.Path(path_type=Path, exists=True), required=True)
def command(name: str, path: Path) -> None:
    """Run the process NAME with the settings of a run; used by `berrybrain demo`."""
    import logging

    from dashboard.cli.roles import ROLES, build
    from dashboard.cli.settings import RunSettings

    if name not in ROLES:
        raise click.UsageError(f"expected one of {', '.join(ROLES)}, got {name}")
    logging.getLogger().setLevel(logging.INFO)
    build(RunSettings.read(path), name)
