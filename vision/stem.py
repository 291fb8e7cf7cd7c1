"""Find the peduncle of fitted berries in space: where it meets the calyx, which way it runs, where to cut it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from vision.camera.pinhole import project, rays
from vision.fit import Bodies
from vision.stem_depth import StemDepthSettings, stem_shifts
from vision.stem_learnt import Corrector, look_around, shipped_stem_net
from vision.stem_line import LineSettings, stem_lines
from vision.types import Detection, Intrinsics

Array = npt.NDArray[np.float64]


LEAST_RUN = 3.0
"""A point on the stem nearer to the calyx than this says nothing about the stem's direction [px]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StemSettings:
    """How the cut point is found; lengths in metres.

    Attributes:
        cut_above_calyx: distance of the cut from the calyx along the stem; a hung fruit keeps a centimetre.
        seen: share of the picture's calyx point, rather than the fitted body's, in where the calyx is put, when the
            detector does not tell its error; otherwise the share follows from that and from `body_sd`.
        body_sd: error of the fitted body's calyx across the line of sight.
        aside_sd: how far aside of the fitted body's calyx a stem begins; the less, the more the picture's point tells.
        farthest: a calyx point farther than this from the body's own is a mistake and is left out.
        upright: share of the vertical, rather than the fruit's axis, in the stem's direction: stems bend upwards.
        expected_sd: error along the line of sight of a cut that only the fitted body tells [m].
        line: how the stem is looked for in the picture.
        depth: what the depths on it are worth.
        learnt: what corrects the cut by all the depths around it; None leaves it.
    """

    cut_above_calyx: float = 0.010
    seen: float = 0.75
    body_sd: float = 0.0015
    aside_sd: float = 0.0022
    farthest: float = 0.012
    upright: float = 0.4
    expected_sd: float = 0.003
    line: LineSettings = field(default_factory=LineSettings)
    depth: StemDepthSettings = field(default_factory=StemDepthSettings)
    learnt: Corrector | None = field(default_factory=shipped_stem_net)


def cut_points(
    detections: Sequence[Detection],
    bodies: Bodies,
    intrinsics: Intrinsics,
    depth: npt.NDArray[np.float32] | None,
    *,
    color: npt.NDArray[np.uint8] | None = None,
    up: Array,
    settings: StemSettings,
    measured: npt.NDArray[np.bool_] | None = None,
) -> tuple[Array, Array, Array]:
    """Return where to cut, the direction of each stem there, in the optical frame, (n, 3), and the cut's error.

    The error, shape (n,), is the standard deviation over all three directions [m], nan where it is not known.

    Args:
        depth: aligned with the picture [m], shape (h, w), 0 where unknown; None without a depth camera.
        color: the picture, RGB, shape (h, w, 3), to look for the stems in; None leaves it at what is expected.
        up: direction against gravity in the optical frame, or the picture's own, unit, shape (3,).
        measured: whether depth belongs to each berry, shape (n,); None: to all.
    """
    s, n = settings, len(detections)
    calyx = bodies.centre + bodies.half_length[:, None] * bodies.axis
    told = [d.calyx if d.calyx is not None else (np.nan, np.nan) for d in detections]
    shown = np.array(told, np.float64).reshape(n, 2)
    at = rays(np.nan_to_num(shown), intrinsics) * calyx[:, 2:]
    shift = np.where(np.isnan(shown[:, :1]), 0.0, at - calyx)
    trusted = np.sqrt((shift**2) @ np.ones(3)) <= np.maximum(s.farthest, 0.7 * bodies.half_length)
    spread = np.array([np.nan if d.peduncle_spread is None else d.peduncle_spread for d in detections], np.float64)
    told_sd = spread * calyx[:, 2] / intrinsics.fx
    share = np.where(np.isnan(spread), s.seen, 1.0 / (1.0 + np.nan_to_num(told_sd / s.body_sd) ** 2)) * trusted
    calyx = calyx + share[:, None] * shift
    direction = (1.0 - s.upright) * bodies.axis + s.upright * up
    direction /= np.sqrt((direction**2) @ np.ones(3))[:, None]
    for i, d in enumerate(detections):
        way = _way(d, project(calyx[i : i + 1], intrinsics)[0])
        if way is not None and trusted[i]:
            turned = direction[i] + share[i] * (_turned(direction[i], calyx[i], way) - direction[i])
            direction[i] = turned / np.linalg.norm(turned)
    if color is not None and n:
        unsure = s.aside_sd * np.sqrt(1.0 - share * ~np.isnan(shown[:, 0]))
        calyx, direction = _on_lines(calyx, direction, unsure, color, depth, intrinsics=intrinsics, s=s)
    cut, sd = calyx + s.cut_above_calyx * direction, np.full(n, np.nan)
    if depth is not None and n:
        lever = 0.5 * bodies.half_length
        shift, shift_sd = stem_shifts(
            calyx,
            direction,
            lever,
            depth,
            cut=s.cut_above_calyx,
            expected_sd=s.expected_sd,
            thickness=s.line.thickness,
            intrinsics=intrinsics,
            settings=s.depth,
        )
        cut = cut * (1.0 + shift / cut[:, 2])[:, None]
        if s.learnt is not None:
            around = look_around(
                detections,
                bodies,
                calyx,
                direction,
                shift=shift,
                shift_sd=shift_sd,
                cut=cut,
                depth=depth,
                up=up,
                intrinsics=intrinsics,
            )
            known = around.known if measured is None else around.known & measured
            moves, scales = s.learnt(around)
            cut = np.where(known[:, None], cut + np.einsum("ni,nij->nj", moves, around.ways), cut)
            sd = np.where(known, np.sqrt(2.0 * (scales * scales) @ np.ones(3)), np.nan)
    return cut, direction, sd


