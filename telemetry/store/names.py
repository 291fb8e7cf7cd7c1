"""Names of series and their numbers in the file, remembered; names only ever travel as parameters of a statement."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from telemetry.store import Series
from telemetry.store.hot_file import HotFile

WHERE = "site = ? AND zone = ? AND device = ? AND metric = ?"


class Names:
    """The names of one connection's file. A series is never renamed or removed: what is remembered holds for a file."""

    def __init__(self, connection: HotFile) -> None:
        self._connection = connection
        connection.renewed.append(self.forget)
        self._numbers: dict[Series, int] = {}
        self._names: dict[int, Series] = {}

    def number(self, series: Series) -> int:
        """Return the number of a series, giving it one inside the caller's transaction when it is new.

        Raises:
            ValueError: a name is no text that can be stored.
        """
        known = self._numbers.get(series)
        if known is not None:
            return known
        self._connection.execute(
            "INSERT OR IGNORE INTO series (site, zone, device, metric) VALUES (?, ?, ?, ?)", _row(series)
        )
        found = self.find(series)
        if found is None:
            raise ValueError(f"expected text names, got {series}")
        return found

    def find(self, series: Series) -> int | None:
        """Return the number of a series; None when nothing of it is stored."""
        known = self._numbers.get(series)
        if known is None:
            row = self._connection.execute(f"SELECT id FROM series WHERE {WHERE}", _row(series)).fetchone()
            if row is None:
                return None
            known = self._numbers[series] = int(row[0])
        return known

    def name(self, number: int) -> Series:
        """Return the name of a number."""
        if number not in self._names:
            self._load()
        return self._names[number]

    def all(self) -> list[Series]:
        """Return every name, in the order of their numbers."""
        self._load()
        return list(self._names.values())

    def index(self, names: Sequence[Series]) -> npt.NDArray[np.int32]:
        """Return a table from numbers to places in `names`."""
        numbers = [number for number in map(self.find, names) if number is not None]
        table = np.zeros(max(numbers, default=0) + 1, np.int32)
        for place, name in enumerate(names):
            number = self.find(name)
            if number is not None:
                table[number] = place
        return table

    def forget(self) -> None:
        """Drop what is remembered: a transaction was rolled back, or the file is another one."""
        self._numbers.clear()
        self._names.clear()

    def _load(self) -> None:
        newest = max(self._names, default=0)
        query = "SELECT id, site, zone, device, metric FROM series WHERE id > ? ORDER BY id"
        for number, *name in self._connection.execute(query, (newest,)):
            self._names[int(number)] = Series(*name)


def _row(series: Series) -> tuple[str, str, str, str]:
    return series.site, series.zone, series.device, series.metric
