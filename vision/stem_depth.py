"""Place stems along the line of sight by the depths on and beside them: on the stem, behind it, or in between."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from vision.types import Intrinsics

Array = npt.NDArray[np.float64]

_ALONG = np.arange(6.0, 17.1) * 1e-3
"""Where depths are taken above the calyx [m]: lower down sepals stand in front of the stem."""

_ASIDE = np.arange(-1, 2)
"""And how far beside the stem's middle [px]."""

_SHIFTS = np.linspace(-0.012, 0.012, 49)
"""Places at which the stem is tried [m]; the cut is not moved farther."""

_LOW, _HIGH, _FINE = -12.0, 60.0, 0.1
"""Depths behind the stem that are told apart, in standard deviations of the depth noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StemDepthSettings:
    """What depths on a thin stem are worth; tuned on rendered pictures of other seeds than those measured.

    A stereo camera either sees a stem as it sees a surface, or, where what is behind is far, gives depths anywhere
    between both, none of them nearer than the stem. Which of the two holds is found out for each stem.

    Attributes:
        noise: depth noise as sigma = noise[0] + noise[1] * z^2, z and sigma in metres.
        resolved: how often stems are seen as a surface.
        on, between: share of depths that lie on the stem, and of those somewhere from there to what is behind: in the
            middle of a stem that is seen, beside it, in the middle of one that is not, beside that.
        far, near: such depths reach so far behind the stem, most of them, or the others [sigma]; most: share of those.
        front, anywhere: depths that have to do with the stem in no way, per sigma: in front of it, and everywhere.
        worth: neighbouring depths share errors: each counts as such a share of one.
    """

    noise: tuple[float, float] = (0.0015, 0.002)
    resolved: float = 0.4
    on: tuple[float, float, float, float] = (0.6, 0.25, 0.03, 0.02)
    between: tuple[float, float, float, float] = (0.3, 0.5, 0.9, 0.8)
    far: float = 48.0
    near: float = 16.0
    most: float = 0.8
    front: float = 0.0008
    anywhere: float = 0.001
    worth: float = 0.6


def stem_shifts(
    calyx: Array,
    direction: Array,
    lever: Array,
    depth: npt.NDArray[np.float32],
    *,
    cut: float,
    expected_sd: float,
    thickness: float,
    intrinsics: Intrinsics,
    settings: StemDepthSettings,
) -> tuple[Array, Array]:
    """Return how much farther than expected each stem is at its cut, and the standard deviation of that [m], (n,).

    Every shift is weighed by how well it explains the depths and by how far it is from none; the mean is taken. The
    shift shrinks towards the fruit's middle, about which the lean is wrong.

    Args:
        calyx, direction: where the stems begin, and their unit directions, as expected, (n, 3).
        lever: distance of the point about which each stem turns from its calyx, (n,) [m].
        depth: aligned with the picture [m], shape (h, w), 0 where unknown.
        cut: distance of the cut from the calyx along the stem [m].
        expected_sd: standard deviation of the shift that is expected [m].
        thickness: of a stem [m].
    """
    s = settings
    places = calyx[:, None] + _ALONG[None, :, None] * direction[:, None]
    z = places[..., 2]
    x = intrinsics.fx * places[..., 0] / z + intrinsics.cx
    y = intrinsics.fy * places[..., 1] / z + intrinsics.cy
    run = np.stack([x[:, -1] - x[:, 0], y[:, -1] - y[:, 0]], axis=1)
    run /= np.maximum(np.sqrt((run * run) @ np.ones(2)), 1e-9)[:, None]
    columns = np.rint(x[..., None] - run[:, None, 1:] * _ASIDE).astype(np.intp)
    rows = np.rint(y[..., None] + run[:, None, :1] * _ASIDE).astype(np.intp)
    inside = (columns >= 0) & (columns < depth.shape[1]) & (rows >= 0) & (rows < depth.shape[0])
    seen = depth[rows.clip(0, depth.shape[0] - 1), columns.clip(0, depth.shape[1] - 1)].astype(np.float64)
    known = inside & (seen > 0.0) & (seen < np.inf)
    seen[~known] = 0.0
    sd = (s.noise[0] + s.noise[1] * calyx[:, 2] ** 2)[:, None, None, None]
    share = (lever[:, None] + _ALONG) / (lever[:, None] + cut)
    off = (seen - z[..., None] + 0.5 * thickness)[..., None] - (share[..., None] * _SHIFTS)[:, :, None]
    at = np.minimum(np.maximum((off / sd - _LOW) * (1.0 / _FINE) + 0.5, 0.0), _steps() - 1.0).astype(np.intp)
    at += _steps() * np.abs(_ASIDE)[:, None]
    tables = _tables(s)
    likely = np.logaddexp(
        np.log(s.resolved) + (tables[0].take(at) * known[..., None]).sum(axis=(1, 2)),
        np.log(1.0 - s.resolved) + (tables[1].take(at) * known[..., None]).sum(axis=(1, 2)),
    )
    likely -= 0.5 * (_SHIFTS / expected_sd) ** 2
    likely = np.exp(likely - likely.max(axis=1, keepdims=True))
    likely /= likely.sum(axis=1, keepdims=True)
    shift = likely @ _SHIFTS
    return shift, np.sqrt(np.maximum(likely @ _SHIFTS**2 - shift * shift, 0.0))


def _steps() -> int:
    return round((_HIGH - _LOW) / _FINE)


@cache
def _tables(s: StemDepthSettings) -> tuple[Array, Array]:
    """Return the logarithm of how likely each depth is in the middle, then beside: of a stem seen, of one not seen."""
    behind: Array = _LOW + _FINE * np.arange(_steps(), dtype=np.float64)
    on = np.exp(-0.5 * behind * behind) / math.sqrt(2.0 * math.pi)
    past, past_far, past_near = (_normal(behind - reach) for reach in (0.0, s.far, s.near))
    between = s.most * (past - past_far) / s.far + (1.0 - s.most) * (past - past_near) / s.near
    rest = s.front * (1.0 - past) + s.anywhere
    logs = [s.worth * np.log(a * on + b * between + rest) for a, b in zip(s.on, s.between, strict=True)]
    return np.concatenate(logs[:2]), np.concatenate(logs[2:])


def _normal(x: Array) -> Array:
    """Return the normal distribution function."""
    return np.array([0.5 + 0.5 * math.erf(v / math.sqrt(2.0)) for v in x.tolist()], np.float64)
