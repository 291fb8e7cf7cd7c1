"""What the robots have reported, folded from the journal: counts of each segment, picks, orders. Read in one thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from telemetry.brain.field import Field, SegmentKey, segment_key
from telemetry.messages import Command, Event, Kind
from telemetry.store.journal import Archive, Entry

PAGE = 5000
KEPT_PICKS = 50_000
KEPT_ORDERS = 500
STAGES = ("flower", "green", "white", "turning", "ripe", "overripe")
NUMBERS = ("ripeness", "diameter", "mass", "seconds", "peak_force")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """What became of one candidate; `attempt` 0 = passed over without a try. Units as in `berry_msgs/PickOutcome`."""

    at: float
    robot: str
    bed: str
    side: str
    segment: int
    berry_id: int
    result: str
    stage: str
    attempt: int
    punnet: str
    ripeness: float | None
    diameter: float | None
    mass: float | None
    seconds: float | None
    peak_force: float | None

    @property
    def ok(self) -> bool:
        return self.result == "ok"

    def row(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """The newest count of one segment, berries by stage."""

    at: float
    stages: dict[str, int]
    in_window: int
    ripe_mass: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSeen:
    """A work order as it was sent: which segments, and by whom."""

    id: str
    robot: str
    bed: str
    side: str
    segments: tuple[int, ...]
    issuer: str


class HarvestLog:
    """Reads on from where it was; the journal keeps each event once."""

    def __init__(self, site: str) -> None:
        self._site = site
        self._cursor: dict[Kind, int] = {}
        self.counts: dict[SegmentKey, Count] = {}
        self.picked_at: dict[SegmentKey, float] = {}
        self.picks: deque[Pick] = deque(maxlen=KEPT_PICKS)
        self.orders: dict[str, OrderSeen] = {}
        self._field = Field()
        self._left: dict[SegmentKey, int] | None = None

    def update(self, archive: Archive) -> None:
        """Take in what is new in the journal."""
        for kind in (Kind.CMD, Kind.EVENT):
            while entries := archive.entries(kind, after=self._cursor.get(kind, 0), limit=PAGE):
                self._cursor[kind] = entries[-1].id
                self._take(entries)

    def left(self) -> dict[SegmentKey, int]:
        """Return how many berries inside the picking window each segment still holds, as the brain reckons."""
        if self._left is None:
            self._left = {key: state.ripe_left for key, state in self._field.states().items()}
        return self._left

    def since(self, at: float) -> list[Pick]:
        """Return the picks from `at` [UTC epoch s] on, oldest first."""
        return sorted((p for p in self.picks if p.at >= at), key=lambda p: p.at)

    def newest(self, limit: int) -> list[Pick]:
        """Return the newest picks, newest first."""
        return sorted(self.picks, key=lambda p: -p.at)[:limit]

    def _take(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if entry.topic.site != self._site:
                continue
            if isinstance(entry.payload, Command):
                self._take_order(entry.topic.device, entry.payload)
            elif isinstance(entry.payload, Event):
                self._take_event(entry.topic.device, entry.payload)

    def _take_order(self, robot: str, command: Command) -> None:
        arguments = command.arguments
        segments = arguments.get("segments")
        if command.command != "harvest" or not isinstance(segments, list):
            return
        self.orders[command.id] = OrderSeen(
            id=command.id,
            robot=robot,
            bed=str(arguments.get("bed", "")),
            side=str(arguments.get("side", "")),
            segments=tuple(s for s in segments if isinstance(s, int)),
            issuer=command.issuer,
        )
        while len(self.orders) > KEPT_ORDERS:
            del self.orders[next(iter(self.orders))]

    def _take_event(self, robot: str, event: Event) -> None:
        if self._field.apply(event):
            self._left = None
        if event.type not in ("pick", "count"):
            return
        key = segment_key(event.data)
        if key is None:
            return
        if event.type == "count":
            known = self.counts.get(key)
            if known is None or event.at >= known.at:
                stages = {stage: _whole(event.data, stage) for stage in STAGES}
                mass = _number(event.data, "ripe_mass")
                window = _whole(event.data, "in_window")
                self.counts[key] = Count(at=event.at, stages=stages, in_window=window, ripe_mass=mass)
            return
        pick = Pick(
            at=event.at,
            robot=robot,
            bed=key.bed,
            side=key.side,
            segment=key.segment,
            berry_id=_whole(event.data, "berry_id"),
            result=_text(event.data, "result"),
            stage=_text(event.data, "stage"),
            attempt=_whole(event.data, "attempt"),
            punnet=_text(event.data, "punnet"),
            **{name: _number(event.data, name) for name in NUMBERS},
        )
        self.picks.append(pick)
        if pick.ok:
            self.picked_at[key] = max(pick.at, self.picked_at.get(key, 0.0))


def _number(data: dict[str, Any], key: str) -> float | None:
    value = data.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole(data: dict[str, Any], key: str) -> int:
    return int(_number(data, key) or 0)


def _text(data: dict[str, Any], key: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else ""
