"""`berrybrain bench vision`: what the eyes find, how well, and what it costs."""

from __future__ import annotations

from pathlib import Path

import click

from dashboard.cli.errors import Problem
from dashboard.cli.figures import report


@click.command(name="vision")
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
