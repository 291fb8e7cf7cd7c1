"""`berrybrain bench pick|faults|pair|loop|ik`: the robot's figures, in simulation but for the loop's."""

from __future__ import annotations

from pathlib import Path

import click

from dashboard.cli.errors import Misuse, Problem
from dashboard.cli.figures import report


@click.command(name="pick")
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


@click.command(name="faults")
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
    try:
        figures = run(rows, seed, told=told, out=out)
    except (ValueError, OSError) as error:
        if out is None:
            raise
        raise Misuse(f"--out: {error}; name a new file, or one that this command wrote") from error
    report(figures, as_json)
    if figures["unsafe"]:
        raise Problem(f"{figures['unsafe']} of {rows} rows were not safe")


@click.command(name="pair")
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


@click.command(name="loop")
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


@click.command(name="ik")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--poses", type=click.IntRange(min=10), default=1000, show_default=True, help="Of each arm.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of the poses.")
def ik(*, as_json: bool, poses: int, seed: int) -> None:
    """Inverse kinematics of every arm from a cold start: success, exactness, CPU time."""
    from robot.kinematics.bench import run

    report({"bench": "ik", **run(poses, seed)}, as_json)
