"""`berrybrain store …`: look after the embedded store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dashboard.cli.errors import Problem
from dashboard.cli.options import data_option
from dashboard.cli.store_ingest import command as ingest

if TYPE_CHECKING:
    from telemetry.store.embedded import EmbeddedStore


ARRIVING_S = 86400.0
"""What arrives while points are copied is newer than all there were: it is copied too [s]."""


@click.group(name="store")
def command() -> None:
    """Look after the store of a farm: how full it is, whether it is sound, and moving it."""


def data_and_json(run: Callable[..., None]) -> Callable[..., None]:
    """Add --data and --json to a command."""
    return data_option()(click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(run))


@contextmanager
def opened(data: Path, *, read_only: bool = True) -> Iterator[EmbeddedStore]:
    """Open a farm's store.

    Raises:
        Problem: it cannot be opened, or what is done with it fails.
    """
    from telemetry.store.embedded import open_store
    from telemetry.store.journal import StoreError

    try:
        store = open_store(data / "store", read_only=read_only)
        try:
            yield store
        finally:
            store.close()
    except StoreError as error:
        raise Problem(error.detail) from error


@command.command(name="status")
@data_and_json
def status(*, data: Path, as_json: bool) -> None:
    """Points by tier, sizes, what waits to be sealed and what was taken out as damaged."""
    from dashboard.cli.figures import report
    from telemetry.store.status import status as look

    with opened(data) as store:
        report(look(store), as_json)


@command.command(name="check")
@data_and_json
def check(*, data: Path, as_json: bool) -> None:
    """Read every file to its end, changing nothing; exit code 1 when something is damaged."""
    from dataclasses import asdict

    from dashboard.cli.figures import report
    from telemetry.store.check import check as look

    with opened(data) as store:
        damages = look(store)
    found: dict[str, Any] = {"sound": not damages, "damaged": [asdict(damage) for damage in damages]}
    if as_json or not damages:
        report(found, as_json)
    else:
        for damage in damages:
            click.echo(f"{damage.file}: {damage.reason} ({damage.rows} rows); berrybrain store repair takes it out")
    click.get_current_context().exit(1 if damages else 0)


@command.command(name="repair")
@data_and_json
def repair(*, data: Path, as_json: bool) -> None:
    """Take damaged files out, keep them aside, and go on with the rest; the farm must not run."""
    from dataclasses import asdict

    from dashboard.cli.figures import report
    from dashboard.cli.prepare import own
    from telemetry.store.journal import StoreError
    from telemetry.store.repair import repair as mend

    if not (data / "store").is_dir():
        raise Problem(f"expected a store at {data / 'store'}, got none: is the data folder right?")
    with own(data):
        try:
            done = mend(data / "store")
        except StoreError as error:
            raise Problem(error.detail) from error
    report(asdict(done), as_json)


@command.command(name="seal")
@data_and_json
def seal(*, data: Path, as_json: bool) -> None:
    """Seal every day that has ended, now; the keeper of a farm that runs does it by itself."""
    import time

    from dashboard.cli.figures import report
    from telemetry.store.keeper import lead
    from telemetry.store.seal import Sealer

    with opened(data):
        pass  # a folder without a store is refused here; for writing, one would be made
    with opened(data, read_only=False) as store:
        lock = lead(store.directory)
        if lock is None:
            raise Problem("the keeper of a farm that runs seals this store already")
        with lock:
            sealer, newest = Sealer(store), max((point.at for point in store.last().values()), default=0.0)
            # Simulated time may be ahead; a day has ended when there is anything after it.
            ended = [day for day in sealer.days() if (day + 86_400_000) / 1000.0 <= max(newest, time.time())]
            points = sum(sealer.seal(day, time.time()) for day in sorted(ended))
            while sealer.drain():
                pass
    report({"days": len(ended), "points": points}, as_json)


@command.command(name="migrate")
@click.argument("target", type=click.Path(path_type=Path, file_okay=False))
@data_and_json
def migrate(*, target: Path, data: Path, as_json: bool) -> None:
    """Copy all points into the store of the state folder TARGET, while the farm runs; run it again for what came since.

    Where TARGET has a farm.toml whose [store] is InfluxDB or VictoriaMetrics, they go there. Events, records and alarms
    are not points: `berrybrain backup` carries those.
    """
    import os
    from contextlib import closing
    from dataclasses import asdict

    from dashboard.cli.figures import report
    from dashboard.cli.settings import FARM, find_farm
    from telemetry.farm import parse_farm
    from telemetry.farm.settings import StoreSettings
    from telemetry.store.journal import StoreError
    from telemetry.store.migrate import migrate as move
    from telemetry.store.opening import open_archive

    if target.resolve() == data.resolve():
        raise Problem("the target is the store itself")
    farm = target / FARM
    known = parse_farm(find_farm(farm, target)[0]).store if farm.exists() else StoreSettings()
    try:
        archive = open_archive(target / "store", known, os.environ)
    except StoreError as error:
        raise Problem(error.detail) from error
    with opened(data) as source, closing(archive) as other:
        span = source.span()
        say = (lambda _: None) if as_json else (lambda text: click.echo(text, err=True))
        moved = move(source, other, start=span[0], end=span[1] + ARRIVING_S, say=say)
        report({**asdict(moved), "points": source.count(), "target_points": other.count()}, as_json)


command.add_command(ingest)
