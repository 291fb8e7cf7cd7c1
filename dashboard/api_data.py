"""The farm's description, its newest values and its history."""

from __future__ import annotations

import time
from collections import OrderedDict
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, Field

from dashboard.errors import ApiError
from dashboard.guard import Served
from dashboard.history import BAD, History, as_measured, in_buckets, step_for, to_csv
from dashboard.services import Services
from dashboard.values import interval_of, last_rows
from telemetry.store import Series
from telemetry.store.journal import Archive

router = APIRouter(prefix="/api/v1", tags=["data"])

LONGEST_S = 11 * 366 * 86400.0
CACHE_S, LONGEST_CACHE_S = 20.0, 300.0
CACHE_SIZE = 128
Instant = Annotated[float, Field(ge=0.0, le=4_102_444_800.0, allow_inf_nan=False)]


class HistoryCache:
    """Down-sampled histories, kept for a twentieth of their step: many viewers look at the same charts."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Any, ...], tuple[float, dict[str, Any]]] = OrderedDict()

    def get(self, key: tuple[Any, ...]) -> dict[str, Any] | None:
        """Return what was kept under `key`; None when that is too old."""
        known = self._kept.get(key)
        return known[1] if known is not None and time.monotonic() < known[0] else None

    def put(self, key: tuple[Any, ...], value: dict[str, Any], seconds: float) -> None:
        """Keep `value` for so many seconds."""
        self._kept[key] = (time.monotonic() + seconds, value)
        self._kept.move_to_end(key)
        while len(self._kept) > CACHE_SIZE:
            self._kept.popitem(last=False)


@router.get("/farm")
async def farm(services: Served) -> Response:
    """Describe the farm: what is where, what it measures, and the words for its metrics and faults."""
    known = services.farm
    return JSONResponse(
        {
            "site": _fields(known.site) | {"now": services.clock.now()},
            "zones": [_fields(zone) for zone in known.zones],
            "beds": [_fields(bed) | {"segments": bed.segments} for bed in known.beds],
            "devices": [_fields(device) for device in known.devices],
            "robots": [_fields(robot) for robot in known.robots],
            "program": _fields(known.program),
            "metrics": {
                m.key: {"unit": m.unit, "label_zh": m.zh, "label_en": m.en, "min": m.minimum, "max": m.maximum}
                for m in services.metrics.values()
            },
            "faults": {
                f.key: {
                    "zh": f.zh,
                    "en": f.en,
                    "do_zh": f.do_zh,
                    "do_en": f.do_en,
                    "severity": f.severity.value,
                    "effect": f.effect.value,
                }
                for f in services.faults.values()
            },
        }
    )


def _fields(settings: Any) -> dict[str, Any]:
    values = {name: getattr(settings, name) for name in settings.__slots__}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


@router.get("/last")
async def last(services: Served) -> Response:
    """Return the newest value of every metric, with its age; metrics without a value have a row too."""
    points = await services.reader.archive(lambda archive: archive.last())
    return JSONResponse(last_rows(services.farm, services.view.births, services.metrics, points, services.clock.now()))


class Span(BaseModel):
    """Which series, and from when to when [UTC epoch s]."""

    device: str = Field(min_length=1, max_length=64)
    metric: str = Field(min_length=1, max_length=64)
    zone: str = Field("", max_length=64)
    start: Instant | None = None
    end: Instant | None = None
    points: int = Field(600, ge=2, le=5000)
    format: Literal["json", "csv"] = "json"


@router.get("/history")
async def history(request: Request, services: Served, span: Annotated[Span, Query()]) -> Response:
    """Return a series over time, down-sampled to about `points`; `format=csv` gives every stored value.

    Left out: `end` is now, `start` a day before. Mean, min and max leave rejected values out; those are listed apart.
    """
    device, metric, zone, points = span.device, span.metric, span.zone, span.points
    now = services.clock.now()
    until = now if span.end is None else span.end
    since = until - 86400.0 if span.start is None else span.start
    if not since < until <= since + LONGEST_S:
        raise ApiError("bad_request", f"start, end: expected start < end within 11 years, got {since:.0f}, {until:.0f}")
    series = await services.reader.archive(lambda archive: _find(archive, services, zone, device, metric))
    table = services.metrics
    unit = table[metric].unit if metric in table else _unit(services, series)
    if span.format == "csv":
        samples = await services.reader.history(lambda archive: archive.read(series, since, until))
        name = f"{device}-{metric}.csv".encode("ascii", "replace").decode().replace('"', "").replace("?", "_")
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        lines = to_csv(samples, unit, services.farm.site.timezone)
        return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)
    interval = interval_of(services.farm, services.view.births, series.zone, device, metric)
    step = step_for(since, until, points, interval)
    if step > 0.0:
        since, until = since // step * step, -(-until // step) * step
    cache: HistoryCache = request.app.state.histories
    key = (series, step, since, until, points) if step > 0.0 else ()
    content = cache.get(key) if key else None
    if content is None:
        read = partial(_read, series=series, span=(since, until), now=now, step=step, interval=interval, points=points)
        content = (await services.reader.history(read)).json()
        content = {"device": device, "metric": metric, "zone": series.zone, "unit": unit, **content}
        content |= {"start": since, "end": until, "interval": interval}
        if key:
            cache.put(key, content, max(CACHE_S, min(step / 20.0, LONGEST_CACHE_S)))
    return JSONResponse(content)


def _read(
    archive: Archive,
    *,
    series: Series,
    span: tuple[float, float],
    now: float,
    step: float,
    interval: float,
    points: int,
) -> History:
    start, end = span
    until = min(end, now)
    if step <= 0.0:
        samples = archive.read(series, start, end)
        if len(samples.at) <= 2 * points:
            return as_measured(samples, start, until, interval=interval)
        step = step_for(start, end, points, 0.0)  # it measures more often than it said
    summary = archive.summary(series, start, end, step=step, without=BAD)
    return in_buckets(summary, start, until, step=step, interval=interval)


def _find(archive: Archive, services: Services, zone: str, device: str, metric: str) -> Series:
    site = services.farm.site.id
    for series in archive.series():
        if (series.site, series.device, series.metric) == (site, device, metric) and zone in ("", series.zone):
            return series
    for known in services.farm.devices:
        if known.id == device and metric in known.metrics and zone in ("", known.zone):
            return Series(site, known.zone, device, metric)
    raise ApiError("unknown_series", f"{device} {metric}"[:200])


def _unit(services: Services, series: Series) -> str:
    birth = services.view.births.get((series.zone, series.device))
    return birth.metrics[series.metric].unit if birth is not None and series.metric in birth.metrics else ""
