"""`berrybrain init`: write a commented farm.toml to start from."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--force", is_flag=True, help="Replace a farm.toml that is already there.")
def command(folder: Path, force: bool) -> None:
    """Write a commented farm.toml into FOLDER (the current folder when left out)."""
    from dashboard.cli.errors import Problem
    from telemetry.farm import default_farm_text

    path = folder / "farm.toml"
    if path.exists() and not force:
        raise Problem(f"{path} is already there; edit it, or replace it with: berrybrain init --force {folder}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(default_farm_text(), encoding="utf-8")
    except OSError as error:
        raise Problem(f"cannot write {path}: {error.strerror}; name a folder that you may write to") from error
    click.echo(f"wrote {path}: edit it, then run: berrybrain demo --farm {path}")
