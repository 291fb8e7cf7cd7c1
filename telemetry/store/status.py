"""How full a store is, and how it is doing, in figures."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from telemetry.store.check import quarantined
from telemetry.store.embedded import EmbeddedStore
from telemetry.store.hot_file import FILE
from telemetry.store.segments import segments
from telemetry.store.tables import errors, snapshot

ENDLESS = 2**52


def status(store: EmbeddedStore) -> dict[str, Any]:
    """Return the figures of `berrybrain store status`; costs a count of the hot tier."""
    with errors(), snapshot(store.connection):
        files = segments(store.connection, None, -ENDLESS, ENDLESS)
        hot = int(store.connection.execute("SELECT count(*) FROM point").fetchone()[0])
        waiting = int(store.connection.execute("SELECT count(*) FROM garbage").fetchone()[0])
    counters = store.counters()
    raw = [file for file in files if file.kind == "raw"]
    sizes = {kind: sum(file.bytes for file in files if file.kind == kind) for kind in ("raw", "minute", "rollup")}
    sealed = sum(file.rows for file in raw)
    hot_bytes = sum(path.stat().st_size for path in store.directory.glob(f"{FILE}*"))
    return {
        "points": store.count(),
        "series": len(store.series()),
        "hot_points": hot,
        "hot_mb": round(hot_bytes / 1e6, 1),
        "sealed_points": sealed,
        "sealed_days": len(raw),
        "sealed_from": _date(min((file.period for file in raw), default=None)),
        "sealed_until": _date(max((file.period for file in raw), default=None)),
        "raw_mb": round(sizes["raw"] / 1e6, 3),
        "minute_mb": round(sizes["minute"] / 1e6, 3),
        "rollup_mb": round(sizes["rollup"] / 1e6, 3),
        "bytes_per_point": round(sizes["raw"] / sealed, 3) if sealed else None,
        "duplicates_ignored": counters.points_duplicated,
        "points_removed": counters.points_removed,
        "files_to_remove": waiting,
        "quarantined": [damage.file for damage in quarantined(store.connection)],
    }


def _date(period: int | None) -> str | None:
    return None if period is None else f"{datetime.fromtimestamp(period / 1000.0, UTC):%Y-%m-%d}"
