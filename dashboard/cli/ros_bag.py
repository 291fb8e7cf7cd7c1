"""`berrybrain ros bag …`: recordings in MCAP."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from dashboard.cli.errors import Misuse
from dashboard.cli.ros_session import interfaces_option, session, words


@click.group(name="bag")
def bag() -> None:
    """Record, play and describe bags that rosbag2 and Foxglove open too."""


@bag.command(name="record")
@click.option("-a", "--all", "every", is_flag=True, help="All topics, also those that come later.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder to make. [default: rosbag2_<time>]")
@click.option(
    "-d", "--duration", "duration_s", type=click.FloatRange(min=0.0, min_open=True), help="End after so many seconds."
)
@click.option("--compress", is_flag=True, help="Compress with zstd.")
@interfaces_option
@click.argument("topics", nargs=-1)
def record(
    *, every: bool, output: Path | None, duration_s: float | None, compress: bool, topics: tuple[str, ...]
) -> None:
    """Write what comes on TOPICS into a bag until Ctrl-C."""
    import time

    from robot.ros.tools.bag import Recorder

    if every == bool(topics):
        raise Misuse("name the topics to record, or -a for all of them")
    folder = output or Path(f"rosbag2_{datetime.now(UTC):%Y_%m_%d-%H_%M_%S}")
    with session() as opened:
        recorder = Recorder(opened, folder, topics, compress=compress)
        end = None if duration_s is None else time.monotonic() + duration_s
        try:
            click.echo(f"recording into {folder}; Ctrl-C ends it", err=True)
            recorder.run(
                lambda: not opened.context.ok() or (end is not None and time.monotonic() >= end),
                lambda name: click.echo(f"subscribed to {name}", err=True),
            )
        except KeyboardInterrupt:
            pass
        finally:
            recorder.close()
        for name, reason in recorder.skipped.items():
            click.echo(f"left out {name}: {reason}", err=True)
        click.echo(f"{sum(recorder.counts.values())} messages of {len(recorder.counts)} topics", err=True)


@bag.command(name="play")
@click.option("-r", "--rate", type=click.FloatRange(min=0.0, min_open=True), default=1.0, show_default=True)
@click.option("-l", "--loop", is_flag=True, help="Begin again at the end.")
@click.option("--topics", "topics", multiple=True, help="Only this topic; may be given again.")
@click.option("-m", "--remap", multiple=True, metavar="OLD:=NEW", help="Play a topic under another name.")
@click.option("--clock", "clock_hz", type=click.FloatRange(min=0.0), default=0.0, help="Publish /clock so often [Hz].")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
def play(
    *, rate: float, loop: bool, topics: tuple[str, ...], remap: tuple[str, ...], clock_hz: float, path: Path
) -> None:
    """Publish what a bag holds, at the pace at which it came."""
    from robot.ros.tools.bag import Player

    pairs = {}
    for pair in remap:
        old, arrow, new = pair.partition(":=")
        if not arrow or not new:
            raise Misuse(f"expected --remap OLD:=NEW, got {pair!r}")
        pairs[old] = new
    with session() as opened:
        player = Player(opened, path, rate=rate, topics=topics, remap=pairs, clock_hz=clock_hz)
        try:
            for name, reason in player.skipped.items():
                click.echo(f"left out {name}: {reason}", err=True)
            player.play()
            while loop and opened.context.ok():
                player.play()
        finally:
            player.close()
        click.echo(f"{player.sent} messages", err=True)


@bag.command(name="info")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.argument("path", type=click.Path(path_type=Path))
def info(*, as_json: bool, path: Path) -> None:
    """Print how long a bag is and what it holds."""
    from robot.ros.tools.bag import describe

    with words():
        found = describe(path)
        if as_json:
            click.echo(json.dumps(found))
            return
        click.echo(
            f"\nFiles:             {' '.join(found['files'])}\n"
            f"Bag size:          {found['bytes'] / 1024:.1f} KiB\n"
            f"Storage id:        {found['storage']}\n"
            f"Duration:          {found['duration_s']:.9f}s\n"
            f"Start:             {_moment(found['start_at'])}\n"
            f"End:               {_moment(found['end_at'])}\n"
            f"Messages:          {found['messages']}"
        )
        for number, topic in enumerate(found["topics"]):
            head = "Topic information: " if not number else " " * 19
            click.echo(
                f"{head}Topic: {topic['name']} | Type: {topic['type']} | Count: {topic['count']} | "
                f"Serialization Format: {topic['serialization_format']}"
            )


def _moment(at: float | None) -> str:
    if at is None:
        return "-"
    return f"{datetime.fromtimestamp(at, UTC):%b %d %Y %H:%M:%S.%f} UTC ({at:.9f})"
