"""The picture of a calibration's report: where corners were seen, how far they lie off, and the board per view."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vision.calibrate.lens import GRID, LensResult
from vision.calibrate.mount import MountResult

Image = npt.NDArray[np.uint8]

_INK, _GRID, _SEEN, _OFF = (30, 30, 30), (205, 205, 205), (40, 110, 190), (200, 70, 30)
ENLARGED = 50.0
"""Residuals are drawn this many times their length."""


def lens_picture(result: LensResult) -> Image:
    """Return RGB: all corners of all views in the picture's frame, with their residuals enlarged."""
    w, h = result.intrinsics.width, result.intrinsics.height
    scale = 900 / w
    canvas = np.full((round(h * scale) + 60, 900, 3), 255, np.uint8)
    for i in range(GRID[0] + 1):
        x = round(i * 899 / GRID[0])
        cv2.line(canvas, (x, 0), (x, round(h * scale)), _GRID, 1)
    for i in range(GRID[1] + 1):
        y = round(i * h * scale / GRID[1])
        cv2.line(canvas, (0, y), (899, y), _GRID, 1)
    for view, residual in zip(result.views, result.residuals, strict=True):
        for at, off in zip(view.pixels * scale, residual * scale * ENLARGED, strict=True):
            start = int(at[0]), int(at[1])
            cv2.line(canvas, start, (int(at[0] + off[0]), int(at[1] + off[1])), _OFF, 1, cv2.LINE_AA)
            cv2.circle(canvas, start, 2, _SEEN, -1, cv2.LINE_AA)
    _write(
        canvas,
        f"{len(result.views)} views, {result.rms:.3f} px rms (worst view {result.worst:.3f}), "
        f"coverage {result.coverage:.0%}",
        f"fx {result.intrinsics.fx:.1f} px +- {result.focal_sd:.2%}; lines: residuals x {ENLARGED:g}",
    )
    return canvas


def mount_picture(result: MountResult) -> Image:
    """Return RGB: where each view puts the board's origin, from the side (x, y) and from above (x, z), in mm."""
    canvas = np.full((520, 900, 3), 255, np.uint8)
    offsets = result.offsets * 1e3
    reach = max(1.0, float(np.abs(offsets).max()) * 1.2)
    for middle, axes, name in ((225, (0, 1), "x, y"), (675, (0, 2), "x, z")):
        for share in (1 / 3, 2 / 3, 1.0):
            cv2.circle(canvas, (middle, 230), round(200 * share), _GRID, 1, cv2.LINE_AA)
        for offset in offsets[:, axes]:
            at = (round(middle + 200 * offset[0] / reach), round(230 + 200 * offset[1] / reach))
            cv2.circle(canvas, at, 5, _SEEN, -1, cv2.LINE_AA)
        cv2.putText(canvas, name, (middle - 20, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, _INK, 1, cv2.LINE_AA)
    check = "too few" if result.check_mm is None else f"{result.check_mm:.2f} mm"
    _write(
        canvas,
        f"{len(result.views)} views: the board seems to move by {result.residual_mm:.2f} mm, "
        f"{result.residual_deg:.3f} deg (rms); outer circle {reach:.1f} mm",
        f"views not fitted on: {check}; corners {result.rms:.3f} px rms",
    )
    return canvas


def _write(canvas: Image, *lines: str) -> None:
    for number, line in enumerate(reversed(lines)):
        at = (10, canvas.shape[0] - 12 - 24 * number)
        cv2.putText(canvas, line, at, cv2.FONT_HERSHEY_SIMPLEX, 0.5, _INK, 1, cv2.LINE_AA)
