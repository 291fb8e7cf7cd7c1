"""`berrybrain bench …`: figures that are measured, whatever they are."""

from __future__ import annotations

from pathlib import Path

import click

from dashboard.cli import bench_robot, bench_vision
from dashboard.cli.errors import Problem
from dashboard.cli.figures import report


@click.group(name="bench")
def command() -> None:
    """Measure a part of the system and report the figures."""


for _command in (
    bench_vision.vision,
    bench_robot.pick,
    bench_robot.faults,
    bench_robot.pair,
    bench_robot.loop,
    bench_robot.ik,
):
    command.add_command(_command)


@command.command(name="bus")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def bus(as_json: bool) -> None:
    """Round trips and rates between two processes, of a small message and a 640x480 picture, beside bare pyzmq."""
    from robot.ros.bench import run

    try:
        figures = run()
    except TimeoutError as error:
        raise Problem(f"the bus does not answer: {error}") from error
    report({"bench": "bus", **figures}, as_json)


@command.command(name="ingest")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--messages", type=click.IntRange(min=1), default=10000, show_default=True, help="In each run.")
@click.option("--repeats", type=click.IntRange(min=1), default=3, show_default=True, help="Of each case.")
def ingest(as_json: bool, messages: int, repeats: int) -> None:
    """MQTT messages stored per second with none lost, beside a bare subscriber that stores nothing."""
    from telemetry.ingest.bench import bench

    report(bench(messages, repeats), as_json)


@command.command(name="query")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--points", type=click.IntRange(min=1000), default=50_000_000, show_default=True, help="To be stored.")
@click.option("--data", type=click.Path(path_type=Path), help="Empty folder for the store; left out: a temporary one.")
def query(*, as_json: bool, points: int, data: Path | None) -> None:
    """The embedded store: points written per second, bytes a point, newest values, a day, a month of many series."""
    from dashboard.cli.bench_query import run

    report({"bench": "query", **run(points, data, quiet=as_json)}, as_json)


@command.command(name="durability")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--rounds", type=click.IntRange(min=4), default=20, show_default=True, help="A kill in each.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of victims and moments.")
def durability(*, as_json: bool, rounds: int, seed: int) -> None:
    """Kill device, broker, ingester and keeper at random moments, fill the disk, cut the network, step the clock."""
    from telemetry.ingest.durability import bench
    from telemetry.mqtt import MqttError
    from telemetry.mqtt.broker import mosquitto_path

    if mosquitto_path() is None:
        raise Problem("only a durable broker can be measured: sudo apt-get install mosquitto")
    try:
        report({"bench": "durability", **bench(rounds, seed)}, as_json)
    except (TimeoutError, MqttError) as error:
        raise Problem(f"durability could not be measured: {error}") from error


@command.command(name="dashboard")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--seconds", type=click.FloatRange(min=2.0), default=20.0, show_default=True, help="Of each load.")
@click.option("--stops", type=click.IntRange(min=1), default=120, show_default=True, help="How many stops are sent.")
@click.option(
    "--watch",
    type=click.FloatRange(min=2.0),
    default=60.0,
    show_default=True,
    help="Seconds of one page without video.",
)
def dashboard(*, as_json: bool, seconds: float, stops: int, watch: float) -> None:
    """Weight of a page, cost of viewers, answer times of the API and of Stop robot; the robot is a pretend one."""
    from dashboard.bench import run

    try:
        figures = run(seconds=seconds, stops=stops, state_seconds=watch)
    except (TimeoutError, ValueError) as error:
        raise Problem(f"the dashboard could not be measured: {error}") from error
    report({"bench": "dashboard", **figures}, as_json)
