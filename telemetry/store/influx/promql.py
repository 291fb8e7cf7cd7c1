"""Read points by PromQL from VictoriaMetrics: names and newest times by query, points as they are by export."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import urllib3

from telemetry.store import Series
from telemetry.store.influx import FIELDS, TAGS, InfluxSettings, OutsideError
from telemetry.store.influx.influxql import MANY, Columns

LONGEST_MS = 250 * 365 * 86_400_000
FIRST_MS, LAST_MS = 0, 9_000_000_000_000


class PromQL:
    """Asks the server; every name is quoted. It keeps 15 digits of a value, and shows new ones after 1 s."""

    def __init__(self, settings: InfluxSettings) -> None:
        self._http = urllib3.PoolManager(timeout=settings.timeout_s, retries=False)
        self._url = settings.url.rstrip("/")
        self._name = settings.measurement

    def points(self, names: Sequence[Series] | None, start_ms: int, end_ms: int) -> Columns:
        """Return start <= at < end of these series, or of all."""
        begin, end = max(start_ms, FIRST_MS), min(end_ms, LAST_MS) - 1
        if end < begin or (names is not None and not names):
            return {}
        some = [None] if names is None or len(names) > MANY else list(names)
        parts: dict[Series, dict[str, dict[int, float]]] = {}
        for field in FIELDS:
            selectors = [("match[]", self._selector(field, name)) for name in some]
            asked = [*selectors, ("start", f"{begin / 1e3:.3f}"), ("end", f"{end / 1e3:.3f}")]
            for line in self._get("/api/v1/export", asked).splitlines():
                row = json.loads(line)
                rows = parts.setdefault(_name(row["metric"]), {}).setdefault(field, {})
                for at, value in zip(row["timestamps"], row["values"], strict=True):
                    rows.setdefault(at, value)
        chosen = None if names is None else set(names)
        return {name: _columns(fields) for name, fields in parts.items() if chosen is None or name in chosen}

    def last(self) -> Columns:
        """Return the newest point of each series."""
        found: Columns = {}
        query = f"tlast_over_time({self._selector('value', None)}[{LONGEST_MS}ms])"
        content = json.loads(self._get("/api/v1/query", [("query", query), ("time", str(LAST_MS // 1000))]))
        newest: dict[int, list[Series]] = {}
        for row in content["data"]["result"]:
            newest.setdefault(round(float(row["value"][1]) * 1000.0), []).append(_name(row["metric"]))
        for at, names in newest.items():
            found |= self.points(names, at, at + 1)
        return found

    def count(self) -> int:
        """Return how many points there are."""
        query = f"sum(count_over_time({self._selector('value', None)}[{LONGEST_MS}ms]))"
        content = json.loads(self._get("/api/v1/query", [("query", query), ("time", str(LAST_MS // 1000))]))
        return sum(round(float(row["value"][1])) for row in content["data"]["result"])

    def close(self) -> None:
        self._http.clear()

    def _selector(self, field: str, name: Series | None) -> str:
        parts = [("__name__", f"{self._name}_{field}")]
        if name is not None:
            parts += [(tag, getattr(name, tag)) for tag in TAGS]
        return "{" + ",".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in parts) + "}"

    def _get(self, path: str, fields: Iterable[tuple[str, str]]) -> str:
        from urllib.parse import urlencode

        headers = {"content-type": "application/x-www-form-urlencoded"}
        try:
            answer = self._http.request("POST", self._url + path, body=urlencode(list(fields)), headers=headers)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise OutsideError(f"{self._url}{path}: {error}", lasting=False) from None
        if answer.status >= 300:
            raise OutsideError(f"{self._url}{path}: {answer.status} {answer.data[:300]!r}", lasting=answer.status < 500)
        return str(answer.data.decode())


def _name(labels: dict[str, Any]) -> Series:
    return Series(*(str(labels.get(tag, "")) for tag in TAGS))


def _columns(fields: dict[str, dict[int, float]]) -> Any:
    at = np.array(sorted(fields.get("value", {})), np.int64)

    def column(field: str, kind: npt.DTypeLike) -> npt.NDArray[Any]:
        rows = fields.get(field, {})
        return np.array([rows.get(time, 0) for time in at.tolist()], kind)

    return at, column("value", np.float64), column("delay", np.int64), column("quality", np.uint8)
