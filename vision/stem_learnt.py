"""Correct cut points by all the depths around each stem, with a small network that has learnt on rendered stems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from vision.camera.pinhole import project
from vision.fit import Bodies
from vision.types import Detection, Intrinsics

Array = npt.NDArray[np.float64]
Values = npt.NDArray[np.float32]

VERSION = 1
ALONG, ASIDE = np.arange(-10.0, 24.1) * 1e-3, np.arange(-9.0, 9.1) * 1e-3
"""Where depths are taken: up the stem from its calyx, and beside it [m]."""
VALUES = 15
CHANNELS = 3
STRIDES = (2, 1, 2)

DISTANCES = (0.2, 0.7)
"""Cuts elsewhere are left alone: it has learnt at 0.25-0.6 m [m]."""
FARTHEST = 0.010
"""No cut is moved farther along one of the three directions [m]."""
LEAST_DEPTHS = 60
"""With fewer depths around its stem a cut is left alone."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Around:
    """What is known around n stems.

    Attributes:
        depths: distances behind the stem that is expected: fine, coarse, and whether there is one, float32,
            (n, CHANNELS, len(ALONG), len(ASIDE)).
        values: what body, detector and depth on the stem say, float32, (n, VALUES).
        ways: up the stem in the picture, to its right, away from the camera, in rows; the rays' z is 1, (n, 3, 3).
        known: whether this is a stem like those learnt: told by a network, near enough, depth there, (n,).
    """

    depths: Values
    values: Values
    ways: Array
    known: npt.NDArray[np.bool_]


class Corrector(Protocol):
    """Says how far and how surely to move cuts."""

    def __call__(self, around: Around) -> tuple[Array, Array]:
        """Return moves along `around.ways` and the Laplace scales of what stays wrong [m], both (n, 3)."""


