"""The berries known so far, as targets of the picking skill: `vision.track` in world coordinates."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from robot.pick.body import Sighting
from robot.pick.shown import Coverage
from robot.pick.skin import elevation, whole_share
from robot.pick.target import Target, Vector
from vision.track import Sighting as Seen
from vision.track import Track, Tracks, TrackSettings, begin_pass, forget, update

HIDDEN, LEAST = 0.4, 0.05
"""A view that shows less than the first share of a fruit says little of its ripeness; the weight it still has."""

PARTS = 0.018
"""What one picture shows nearer together than this are parts of one fruit that a leaf crosses [m]."""

THROUGH, DOUBTS = 0.75, 2
"""What is seen along a line that passes fruit nearer to its middle than this share of its radius is seen through it;
fruit of which that is told so often is not there."""

AROUND = 0.6
"""Fruit so far beyond a segment's ends may still be in the way there [m]."""

REMEMBERED = 900.0
"""Fruit that nobody has seen for so long may have been picked by somebody else meanwhile [s]."""


class TrackedCrop:
    """Tracks berries over pictures; a berry that was picked is forgotten, one that was skipped is remembered."""

    def __init__(self, settings: TrackSettings | None = None) -> None:
        self._settings = settings or TrackSettings()
        self._tracks = Tracks()
        self._ripeness: dict[int, tuple[float, float]] = {}
        self._seen_along: dict[int, Vector] = {}
        self._doubts: Counter[int] = Counter()

    def begin_pass(self) -> None:
        """Begin to count sightings anew."""
        self._tracks = begin_pass(self._tracks)
        self._doubts.clear()

    def see(self, sighting: Sighting) -> list[Target]:
        """Merge a picture; return what it showed, placed as this picture places it, with the ids of the tracks."""
        berries = each_once(sighting.berries)
        self._tracks = update(self._tracks, berries, sighting.stamp, self._settings)
        self._drop_seen_through(sighting)
        shown = []
        for track in self._tracks.tracks:
            if track.seen_at == sighting.stamp:
                view = _nearest(track, berries)
                ripeness = _ripeness(view, sighting.eye)
                self._weigh(track.id, view, ripeness)
                if sighting.eye is not None:
                    ray = sighting.eye - view.position
                    self._seen_along[track.id] = ray / np.linalg.norm(ray)
                shown.append(self._told(track, view, ripeness))
        self._drop_ghosts(sighting.stamp)
        return shown

    def _drop_seen_through(self, sighting: Sighting) -> None:
        """Forget what this picture placed right behind fruit through which it cannot have been seen.

        It is that fruit, its depth was wrong. Where the same is told twice, or of what was seen more often, it is the
        fruit in front that is not there any more.
        """
        if sighting.eye is None:
            return
        before = [t for t in self._tracks.tracks if t.seen_at < sighting.stamp]
        for behind in [t for t in self._tracks.tracks if t.seen_at == sighting.stamp]:
            ray = behind.position - sighting.eye
            distance = float(np.linalg.norm(ray))
            for front in before:
                offset = front.position - sighting.eye
                along = float(offset @ ray) / distance
                aside = float(np.linalg.norm(offset - along / distance * ray))
                if not 0.0 < along < distance - PARTS or aside > THROUGH * 0.5 * front.diameter:
                    continue
                self._doubts[front.id] += 1
                if behind.hits > front.hits or self._doubts[front.id] >= DOUBTS:
                    self.forget(front.id)
                    before = [t for t in before if t.id != front.id]
                else:
                    self.forget(behind.id)
                    break

    def _drop_ghosts(self, stamp: float) -> None:
        """Join what was known of fruit that has moved to where it was just seen: no two hang so near to each other."""
        seen = {t.id: t for t in self._tracks.tracks if t.seen_at == stamp}
        for ghost in [t for t in self._tracks.tracks if t.seen_at < stamp]:
            near = [t for t in seen.values() if float(np.linalg.norm(t.position - ghost.position)) < PARTS]
            if near:
                kept = near[0]
                seen[kept.id] = replace(kept, hits=kept.hits + ghost.hits)
                pairs = zip(self._ripeness[kept.id], self._ripeness[ghost.id], strict=True)
                total, weight = (a + b for a, b in pairs)
                self._ripeness[kept.id] = total, weight
                self.forget(ghost.id)
        tracks = tuple(seen.get(t.id, t) for t in self._tracks.tracks)
        self._tracks = replace(self._tracks, tracks=tracks)

    def targets(self) -> list[Target]:
        return [self._remembered(track) for track in self._tracks.tracks]

    def get(self, id: int) -> Target | None:
        return next((self._remembered(t) for t in self._tracks.tracks if t.id == id), None)

    def _weigh(self, id: int, view: Seen, ripeness: float) -> None:
        """Take a view into the mean ripeness: one look may fall on the pale or on the red side."""
        detection = view.berry.detection
        total, weight = self._ripeness.get(id, (0.0, 0.0))
        shown = max(LEAST, (detection.visible - HIDDEN) / (1.0 - HIDDEN)) ** 2
        share = max(LEAST, detection.score * shown)
        self._ripeness[id] = (total + share * ripeness, weight + share)

    def _remembered(self, track: Track) -> Target:
        total, weight = self._ripeness[track.id]
        return self._told(track, None, total / weight)

    def _told(self, track: Track, view: Seen | None, ripeness: float) -> Target:
        return replace(_target(track, view), ripeness=ripeness, seen_along=self._seen_along.get(track.id))

    def forget(self, id: int) -> None:
        self._tracks = forget(self._tracks, [id])
        self._ripeness.pop(id, None)
        self._seen_along.pop(id, None)
        self._doubts.pop(id, None)


