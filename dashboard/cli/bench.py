"""`berrybrain bench …`: figures that are measured, whatever they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from dashboard.cli.errors import Misuse, Problem


@click.group(name="bench")
def command() -> None:
    """Measure a part of the system and report the figures."""


@command.command(name="vision")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--pictures",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder of labelled sets, SET/SPLIT/{images,labels} (YOLO boxes; class 0 ripe, 1 unripe). "
    "Left out: pictures rendered by the simulator.",
)
@click.option("--split", default="val", show_default=True, help="Which split of each set.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of the rendered pictures.")
@click.option("--count", type=click.IntRange(min=1), default=40, show_default=True, help="How many are rendered.")
@click.option("--detector", metavar="NAME", help="network, network-fp32 or baseline.  [default: the one in use]")
@click.option("--compare", is_flag=True, help="Measure the other detectors too: the baseline, int8 against fp32.")
@click.option(
    "--scenes",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="Rendered scenes with depth for places in space and cut points; 0 leaves them out.",
)
def vision(
    *,
    as_json: bool,
    pictures: Path | None,
    split: str,
    seed: int,
    count: int,
    detector: str | None,
    compare: bool,
    scenes: int,
) -> None:
    """Average precision for ripe and unripe fruit, ripeness, peduncles, places in space, and CPU time per frame."""
    import tempfile

    from vision import DEFAULT_DETECTOR, DETECTORS
    from vision import detector as named
    from vision.bench import measure
    from vision.bench_peduncle import measure_peduncles
    from vision.bench_streams import measure_streams

    with tempfile.TemporaryDirectory(prefix="berrybrain-pictures-") as folder:
        source = str(pictures) if pictures else f"rendered, seed {seed}"
        try:
            shown = pictures or render(Path(folder), split, seed, count)
            figures = measure(shown, detector or DEFAULT_DETECTOR, split=split, others=DETECTORS if compare else ())
            eyes = named(detector or DEFAULT_DETECTOR)
            figures |= measure_peduncles(shown, eyes)
            frames = named(detector or DEFAULT_DETECTOR, photographs=False)
            figures |= measure_streams(shown, frames, split=split)
            if scenes:
                from sim.bench.position import measure_positions

                figures |= measure_positions(eyes, seed=seed, pictures=scenes)
        except (ValueError, OSError) as error:
            raise Problem(str(error)) from error
    report({"bench": "vision", "source": source, "split": split, **figures}, as_json)


def render(folder: Path, split: str, seed: int, count: int) -> Path:
    """Draw labelled pictures of simulated beds into `folder` and return it."""
    from sim.render import pictures, save
    from sim.scenarios import load_scenario

    beds = ("bed", "leafy", "clusters", "isolated")
    for index, name in enumerate(beds):
        share = count // len(beds) + (index < count % len(beds))
        for number, picture in enumerate(pictures(load_scenario(name).scene, seed + index, share)):
            save(picture, folder / "rendered" / split, f"{name}-{number}")
    return folder


@command.command(name="pick")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of the first bed.")
@click.option(
    "--berries",
    type=click.IntRange(min=1),
    help="Ripe berries present, at least 1; unripe ones hang among them.  [default: 19, or as the scene says]",
)
@click.option(
    "--scene",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A bed side of your own, TOML or JSON; its schema is sim/scenarios/scene.schema.json.",
)
@click.option("--oracle", is_flag=True, help="True poses instead of perception.")
@click.option(
    "--tier",
    type=click.Choice(["mujoco", "fast"]),
    default="mujoco",
    show_default=True,
    help="fast: no physics and no pictures, for what planning and moving take.",
)
@click.option("--arm", default="", metavar="NAME", help="--tier fast: another arm of robot/arms than the card's.")
def pick(
    *, as_json: bool, seed: int, berries: int | None, scene: Path | None, oracle: bool, tier: str, arm: str
) -> None:
    """Harvest simulated beds in virtual time: success, damage, seconds by difficulty. Simulation is not the field.

    Everything else that the figures depend on is on the cell card, sim/scenarios/cell.toml.
    """
    from sim.bench import fast
    from sim.bench.pick import RIPE_PER_BED, run
    from sim.scenarios.scene_file import SceneFileError, load_scene

    if arm and tier != "fast":
        raise Misuse("expected --tier fast with --arm: the MuJoCo tier's figures are those of the cell card's arm")
    if arm:
        from robot.arms import load_arm

        try:
            load_arm(arm).require_six()
        except ValueError as error:
            raise Misuse(f"--arm {arm}: {error}") from error
    try:
        side = load_scene(scene) if scene is not None else None
        ripe = side.mix.ripe if side is not None and side.mix is not None else RIPE_PER_BED
        if tier == "fast":
            figures = fast.run(seed, berries or ripe, scene=side, arm=arm)
        else:
            figures = run(seed, berries or ripe, scene=side, oracle=oracle)
    except SceneFileError as error:
        raise Misuse(str(error)) from error
    report(figures, as_json)


@command.command(name="faults")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--rows", "--runs", type=click.IntRange(min=1), default=20, show_default=True, help="How many are harvested."
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of the first row.")
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Keep each row here, one line of JSON; a run that was broken off goes on after the rows it has.",
)
def faults(*, as_json: bool, rows: int, seed: int, out: Path | None) -> None:
    """Harvest rows in the kinematic tier while things break at random times; an independent monitor judges.

    `by_fault` tells for each fault the rows it came in, and of those: `safe`, `wrong_counts`, `stopped`, `resumed`
    (stopped, and went on to the end after a reset), `texts_zh_en` (every stop has words in both languages).
    """
    from sim.fast.campaign import run

    told = (lambda _: None) if as_json else (lambda n: click.echo(f"{n - seed + 1} of {rows}", err=True))
    figures = run(rows, seed, told=told, out=out)
    report(figures, as_json)
    if figures["unsafe"]:
        raise Problem(f"{figures['unsafe']} of {rows} rows were not safe")


@command.command(name="pair")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of the row.")
@click.option("--berries", type=click.IntRange(min=1), default=24, show_default=True, help="Ripe ones on 3.2 m.")
@click.option(
    "--tier",
    type=click.Choice(["fast", "mujoco"]),
    default="fast",
    show_default=True,
    help="fast: seconds of computing, true poses; mujoco: physics and pixels, minutes.",
)
@click.option(
    "--arms",
    metavar="LEFT,RIGHT",
    default="ur3e,ur3e",
    show_default=True,
    help="Kinds of the two; only with --tier mujoco, where the left one is also measured alone.",
)
@click.option("--oracle", is_flag=True, help="True poses instead of perception, with --tier mujoco.")
def pair(*, as_json: bool, seed: int, berries: int, tier: str, arms: str, oracle: bool) -> None:
    """Harvest one row with one robot and with two on its rail; `ratio` is that of their rates.

    `nearest_m`: the smallest free space between the two along the rail; `overlaps`: looks at which two leases
    met; `outside_m`: how far a robot reached beyond its own, at most; `clashes`: physics steps in which the two touched
    (mujoco). In the kinematic tier nothing hides, bends or is damaged, and the eyes know the truth.
    """
    if tier == "mujoco":
        from sim.bench.pair import compare as harvest
        from vision import default_detector

        figures = harvest(seed, berries, arms=two_arms(arms), detector=default_detector(), oracle=oracle)
    elif oracle or arms != "ur3e,ur3e":
        raise Misuse("expected --tier mujoco with --oracle or --arms: the kinematic tier knows the truth and one arm")
    else:
        from sim.fast.pair import compare

        figures = compare(seed, berries)
    report({"bench": "pair", **figures}, as_json)


def two_arms(named: str) -> list[str]:
    """Return the names of two arms that can be simulated.

    Raises:
        Misuse: they are not two, or one is not known or has not six joints.
    """
    from robot.arms import load_arm

    names = [name.strip() for name in named.split(",")]
    if len(names) != 2:
        raise Misuse(f"--arms: expected two names with a comma between them, got {named!r}")
    for name in names:
        try:
            load_arm(name).require_six()
        except ValueError as error:
            raise Misuse(f"--arms {name}: {error}") from error
    return names


@command.command(name="loop")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--seconds", type=click.FloatRange(min=0.2), default=10.0, show_default=True, help="Of each run.")
@click.option("--rate", type=click.FloatRange(min=10.0, max=1000.0), default=250.0, show_default=True, help="[Hz]")
def loop(*, as_json: bool, seconds: float, rate: float) -> None:
    """How late the control loop's ticks come in a process of its own, with and without a real-time class.

    The whole loop runs before the kinematic stand-in, limiter and collision checks included, while the arm moves to
    and fro. `late_us`: from when a tick was due until it began; `tick_us`: how long it took; `overruns`: ticks that
    ended after the next was due; `skipped`: what was left out then, never made up for; `refused`: what the system did
    not permit, and how to permit it. Wall time: only an idle machine tells of the loop alone.
    """
    from robot.loop.bench import run

    try:
        report({"bench": "loop", **run(seconds, rate)}, as_json)
    except TimeoutError as error:
        raise Problem(f"the loop could not be measured: {error}") from error


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


@command.command(name="ik")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--poses", type=click.IntRange(min=10), default=1000, show_default=True, help="Of each arm.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of the poses.")
def ik(*, as_json: bool, poses: int, seed: int) -> None:
    """Inverse kinematics of every arm from a cold start: success, exactness, CPU time."""
    from robot.kinematics.bench import run

    report({"bench": "ik", **run(poses, seed)}, as_json)


def report(figures: dict[str, Any], as_json: bool) -> None:
    """Print the figures: as one JSON object, or a line each."""
    if as_json:
        click.echo(json.dumps(figures, ensure_ascii=False, allow_nan=False))
        return
    for name, value in figures.items():
        shown = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
        click.echo(f"{name:<24} {shown}")
