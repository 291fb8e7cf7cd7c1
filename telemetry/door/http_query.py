"""A question in the parameters of a request, answered as JSON, CSV, Parquet or Arrow: `berrybrain query` over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from starlette.responses import Response, StreamingResponse

from telemetry.messages.tables import metrics
from telemetry.query import Query, QueryError
from telemetry.query.ask import ask
from telemetry.query.formats import MEDIA, encode
from telemetry.query.times import parse_duration, parse_instant, parse_zone
from telemetry.store import Store

LIMIT = 1_000_000
"""Most rows of an answer."""
LISTS = ("metric", "device", "zone", "site", "aggregate")
SINGLE = ("from", "to", "step", "format", "timezone", "good")


def answer_query(
    store: Store, asked: Sequence[tuple[str, str]], *, site: str | None, timezone: str, now: float
) -> Response:
    """Return the answer.

    Args:
        asked: parameters: those of `LISTS` as often as wanted, those of `SINGLE` once; `good=1`: without rejected
            values; `format`: a key of `MEDIA`.
        site: the only site that may be read; None = all.
        timezone: of times without an offset.

    Raises:
        QueryError: it cannot be answered as it was put.
        StoreError: the store cannot be read.
    """
    unknown = sorted({key for key, _ in asked} - {*LISTS, *SINGLE})
    if unknown:
        raise QueryError(f"unknown parameter {unknown[0][:80]!r}; there are: {', '.join((*LISTS, *SINGLE))}")
    many = {key: tuple(value for name, value in asked if name == key) for key in LISTS}
    one = {key: value for key, value in asked if key in SINGLE}
    form = one.get("format", "json")
    if form not in MEDIA:
        raise QueryError(f"format: expected one of {', '.join(MEDIA)}, got {form[:40]!r}")
    zone = parse_zone(one.get("timezone", timezone))
    query = Query(
        metrics=many["metric"],
        devices=many["device"],
        zones=many["zone"],
        sites=many["site"],
        start=parse_instant(one.get("from", "-24h"), now, zone),
        end=parse_instant(one.get("to", "now"), now + 0.001, zone),
        step=parse_duration(one["step"]) if one.get("step") else 0.0,
        aggregates=tuple(dict.fromkeys(many["aggregate"])) or ("mean",),
        timezone=zone,
        rejected=one.get("good", "0") in {"0", "", "false"},
        limit=LIMIT,
    )
    if site is not None:
        if all(name.site != site for name in store.series()):
            raise QueryError(f"site: nothing is stored of {site!r}")  # and what else there is, is not for this asker
        query = replace(query, sites=(_literal(site),))
    answer = ask(store, query, {key: row.unit for key, row in metrics().items()})
    return StreamingResponse(encode(answer, form), media_type=MEDIA[form])


def _literal(name: str) -> str:
    """Return a pattern that fits this name only."""
    return name.translate({ord(letter): f"[{letter}]" for letter in "*?["})
