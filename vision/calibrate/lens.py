"""Intrinsics from views of a board: fit, how sure they are, and refusals that say what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vision.calibrate.board import LEAST_CORNERS, Board, View
from vision.types import Intrinsics

Array = npt.NDArray[np.float64]

LEAST_VIEWS = 8
LEAST_TILT = np.radians(15.0)
"""Views must differ in the board's direction by this much: boards seen squarely leave the focal length open."""
MOST_FOCAL_SD = 0.01
MOST_ERROR = 3.0
"""Reprojection error [px] above which this is no calibration."""
OUTLIER = 4.0
"""Views with more than this many times the median error are left out, once."""
GRID = (6, 4)
"""Cells across and down in which corners are counted for the coverage."""


class CalibrationError(ValueError):
    """The views cannot be calibrated from; `code` says why, the message says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class LensResult:
    """Measured intrinsics.

    Attributes:
        rms: reprojection error over all corners [px]; worst: of the worst view [px].
        focal_sd: standard deviation of fx as a share of fx.
        centre_sd: of the optical axis [px].
        coverage: share of the picture's cells in which a corner was seen.
        tilt: largest difference of the board's direction between two views [rad].
        views: those that were used; poses: of the board in the camera, T_camera_board, shape (n, 4, 4).
        left_out: names of views that did not fit.
        residuals: found minus predicted corner [px], per view, shape (n_i, 2).
    """

    intrinsics: Intrinsics
    rms: float
    worst: float
    focal_sd: float
    centre_sd: float
    coverage: float
    tilt: float
    views: tuple[View, ...]
    poses: Array
    left_out: tuple[str, ...]
    residuals: tuple[Array, ...]


def calibrate_lens(board: Board, views: Sequence[View]) -> LensResult:
    """Fit a pinhole camera with plumb-bob distortion to views of a board.

    Raises:
        CalibrationError: `wrong_board`, `too_few_views`, `mixed_sizes`, `degenerate` (the board was never tilted) or
            `does_not_fit`.
    """
    good = usable(board, views, LEAST_VIEWS)
    fit = _fit(board, good)
    limit = max(OUTLIER * float(np.median(fit.per_view)), 0.5)
    kept = [v for v, e in zip(good, fit.per_view, strict=True) if e <= limit]
    left_out = tuple(v.name for v, e in zip(good, fit.per_view, strict=True) if e > limit)
    if left_out and len(kept) >= LEAST_VIEWS:
        good, fit = kept, _fit(board, kept)
    else:
        left_out = ()
    tilt = _largest_tilt(fit.poses)
    if tilt < LEAST_TILT or fit.focal_sd > MOST_FOCAL_SD:
        raise CalibrationError(
            "degenerate",
            f"the views do not tell the focal length: the board's direction differs by {np.degrees(tilt):.0f} degrees "
            f"between them and fx is uncertain by {fit.focal_sd:.1%} (expected at least "
            f"{np.degrees(LEAST_TILT):.0f} degrees and at most {MOST_FOCAL_SD:.0%}): tilt the board by 20-45 degrees "
            f"to every side, and bring it nearer",
        )
    if fit.rms > MOST_ERROR:
        raise CalibrationError(
            "does_not_fit",
            f"corners lie {fit.rms:.1f} px from where a lens would put them (expected at most {MOST_ERROR:g}): use "
            f"pictures of one camera with one zoom and focus, unscaled, of a board that is glued flat",
        )
    return LensResult(
        intrinsics=fit.intrinsics,
        rms=fit.rms,
        worst=float(fit.per_view.max()),
        focal_sd=fit.focal_sd,
        centre_sd=fit.centre_sd,
        coverage=coverage(good),
        tilt=tilt,
        views=tuple(good),
        poses=fit.poses,
        left_out=left_out,
        residuals=fit.residuals,
    )


def usable(board: Board, views: Sequence[View], least: int) -> list[View]:
    """Return the views in which enough corners were found.

    Raises:
        CalibrationError: another board is in the pictures, too few views show it, or their sizes differ.
    """
    good = [v for v in views if v.good]
    strange = [v for v in views if v.strange or (v.markers >= 6 and len(v.ids) < LEAST_CORNERS)]
    asked = f"{board.columns}x{board.rows} of {board.dictionary}"
    if len(strange) > len(good):
        raise CalibrationError(
            "wrong_board",
            f"expected a board of {asked}, but {len(strange)} of {len(views)} pictures show markers in another order: "
            f"give the board's own --columns, --rows and --dictionary, as printed below it",
        )
    if len(good) < least:
        raise CalibrationError(
            "too_few_views",
            f"expected at least {least} pictures with {LEAST_CORNERS} and more corners of the board ({asked}), got "
            f"{len(good)} of {len(views)}: take 15-30, sharp, the whole sheet lit evenly",
        )
    sizes = {v.size for v in good}
    if len(sizes) > 1:
        named = ", ".join(f"{w}x{h}" for w, h in sorted(sizes))
        raise CalibrationError("mixed_sizes", f"expected pictures of one size, got {named}: calibrate each by itself")
    return good


def board_pose(board: Board, view: View, intrinsics: Intrinsics) -> tuple[Array, float]:
    """Return T_camera_board, shape (4, 4), and the reprojection error [px] of one view."""
    matrix, distortion = matrices(intrinsics)
    points = board.corners[view.ids]
    _, turn, move = cv2.solvePnP(points, view.pixels, matrix, distortion, flags=cv2.SOLVEPNP_IPPE)
    turn, move = cv2.solvePnPRefineLM(points, view.pixels, matrix, distortion, turn, move)
    shown = cv2.projectPoints(points, turn, move, matrix, distortion)[0].reshape(-1, 2)
    return transform(turn, move), float(np.sqrt(((shown - view.pixels) ** 2).sum(axis=1).mean()))


def matrices(intrinsics: Intrinsics) -> tuple[Array, Array]:
    """Return OpenCV's camera matrix, shape (3, 3), and distortion, shape (5,)."""
    c = intrinsics
    distortion = np.zeros(5) if not c.distortion else np.asarray(c.distortion, np.float64)
    return np.array([[c.fx, 0.0, c.cx], [0.0, c.fy, c.cy], [0.0, 0.0, 1.0]]), distortion


