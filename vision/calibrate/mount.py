"""Hand-eye calibration: where the camera sits on the tool, from views of a fixed board and the arm's own poses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vision.calibrate.board import Board, View
from vision.calibrate.lens import CalibrationError, board_pose, matrices, transform, usable
from vision.types import Intrinsics

Array = npt.NDArray[np.float64]

LEAST_VIEWS = 6
LEAST_TURN = np.radians(12.0)
LEAST_SECOND_AXIS = 0.2
"""How far turns leave one axis: second singular value of all turns' axes over the first."""
MOST_RESIDUAL = (0.010, np.radians(2.0))
"""Above these [m, rad] poses and pictures do not belong together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MountResult:
    """Measured mounting.

    Attributes:
        T_tool_camera: maps the camera's optical frame to the tool frame, shape (4, 4).
        T_base_board: where the board is, shape (4, 4).
        residual_mm, residual_deg: root mean square over the views of how far the board seems to move.
        check_mm: the same for views that the mounting was not fitted on (fitted on the even, told for the odd ones);
            None with too few views for that.
        rms: reprojection error of all corners with the one board and the one mounting [px].
        offsets: of the board per view [m], shape (n, 3).
        views: those that were used.
    """

    T_tool_camera: Array
    T_base_board: Array
    residual_mm: float
    residual_deg: float
    check_mm: float | None
    rms: float
    offsets: Array
    views: tuple[View, ...]


def calibrate_mount(
    board: Board, views: Sequence[View], poses: Mapping[str, Array], intrinsics: Intrinsics
) -> MountResult:
    """Find the camera on the tool.

    Args:
        views: of one board that did not move.
        poses: T_base_tool by the picture's name, shape (4, 4).
        intrinsics: of the camera.

    Raises:
        CalibrationError: `wrong_board`, `too_few_views`, `mixed_sizes`, `pose_missing`, `degenerate` (the tool was
            hardly turned, or about one axis only), or `does_not_fit`.
    """
    good = usable(board, views, LEAST_VIEWS)
    missing = [v.name for v in good if v.name not in poses]
    if missing:
        raise CalibrationError("pose_missing", f"expected a pose of the tool for each picture, none for {missing[0]}")
    if good[0].size != (intrinsics.width, intrinsics.height):
        raise CalibrationError(
            "mixed_sizes",
            f"expected pictures of {intrinsics.width}x{intrinsics.height}, which the camera was calibrated at, "
            f"got {good[0].size[0]}x{good[0].size[1]}",
        )
    tool = np.stack([poses[v.name] for v in good])
    _check_motion(tool)
    mounting, place = _solve(board, good, tool, intrinsics)
    half = slice(0, None, 2)
    seen = np.stack([board_pose(board, v, intrinsics)[0] for v in good])
    offsets, turns = _spread(tool, mounting, seen, place)
    residual = float(np.sqrt((offsets**2).sum(axis=1).mean())), float(np.sqrt((turns**2).mean()))
    if residual[0] > MOST_RESIDUAL[0] or residual[1] > MOST_RESIDUAL[1]:
        raise CalibrationError(
            "does_not_fit",
            f"the board seems to move by {residual[0] * 1e3:.1f} mm and {np.degrees(residual[1]):.1f} degrees "
            f"(expected at most {MOST_RESIDUAL[0] * 1e3:g} mm and {np.degrees(MOST_RESIDUAL[1]):g}): poses must be the "
            f"tool in the base frame [m], quaternions x, y, z, w, taken where each picture was; check the square's "
            f"size and that the board lay still",
        )
    check: float | None = None
    if len(good) >= 2 * LEAST_VIEWS:
        trial, at = _solve(board, good[half], tool[half], intrinsics)
        others = _spread(tool[1::2], trial, seen[1::2], at)[0]
        check = float(np.sqrt((others**2).sum(axis=1).mean())) * 1e3
    errors = _errors(
        np.zeros(12), board=board, views=good, tool=tool, intrinsics=intrinsics, mounting=mounting, place=place
    )
    return MountResult(
        T_tool_camera=mounting,
        T_base_board=place,
        residual_mm=residual[0] * 1e3,
        residual_deg=float(np.degrees(residual[1])),
        check_mm=check,
        rms=float(np.sqrt((errors.reshape(-1, 2) ** 2).sum(axis=1).mean())),
        offsets=offsets,
        views=tuple(good),
    )


def _check_motion(tool: Array) -> None:
    """Refuse poses from which no mounting follows: Tsai and Lenz 1989 need turns about two axes."""
    turns = []
    for i in range(len(tool)):
        for j in range(i):
            turn = cv2.Rodrigues(tool[j][:3, :3].T @ tool[i][:3, :3])[0].ravel()
            if np.linalg.norm(turn) >= LEAST_TURN:
                turns.append(turn / np.linalg.norm(turn))
    if not turns:
        raise CalibrationError(
            "degenerate",
            f"the tool was turned by less than {np.degrees(LEAST_TURN):.0f} degrees between all pictures: turn it by "
            f"20-40 degrees about several axes",
        )
    singular = np.linalg.svd(np.stack(turns), compute_uv=False)
    if len(singular) < 2 or singular[1] < LEAST_SECOND_AXIS * singular[0]:
        raise CalibrationError(
            "degenerate",
            "the tool was turned about one axis only, which leaves the mounting along that axis open: turn it about a "
            "second one too",
        )


def _solve(board: Board, views: Sequence[View], tool: Array, intrinsics: Intrinsics) -> tuple[Array, Array]:
    """Return mounting and place of the board: Park and Martin 1994, then refined on all corners at once."""
    seen = np.stack([board_pose(board, v, intrinsics)[0] for v in views])
    turn, move = cv2.calibrateHandEye(
        list(tool[:, :3, :3]), list(tool[:, :3, 3]), list(seen[:, :3, :3]), list(seen[:, :3, 3]),
        method=cv2.CALIB_HAND_EYE_PARK,
    )  # fmt: skip
    mounting = np.eye(4)
    mounting[:3, :3], mounting[:3, 3] = turn, np.ravel(move)
    place = _mean(tool @ mounting @ seen)
    if not np.isfinite(mounting).all():
        raise CalibrationError("degenerate", "no mounting follows from these poses: turn the tool about several axes")
    known: dict[str, Any] = {"board": board, "views": views, "tool": tool, "intrinsics": intrinsics}
    zero, step = np.zeros(12), 1e-6
    for _ in range(8):
        errors = _errors(zero, **known, mounting=mounting, place=place)
        slope = [(_errors(step * axis, **known, mounting=mounting, place=place) - errors) / step for axis in np.eye(12)]
        change = np.linalg.lstsq(np.stack(slope, axis=1), -errors, rcond=None)[0]
        moved, put = mounting @ transform(change[:3], change[3:6]), place @ transform(change[6:9], change[9:])
        if np.square(_errors(zero, **known, mounting=moved, place=put)).sum() > np.square(errors).sum():
            break
        mounting, place = moved, put
        if np.abs(change).max() < 1e-8:
            break
    return mounting, place


def _errors(
    change: Array,
    *,
    board: Board,
    views: Sequence[View],
    tool: Array,
    intrinsics: Intrinsics,
    mounting: Array,
    place: Array,
) -> Array:
    """Return predicted minus found pixels of all corners, after a small change of mounting and board, shape (2n,)."""
    matrix, distortion = matrices(intrinsics)
    mounted = mounting @ transform(change[:3], change[3:6])
    placed = place @ transform(change[6:9], change[9:])
    points = board.corners
    errors = []
    for view, T_base_tool in zip(views, tool, strict=True):
        T = np.linalg.solve(T_base_tool @ mounted, placed)
        turn = cv2.Rodrigues(T[:3, :3])[0]
        shown = cv2.projectPoints(points[view.ids], turn, T[:3, 3], matrix, distortion)[0]
        errors.append((shown.reshape(-1, 2) - view.pixels).ravel())
    return np.concatenate(errors)


def _spread(tool: Array, mounting: Array, seen: Array, place: Array) -> tuple[Array, Array]:
    """Return how far each view puts the board from its place: of its origin [m], shape (n, 3), and turned [rad]."""
    apart = np.linalg.inv(place) @ tool @ mounting @ seen
    angles = [float(np.linalg.norm(cv2.Rodrigues(T[:3, :3])[0])) for T in apart]
    return apart[:, :3, 3], np.array(angles)


def _mean(poses: Array) -> Array:
    u, _, v = np.linalg.svd(poses[:, :3, :3].sum(axis=0))
    T = np.eye(4)
    T[:3, :3] = u @ np.diag([1.0, 1.0, np.linalg.det(u @ v)]) @ v
    T[:3, 3] = poses[:, :3, 3].mean(axis=0)
    return T
