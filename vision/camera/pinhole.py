"""Turn pixels into rays and points into pixels with a camera's intrinsics."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vision.types import Intrinsics

Array = npt.NDArray[np.float64]


def rays(pixels: npt.ArrayLike, intrinsics: Intrinsics) -> Array:
    """Return the direction of each pixel with z = 1, in the optical frame.

    Args:
        pixels: x right, y down [px], shape (n, 2).

    Returns:
        Directions, shape (n, 3); multiplied by the depth they are points [m].
    """
    uv = np.asarray(pixels, np.float64).reshape(-1, 2)
    if any(intrinsics.distortion):
        flat = cv2.undistortPoints(uv[:, None, :], _matrix(intrinsics), np.asarray(intrinsics.distortion))[:, 0, :]
    else:
        flat = (uv - (intrinsics.cx, intrinsics.cy)) / (intrinsics.fx, intrinsics.fy)
    return np.concatenate([flat, np.ones((len(flat), 1))], axis=1)


def project(points: npt.ArrayLike, intrinsics: Intrinsics) -> Array:
    """Return the pixels of points [m] in the optical frame, shape (n, 3) to (n, 2).

    Raises:
        ValueError: a point lies behind the camera.
    """
    xyz = np.asarray(points, np.float64).reshape(-1, 3)
    if (xyz[:, 2] <= 0).any():
        raise ValueError("expected points in front of the camera (z > 0), got one behind: give optical-frame points")
    if any(intrinsics.distortion):
        uv, _ = cv2.projectPoints(xyz, np.zeros(3), np.zeros(3), _matrix(intrinsics), np.asarray(intrinsics.distortion))
        return np.asarray(uv, np.float64).reshape(-1, 2)
    flat: Array = xyz[:, :2] / xyz[:, 2:]
    return flat * (intrinsics.fx, intrinsics.fy) + (intrinsics.cx, intrinsics.cy)


def _matrix(intrinsics: Intrinsics) -> Array:
    return np.array([[intrinsics.fx, 0.0, intrinsics.cx], [0.0, intrinsics.fy, intrinsics.cy], [0.0, 0.0, 1.0]])