def transform(turn: npt.ArrayLike, move: npt.ArrayLike) -> Array:
    """Return the transform, shape (4, 4), of a rotation vector [rad] and a translation [m]."""
    T = np.eye(4)
    T[:3, :3] = cv2.Rodrigues(np.asarray(turn, np.float64))[0]
    T[:3, 3] = np.asarray(move, np.float64).ravel()
    return T


def coverage(views: Sequence[View]) -> float:
    """Return the share of the picture's cells in which a corner was seen."""
    seen = set()
    for v in views:
        cells = np.clip(v.pixels / v.size * GRID, 0, np.array(GRID) - 1).astype(int)
        seen |= set(map(tuple, cells.tolist()))
    return len(seen) / (GRID[0] * GRID[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    intrinsics: Intrinsics
    rms: float
    focal_sd: float
    centre_sd: float
    poses: Array
    residuals: tuple[Array, ...]
    per_view: Array


def _fit(board: Board, views: Sequence[View]) -> _Fit:
    points = [board.corners[v.ids].astype(np.float32) for v in views]
    pixels = [v.pixels.astype(np.float32) for v in views]
    w, h = views[0].size
    try:
        rms, matrix, distortion, turns, moves, spread, _, per_view = cv2.calibrateCameraExtended(
            points, pixels, (w, h), np.eye(3), np.zeros(5)
        )
    except cv2.error as error:
        raise CalibrationError(
            "degenerate", "the views do not determine a lens: tilt the board by 20-45 degrees to every side"
        ) from error
    residuals = tuple(
        np.asarray(seen - cv2.projectPoints(p, turn, move, matrix, distortion)[0].reshape(-1, 2), np.float64)
        for p, seen, turn, move in zip(points, pixels, turns, moves, strict=True)
    )
    sd = np.asarray(spread, np.float64).ravel()
    return _Fit(
        intrinsics=Intrinsics(
            width=w,
            height=h,
            fx=float(matrix[0, 0]),
            fy=float(matrix[1, 1]),
            cx=float(matrix[0, 2]),
            cy=float(matrix[1, 2]),
            distortion=tuple(float(v) for v in np.ravel(distortion)[:5]),
        ),
        rms=float(rms),
        focal_sd=float(sd[0] / matrix[0, 0]),
        centre_sd=float(max(sd[2], sd[3])),
        poses=np.stack([transform(a, b) for a, b in zip(turns, moves, strict=True)]),
        residuals=residuals,
        per_view=np.asarray(per_view, np.float64).ravel(),
    )


def _largest_tilt(poses: Array) -> float:
    normals = poses[:, :3, 2]
    return float(np.arccos(np.clip(normals @ normals.T, -1, 1)).max())
