"""Berries of a frame in space, those too that the detector took together with a neighbour but depth tells apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from vision.camera.pinhole import rays
from vision.fit import TAPER, WIDEST
from vision.locate import LocateSettings, locate_all
from vision.pieces import Pieces, take_apart
from vision.ripeness import ripe_degree, ripeness_of, stage_of, to_lab
from vision.types import Berry, Detection, Frame

Array = npt.NDArray[np.float64]

WITHIN = 0.8
"""A piece lies in a detection that has this share of its pixels inside the outline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApartSettings:
    """When a piece of what was detected is a fruit of its own; tuned on rendered pictures of other seeds than measured.

    Attributes:
        step: pixels beside each other whose depths differ by more are not of one fruit [m].
        around: red is looked for so far outside of a detection's box, in shares of its sides.
        least_pixels, least_area: a piece is at least so large [px], [m^2]; largest: and nowhere longer than this [m].
        share: of a detection's own largest piece that another has at least, to be taken out of it.
        solid: least share of its convex hull that a piece fills.
        red: a piece this share of which is red is fruit wherever it lies; others only within a sure detection.
        sure: score of a sure detection.
        bulge, steepest: what is not red is flat rather than round where depths lie nearer to a plane [m], and a leaf
            where that plane is steeper, rather than fruit.
        same: how far off another body's surface a point may be to belong to it [m].
        score: of a piece that lies in no detection's outline.
        cut: what is lost of a piece's rim where it is cut out [px].
    """

    step: float = 0.007
    around: float = 0.3
    least_pixels: int = 20
    least_area: float = 90e-6
    largest: float = 0.055
    share: float = 0.15
    solid: float = 0.55
    red: float = 0.85
    sure: float = 0.45
    bulge: float = 1.25e-3
    steepest: float = 0.8
    same: float = 0.004
    score: float = 0.5
    cut: float = 1.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Piece:
    """A piece that may be a fruit: its number, the detection it lies in or -1, what it looks like, its points [m]."""

    number: int
    within: int
    detection: Detection
    points: Array


def locate_apart(
    detections: Sequence[Detection],
    frame: Frame,
    settings: LocateSettings | None = None,
    up: Array | None = None,
    *,
    apart: ApartSettings | None = None,
) -> list[Berry]:
    """Return the berries of a frame: those of `detections` in the same order, then those told apart from them by depth.

    A detector draws one outline around two fruit that overlap; depth makes a step between them. A detection out of
    which a piece was taken keeps what is left as its outline and box. Without depth this is `locate_all`.

    Raises:
        ValueError: see `locate_all`.
    """
    berries = locate_all(detections, frame, settings, up)
    if frame.depth is None or not berries:
        return berries
    if all("size_prior" in b.flags for b in berries) or any("depth_doubtful" in b.flags for b in berries):
        return berries  # the depth picture tells nothing, or nothing about this picture
    s, located = apart or ApartSettings(), settings or LocateSettings()
    pieces = take_apart(
        detections, frame.color, frame.depth, depth_range=located.depth_range, step=s.step, around=s.around
    )
    own = pieces.shared.argmax(axis=1)  # the largest piece of each; 0 where it has none
    found = [
        piece
        for i in _likely(pieces, own, np.array([d.score >= s.sure for d in detections]), frame.intrinsics.fx, s)
        if (piece := _piece(i, pieces, detections, frame, s)) is not None
    ]
    if not found:
        return berries
    parted = sorted({p.within for p in found if p.within >= 0 and own[p.within]})
    left = [_left(detections[i], pieces.outline(int(own[i]), s.cut)) for i in parted]
    again = locate_all([*left, *(p.detection for p in found)], frame, settings, up)
    alone = dict(zip(parted, again, strict=False))
    taken: list[Berry] = []
    for piece, berry in zip(found, again[len(parted) :], strict=True):
        own_side = any(_explained(b, piece.points, s) > 0.75 for b in berries)
        if own_side or any(_explained(b, piece.points, s) > 0.5 for b in [*alone.values(), *taken]):
            continue
        if "size_prior" in berry.flags:
            continue
        taken.append(replace(berry, id=len(berries) + len(taken)))
        if (
            piece.within in alone
            and pieces.shared[piece.within, piece.number] >= s.share * (pieces.shared[piece.within, own[piece.within]])
        ):
            berries[piece.within] = replace(alone[piece.within], id=piece.within)
    return berries + taken


