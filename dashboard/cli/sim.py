"""`berrybrain sim …`: what the simulated greenhouse makes for others."""

from __future__ import annotations

import re
from pathlib import Path

import click

from dashboard.cli.errors import Problem

MOST_SIDE = 2048
"""Twice this is the largest buffer that software drawing gives for sure [px]."""


@click.group(name="sim")
def command() -> None:
    """Use the simulated greenhouse by itself."""


@command.command(name="render")
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path), required=True, help="Where to write.")
@click.option("--pictures", type=click.IntRange(min=1), default=100, show_default=True, help="How many.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Same seed, same pictures.")
@click.option("--size", metavar="WxH", default="640x480", show_default=True, help="Of the pictures in pixels.")
@click.option("--first", type=click.IntRange(min=0), default=0, show_default=True, help="Number of the first picture.")
@click.option("--near", is_flag=True, help="Only views at 0.25-0.6 m through the robot's camera, two of each bed.")
@click.option("--culture", type=click.Choice(["gutter", "film", "soil", "open"]), help="Only beds of this kind.")
def render(*, out: Path, pictures: int, seed: int, size: str, first: int, near: bool, culture: str | None) -> None:
    """Write pictures of simulated beds with exact masks, ripeness, peduncles, positions and depth.

    DIR/manifest.json says what lies where. A picture depends on seed, number and options only: several runs with
    different --first into different folders draw parts of one set.
    """
    from dataclasses import replace
    from functools import partial

    from sim.dataset.generate import RenderSettings
    from sim.dataset.generate import render as draw
    from sim.dataset.look import draw_look
    from sim.dataset.write import write
    from sim.offscreen import OffscreenError

    width, height = _size(size)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise Problem(f"{out} is not an empty folder; name another with --out")
    settings = RenderSettings(width=width, height=height, look=partial(draw_look, culture=culture))
    if near:
        settings = replace(settings, near=True, views=2)
    try:
        drawn = draw(settings, seed, pictures, first)
        written = write(drawn, out, seed=seed, first=first, options={"near": near, "culture": culture})
    except (OSError, OffscreenError) as error:
        raise Problem(f"cannot render into {out}: {error}") from error
    click.echo(f"{written} pictures in {out}")


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)x(\d+)", text)
    sides = tuple(int(v) for v in found.groups()) if found else (0, 0)
    if not all(64 <= side <= MOST_SIDE for side in sides):
        raise click.UsageError(f"expected --size WxH with sides of 64 to {MOST_SIDE}, such as 640x480, got {text!r}")
    return sides[0], sides[1]
