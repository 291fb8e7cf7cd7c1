"""`berrybrain detect`: find berries in any photographs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from vision.types import Detection

CERTAIN = 0.35
"""Score from which a berry is shown to people."""


@click.command(name="detect")
@click.argument("pictures", metavar="PICTURE...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line per picture.")
@click.option(
    "--annotate",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write each picture with its berries drawn into DIR.",
)
@click.option(
    "--threshold",
    type=click.FloatRange(0.0, 1.0),
    help="Leave out berries with a lower score; 0.35 when left out, with --json 0: each berry has its score.",
)
def command(pictures: tuple[str, ...], as_json: bool, annotate: Path | None, threshold: float | None) -> None:
    """Find strawberries in photographs: box, ripeness, stage, outline and where to cut.

    Coordinates are pixels of the picture. A file that is no picture is named on stderr; the others are still looked at,
    and the exit code is then 1.
    """
    from dashboard.cli.drawing import Album
    from vision.camera.pictures import load_picture
    from vision.detect import BaselineDetector

    album = Album(annotate) if annotate else None
    detector = BaselineDetector()
    least = threshold if threshold is not None else 0.0 if as_json else CERTAIN
    failed = False
    for name in pictures:
        try:
            color = load_picture(Path(name))
        except (ValueError, OSError) as error:
            click.echo(f"berrybrain: {error}", err=True)
            failed = True
            continue
        berries = [berry for berry in detector.detect(color) if berry.score >= least]
        height, width = color.shape[:2]
        if as_json:
            line = {"image": name, "width": width, "height": height, "berries": [as_row(berry) for berry in berries]}
            click.echo(json.dumps(line, ensure_ascii=False))
        else:
            click.echo(f"{name}: {summary(berries)}")
        if album:
            album.add(name, color, berries)
    click.get_current_context().exit(1 if failed else 0)


def as_row(berry: Detection) -> dict[str, Any]:
    """Return a detection as its JSON object; pixels to a tenth."""
    return {
        "box": [round(float(value), 1) for value in berry.box],
        "score": round(float(berry.score), 4),
        "ripeness": round(float(berry.ripeness), 4),
        "stage": str(berry.stage),
        "polygon": None
        if berry.polygon is None
        else [[round(float(x), 1), round(float(y), 1)] for x, y in berry.polygon],
        "peduncle": None if berry.peduncle is None else [round(float(value), 1) for value in berry.peduncle],
    }


def summary(berries: list[Detection]) -> str:
    """Return how many berries there are of each stage, in words."""
    if not berries:
        return "no berries"
    stages = [str(berry.stage) for berry in berries]
    parts = [f"{stages.count(stage)} {stage}" for stage in dict.fromkeys(sorted(stages))]
    return f"{len(berries)} {'berry' if len(berries) == 1 else 'berries'} ({', '.join(parts)})"