def each_once(seen: Sequence[Seen]) -> list[Seen]:
    """Return what one picture shows, of the parts of one fruit only the best: the others have leaf in them."""
    kept: list[Seen] = []
    for view in sorted(seen, key=lambda s: -s.berry.detection.score * s.berry.detection.visible):
        if all(float(np.linalg.norm(view.position - other.position)) >= PARTS for other in kept):
            kept.append(view)
    return kept


class RowCrop:
    """The crop of the row at hand: what the pictures of one segment showed of the next serves there."""

    def __init__(self, coverage: Coverage | None = None) -> None:
        self.coverage = coverage
        self._row: tuple[str, ...] = ()
        self._crop = TrackedCrop()
        self._begun: set[tuple[float, float]] = set()

    def of(self, *row: str, now: float, start: float = -math.inf, end: float = math.inf) -> TrackedCrop:
        """Return what is known of a row, such as (order, bed, side); another one than before begins anew.

        So does a segment that is begun again: in between a person was there, or a program died.

        Args:
            now: UTC epoch [s]; what was seen longer than `REMEMBERED` ago is forgotten.
            start, end: of the segment, world x [m]; what hangs further than `AROUND` from it is forgotten.
        """
        if row != self._row:
            self._row, self._crop, self._begun = row, TrackedCrop(), set()
            if self.coverage is not None:
                self.coverage.forget(-math.inf, math.inf)
        again = (start, end) in self._begun
        self._begun.add((start, end))
        if again and self.coverage is not None:
            self.coverage.forget(start, end)
        for target in self._crop.targets():
            x = float(target.position[0])
            near = start - AROUND <= x <= end + AROUND and now - target.seen_at <= REMEMBERED
            if not near or (again and start <= x < end):
                self._crop.forget(target.id)
        return self._crop


def _ripeness(view: Seen, eye: Vector | None) -> float:
    """Return the ripe share of the whole skin by one view; as it looks where the eye's place is not told."""
    seen = view.berry.detection
    return seen.ripeness if eye is None else whole_share(seen.ripeness, elevation(eye, view.position), seen.visible)


def _nearest(track: Track, seen: Sequence[Seen]) -> Seen:
    return min(seen, key=lambda s: float(np.linalg.norm(s.position - track.position)))


def _target(track: Track, seen: Seen | None) -> Target:
    view = seen or track.sighting
    position = view.position if seen else track.position
    shift = position - view.position
    return Target(
        id=track.id,
        position=position,
        diameter=view.berry.diameter,
        length=view.berry.length,
        axis=view.axis,
        ripeness=view.berry.detection.ripeness,
        stage=str(view.berry.detection.stage),
        seen_at=track.seen_at,
        peduncle=None if view.peduncle is None else view.peduncle + shift,
        visible=view.berry.detection.visible,
        sightings=track.hits,
        score=view.berry.detection.score,
    )
