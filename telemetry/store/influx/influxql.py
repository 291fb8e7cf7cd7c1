"""Read points by InfluxQL: InfluxDB 1.x, and 2.x and 3 Core through their compatible `/query`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import urllib3

from telemetry.store import Series
from telemetry.store.influx import FIELDS, TAGS, InfluxSettings, OutsideError

Columns = dict[
    Series, tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.int64], npt.NDArray[np.uint8]]
]
"""Time [ms], value, delay [ms] and quality of each series, oldest first."""
MANY = 50
"""So many series are named in one question; more are read all and chosen here."""


class InfluxQL:
    """Asks the server; every name is quoted."""

    def __init__(self, settings: InfluxSettings) -> None:
        self._http = urllib3.PoolManager(timeout=settings.timeout_s, retries=False)
        self._url = f"{settings.url.rstrip('/')}/query"
        self._database = settings.bucket
        self._from = '"' + settings.measurement.replace("\\", "\\\\").replace('"', '\\"') + '"'
        if ":" in settings.token:
            self._headers = dict(urllib3.make_headers(basic_auth=settings.token))
        else:
            self._headers = {"authorization": f"Token {settings.token}"} if settings.token else {}

    def points(self, names: Sequence[Series] | None, start_ms: int, end_ms: int) -> Columns:
        """Return start <= at < end of these series, or of all."""
        span = f"time >= {start_ms}ms AND time < {end_ms}ms"
        wanted = "" if names is None or len(names) > MANY else " AND (" + " OR ".join(map(_where, names)) + ")"
        if names is not None and not names:
            return {}
        found = self._ask(
            f"SELECT {', '.join(FIELDS)} FROM {self._from} WHERE {span}{wanted} GROUP BY {', '.join(TAGS)}"
        )
        chosen = None if names is None else set(names)
        return {name: rows for name, rows in found.items() if chosen is None or name in chosen}

    def last(self) -> Columns:
        """Return the newest point of each series."""
        return self._ask(f"SELECT last(value) AS value, delay, quality FROM {self._from} GROUP BY {', '.join(TAGS)}")

    def count(self) -> int:
        """Return how many points there are."""
        answer = self._get(f"SELECT count(value) FROM {self._from}")
        return sum(int(row[1]) for series in answer for row in series["values"])

    def close(self) -> None:
        self._http.clear()

    def _ask(self, query: str) -> Columns:
        found: Columns = {}
        for series in self._get(query):
            tags = series.get("tags", {})
            name = Series(*(str(tags.get(tag, "")) for tag in TAGS))
            at, value, delay, quality = zip(*series["values"], strict=True)
            found[name] = (
                np.array(at, np.int64),
                np.array(value, np.float64),
                np.array(delay, np.int64),
                np.array(quality, np.uint8),
            )
        return found

    def _get(self, query: str) -> list[dict[str, Any]]:
        fields = {"db": self._database, "q": query, "epoch": "ms"}
        try:
            answer = self._http.request("GET", self._url, fields=fields, headers=self._headers)
            content = json.loads(answer.data)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise OutsideError(f"{self._url}: {error}", lasting=False) from None
        results = content.get("results", [{}])
        problem = content.get("error") or content.get("message") or results[0].get("error")
        if answer.status >= 300 or problem:
            raise OutsideError(f"{self._url}: {answer.status} {problem}", lasting=answer.status < 500)
        return [series for result in results for series in result.get("series", [])]


def _where(name: Series) -> str:
    """Return a condition that holds for one series; a tag that is not there is an empty text."""
    return "(" + " AND ".join(f"{tag} = {quote(getattr(name, tag))}" for tag in TAGS) + ")"


def quote(text: str) -> str:
    """Return a text as InfluxQL writes it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"