def _likely(
    pieces: Pieces, own: npt.NDArray[np.intp], sure: npt.NDArray[np.bool_], focal: float, s: ApartSettings
) -> list[int]:
    """Return the numbers of the pieces of a fruit's size, reddish or in a sure detection, that are nobody's largest."""
    area = pieces.pixels * (pieces.distance / focal) ** 2
    within = (pieces.shared[sure] >= WITHIN * pieces.pixels).any(axis=0)
    likely = (pieces.pixels >= s.least_pixels) & (area >= s.least_area) & (area <= s.largest**2)
    likely &= within | (pieces.reddish > 0.5)
    likely[own] = likely[0] = False
    return np.flatnonzero(likely).tolist()


def _piece(i: int, pieces: Pieces, detections: Sequence[Detection], frame: Frame, s: ApartSettings) -> _Piece | None:
    """Return piece `i` if it may be a fruit: red all over, or part of a sure detection, and round."""
    rows, columns, mine = pieces.window(i)
    if max(mine.shape) * pieces.distance[i] > s.largest * frame.intrinsics.fx:
        return None
    v, u = np.nonzero(mine)
    z = pieces.depth[rows, columns][mine].astype(np.float64)
    points = rays(np.stack([u + columns.start, v + rows.start], axis=1), frame.intrinsics) * z[:, None]
    lab = to_lab(frame.color[rows, columns])[mine]
    shared = pieces.shared[:, i]
    within = int(shared.argmax()) if shared.any() else -1
    red = float((ripe_degree(lab) > 0.5).mean())
    if red < s.red:
        sure = within >= 0 and shared[within] >= WITHIN * len(z) and detections[within].score >= s.sure
        if not sure or not _round(points, s):
            return None
    outline = pieces.outline(i, s.cut)
    if len(z) < s.solid * cv2.contourArea(cv2.convexHull(outline.astype(np.float32))):
        return None
    ripeness = ripeness_of(lab)
    return _Piece(
        number=i,
        within=within,
        detection=Detection(
            box=_around(outline),
            score=detections[within].score if within >= 0 else s.score,
            ripeness=ripeness,
            stage=stage_of(ripeness, np.median(lab, axis=0)),
            polygon=outline,
        ),
        points=points,
    )


def _left(detection: Detection, outline: Array) -> Detection:
    """Return the detection without what was taken out of its outline."""
    return replace(detection, polygon=outline, box=_around(outline))


def _around(outline: Array) -> tuple[float, float, float, float]:
    (x0, y0), (x1, y1) = outline.min(axis=0).tolist(), outline.max(axis=0).tolist()
    return x0, y0, x1 + 1.0, y1 + 1.0


def _round(points: Array, s: ApartSettings) -> bool:
    """Return whether points bulge and face the camera, as fruit does: leaves are flat, or seen from their edge."""
    centred = points - points.mean(axis=0)
    slope, *_ = np.linalg.lstsq(centred[:, :2], centred[:, 2], rcond=None)
    off = centred[:, 2] - centred[:, :2] @ slope
    return float(np.hypot(*slope)) <= s.steepest and float(np.sqrt(np.mean(off**2))) >= s.bulge


def _explained(berry: Berry, points: Array, s: ApartSettings) -> float:
    """Return the share of the points that lie on the berry's surface, so that they are no other fruit's."""
    away = points - berry.position
    if float(np.linalg.norm(away.mean(axis=0))) > s.largest:
        return 0.0
    along = away @ berry.axis
    across = np.sqrt(np.maximum((away**2).sum(axis=1) - along**2, 0.0))
    rise = along / (berry.length / 2)
    wide = berry.diameter / 2 / WIDEST * (1.0 + TAPER * np.clip(rise, -1.0, 1.0))
    off = np.abs(np.hypot(across / wide, rise) - 1.0) * min(berry.diameter, berry.length) / 2
    return float((off < s.same).mean())
