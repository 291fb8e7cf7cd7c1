"""`berrybrain demo`: the whole farm in simulation, one process per part, until a bed side is harvested."""

from __future__ import annotations

import json
import math
from pathlib import Path

import click

from dashboard.cli.options import farm_option

HISTORY_DAYS = 40


@click.command(name="demo")
@click.option("--headless", is_flag=True, help="As fast as this machine can, instead of in real time.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object when the bed side is done.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of plants, noise and weather.")
@click.option(
    "--data",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The farm's state folder. Left out: berrybrain-data, with --headless a temporary one.",
)
@farm_option()
@click.option(
    "--scenario", default="bed", show_default=True, help="How fruit and leaves hang: bed, leafy, clusters, …."
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=1.0),
    help="Give up after so many wall seconds. Left out: 3600 with --headless, else never.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="Of the dashboard; if taken, any."
)
@click.option(
    "--history",
    type=click.IntRange(0, 400),
    help="Days of simulated past that an empty state folder begins with. Left out: 40, with --headless none.",
)
@click.option("--no-browser", is_flag=True, help="Print the dashboard's address without opening it.")
def command(
    *,
    headless: bool,
    as_json: bool,
    seed: int,
    data: Path | None,
    farm: Path | None,
    scenario: str,
    timeout: float | None,
    port: int,
    history: int | None,
    no_browser: bool,
) -> None:
    """Harvest one bed side in simulation: sensors report, a plan goes out, the robot sees, picks and places.

    In real time it shows the dashboard and runs until Ctrl-C; with --headless it ends when the bed side is done.
    Progress is on stderr. Ctrl-C stops everything. The exit code is 0 when the bed side was done, 1 when it was not.
    """
    import tempfile
    from importlib import resources

    from dashboard.cli.prepare import Order
    from dashboard.cli.run import harvest

    known = sorted(
        file.name.removesuffix(".toml")
        for file in (resources.files("sim") / "scenarios").iterdir()  # its own module would import the simulator
        if file.name.endswith(".toml") and file.name != "cell.toml"  # the cell card: what all of them share
    )
    if scenario not in known:
        raise click.UsageError(f"expected --scenario to be one of {', '.join(known)}, got {scenario}")

    def go(folder: Path) -> dict[str, object]:
        order = Order(
            data=folder,
            farm=farm,
            seed=seed,
            paced=not headless,
            timeout_s=timeout or (3600.0 if headless else math.inf),
            scenario=scenario,
            pages=None if headless else port,
            browser=not no_browser,
            history=history if history is not None else 0 if headless else HISTORY_DAYS,
        )
        return harvest(order, lambda line: click.echo(line, err=True))

    if data is None and headless:
        with tempfile.TemporaryDirectory(prefix="berrybrain-data-") as folder:
            report = go(Path(folder))
    else:
        report = go(data or Path("berrybrain-data"))
    if as_json:
        click.echo(json.dumps(report, allow_nan=False))
    else:
        for name, value in report.items():
            click.echo(f"{name:<20} {value}")
    click.get_current_context().exit(0 if report["finished"] else 1)
