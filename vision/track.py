"""Keep berries apart over frames: one identity per fruit in world coordinates, counted once per pass. Values only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from vision.types import Berry, Stage

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackSettings:
    """Settings of the association.

    Attributes:
        gate: largest squared Mahalanobis distance of the same fruit; 99.9 % of a chi-square with 3 degrees of freedom.
        reach: largest distance of the same fruit [m], whatever the covariance says: less than a fruit's diameter.
        sway_sd: fruit moves a little between two looks: added per axis to each prediction [m].
        confirm: sightings from which a berry is counted; one may be a glint.
    """

    gate: float = 16.27
    reach: float = 0.025
    sway_sd: float = 0.002
    confirm: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One berry of one frame in world coordinates; positions in metres."""

    berry: Berry
    position: Array
    covariance: Array
    peduncle: Array | None
    axis: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One fruit over time; `pass_hits` counts its sightings in the current pass, `seen_at` is UTC epoch [s]."""

    id: int
    position: Array
    covariance: Array
    sighting: Sighting
    ripeness: float
    stage: Stage
    diameter: float
    hits: int
    pass_hits: int
    seen_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracks:
    """All known fruit; begin with `Tracks()`."""

    tracks: tuple[Track, ...] = ()
    next_id: int = 1


def to_world(berry: Berry, T_world_camera: Array) -> Sighting:
    """Return a berry seen by a camera in world coordinates.

    Args:
        T_world_camera: maps optical-frame coordinates to world coordinates, shape (4, 4).
    """
    rotation, offset = T_world_camera[:3, :3], T_world_camera[:3, 3]
    return Sighting(
        berry=berry,
        position=rotation @ berry.position + offset,
        covariance=rotation @ berry.covariance @ rotation.T,
        peduncle=None if berry.peduncle is None else rotation @ berry.peduncle + offset,
        axis=rotation @ berry.axis,
    )


def update(known: Tracks, seen: Sequence[Sighting], at: float, settings: TrackSettings | None = None) -> Tracks:
    """Return the tracks after one frame.

    Pairs inside the gate are joined nearest first (squared Mahalanobis distance), each track and each sighting once;
    what is left over becomes a new track. Tracks that were not seen stay: fruit does not leave by itself.

    Args:
        at: instant of the frame, UTC epoch [s].
    """
    s = settings or TrackSettings()
    pairs = associate([t.position for t in known.tracks], [t.covariance for t in known.tracks], seen, s)
    tracks = list(known.tracks)
    for i, j in pairs:
        tracks[i] = _corrected(tracks[i], seen[j], at, s)
    joined = {j for _, j in pairs}
    next_id = known.next_id
    for j, sighting in enumerate(seen):
        if j not in joined:
            tracks.append(_new(next_id, sighting, at))
            next_id += 1
    return Tracks(tracks=tuple(tracks), next_id=next_id)


def associate(
    positions: Sequence[Array], covariances: Sequence[Array], seen: Sequence[Sighting], settings: TrackSettings
) -> list[tuple[int, int]]:
    """Return pairs (index of track, index of sighting), nearest first, each index at most once."""
    if not positions or not seen:
        return []
    offset = np.stack(positions)[:, None, :] - np.stack([s.position for s in seen])[None]
    spread = np.stack(covariances)[:, None] + np.stack([s.covariance for s in seen])[None]
    spread = spread + settings.sway_sd**2 * np.eye(3)
    squared = np.einsum("ijk,ijk->ij", offset, np.linalg.solve(spread, offset[..., None])[..., 0])
    possible = (squared <= settings.gate) & (np.linalg.norm(offset, axis=-1) <= settings.reach)
    pairs: list[tuple[int, int]] = []
    taken_i: set[int] = set()
    taken_j: set[int] = set()
    for flat in np.argsort(squared, axis=None, kind="stable"):
        i, j = (int(v) for v in np.unravel_index(flat, squared.shape))
        if possible[i, j] and i not in taken_i and j not in taken_j:
            pairs.append((i, j))
            taken_i.add(i)
            taken_j.add(j)
    return pairs


def begin_pass(known: Tracks) -> Tracks:
    """Return the tracks with the counting of this pass set to nothing."""
    return replace(known, tracks=tuple(replace(t, pass_hits=0) for t in known.tracks))


def forget(known: Tracks, ids: Iterable[int]) -> Tracks:
    """Return the tracks without those that were picked or proved not to be there."""
    gone = set(ids)
    return replace(known, tracks=tuple(t for t in known.tracks if t.id not in gone))


def counted(known: Tracks, settings: TrackSettings | None = None) -> tuple[Track, ...]:
    """Return the fruit that this pass has confirmed, each once."""
    least = (settings or TrackSettings()).confirm
    return tuple(t for t in known.tracks if t.pass_hits >= least)


def counts_by_stage(known: Tracks, settings: TrackSettings | None = None) -> dict[Stage, int]:
    """Return how many berries of each stage this pass has confirmed; every stage is a key."""
    found = Counter(t.stage for t in counted(known, settings))
    return {stage: found[stage] for stage in Stage}


def _new(id: int, s: Sighting, at: float) -> Track:
    d = s.berry.detection
    return Track(
        id=id,
        position=s.position,
        covariance=s.covariance,
        sighting=s,
        ripeness=d.ripeness,
        stage=d.stage,
        diameter=s.berry.diameter,
        hits=1,
        pass_hits=1,
        seen_at=at,
    )


def _corrected(track: Track, s: Sighting, at: float, settings: TrackSettings) -> Track:
    """Join a sighting to a track (Kalman update of a fruit at rest); the better view decides ripeness and stage."""
    predicted = track.covariance + settings.sway_sd**2 * np.eye(3)
    gain = predicted @ np.linalg.inv(predicted + s.covariance)
    d = s.berry.detection
    known = track.sighting.berry.detection
    better = d.score * d.visible >= known.score * known.visible
    return Track(
        id=track.id,
        position=track.position + gain @ (s.position - track.position),
        covariance=(np.eye(3) - gain) @ predicted,
        sighting=s if better else track.sighting,
        ripeness=d.ripeness if better else track.ripeness,
        stage=d.stage if better else track.stage,
        diameter=s.berry.diameter if better else track.diameter,
        hits=track.hits + 1,
        pass_hits=track.pass_hits + 1,
        seen_at=at,
    )
