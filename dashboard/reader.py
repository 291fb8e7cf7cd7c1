"""Reads the farm's store and records in threads of its own, so that a long read never holds up a stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from telemetry.records.records import Records
from telemetry.store.embedded import open_store
from telemetry.store.journal import Archive

T = TypeVar("T")


class _Lane:
    """One thread with a connection of its own, opened when it is first needed: ingest may make the store later."""

    def __init__(self, opener: Callable[[], Archive], name: str) -> None:
        self._opener = opener
        self._archive: Archive | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(self, read: Callable[[Archive], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: read(self._open()))

    def close(self, before: Callable[[], None] | None = None) -> None:
        """Wait for what is under way, call `before` in the thread, and close."""
        if before is not None:
            self._thread.submit(before).result()
        self._thread.shutdown()
        if self._archive is not None:
            self._archive.close()

    def _open(self) -> Archive:
        if self._archive is None:
            self._archive = self._opener()
        return self._archive


class Reader:
    """Two lanes: what every page asks for all the time does not wait for a chart of forty days.

    Args:
        data: the farm's state folder.
        timezone: of the farm, for the dates in its records.
        opener: opens the farm's store to be read; left out, the embedded one in `data`.
    """

    def __init__(self, data: Path, timezone: str, opener: Callable[[], Archive] | None = None) -> None:
        self._data = data
        self._timezone = timezone
        opener = opener or partial(open_store, data / "store", read_only=True)
        self._quick, self._long = _Lane(opener, "quick"), _Lane(opener, "long")
        self._records: Records | None = None

    async def archive(self, read: Callable[[Archive], T]) -> T:
        """Return `read(archive)`, for reads of milliseconds; they run one after the other in one thread.

        Raises:
            StoreError: there is no store yet, or it cannot be read.
        """
        return await self._quick.run(read)

    async def history(self, read: Callable[[Archive], T]) -> T:
        """Return `read(archive)`, for reads that may take long.

        Raises:
            StoreError: there is no store yet, or it cannot be read.
        """
        return await self._long.run(read)

    async def records(self, read: Callable[[Records], T]) -> T:
        """Return `read(records)`, run with the long reads.

        Raises:
            StoreError, RecordsError: they cannot be read.
        """
        return await self._long.run(lambda archive: read(self._open_records(archive)))

    def close(self) -> None:
        """Wait for the reads in hand and close everything."""
        self._quick.close()
        self._long.close(self._close_records)

    def _open_records(self, archive: Archive) -> Records:
        if self._records is None:
            self._records = Records(archive, self._data / "records", timezone=self._timezone)
        return self._records

    def _close_records(self) -> None:
        if self._records is not None:
            self._records.close()
