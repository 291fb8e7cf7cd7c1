"""`berrybrain detect`: find berries in any photographs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dashboard.cli.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vision.types import Detection


@click.command(name="detect")
@click.argument("pictures", metavar="PICTURE...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line per picture.")
@click.option(
    "--annotate",
    "album",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Write each picture with its berries drawn into DIR.",
)
@click.option(
    "--threshold",
    type=click.FloatRange(0.0, 1.0),
    help="Leave out berries with a lower score; 0.35 when left out, with --json 0: each berry has its score.",
)
@click.option(
    "--detector", "name", metavar="NAME", help="network, network-fp32 or baseline.  [default: the one in use]"
)
def command(
    *, pictures: tuple[str, ...], as_json: bool, album: Path | None, threshold: float | None, name: str | None
) -> None:
    """Find strawberries in photographs: box, ripeness, stage, outline and where to cut.

    Coordinates are pixels of the picture. A file that is no picture is named on stderr; the others are still looked at,
    and the exit code is then 1.
    """
    from dataclasses import replace

    from vision import DEFAULT_DETECTOR
    from vision import detector as detector_named
    from vision.camera.pictures import load_picture
    from vision.report import SHOWN_FROM, annotate, detect_picture, save_picture, to_json_line

    least = threshold if threshold is not None else 0.0 if as_json else SHOWN_FROM
    try:
        detector = detector_named(name or DEFAULT_DETECTOR)
    except ValueError as error:
        raise Problem(str(error)) from error
    used: set[str] = set()
    failed = False
    if album:
        _make(album)
    for file in pictures:
        try:
            result = detect_picture(file, detector)
        except (ValueError, OSError) as error:
            click.echo(f"berrybrain: {error}", err=True)
            failed = True
            continue
        result = replace(result, berries=tuple(berry for berry in result.berries if berry.score >= least))
        click.echo(to_json_line(result) if as_json else f"{file}: {summary(result.berries)}")
        if album:
            try:
                save_picture(_free(album, file, used), annotate(load_picture(Path(file)), result.berries))
            except ValueError as error:
                raise Problem(f"cannot write {album}: {error}") from error
    click.get_current_context().exit(1 if failed else 0)


def summary(berries: Sequence[Detection]) -> str:
    """Return how many berries there are of each stage, in words."""
    if not berries:
        return "no berries"
    stages = [str(berry.stage) for berry in berries]
    parts = [f"{stages.count(stage)} {stage}" for stage in dict.fromkeys(sorted(stages))]
    return f"{len(berries)} {'berry' if len(berries) == 1 else 'berries'} ({', '.join(parts)})"


def _make(album: Path) -> None:
    try:
        album.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Problem(f"cannot write pictures to {album}: {error.strerror}; name another folder") from error


def _free(album: Path, name: str, used: set[str]) -> Path:
    """Return where the drawn copy of `name` goes: pictures of one name from several folders get numbers."""
    stem, number = Path(name).stem, 1
    while stem in used:
        number += 1
        stem = f"{Path(name).stem}-{number}"
    used.add(stem)
    return album / f"{stem}.jpg"
