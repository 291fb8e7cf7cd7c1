"""`berrybrain bench …`: figures that are measured, whatever they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from dashboard.cli.errors import Problem


@click.group(name="bench")
def command() -> None:
    """Measure a part of the system and report the figures."""


@command.command(name="vision")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--pictures",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder of labelled sets, SET/SPLIT/{images,labels} (YOLO boxes; class 0 ripe, 1 unripe).",
)
@click.option("--split", default="val", show_default=True, help="Which split of each set.")
def vision(as_json: bool, pictures: Path | None, split: str) -> None:
    """Average precision of the detector for ripe and unripe fruit, and CPU time per frame."""
    from vision.bench import evaluate
    from vision.detect import BaselineDetector

    if pictures is None:
        raise click.UsageError("expected --pictures DIR, a folder of labelled sets: SET/val/{images,labels}")
    try:
        figures = evaluate(pictures, BaselineDetector(), split=split)
    except (ValueError, OSError) as error:
        raise Problem(str(error)) from error
    report({"bench": "vision", "detector": "baseline", "split": split, **figures}, as_json)


@command.command(name="bus")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def bus(as_json: bool) -> None:
    """Round trip between two processes of a small message and a 640x480 picture, beside bare pyzmq."""
    from robot.ros.bench import run

    try:
        figures = run()
    except TimeoutError as error:
        raise Problem(f"the bus does not answer: {error}") from error
    report({"bench": "bus", **figures}, as_json)


@command.command(name="ingest")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--messages", type=click.IntRange(min=1), default=20000, show_default=True, help="How many to publish.")
@click.option("--kill/--no-kill", default=True, show_default=True, help="Kill the ingester half way.")
def ingest(as_json: bool, messages: int, kill: bool) -> None:
    """MQTT messages per second into the store, with none lost."""
    from dashboard.cli.bench_ingest import measure

    report({"bench": "ingest", **measure(messages, kill=kill)}, as_json)


def report(figures: dict[str, Any], as_json: bool) -> None:
    """Print the figures: as one JSON object, or a line each."""
    if as_json:
        click.echo(json.dumps(figures, ensure_ascii=False, allow_nan=False))
        return
    for name, value in figures.items():
        shown = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
        click.echo(f"{name:<24} {shown}")
