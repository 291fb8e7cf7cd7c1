"""`berrybrain query`: measurements out of the store, as a table, CSV, JSON, Parquet or Arrow."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dashboard.cli.errors import Misuse, Problem
from dashboard.cli.options import data_option

if TYPE_CHECKING:
    from telemetry.query import Answer, Query
    from telemetry.store import Store


@click.command(name="query")
@click.argument("metric", nargs=-1)
@data_option()
@click.option("--device", "devices", metavar="ID", multiple=True, help="Only of this device; * and ? stand for others.")
@click.option("--zone", "zones", metavar="ID", multiple=True, help="Only of this zone.")
@click.option("--site", "sites", metavar="ID", multiple=True, help="Only of this site.")
@click.option(
    "--from",
    "begin",
    metavar="TIME",
    default="-24h",
    show_default=True,
    help="2026-05-01, '2026-05-01 08:30', -7d, today.",
)
@click.option("--to", "end", metavar="TIME", help="Up to, without, this time. Left out: now.")
@click.option("--step", metavar="TIME", help="In buckets of 5min, 1h, 1d, … Left out: every value.")
@click.option(
    "--aggregate",
    "aggregates",
    metavar="NAME",
    multiple=True,
    default=("mean",),
    show_default=True,
    help="Of each bucket: mean, min, max, count; may be given several times.",
)
@click.option(
    "--good", is_flag=True, help="Without values flagged as out of range, leaping or stuck; buckets never hold them."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json", "parquet", "arrow"]),
    help="Left out: by the name of --output, else a table for a person, csv for a program.",
)
@click.option("--output", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Write to FILE.")
@click.option("--timezone", metavar="TZ", help="Of times and days, for example Asia/Shanghai. [the farm's]")
@click.option("--farm", metavar="FILE", type=click.Path(path_type=Path), help="Farm file, for its time zone.")
@click.option("--list", "as_list", is_flag=True, help="List the series there are, each with its newest value.")
def command(
    *,
    metric: tuple[str, ...],
    data: Path,
    devices: tuple[str, ...],
    zones: tuple[str, ...],
    sites: tuple[str, ...],
    begin: str,
    end: str | None,
    step: str | None,
    aggregates: tuple[str, ...],
    good: bool,
    form: str | None,
    output: Path | None,
    timezone: str | None,
    farm: Path | None,
    as_list: bool,
) -> None:
    """Print what was measured of METRIC (several, or patterns such as 'air_*'; all when left out).

    Times without an offset are local. A step of whole days means days that begin at local midnight.
    """
    import os
    import time

    from dashboard.cli.settings import find_farm
    from telemetry.farm import FarmError, parse_farm
    from telemetry.messages.tables import metrics
    from telemetry.query import Query, QueryError
    from telemetry.query.ask import ask
    from telemetry.query.times import parse_duration, parse_instant, parse_zone
    from telemetry.store.journal import StoreError
    from telemetry.store.opening import open_archive

    try:
        known = parse_farm(find_farm(farm, data)[0])
        zone = parse_zone(timezone or known.site.timezone)
        store = open_archive(data / "store", known.store, os.environ, read_only=True)
        newest = max((point.at for point in store.last().values()), default=0.0)
        now = max(time.time(), newest)  # simulated time may be ahead
        query = Query(
            metrics=metric,
            devices=devices,
            zones=zones,
            sites=sites,
            start=parse_instant(begin, now, zone),
            end=max(now, newest + 0.001) if end is None else parse_instant(end, now, zone),
            step=0.0 if step is None else parse_duration(step),
            aggregates=tuple(dict.fromkeys(aggregates)),
            timezone=zone,
            rejected=not good,
        )
        chosen = _format(form, output)
        if as_list:
            answer = _newest(store, query)
        else:
            answer = ask(store, query, {key: row.unit for key, row in metrics().items()})
        store.close()
    except QueryError as error:
        raise Misuse(str(error)) from error
    except (StoreError, FarmError) as error:
        raise Problem(getattr(error, "detail", str(error))) from error
    _write(answer, chosen, output)
    if not len(answer) and not as_list:
        from telemetry.query.formats import local

        click.echo(f"no values in that time; the newest of all is of {local(newest, zone)}", err=True)


def _format(form: str | None, output: Path | None) -> str:
    """Return the format to write.

    Raises:
        Misuse: it is not for a terminal, or the name of the file does not tell.
    """
    if form in {"parquet", "arrow"} and output is None and sys.stdout.isatty():
        raise Misuse(f"{form} is not for a terminal: name a file with --output")
    if form is not None:
        return form
    if output is None:
        return "table" if sys.stdout.isatty() else "csv"
    kind = output.suffix.removeprefix(".").lower()
    if kind in {"csv", "json", "parquet", "arrow"}:
        return kind
    raise Misuse(f"--output {output}: its ending tells no format; add --format csv, json, parquet or arrow")


def _newest(store: Store, query: Query) -> Answer:
    """Return the newest value of each series."""
    import numpy as np

    from telemetry.messages.tables import metrics
    from telemetry.query import Answer
    from telemetry.query.ask import choose, shown_units

    names = choose(store.series(), query)
    points = store.last(names)
    found = [points[name] for name in names if name in points]
    kept = tuple(point.series for point in found)
    return Answer(
        names=kept,
        units=shown_units(kept, {key: row.unit for key, row in metrics().items()}),
        series=np.arange(len(found), dtype=np.int32),
        at=np.array([point.at for point in found]),
        values={"value": np.array([point.value for point in found])},
        quality=np.array([int(point.quality) for point in found], np.uint8),
        timezone=query.timezone,
    )


def _write(answer: Answer, form: str, output: Path | None) -> None:
    from telemetry.query.formats import encode

    if output is None:
        stream = sys.stdout.buffer
        for block in encode(answer, form):
            stream.write(block)
        stream.flush()
        return
    part = output.with_name(output.name + ".part")
    try:
        with part.open("wb") as file:
            for block in encode(answer, form):
                file.write(block)
        part.replace(output)
    except OSError as error:
        raise Problem(f"{output} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    click.echo(f"{len(answer)} rows in {output}", err=True)
