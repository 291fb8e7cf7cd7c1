"""All that ingest writes to, with the measurements in a server outside and everything else in the farm's own folder."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from telemetry.messages.fields import Reason
from telemetry.store import Block, Buckets, Point, Quality, Samples, Series, Summary
from telemetry.store.embedded import EmbeddedStore
from telemetry.store.influx import InfluxSettings
from telemetry.store.influx.store import InfluxStore
from telemetry.store.journal import Batch, Committed, DeadLetter

SOURCE = "store:influx"
"""What lines that the server refused are listed under, with the dead letters."""


class OutsideArchive(EmbeddedStore):
    """An `Archive`: points go to the server or wait in the queue, entries and all counts stay in the folder.

    A commit that returns is durable: the server has the points, or the disk. One that is made again, because
    the process was killed in between, sends the same points for the same times, which changes nothing.
    """

    def __init__(self, directory: Path, settings: InfluxSettings, *, read_only: bool) -> None:
        super().__init__(directory, read_only=read_only, dead_letter_limit=10_000)
        self.outside = InfluxStore(settings, directory, self._bury)
        self._sent = 0

    def write_block(self, block: Block) -> int:
        return self.commit(Batch(block=block)).points

    def commit(self, batch: Batch) -> Committed:
        sent = self.outside.write(batch.points) if batch.points else 0
        if batch.block is not None and len(batch.block):
            sent += self.outside.write_block(batch.block)
        self._sent = sent
        try:
            return super().commit(batch)
        finally:
            self._sent = 0

    def _keep_points(self, batch: Batch) -> int:
        return self._sent

    def flush(self) -> None:
        """Send what waits, when it is time to try again."""
        self.outside.flush()

    def _bury(self, line: str, why: str) -> None:
        payload = line.encode()
        letter = DeadLetter(
            topic=SOURCE, payload=payload, size=len(payload), reason=Reason.BAD_VALUE, detail=why[:500], at=time.time()
        )
        super().commit(Batch(dead_letters=(letter,)))

    def last(self, series: Sequence[Series] | None = None) -> dict[Series, Point]:
        return self.outside.last(series)

    def read(self, series: Series, start: float, end: float, *, step: float | None = None) -> Samples:
        return self.outside.read(series, start, end, step=step)

    def summary(self, series: Series, start: float, end: float, *, step: float, without: Quality) -> Summary:
        return self.outside.summary(series, start, end, step=step, without=without)

    def buckets(self, series: Sequence[Series] | None, start: float, end: float, *, step: float) -> Buckets:
        return self.outside.buckets(series, start, end, step=step)

    def block(self, series: Sequence[Series] | None, start: float, end: float) -> Block:
        return self.outside.block(series, start, end)

    def series(self) -> list[Series]:
        return self.outside.series()

    def count(self) -> int:
        return self.outside.count()

    def close(self) -> None:
        self.outside.close()
        super().close()
