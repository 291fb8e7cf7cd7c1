"""A series in buckets, computed inside SQLite: a month of minutes is read without making a Python object of each."""

from __future__ import annotations

import sqlite3

import numpy as np
import numpy.typing as npt

from telemetry.store import Quality, Samples, Series, Summary

FLAGGED = """
SELECT at, value, quality FROM point WHERE series = ? AND at >= ? AND at < ? AND quality != 0 ORDER BY at
"""
# Times may lie before 1970: the remainder is made positive, so that buckets begin at multiples of the step.
BUCKETS = """
SELECT at - (at % :step + :step) % :step AS start, min(at), max(at), avg({value}), min({value}), max({value})
FROM point WHERE series = :series AND at >= :first AND at < :end GROUP BY start ORDER BY start
"""
GOOD = "CASE WHEN quality & :without = 0 THEN value END"


def summarize(
    connection: sqlite3.Connection,
    name: Series,
    series: int | None,
    *,
    span: tuple[int, int],
    step: int,
    without: Quality,
) -> Summary:
    """Return the buckets of one series.

    Args:
        series: its id in the file; None when nothing of it is stored.
        span: first and one after the last instant [ms].
        step: length of a bucket [ms].
    """
    flagged = connection.execute(FLAGGED, (series, *span)).fetchall()
    left_out = [row for row in flagged if row[2] & int(without)]
    values = {"series": series, "first": span[0], "end": span[1], "step": step, "without": int(without)}
    # Judging each point costs a third more; most spans have none to leave out.
    rows = connection.execute(BUCKETS.format(value=GOOD if left_out else "value"), values).fetchall()
    table = np.array([[np.nan if v is None else v for v in row] for row in rows], dtype=np.float64).reshape(-1, 6)
    start = table[:, 0]
    quality = np.zeros(len(rows), np.uint8)
    if flagged:
        at = np.array([row[0] for row in flagged], dtype=np.int64)
        flags = np.array([row[2] for row in flagged], dtype=np.uint8)
        np.bitwise_or.at(quality, np.searchsorted(start, (at // step * step).astype(np.float64)), flags)
    seconds: npt.NDArray[np.float64] = table[:, :3] / 1000.0
    return Summary(
        start=seconds[:, 0],
        first_at=seconds[:, 1],
        last_at=seconds[:, 2],
        mean=table[:, 3],
        low=table[:, 4],
        high=table[:, 5],
        quality=quality,
        left_out=Samples(
            series=name,
            at=np.array([row[0] for row in left_out], dtype=np.float64) / 1000.0,
            value=np.array([row[1] for row in left_out], dtype=np.float64),
            quality=np.array([row[2] for row in left_out], dtype=np.uint8),
        ),
    )
