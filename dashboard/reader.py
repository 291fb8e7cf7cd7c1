"""Reads the farm's store and records in a thread of its own, so that a long read never holds up a stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from telemetry.records.records import Records
from telemetry.store.embedded import open_store
from telemetry.store.journal import Archive

T = TypeVar("T")


class Reader:
    """Opens the store when it is first asked, since ingest may make it later than the dashboard starts.

    Args:
        data: the farm's state folder.
        timezone: of the farm, for the dates in its records.
    """

    def __init__(self, data: Path, timezone: str) -> None:
        self._data = data
        self._timezone = timezone
        self._archive: Archive | None = None
        self._records: Records | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reader")

    async def archive(self, read: Callable[[Archive], T]) -> T:
        """Return `read(archive)`, run in the reader's thread.

        Raises:
            StoreError: there is no store yet, or it cannot be read.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: read(self._open_archive()))

    async def records(self, read: Callable[[Records], T]) -> T:
        """Return `read(records)`, run in the reader's thread.

        Raises:
            StoreError, RecordsError: they cannot be read.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: read(self._open_records()))

    def close(self) -> None:
        """Wait for the read in hand and close everything."""
        self._thread.submit(self._close).result()
        self._thread.shutdown()

    def _open_archive(self) -> Archive:
        if self._archive is None:
            self._archive = open_store(self._data / "store", read_only=True)
        return self._archive

    def _open_records(self) -> Records:
        if self._records is None:
            self._records = Records(self._open_archive(), self._data / "records", timezone=self._timezone)
        return self._records

    def _close(self) -> None:
        for opened in (self._records, self._archive):
            if opened is not None:
                opened.close()
