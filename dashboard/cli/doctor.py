"""`berrybrain doctor`: look at this machine and say what works, what is missing and what to do about it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

MARKS = {"ok": "ok  ", "warn": "note", "bad": "BAD "}


@click.command(name="doctor")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--data", type=click.Path(path_type=Path), help="Also look at a farm's state folder: disk, dead letters.")
@click.option("--farm", type=click.Path(path_type=Path), help="Farm file to check; else ./farm.toml when there is one.")
def command(as_json: bool, data: Path | None, farm: Path | None) -> None:
    """Check this machine: packages, off-screen rendering, broker, ports, shared memory, disk, farm file."""
    from dashboard.cli.checkup import Place, look

    results = look(Place(data=data, farm=farm))
    healthy = all(result.status != "bad" for result in results)
    if as_json:
        click.echo(json.dumps({"ok": healthy, "checks": [asdict(result) for result in results]}, ensure_ascii=False))
    else:
        for result in results:
            click.echo(f"{MARKS[result.status]} {result.name:<18} {result.detail}")
            if result.remedy:
                click.echo(f"     {'':<18} → {result.remedy}")
    click.get_current_context().exit(0 if healthy else 1)
