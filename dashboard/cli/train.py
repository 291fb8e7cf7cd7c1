"""`berrybrain train`: train the network on labelled and rendered pictures and write its model files."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path

import click

from dashboard.cli.errors import Problem


@click.command(name="train")
@click.option(
    "--pictures",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder of labelled sets, SET/train/{images,labels} (YOLO boxes; class 0 ripe, 1 unripe). `val` stays shut.",
)
@click.option(
    "--rendered",
    multiple=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder that `berrybrain sim render` wrote, may be repeated; without it peduncles are not learnt well.",
)
@click.option(
    "--out",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Cache, checkpoint and models go here; a run that was broken off goes on from its checkpoint.",
)
@click.option("--epochs", type=click.IntRange(min=1), default=60, show_default=True, help="Passes of 1200 views.")
@click.option(
    "--from",
    "start",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Checkpoint (last.pt of another run) to begin from, with a smaller --rate.",
)
@click.option("--rate", type=click.FloatRange(min=1e-6, max=0.1), default=2e-3, show_default=True, help="Greatest.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--threads", type=click.IntRange(min=1), default=2, show_default=True)
@click.option("--hold-out", multiple=True, metavar="GROUP", help="Group of `train` to measure on; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object when done.")
def command(
    *,
    pictures: Path,
    rendered: tuple[Path, ...],
    out: Path,
    epochs: int,
    start: Path | None,
    rate: float,
    seed: int,
    threads: int,
    hold_out: tuple[str, ...],
    as_json: bool,
) -> None:
    """Train the network, from scratch or --from a checkpoint.

    Progress goes to the standard error, a line of JSON per epoch.
    """
    try:
        from vision.train.run import RunSettings, run
    except ModuleNotFoundError as error:
        missing = (error.name or "").split(".")[0]
        if missing not in {"torch", "nncf"}:
            raise
        raise Problem(f"training needs {missing}: pip install 'berrybrain[train]'") from error

    logging.getLogger("vision.train").setLevel(logging.INFO)
    settings = RunSettings(pictures=pictures, rendered=rendered, out=out, hold_out=hold_out, start=start)
    learning = replace(settings.train, epochs=epochs, rate=rate, seed=seed, threads=threads)
    try:
        models = run(replace(settings, train=learning))
    except (ValueError, OSError) as error:
        raise Problem(str(error)) from error
    result = {"models": str(models), "files": sorted(p.name for p in models.iterdir())}
    click.echo(json.dumps(result) if as_json else f"models in {models}: {', '.join(result['files'])}")
