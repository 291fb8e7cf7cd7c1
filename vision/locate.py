"""Give a detected berry its place in space, size, axis and peduncle, from depth or from its usual size."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vision.camera.pinhole import rays
from vision.fit import Outline, fit_spheroid, outline_of, squared_radius
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

    A spheroid with the outline's proportions, round across its axis, is fitted to the depths inside the mask: first
    its distance as the mode of what single pixels say (so a leaf in front or background behind is outvoted), then
    centre and size together by reweighted least squares with the outline as prior. Without enough depth the outline
    and the usual size alone give the place, with the covariance that this deserves.

    Args:
        depth: aligned with the picture [m], shape (h, w), 0 where unknown; None without a depth camera.
        up: direction against gravity in the optical frame, unit, shape (3,); lets the axis leave the picture's plane.
    """
    s = settings or LocateSettings()
    outline = outline_of(detection)
    pixels, z = _inside(detection, outline, depth, s)
    if len(z) >= s.min_points:
        position, radius, covariance = fit_spheroid(
            outline, pixels, z, intrinsics, noise=s.noise, model_sd=s.model_sd, visible=detection.visible
        )
    else:
        position, radius, covariance = _from_size(outline, intrinsics, s)
    axis = _axis(outline, position, intrinsics, up)
    stretch = outline.half_length / outline.half_width
    length = 2 * radius * stretch
    expected = position + (length / 2 + s.peduncle_lift) * axis
    return Berry(
        detection=detection,
        position=position,
        covariance=covariance,
        diameter=2 * radius,
        length=length,
        axis=axis,
        peduncle=_peduncle(detection, expected, intrinsics, depth, s),
        id=id,
    )


def _inside(
    detection: Detection, outline: Outline, depth: npt.NDArray[np.float32] | None, s: LocateSettings
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
    q = squared_radius(pixels - outline.centre, outline)
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


def _from_size(outline: Outline, intrinsics: Intrinsics, s: LocateSettings) -> tuple[Array, float, Array]:
    """Place the berry by its usual size: centre [m], radius [m], covariance [m^2], long along the line of sight."""
    focal = (intrinsics.fx + intrinsics.fy) / 2
    direction = rays(outline.centre[None], intrinsics)[0]
    distance = s.diameter / 2 * focal / outline.half_width
    sight = direction / np.linalg.norm(direction)
    along_sd = np.linalg.norm(direction) * distance * s.diameter_sd / s.diameter
    lateral_sd = s.model_sd + distance / focal
    covariance = lateral_sd**2 * np.eye(3) + (along_sd**2 - lateral_sd**2) * np.outer(sight, sight)
    return direction * distance, s.diameter / 2, covariance


def _axis(outline: Outline, position: Array, intrinsics: Intrinsics, up: Array | None) -> Array:
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
    expected: Array,
    intrinsics: Intrinsics,
    depth: npt.NDArray[np.float32] | None,
    s: LocateSettings,
) -> Array:
    """Return the cut point [m]: at the stem's own depth where that was measured, else where the axis leads."""
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
