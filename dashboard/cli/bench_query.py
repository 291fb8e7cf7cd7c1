"""`berrybrain bench query`: the embedded store filled with the reference set, written to and read from."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import click

from dashboard.cli.errors import Problem

BYTES_PER_POINT = 8.0
"""Room that is needed while a store is filled, with the hot days and the files that are written again."""


def run(points: int, directory: Path | None, *, quiet: bool) -> dict[str, Any]:
    """Fill a store and measure it; without a folder it lies in a temporary one.

    Raises:
        Problem: there is no room for it, or the folder is not empty.
    """
    from telemetry.store.bench import bench
    from telemetry.store.journal import StoreError

    if directory is not None and directory.exists() and any(directory.iterdir()):
        raise Problem(f"{directory}: expected an empty folder: the bench fills a store of its own")
    place = directory or Path(tempfile.gettempdir())
    room = next(parent for parent in (place, *place.absolute().parents) if parent.exists())
    if shutil.disk_usage(room).free < points * BYTES_PER_POINT + 2e8:
        raise Problem(
            f"{points} points need {points * BYTES_PER_POINT / 1e9 + 0.2:.1f} GB at {room}; take fewer --points"
        )

    def say(text: str) -> None:
        if not quiet:
            click.echo(text, err=True)

    try:
        if directory is not None:
            return bench(directory, points, say)
        with tempfile.TemporaryDirectory(prefix="berrybrain-store-") as folder:
            return bench(Path(folder), points, say)
    except StoreError as error:
        raise Problem(str(error)) from error
