"""What a farm keeps besides numbers: messages that are not measurements, refused ones, and gaps in sequences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from telemetry.messages import Ack, Birth, Command, Data, Event, Kind, Payload, State, Topic
from telemetry.store import Block, Point, Store


class StoreError(Exception):
    """The store cannot do what was asked; `code` is a key of faults.toml: store_full, store_failed,
    store_damaged, store_version."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One birth, state, event, command or acknowledgement. `id` counts up in the order of commits; 0 = not stored."""

    topic: Topic
    payload: Payload
    received_at: float
    id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message that was refused. `reason` is a closed code; `size` [byte] exceeds the payload's where that was cut.

    `id` counts up in the order of commits; 0 = not stored.
    """

    topic: str
    payload: bytes
    size: int
    reason: str
    detail: str
    at: float
    id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """The number of one received message: `seq` counts per kind within a boot of a device."""

    topic: Topic
    boot: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Messages `first` to `last` of one boot have not arrived."""

    topic: Topic
    boot: str
    first: int
    last: int

    @property
    def count(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is committed together. `block`: more points, in columns. `messages`: how many were received for it."""

    points: Sequence[Point] = ()
    block: Block | None = None
    entries: Sequence[Entry] = ()
    dead_letters: Sequence[DeadLetter] = ()
    stamps: Sequence[Stamp] = ()
    messages: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """What of a batch was new; `repeated`: stamps that were known already."""

    points: int = 0
    entries: int = 0
    repeated: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """Totals since the store was made. `messages_lost` may shrink again when late messages arrive.

    `points_removed`: points that retention, or a damaged file, has taken out of `points`.
    """

    messages: int = 0
    points: int = 0
    points_duplicated: int = 0
    entries: int = 0
    dead_letters: int = 0
    messages_repeated: int = 0
    messages_lost: int = 0
    points_removed: int = 0
    by_reason: dict[str, int] = field(default_factory=dict)


class Journal(Protocol):
    """Beyond numbers. A stored entry with the same key is never stored again."""

    def commit(self, batch: Batch) -> Committed:
        """Keep all of `batch` durably, or nothing of it.

        Raises:
            StoreError: it is not kept; the caller may try again.
        """
        ...

    def entries(
        self,
        kind: Kind,
        *,
        type: str | None = None,
        start: float = float("-inf"),
        end: float = float("inf"),
        after: int = 0,
        limit: int | None = None,
    ) -> list[Entry]:
        """Return entries with start <= at < end and id > after, in the order of commits; `type` selects events."""
        ...

    def dead_letters(self, *, limit: int = 100) -> list[DeadLetter]:
        """Return the newest refused messages, newest first."""
        ...

    def drop_dead_letters(self, ids: Sequence[int]) -> int:
        """Forget refused messages by their ids and return how many there were; the counters stay."""
        ...

    def gaps(self) -> list[Gap]: ...

    def counters(self) -> Counters: ...


class Archive(Store, Journal, Protocol):
    """All that ingest writes to."""


def entry_at(payload: Payload) -> float:
    """Return the instant an entry is about [UTC epoch s]; of a command, when it expires."""
    match payload:
        case Command():
            return payload.expires_at
        case Data() | Birth() | State() | Event() | Ack():
            return payload.at


def entry_key(payload: Payload) -> str:
    """Return what makes an entry the same one when it is received again."""
    match payload:
        case Event():
            return f"{payload.boot}:{payload.seq}"
        case Birth():
            return f"{payload.boot}:{payload.at:.3f}"
        case State():
            return f"{payload.at:.3f}:{payload.status}:{payload.fault}"
        case Command():
            return payload.id
        case Ack():
            return f"{payload.id}:{payload.status}"
        case Data():
            raise ValueError("expected an entry, got a measurement: it is kept as points")