def look_around(
    detections: Sequence[Detection],
    bodies: Bodies,
    calyx: Array,
    direction: Array,
    *,
    shift: Array,
    shift_sd: Array,
    cut: Array,
    depth: npt.NDArray[np.float32],
    up: Array,
    intrinsics: Intrinsics,
) -> Around:
    """Gather what a `Corrector` is told.

    Args:
        calyx, direction: where the stems begin and their unit directions as expected, (n, 3).
        shift, shift_sd: of each stem along the line of sight by the depths on it [m], (n,).
        cut: the cuts as they would be, (n, 3).
        depth: aligned with the picture [m], shape (h, w), 0 where unknown.
        up: direction against gravity in the optical frame, unit, shape (3,).
    """
    n = len(detections)
    places = calyx[:, None] + ALONG[:, None] * direction[:, None]
    z = places[..., 2]
    near = (z > 0.5 * DISTANCES[0]).all(axis=1)
    z = np.maximum(z, 0.5 * DISTANCES[0])
    x, y = (
        f * places[..., i] / z + c for i, f, c in ((0, intrinsics.fx, intrinsics.cx), (1, intrinsics.fy, intrinsics.cy))
    )
    run = np.stack([x[:, 20] - x[:, 10], y[:, 20] - y[:, 10]], axis=1)
    length = np.sqrt((run * run) @ np.ones(2))[:, None]
    run = np.where(length > 3.0, run / np.maximum(length, 1e-9), (0.0, -1.0))
    right = np.stack([-run[:, 1], run[:, 0]], axis=1)
    aside = ASIDE * (intrinsics.fx / z)[..., None]
    columns, rows = (
        (at[..., None] + aside * right[:, i, None, None]).astype(np.float32).reshape(n * len(ALONG), -1)
        for i, at in ((0, x), (1, y))
    )
    seen = cv2.remap(depth, columns, rows, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
    seen = seen.reshape(n, len(ALONG), len(ASIDE))
    there = (seen > 0.0) & (seen < np.inf)
    behind = np.where(there, seen - z[..., None].astype(np.float32), np.float32(0.0)) * np.float32(1e3)
    depths = np.stack([np.clip(behind / 5, -2, 2), np.clip(behind / 20, -1.5, 1.5), there], axis=1).astype(np.float32)

    scale = 1e3 * calyx[:, 2:] / intrinsics.fx / 3.0
    at = project(calyx, intrinsics)
    told = np.array([d.calyx if d.calyx is not None else (np.nan, np.nan) for d in detections]).reshape(n, 2)
    own = project(bodies.centre + bodies.half_length[:, None] * bodies.axis, intrinsics)
    offsets = [np.stack([(way * (p - at) * scale).sum(axis=1) for way in (run, right)], axis=1) for p in (own, told)]
    spread = np.array([np.nan if d.peduncle_spread is None else d.peduncle_spread for d in detections], np.float64)
    ray = cut / np.sqrt((cut**2) @ np.ones(3))[:, None]
    lean = np.sqrt(np.maximum(bodies.covariance[:, 5, 5] + bodies.covariance[:, 6, 6], 0.0))
    columns_of_values = [
        5.0 * calyx[:, 2] - 2.0,
        200.0 * shift,
        300.0 * shift_sd,
        2.0 * np.array([d.visible if d.visible is not None else 0.0 for d in detections]) - 1.6,
        5.0 * lean,
        25.0 * bodies.half_length,
        60.0 * bodies.half_width,
        *(3.0 * (v * ray).sum(axis=1) for v in (bodies.axis, np.broadcast_to(up, (n, 3)), direction)),
        400.0 * spread * calyx[:, 2] / intrinsics.fx,
        *np.clip(np.concatenate(offsets, axis=1), -3.0, 3.0).T,
    ]
    values = np.stack(columns_of_values, axis=1)
    distance = cut[:, 2]
    known = near & (distance > DISTANCES[0]) & (distance < DISTANCES[1]) & np.isfinite(values).all(axis=1)
    known &= np.count_nonzero(there, axis=(1, 2)) >= LEAST_DEPTHS
    flat = np.zeros((n, 1))
    ways = np.stack(
        [np.concatenate([run, flat], axis=1), np.concatenate([right, flat], axis=1), cut / cut[:, 2:]], axis=1
    )
    return Around(depths=depths, values=np.nan_to_num(values).astype(np.float32), ways=ways, known=known)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StemNet:
    """Three convolutions over the depths, then two layers over these and the values; a `Corrector`.

    Attributes:
        weights: by name; `conv0` to `conv2` with shape (outputs, inputs * 9), `hidden`, `out`, the layers' biases, and
            the scale and offset of the normalisation between.
    """

    weights: dict[str, Values]

    def __call__(self, around: Around) -> tuple[Array, Array]:
        w, x = self.weights, around.depths
        for i, stride in enumerate(STRIDES):
            x = _rectified(_convolved(x, w[f"conv{i}"], w[f"conv{i}_bias"], stride))
        told = np.concatenate([x.reshape(len(x), int(np.prod(x.shape[1:]))), around.values], axis=1)
        hidden = told @ w["hidden"].T + w["hidden_bias"]
        hidden -= hidden.mean(axis=1, keepdims=True)
        hidden /= np.sqrt(hidden.var(axis=1, keepdims=True) + np.float32(1e-5))
        said = _rectified(hidden * w["norm"] + w["norm_bias"]) @ w["out"].T + w["out_bias"]
        limit = 1e3 * FARTHEST
        return 1e-3 * np.clip(said[:, :3], -limit, limit).astype(np.float64), 1e-3 * np.exp(
            np.clip(said[:, 3:], -2.0, 3.0).astype(np.float64)
        )


def read_stem_net(path: Path) -> StemNet:
    """Return the network in a file of `vision.train.stem`.

    Raises:
        ValueError: it is damaged, or of another version.
    """
    try:
        with np.load(path, allow_pickle=False) as content:
            weights = {k: np.asarray(content[k]) for k in content.files}
    except (OSError, ValueError, EOFError, KeyError) as error:
        raise ValueError(
            f"{path} is damaged or no stem network ({error}); take the file of this release again"
        ) from None
    version = int(weights.pop("version", np.array(-1)))
    if version != VERSION:
        raise ValueError(f"{path} is of version {version}, expected {VERSION}: take the file of this release again")
    return StemNet(weights={k: v.astype(np.float32) for k, v in weights.items()})


@cache
def shipped_stem_net() -> StemNet:
    """Return the network that comes with this package."""
    with as_file(files("vision") / "models" / "stem.npz") as path:
        return read_stem_net(path)


def _convolved(x: Values, weight: Values, bias: Values, stride: int) -> Values:
    """Return the 3x3 convolution of `x`, shape (n, c, h, w), with a border of zeros."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))[:, :, ::stride, ::stride]
    n, c, h, w = windows.shape[:4]
    flat = windows.transpose(0, 2, 3, 1, 4, 5).reshape(n * h * w, c * 9) @ weight.T + bias
    return np.asarray(flat.reshape(n, h, w, len(weight)).transpose(0, 3, 1, 2), np.float32)


def _rectified(x: Values) -> Values:
    return np.maximum(x, np.float32(0.0))
