"""What is known of each bed segment, folded from the robots' events: neither their order nor repeats matter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from telemetry.messages import Event


class SegmentKey(NamedTuple):
    """A bed segment; segments are numbered from 0."""

    bed: str
    side: str
    segment: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentState:
    """The latest count of a segment.

    Attributes:
        counted_at: UTC epoch [s] of that count; 0 when never visited.
        order_id: the order in which it was counted; empty for a count without one.
        in_window: berries counted inside the ripeness window.
        picked: berries taken since, or in the same order.
        harvested: that order ended well, so that what is left was tried and could not be picked.
    """

    counted_at: float = 0.0
    order_id: str = ""
    in_window: int = 0
    picked: int = 0
    harvested: bool = False

    @property
    def visited(self) -> bool:
        return self.counted_at > 0.0

    @property
    def ripe_left(self) -> int:
        return max(0, self.in_window - self.picked)


@dataclass(slots=True)
class _Pick:
    at: float
    order_id: str


@dataclass(slots=True)
class _Segment:
    count: SegmentState = field(default_factory=SegmentState)
    picks: dict[tuple[str, int, int, str], _Pick] = field(default_factory=dict)


class Field:
    """Folds count, pick and order events into `SegmentState`s."""

    def __init__(self) -> None:
        self._segments: dict[SegmentKey, _Segment] = {}
        self._ended: dict[str, bool] = {}

    def apply(self, event: Event) -> bool:
        """Take one event in; tell whether it was of a type and shape that matters here."""
        data = event.data
        match event.type:
            case "count":
                key = segment_key(data)
                if key is None:
                    return False
                segment = self._segments.setdefault(key, _Segment())
                if event.at >= segment.count.counted_at:
                    segment.count = SegmentState(
                        counted_at=event.at, order_id=str(data.get("order_id", "")), in_window=_whole(data, "in_window")
                    )
                return True
            case "pick":
                key = segment_key(data)
                if key is None:
                    return False
                if data.get("result") == "ok":
                    order_id = str(data.get("order_id", ""))
                    # A berry's id is the tracker's and starts again after a restart: the boot makes it unique.
                    name = (order_id, _whole(data, "berry_id"), event.seq, event.boot)
                    self._segments.setdefault(key, _Segment()).picks[name] = _Pick(event.at, order_id)
                return True
            case "order":
                status = data.get("status")
                if status in ("done", "failed"):
                    self._ended[str(data.get("order_id", ""))] = status == "done"
                return True
        return False

    def states(self, *, cut_short: Mapping[str, bool] | None = None) -> dict[SegmentKey, SegmentState]:
        """Return every segment ever counted.

        Args:
            cut_short: orders that ended because their quota was full: what they left is still worth a visit.
        """
        short = cut_short or {}
        return {key: self._state(segment, short) for key, segment in self._segments.items() if segment.count.visited}

    def _state(self, segment: _Segment, cut_short: Mapping[str, bool]) -> SegmentState:
        count = segment.count
        picked = sum(
            p.at >= count.counted_at or (bool(count.order_id) and p.order_id == count.order_id)
            for p in segment.picks.values()
        )
        done = bool(count.order_id) and self._ended.get(count.order_id) is True
        return SegmentState(
            counted_at=count.counted_at,
            order_id=count.order_id,
            in_window=count.in_window,
            picked=picked,
            harvested=done and not cut_short.get(count.order_id, False),
        )


def segment_key(data: Mapping[str, object]) -> SegmentKey | None:
    """Return the segment an event is about; None when it does not say."""
    bed, side, segment = data.get("bed"), data.get("side"), data.get("segment")
    if not isinstance(bed, str) or not isinstance(side, str):
        return None
    if isinstance(segment, bool) or not isinstance(segment, int):
        return None
    return SegmentKey(bed, side, segment)


def _whole(data: Mapping[str, object], key: str) -> int:
    value = data.get(key, 0)
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0
