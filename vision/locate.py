"""Give a detected berry its place in space: centre with covariance, size, axis and peduncle, from depth or size alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vision.camera.pinhole import rays
from vision.detect.peduncle import axis_of
from vision.types import Berry, Detection, Frame, Intrinsics

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocateSettings:
    """Settings of 3-D localisation; lengths in metres.

    Attributes:
        depth_range: depths outside are not measurements; the D405's usable range.
        diameter: usual width of a table fruit, the only scale when there is no depth.
        diameter_sd: its spread between fruits.
        noise: depth noise as sigma = noise[0] + noise[1] * z^2, of an active stereo camera at arm's length.
        min_points: fewer valid depths inside the mask than this, and the size prior takes over.
        model_sd: a strawberry is not the spheroid that is fitted: floor of the error per axis.
        peduncle_lift: cut point above the calyx when no peduncle was detected; hung fruit keeps 10-15 mm of stem.
        stem_gap: depths near the peduncle further than this from where it is expected belong to something else.
    """

    depth_range: tuple[float, float] = (0.05, 1.2)
    diameter: float = 0.030
    diameter_sd: float = 0.006
    noise: tuple[float, float] = (0.0015, 0.002)
    min_points: int = 12
    model_sd: float = 0.001
    peduncle_lift: float = 0.012
    stem_gap: float = 0.015


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outline:
    """A mask as a spheroid in the picture: centre and half axes [px], unit axis tip to calyx."""

    centre: Array
    axis: Array
    half_length: float
    half_width: float


def locate_all(
    detections: Iterable[Detection], frame: Frame, settings: LocateSettings | None = None, up: Array | None = None
) -> list[Berry]:
    """Locate every detection of a frame; see `locate`."""
    return [
        locate(d, frame.intrinsics, depth=frame.depth, settings=settings, up=up, id=i) for i, d in enumerate(detections)
    ]


def locate(
    detection: Detection,
    intrinsics: Intrinsics,
    *,
    depth: npt.NDArray[np.float32] | None = None,
    settings: LocateSettings | None = None,
    up: Array | None = None,
    id: int = 0,
) -> Berry:
    """Return the berry of a detection in the camera's optical frame.

    A spheroid with the outline's proportions, round across its axis, is fitted to the depths inside the mask: first its
    distance as the mode of what single pixels say (so a leaf in front or background behind is outvoted), then centre and
    size together by reweighted least squares with the outline's centre and the usual size as priors. Without enough
    depth the outline and the usual size alone give the place, with the covariance that this deserves.

    Args:
        depth: aligned with the picture [m], shape (h, w), 0 where unknown; None without a depth camera.
        up: direction against gravity in the optical frame, unit, shape (3,); lets the axis leave the picture's plane.
    """
    s = settings or LocateSettings()
    outline = _outline(detection)
    pixels, z = _inside(detection, outline, depth, s)
    if len(z) >= s.min_points:
        position, radius, covariance = _fit(outline, pixels, z, intrinsics, s, detection.visible)
    else:
        position, radius, covariance = _from_size(outline, intrinsics, s)
    axis = _axis(outline, position, intrinsics, up)
    stretch = outline.half_length / outline.half_width
    length = 2 * radius * stretch
    return Berry(
        detection=detection,
        position=position,
        covariance=covariance,
        diameter=2 * radius,
        length=length,
        axis=axis,
        peduncle=_peduncle(detection, position, axis, length, intrinsics, depth, s),
        id=id,
    )


def _outline(detection: Detection) -> _Outline:
    if detection.polygon is None or len(detection.polygon) < 5:
        x0, y0, x1, y1 = detection.box
        centre = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
        return _Outline(
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
    return _Outline(
        centre=centre + shift,
        axis=axis,
        half_length=max(length / 2 + 0.5, 1.0),
        half_width=max((across.max() - across.min()) / 2 + 0.5, 1.0),
    )


def _inside(
    detection: Detection, outline: _Outline, depth: npt.NDArray[np.float32] | None, s: LocateSettings
) -> tuple[Array, Array]:
    """Return pixels (n, 2) and depths (n,) that are valid and well inside the mask, away from its flying edge."""
    if depth is None:
        return np.zeros((0, 2)), np.zeros(0)
    h, w = depth.shape
    x0, y0 = (max(0, int(np.floor(v))) for v in detection.box[:2])
    x1, y1 = min(w, int(np.ceil(detection.box[2])) + 1), min(h, int(np.ceil(detection.box[3])) + 1)
    if x1 - x0 < 1 or y1 - y0 < 1:
        return np.zeros((0, 2)), np.zeros(0)
    ys, xs = np.mgrid[y0:y1, x0:x1]
    pixels = np.stack([xs.ravel(), ys.ravel()], axis=1).astype(np.float64)
    q = _squared(pixels - outline.centre, outline, 1.0, 1.0)
    inside = q < 0.85**2
    if detection.polygon is not None and len(detection.polygon) >= 3:
        mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
        cv2.fillPoly(mask, [np.rint(detection.polygon - (x0, y0)).astype(np.int32)], 1)
        inside &= mask.ravel() > 0
    z = depth[y0:y1, x0:x1].astype(np.float64).ravel()
    inside &= np.isfinite(z) & (z > s.depth_range[0]) & (z < s.depth_range[1])
    pixels, z = pixels[inside], z[inside]
    step = max(1, len(z) // 600)
    return pixels[::step], z[::step]


def _squared(offset: Array, outline: _Outline, scale_x: float, scale_y: float) -> Array:
    """Return the squared distance from the centre in units of the outline's half axes, shape (n,)."""
    along = offset[:, 0] * scale_x * outline.axis[0] + offset[:, 1] * scale_y * outline.axis[1]
    across = -offset[:, 0] * scale_x * outline.axis[1] + offset[:, 1] * scale_y * outline.axis[0]
    squared: Array = (along / outline.half_length) ** 2 + (across / outline.half_width) ** 2
    return squared


