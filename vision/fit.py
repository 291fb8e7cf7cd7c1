"""Fit a spheroid with a mask's proportions to the depths measured inside the mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vision.camera.pinhole import rays
from vision.detect.peduncle import axis_of
from vision.types import Detection, Intrinsics

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A mask as a spheroid in the picture: centre and half axes [px], unit axis tip to calyx."""

    centre: Array
    axis: Array
    half_length: float
    half_width: float


def outline_of(detection: Detection) -> Outline:
    if detection.polygon is None or len(detection.polygon) < 5:
        x0, y0, x1, y1 = detection.box
        centre = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
        return Outline(
            centre=centre,
            axis=np.array([0.0, -1.0]),
            half_length=max(y1 - y0, 1.0) / 2,
            half_width=max(x1 - x0, 1.0) / 2,
        )
    points = np.asarray(detection.polygon, np.float64)
    centre, axis, length = axis_of(points)
    across = (points - centre) @ np.array([-axis[1], axis[0]])
    along = (points - centre) @ axis
    shift = (along.max() + along.min()) / 2 * axis + (across.max() + across.min()) / 2 * np.array([-axis[1], axis[0]])
    # A contour runs through the centres of its border pixels: the fruit is half a pixel larger on each side.
    return Outline(
        centre=centre + shift,
        axis=axis,
        half_length=max(length / 2 + 0.5, 1.0),
        half_width=max((across.max() - across.min()) / 2 + 0.5, 1.0),
    )


def squared_radius(offset: Array, outline: Outline) -> Array:
    """Return the squared distance from the centre in units of the outline's half axes, shape (n,)."""
    along = offset[:, 0] * outline.axis[0] + offset[:, 1] * outline.axis[1]
    across = -offset[:, 0] * outline.axis[1] + offset[:, 1] * outline.axis[0]
    squared: Array = (along / outline.half_length) ** 2 + (across / outline.half_width) ** 2
    return squared


def fit_spheroid(
    outline: Outline,
    pixels: Array,
    z: Array,
    intrinsics: Intrinsics,
    *,
    noise: tuple[float, float],
    model_sd: float,
    visible: float,
) -> tuple[Array, float, Array]:
    """Fit centre and radius to depths inside an outline.

    Args:
        pixels: of the depths [px], shape (n, 2).
        z: depths [m], shape (n,).
        noise: sigma of a depth = noise[0] + noise[1] * z^2 [m].
        model_sd: floor of the error per axis [m].
        visible: share of the fruit that is not hidden; the less, the less the outline's centre is believed.

    Returns:
        Centre [m], shape (3,); radius across the axis [m]; covariance of the centre [m^2], shape (3, 3).
    """
    focal = (intrinsics.fx + intrinsics.fy) / 2
    bulge = np.sqrt(1.0 - squared_radius(pixels - outline.centre, outline))
    # z + r(zc) * bulge = zc with r = half_width * zc / focal, solved for zc at every pixel.
    votes = z / (1.0 - outline.half_width / focal * bulge)
    distance = _mode(votes, 0.008)
    directions = rays(np.concatenate([outline.centre[None], pixels]), intrinsics)
    points = directions[1:] * z[:, None]
    radius = outline.half_width * distance / focal
    state = np.concatenate([directions[0] * distance, [radius]])
    hidden = 1.0 - float(np.clip(visible, 0.0, 1.0))
    lateral = 0.5 * distance / focal + (0.03 + 0.6 * hidden) * radius
    prior_sd = np.array([lateral, lateral, 0.05, 0.06 * radius + 0.5 * hidden * radius + 0.5 * distance / focal])
    prior, information = state.copy(), np.diag(1 / prior_sd**2)
    sigma = noise[0] + noise[1] * distance**2
    for _ in range(6):
        residual, jacobian = _linearise(state, points, outline)
        weight = _tukey(residual / sigma) / sigma**2
        normal = jacobian.T @ (weight[:, None] * jacobian) + information
        step = np.linalg.solve(normal, jacobian.T @ (weight * residual) + information @ (prior - state))
        limit = 0.3 * radius
        state = state + np.clip(step, -limit, limit)
        state[3] = np.clip(state[3], 0.5 * radius, 2.0 * radius)
    covariance: Array = np.linalg.inv(normal)[:3, :3] + model_sd**2 * np.eye(3)
    return state[:3], float(state[3]), covariance


def _linearise(state: Array, points: Array, outline: Outline) -> tuple[Array, Array]:
    """Return measured minus modelled depth (n,) and the model's derivatives by centre and radius (n, 4)."""
    x, y, z, radius = state
    stretch = outline.half_length / outline.half_width
    dx, dy = points[:, 0] - x, points[:, 1] - y
    along = (dx * outline.axis[0] + dy * outline.axis[1]) / stretch
    across = -dx * outline.axis[1] + dy * outline.axis[0]
    bulge = np.sqrt(np.maximum(radius**2 - along**2 - across**2, (0.35 * radius) ** 2))
    by_x = -(along * outline.axis[0] / stretch - across * outline.axis[1]) / bulge
    by_y = -(along * outline.axis[1] / stretch + across * outline.axis[0]) / bulge
    residual = points[:, 2] - (z - bulge)
    return residual, np.stack([by_x, by_y, np.ones_like(by_x), -radius / bulge], axis=1)


def _tukey(scaled: Array) -> Array:
    """Return Tukey's biweight with its usual 4.685 (95 % efficiency for normal noise)."""
    weight: Array = np.clip(1.0 - (scaled / 4.685) ** 2, 0.0, 1.0) ** 2
    return weight


def _mode(values: Array, width: float) -> float:
    """Return the median of the fullest window of `width`."""
    ordered = np.sort(values)
    ends = np.searchsorted(ordered, ordered + width, side="right")
    begin = int(np.argmax(ends - np.arange(len(ordered))))
    return float(np.median(ordered[begin : ends[begin]]))
