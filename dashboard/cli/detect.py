"""`berrybrain detect`: find berries in any photographs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dashboard.cli.errors import Misuse, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vision.types import Detection


@click.command(name="detect")
@click.argument("pictures", metavar="PICTURE...", nargs=-1, required=True)
@click.option(
    "--stream",
    is_flag=True,
    help="Each argument is a camera: 0, /dev/video0, rtsp://…, realsense, oak, a video, a folder. No outlines.",
)
@click.option("--seconds", type=click.FloatRange(min=0.0), help="With --stream: stop then.  [default: at the end]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line per picture.")
@click.option(
    "--grades", is_flag=True, help="Tell the best class of NY/T 1789-2009 that each coloured fruit can still be."
)
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
    help="Leave out berries with a lower score; 0.25 when left out, with --json 0: each berry has its score.",
)
@click.option(
    "--detector", "name", metavar="NAME", help="network, network-fp32 or baseline.  [default: the one in use]"
)
def command(
    *,
    pictures: tuple[str, ...],
    stream: bool,
    seconds: float | None,
    as_json: bool,
    grades: bool,
    album: Path | None,
    threshold: float | None,
    name: str | None,
) -> None:
    """Find strawberries in photographs: box, ripeness, stage, outline and where to cut.

    Coordinates are pixels of the picture. A file that is no picture is named on stderr; the others are still looked at,
    and the exit code is then 1. A picture too dark, overexposed, blurred or small to trust is said to be so (--json:
    faults).
    """
    from dataclasses import replace

    from vision import DEFAULT_DETECTOR
    from vision import detector as detector_named
    from vision.camera.pictures import load_picture
    from vision.report import SHOWN_FROM, annotate, detect_picture, save_picture, to_json_line

    least = threshold if threshold is not None else 0.0 if as_json else SHOWN_FROM
    if stream:
        if album or name or grades:
            raise click.UsageError("--annotate, --detector and --grades are for pictures, not for --stream")
        follow(pictures, least, seconds, as_json=as_json)
        return
    try:
        detector = detector_named(name or DEFAULT_DETECTOR, photographs=True)
    except ValueError as error:
        raise Misuse(str(error)) from error
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
        if as_json:
            click.echo(to_json_line(result, grades=grades))
        else:
            graded = classes(result.berries) if grades else ""
            click.echo(f"{file}: {summary(result.berries)}{graded}{doubts(result.faults)}")
        if album:
            try:
                save_picture(_free(album, file, used), annotate(load_picture(Path(file)), result.berries))
            except ValueError as error:
                raise Problem(f"cannot write {album}: {error}") from error
    click.get_current_context().exit(1 if failed else 0)


def follow(names: tuple[str, ...], least: float, seconds: float | None, *, as_json: bool) -> None:
    """Print what each camera's frames show, until files end, the time is up or a person interrupts; then the rates."""
    import os
    import signal
    import threading
    import time

    from vision.report import PictureResult, to_json_line
    from vision.streams.eyes import StreamEyes
    from vision.streams.server import StreamResult, open_source, serve

    try:
        sources = [open_source(name, time.time) for name in names]
        eyes = [StreamEyes() for _ in range(len(os.sched_getaffinity(0)))]
    except ValueError as error:
        raise Problem(str(error)) from error
    stop, seen = threading.Event(), [0]

    def tell(result: StreamResult) -> None:
        berries = tuple(berry for berry in result.berries if berry.score >= least)
        name = names[result.stream]
        seen[0] += bool(result.size[0])
        if as_json:
            line = json.loads(
                to_json_line(PictureResult(image=name, width=result.size[0], height=result.size[1], berries=berries))
            )
            told = {"stream": result.stream, "stamp": result.stamp, "faults": result.faults, "detail": result.detail}
            click.echo(json.dumps(told | line))
        elif result.faults:
            said = result.detail.removeprefix(f"{result.faults[0]}: ")
            click.echo(f"{name}: {', '.join(result.faults)}{': ' * bool(said)}{said}")
        else:
            click.echo(f"{name}: {summary(berries)}")

    before = signal.signal(signal.SIGINT, lambda *_: stop.set())
    timer = threading.Timer(seconds, stop.set) if seconds is not None else None
    if timer:
        timer.daemon = True
        timer.start()
    try:
        rates = serve(sources, eyes, tell, monotonic=time.monotonic, stop=stop)
    finally:
        signal.signal(signal.SIGINT, before)
        if timer:
            timer.cancel()
    for name, rate in zip(names, rates, strict=True):
        click.echo(
            f"{name}: {rate.rate:.1f} frames a second, {rate.analysed} analysed of {rate.received}, "
            f"{rate.dropped} dropped",
            err=True,
        )
    if not seen[0]:
        raise Problem("no camera gave a picture")


def summary(berries: Sequence[Detection]) -> str:
    """Return how many berries there are of each stage, in words."""
    if not berries:
        return "no berries"
    stages = [str(berry.stage) for berry in berries]
    parts = [f"{stages.count(stage)} {stage}" for stage in dict.fromkeys(sorted(stages))]
    return f"{len(berries)} {'berry' if len(berries) == 1 else 'berries'} ({', '.join(parts)})"


def classes(berries: Sequence[Detection]) -> str:
    """Return how many coloured fruits can still be of each class, in words."""
    from vision.grade import grade_in_picture
    from vision.types import Stage

    coloured = [b for b in berries if b.stage in {Stage.TURNING, Stage.RIPE, Stage.OVERRIPE}]
    if not coloured:
        return "; no coloured fruit to grade"
    told = [str(grade_in_picture(b) or "not seen enough") for b in coloured]
    parts = [f"{told.count(g)} {g}" for g in ("extra", "first", "second", "below", "not seen enough") if g in told]
    return f"; coloured fruit by the best class still possible: {', '.join(parts)}"


def doubts(faults: Sequence[str]) -> str:
    """Return in words why a picture may not show its berries; empty when nothing is wrong with it."""
    from telemetry.messages.tables import faults as table

    return "".join(f"; {key}: {table()[key].en}" for key in faults)


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