def _fit(
    outline: _Outline, pixels: Array, z: Array, intrinsics: Intrinsics, s: LocateSettings, visible: float
) -> tuple[Array, float, Array]:
    """Fit centre and radius to depths; returns centre [m], radius across the axis [m], covariance of the centre [m^2]."""
    focal = (intrinsics.fx + intrinsics.fy) / 2
    bulge = np.sqrt(1.0 - _squared(pixels - outline.centre, outline, 1.0, 1.0))
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
    sigma = s.noise[0] + s.noise[1] * distance**2
    for _ in range(6):
        residual, jacobian = _linearise(state, points, outline)
        weight = _tukey(residual / sigma) / sigma**2
        normal = jacobian.T @ (weight[:, None] * jacobian) + information
        step = np.linalg.solve(normal, jacobian.T @ (weight * residual) + information @ (prior - state))
        limit = 0.3 * radius
        state = state + np.clip(step, -limit, limit)
        state[3] = np.clip(state[3], 0.5 * radius, 2.0 * radius)
    covariance: Array = np.linalg.inv(normal)[:3, :3] + s.model_sd**2 * np.eye(3)
    return state[:3], float(state[3]), covariance


def _linearise(state: Array, points: Array, outline: _Outline) -> tuple[Array, Array]:
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


def _from_size(outline: _Outline, intrinsics: Intrinsics, s: LocateSettings) -> tuple[Array, float, Array]:
    """Place the berry by its usual size: centre [m], radius [m], covariance [m^2], long along the line of sight."""
    focal = (intrinsics.fx + intrinsics.fy) / 2
    direction = rays(outline.centre[None], intrinsics)[0]
    distance = s.diameter / 2 * focal / outline.half_width
    sight = direction / np.linalg.norm(direction)
    along_sd = np.linalg.norm(direction) * distance * s.diameter_sd / s.diameter
    lateral_sd = s.model_sd + distance / focal
    covariance = lateral_sd**2 * np.eye(3) + (along_sd**2 - lateral_sd**2) * np.outer(sight, sight)
    return direction * distance, s.diameter / 2, covariance


def _axis(outline: _Outline, position: Array, intrinsics: Intrinsics, up: Array | None) -> Array:
    """Return the unit axis from tip to calyx: seen in the picture's plane, leaned along `up` where that is known."""
    ahead = rays((outline.centre + 10 * outline.axis)[None], intrinsics)[0]
    flat = ahead * position[2] - position
    flat[2] = 0.0
    flat = flat / np.linalg.norm(flat)
    if up is None:
        return np.asarray(flat, np.float64)
    sight = position / np.linalg.norm(position)
    # Of all directions that look like `flat` in the picture, take the one nearest to `up`.
    leaned = flat * max(float(up @ flat), 0.2) + sight * float(up @ sight - (flat @ sight) * (up @ flat))
    return np.asarray(leaned / np.linalg.norm(leaned), np.float64)


def _peduncle(
    detection: Detection,
    position: Array,
    axis: Array,
    length: float,
    intrinsics: Intrinsics,
    depth: npt.NDArray[np.float32] | None,
    s: LocateSettings,
) -> Array:
    """Return the cut point [m]: at the stem's own depth where that was measured, else where the axis leads."""
    expected: Array = position + (length / 2 + s.peduncle_lift) * axis
    if detection.peduncle is None:
        return expected
    direction: Array = rays(np.array([detection.peduncle]), intrinsics)[0]
    z = float(expected[2])
    if depth is not None:
        x, y = (round(v) for v in detection.peduncle)
        near = depth[max(0, y - 3) : max(0, y + 4), max(0, x - 2) : max(0, x + 3)].astype(np.float64).ravel()
        near = near[np.abs(near - z) < s.stem_gap]
        if len(near) >= 3:
            z = float(np.median(near))
    return direction * z
