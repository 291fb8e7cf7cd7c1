"""A new hot file made to agree with the sealed files: names, list of files, no point twice, newest values, counts."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from telemetry.store.cold import MovedError
from telemetry.store.embedded import EmbeddedStore
from telemetry.store.hot_file import QUARANTINE
from telemetry.store.points import INSERT_LAST
from telemetry.store.rescue import Repaired
from telemetry.store.rollup import DAY
from telemetry.store.seal import engine
from telemetry.store.segments import Segment, checksum, enter, segments
from telemetry.store.tables import transaction

PERIOD = re.compile(r"(raw|minute|rollup)/(\d{4}-\d{2}-\d{2})-[0-9a-f]{8}\.parquet")
ENDLESS = 2**52


def learn_names(store: EmbeddedStore, done: Repaired) -> None:
    """Take the names of series from beside the sealed files, where the hot file has lost them."""
    import duckdb

    path = store.cold.folder / "series.parquet"
    if not path.exists():
        return
    query = "SELECT series, site, zone, device, metric FROM read_parquet(?)"
    try:
        with engine(store.cold.folder) as db:
            rows = db.execute(query, [str(path)]).fetchall()
    except duckdb.Error as error:
        done.unreadable.append(f"{path.name}: {error}")
        return
    with transaction(store.connection):
        insert = "INSERT OR IGNORE INTO series (id, site, zone, device, metric) VALUES (?, ?, ?, ?, ?)"
        store.connection.executemany(insert, rows)


def keep_apart(store: EmbeddedStore) -> None:
    """Give series whose names are lost made-up ones: their numbers must not become those of others."""
    query = """SELECT series FROM (SELECT series FROM point UNION SELECT series FROM last)
        WHERE series NOT IN (SELECT id FROM series)"""
    with transaction(store.connection):
        rows = [(number, f"series-{number}") for (number,) in store.connection.execute(query).fetchall()]
        insert = "INSERT INTO series (id, site, zone, device, metric) VALUES (?, 'lost', 'names', ?, 'unknown')"
        store.connection.executemany(insert, rows)


def adopt(store: EmbeddedStore, done: Repaired) -> None:
    """Enter sealed files that the list does not know: the newest of each period, when the list has none."""
    known = {(file.kind, file.period) for file in segments(store.connection, None, -ENDLESS, ENDLESS)}
    garbage = {row[0] for row in store.connection.execute("SELECT file FROM garbage").fetchall()}
    found: dict[tuple[str, int], Path] = {}
    for path in sorted(store.cold.folder.glob("*/*.parquet"), key=lambda path: path.stat().st_mtime):
        name = path.relative_to(store.cold.folder).as_posix()
        match = PERIOD.fullmatch(name)
        if match is not None and name not in garbage:
            period = round(datetime.fromisoformat(match[2]).replace(tzinfo=UTC).timestamp() * 1000.0)
            found[match[1], period] = path
    for (kind, period), path in found.items():
        if (kind, period) in known:
            continue
        file = _describe(store, kind, period, path)
        if file is None:
            done.quarantined.append(f"{path.name}: cannot be read as Parquet")
            path.replace(store.directory / QUARANTINE / path.name)
            continue
        with transaction(store.connection):
            enter(store.connection, file, 0.0)
        done.files_adopted += 1


def settle(store: EmbeddedStore) -> int:
    """Make a new hot file agree with the sealed files: no point twice, newest values and counts as they are.

    Returns:
        How many points were counted and are not there any more.
    """
    raw = segments(store.connection, "raw", -ENDLESS, ENDLESS)
    for file in raw:
        for hour in store.hot.hours(file.period, file.period + DAY):
            with transaction(store.connection):
                query = "SELECT hour, series, at FROM point WHERE hour = ?"
                keys = store.connection.execute(query, (hour,)).fetchall()
                sealed = {n: set(at.tolist()) for n, at in _times(store, file, {key[1] for key in keys}).items()}
                twice = [key for key in keys if key[2] in sealed[key[1]]]
                store.connection.executemany("DELETE FROM point WHERE hour = ? AND series = ? AND at = ?", twice)
    newest: list[tuple[int, int, float, int, int]] = []
    newest_file = next((file for file in reversed(raw) if store.cold.sound(file)), None)
    if newest_file is not None:
        with engine(store.cold.folder) as db:
            query = """SELECT series, max(ts), arg_max(value, ts), arg_max(delay, ts)::BIGINT * 1000,
                arg_max(quality, ts) FROM read_parquet(?) GROUP BY series"""
            newest = db.execute(query, [str(store.cold.folder / newest_file.file)]).fetchall()
    with transaction(store.connection):
        hot = "SELECT series, max(at), value, delay, quality FROM point GROUP BY series"
        newest += store.connection.execute(hot).fetchall()
        store.connection.executemany(INSERT_LAST, newest)
        stored = store.connection.execute("SELECT count(*) FROM point").fetchone()[0] + sum(file.rows for file in raw)
        known = dict(store.connection.execute("SELECT name, value FROM counter").fetchall())
        removed, batch = int(known.get("points_removed", 0)), int(known.get("commits", 0))
        lost = max(0, int(known.get("points", 0)) - removed - int(stored))
        last = store.connection.execute("SELECT coalesce(max(batch), 0) FROM point").fetchone()[0]
        rows = {"points": stored + removed + lost, "points_removed": removed + lost, "commits": max(batch, last)}
        store.connection.executemany("INSERT OR REPLACE INTO counter VALUES (?, ?)", list(rows.items()))
    return lost


def _times(store: EmbeddedStore, file: Segment, series: set[int]) -> dict[int, npt.NDArray[np.int64]]:
    """Return the sealed times of each series; none of a file that is damaged or gone too, which the keeper names."""
    try:
        return store.cold.has(file, series)
    except MovedError as error:
        store.cold.leave_out(error.files)
        return store.cold.has(file, series)


def _describe(store: EmbeddedStore, kind: str, period: int, path: Path) -> Segment | None:
    import duckdb

    time = "ts" if kind == "raw" else "start"
    (store.directory / QUARANTINE).mkdir(exist_ok=True)
    try:
        with engine(store.cold.folder) as db:
            query = f"SELECT count(*), min({time}), max({time}) FROM read_parquet(?)"
            rows, first, last = db.execute(query, [str(path)]).fetchall()[0]
    except duckdb.Error:
        return None
    size, crc = checksum(path)
    name = path.relative_to(store.cold.folder).as_posix()
    return Segment(kind=kind, period=period, file=name, rows=rows, bytes=size, crc=crc, first=first, last=last)
