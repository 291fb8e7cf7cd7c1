"""The keeper's node: seals days, keeps roll-ups, lets go what is old, looks for damage. One process is the keeper."""

from __future__ import annotations

import fcntl
import logging
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from telemetry.clock import Clock, Timers
from telemetry.store import REJECTED
from telemetry.store.check import hot_trouble, quarantine, trouble
from telemetry.store.embedded import EmbeddedStore
from telemetry.store.hot_file import SUSPECT
from telemetry.store.journal import StoreError
from telemetry.store.retention import Limits, collect_garbage, retire
from telemetry.store.rollup import DAY, HOUR
from telemetry.store.seal import Sealer, month_span
from telemetry.store.segments import Segment, segments
from telemetry.store.tables import DAMAGED, errors, transaction

log = logging.getLogger(__name__)

LOCK = "keeper.lock"
ENDLESS = 2**52


@dataclass(frozen=True, slots=True, kw_only=True)
class KeeperSettings:
    """When the keeper does what.

    Attributes:
        turn_s: from one look to the next.
        slice_s: from one slice of deleted points to the next, so that writers get their turn between them.
        grace_s: after midnight UTC before a day is sealed: devices that were away for a moment have sent by then.
        late_s: how long late points of a sealed day wait, so that many are taken in at once.
        check_s: from one sealed file to the next that is read through; retention and garbage in the same rhythm.
        hot_check_s: from one reading of the whole hot file, for damage that nobody has met, to the next.
        limits: what is kept.
    """

    turn_s: float = 5.0
    slice_s: float = 0.1
    grace_s: float = 2.0 * 3600.0
    late_s: float = 600.0
    check_s: float = 60.0
    hot_check_s: float = 3600.0
    limits: Limits = field(default_factory=Limits)


class Keeper:
    """Work on a store beside those who write to it: they wait for a slice of some milliseconds at most.

    Args:
        store: opened to be written; the keeper's own, not shared with another node.
    """

    def __init__(self, store: EmbeddedStore, clock: Clock, timers: Timers, settings: KeeperSettings) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._sealer = Sealer(store)
        self._lock: BinaryIO | None = None
        self._late_since: dict[int, float] = {}
        self._check_at = clock.monotonic() + settings.check_s
        self._hot_check_at = clock.monotonic() + settings.hot_check_s
        self._checked = ("", -ENDLESS)
        self._said = ""
        timers.every(settings.turn_s, self.turn)
        timers.every(settings.slice_s, self.drain)

    def turn(self) -> None:
        """Do the most urgent piece of work; at most one day is sealed."""
        if not self._leads():
            return
        try:
            self._roll_hours()
            self._seal_due()
            if self._clock.monotonic() >= self._check_at:
                self._check_at = self._clock.monotonic() + self._settings.check_s
                self._look_after()
            self._said = ""
        except StoreError as error:
            self._complain(error)

    def drain(self) -> None:
        """Delete a slice of what is sealed from the hot tier."""
        if self._lock is None:
            return
        try:
            with errors():
                self._sealer.drain()
        except StoreError as error:
            self._complain(error)

    def finish(self) -> None:
        """Seal all that is due, and delete it from the hot tier, at once."""
        while self._leads() and (self._seal_due() or self._sealer.drain()):
            pass

    def _complain(self, error: StoreError) -> None:
        if error.code == DAMAGED and not self._store.connection.moved():
            (self._store.directory / SUSPECT).touch()  # whoever writes measurements mends it, and tells
        if str(error) != self._said:
            log.error("the store could not be looked after, nothing is lost by that: %s", error)
        self._said = str(error)

    def close(self) -> None:
        """Let another process keep the store."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _leads(self) -> bool:
        if self._lock is None:
            self._lock = lead(self._store.directory)
        return self._lock is not None

    def _seal_due(self) -> bool:
        with errors():
            days = self._sealer.days()
            sealed = {file.period for file in segments(self._store.connection, "raw", -ENDLESS, ENDLESS)}
        now = self._clock.now()
        self._late_since = {day: self._late_since.get(day, now) for day in days if day in sealed}
        for day in sorted(days):
            waited = now - self._late_since.get(day, -ENDLESS)
            if now >= (day + DAY) / 1000.0 + self._settings.grace_s and waited >= self._settings.late_s:
                moved = self._seal(day, now)
                self._late_since.pop(day, None)
                log.info("sealed %d points of the day that begins at %.0f", moved, day / 1000.0)
                return True
        return False

    def _seal(self, day: int, now: float) -> int:
        """Seal a day; sealed files of it that turn out to be damaged are put aside first."""
        try:
            return self._sealer.seal(day, now)
        except StoreError as error:
            if error.code == "store_full" or not self._put_aside(day, now):
                raise
        return self._sealer.seal(day, now)

    def _put_aside(self, day: int, now: float) -> int:
        """Put the damaged files of a day's month aside; return how many those are."""
        with errors():
            files = segments(self._store.connection, None, *month_span(day))
        return sum(self._examine(file, now) for file in files)

    def _examine(self, file: Segment, now: float) -> bool:
        """Put a file aside when it is damaged, and tell whether it is."""
        reason = trouble(self._store.cold, file)
        if reason:
            quarantine(self._store, file, reason, now)
        return bool(reason)

    def _roll_hours(self) -> None:
        """Keep buckets of complete hours that are not sealed yet, for reads of many series."""
        connection = self._store.connection
        now = round(self._clock.now() * 1000.0)
        with errors():
            done = {row[0] for row in connection.execute("SELECT hour FROM hour WHERE length(body) > 0").fetchall()}
        for hour in self._store.hot.hours(now - 4 * DAY, now // HOUR * HOUR):
            if hour not in done:
                self._roll(hour)

    def _roll(self, hour: int) -> None:
        """Keep the buckets of an hour, made without the lock: a writer that adds a point removes the empty row."""
        with transaction(self._store.connection):
            self._store.connection.execute("INSERT OR REPLACE INTO hour (hour, body) VALUES (?, x'')", (hour,))
        with errors():
            span = (hour * HOUR, (hour + 1) * HOUR)
            body = self._store.hot.buckets(None, *span, step=HOUR, without=int(REJECTED)).pack()
        with transaction(self._store.connection):
            self._store.connection.execute("UPDATE hour SET body = ? WHERE hour = ?", (body, hour))

    def _look_after(self) -> None:
        now = self._clock.now()
        if self._clock.monotonic() >= self._hot_check_at:
            self._hot_check_at = self._clock.monotonic() + self._settings.hot_check_s
            with errors():
                found = hot_trouble(self._store.connection)
            if found:
                raise StoreError(DAMAGED, found[0])
        retire(self._store, self._settings.limits, now)
        collect_garbage(self._store, now)
        with errors():
            files = segments(self._store.connection, None, -ENDLESS, ENDLESS)
        waiting = [file for file in files if (file.kind, file.period) > self._checked] or files
        for file in sorted(waiting, key=lambda file: (file.kind, file.period))[:1]:
            self._checked = (file.kind, file.period)
            self._examine(file, now)


def lead(directory: Path) -> BinaryIO | None:
    """Become the one process that keeps a store, as long as the file stays open; None when another one is."""
    try:
        handle = (directory / LOCK).open("ab")
    except OSError as error:
        raise StoreError("store_failed", str(error)) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return None
    os.set_inheritable(handle.fileno(), False)
    return handle