def _way(d: Detection, calyx: Array) -> Array | None:
    """Return the stem's unit direction in the picture as the detector gives it, outright or by a point on it."""
    if d.stem is not None:
        return np.asarray(d.stem, np.float64)
    if d.peduncle is None:
        return None
    run = np.asarray(d.peduncle, np.float64) - calyx
    length = float(np.hypot(*run))
    return run / length if length > LEAST_RUN else None


def _on_lines(
    calyx: Array,
    direction: Array,
    unsure: Array,
    color: npt.NDArray[np.uint8],
    depth: npt.NDArray[np.float32] | None,
    *,
    intrinsics: Intrinsics,
    s: StemSettings,
) -> tuple[Array, Array]:
    """Return calyxes and directions moved aside, at their distance, onto the lines that the picture shows."""
    z = calyx[:, 2]
    at, ahead = project(np.concatenate([calyx, calyx + s.cut_above_calyx * direction]), intrinsics).reshape(2, -1, 2)
    run = ahead - at
    length = np.sqrt((run**2) @ np.ones(2))
    seen = length > LEAST_RUN  # a stem along the line of sight has no direction in the picture
    way = np.where(seen[:, None], run / np.maximum(length, 1e-9)[:, None], (0.0, -1.0))
    offset, slope = stem_lines(color, depth, at, way, intrinsics.fx / z, distance=z, offset_sd=unsure, settings=s.line)
    right = np.stack([-way[:, 1], way[:, 0], np.zeros(len(z))], axis=1) * seen[:, None]
    rise = length * z / intrinsics.fx / s.cut_above_calyx
    direction = direction + (slope * rise)[:, None] * right
    return calyx + offset[:, None] * right, direction / np.sqrt((direction**2) @ np.ones(3))[:, None]


def _turned(direction: Array, at: Array, stem: Array) -> Array:
    """Return `direction` turned about the line of sight so that it looks like `stem` in the picture."""
    lateral = direction[:2] - at[:2] / at[2] * direction[2]
    length = float(np.hypot(*lateral))
    wanted = stem * length + at[:2] / at[2] * direction[2]
    turned = np.array([wanted[0], wanted[1], direction[2]])
    return np.asarray(turned / np.linalg.norm(turned), np.float64)
