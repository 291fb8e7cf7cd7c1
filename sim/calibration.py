"""Simulated views of a ChArUco board: a pinhole camera with distortion on a tool that moves around it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vision.calibrate.board import Board
from vision.calibrate.lens import transform
from vision.camera.pinhole import rays
from vision.types import Intrinsics

Array = npt.NDArray[np.float64]
Picture = npt.NDArray[np.uint8]

FINER = 2
"""Rays per pixel and side."""

CAMERA = Intrinsics(
    width=640, height=480, fx=432.5, fy=431.0, cx=322.4, cy=236.8, distortion=(-0.055, 0.062, 0.0006, -0.0004, -0.02)
)
MOUNTING = transform([-0.35, 0.02, 0.015], [0.004, -0.081, -0.098])
"""T_tool_camera of the simulated tool, slightly off its drawing."""

BOARD_PLACE = transform([-1.9, 0.1, 0.05], [-0.1, 0.7, 0.9])
"""T_base_board: it leans on the gutter, its face to the robot."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoardView:
    """A simulated picture, RGB, and the tool's pose T_base_tool, shape (4, 4), as the arm reports it."""

    picture: Picture
    T_base_tool: Array


def board_views(
    board: Board,
    count: int,
    seed: int,
    *,
    camera: Intrinsics = CAMERA,
    tilt: float = 0.6,
    pose_noise: tuple[float, float] = (2e-4, 2e-4),
) -> Iterator[BoardView]:
    """Draw `count` views from around the board.

    Args:
        tilt: largest angle between the line of sight and the board's normal [rad].
        pose_noise: standard deviation of the arm's reported position [m] and turn [rad] per axis.
    """
    rng = np.random.default_rng([seed, 0xB0A2D])
    directions = _directions(camera)
    drawn = cv2.copyMakeBorder(board.draw(60), 30, 30, 30, 30, cv2.BORDER_CONSTANT, value=(255,))
    for number in range(count):
        T_camera_board = _look(board, camera, rng, tilt * float(np.sqrt((number + 1) / count)))
        T_base_tool = BOARD_PLACE @ np.linalg.inv(T_camera_board) @ np.linalg.inv(MOUNTING)
        error = transform(rng.normal(0, pose_noise[1], 3), rng.normal(0, pose_noise[0], 3))
        picture = draw_board(drawn, board, directions, T_camera_board, camera)
        yield BoardView(picture=_expose(picture, rng), T_base_tool=T_base_tool @ error)


def draw_board(
    drawn: Picture, board: Board, directions: npt.NDArray[np.float32], T_camera_board: Array, camera: Intrinsics
) -> npt.NDArray[np.float32]:
    """Return the grey picture of the board on a dull background, shape (h, w): one ray per sample meets its plane."""
    plane = np.column_stack([T_camera_board[:3, :2], T_camera_board[:3, 3]])
    met = directions @ np.linalg.inv(plane).T.astype(np.float32)
    texels = met[:, :2] * (np.float32(60 / board.square) / met[:, 2:]) + np.float32(30 - 0.5)
    shape = (camera.height * FINER, camera.width * FINER)
    sampled = cv2.remap(
        drawn.astype(np.float32),
        texels[:, 0].reshape(shape),
        texels[:, 1].reshape(shape),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(90.0,),
    )
    return np.asarray(cv2.resize(sampled, (camera.width, camera.height), interpolation=cv2.INTER_AREA), np.float32)


def _directions(camera: Intrinsics) -> npt.NDArray[np.float32]:
    x = (np.arange(camera.width * FINER) + 0.5) / FINER - 0.5
    y = (np.arange(camera.height * FINER) + 0.5) / FINER - 0.5
    return rays(np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2), camera).astype(np.float32)


def _look(board: Board, camera: Intrinsics, rng: np.random.Generator, tilt: float) -> Array:
    """Return T_camera_board of a view: from any side, rolled, with some point of the board anywhere in the picture."""
    side = rng.uniform(0, 2 * np.pi)
    turn = transform(tilt * np.array([np.cos(side), np.sin(side), 0.0]), np.zeros(3))
    roll = transform([0.0, 0.0, rng.uniform(-0.7, 0.7)], np.zeros(3))
    distance = board.size[0] * camera.fx / camera.width * rng.uniform(1.0, 1.6)
    offset = rng.uniform(-0.28, 0.28, 2) * (camera.width / camera.fx, camera.height / camera.fy) * distance
    T = roll @ turn
    middle = T[:3, :3] @ np.array([board.size[0] / 2, board.size[1] / 2, 0.0])
    T[:3, 3] = np.array([*offset, distance]) - middle
    return T


def _expose(picture: npt.NDArray[np.float32], rng: np.random.Generator) -> Picture:
    soft = cv2.GaussianBlur(picture, (0, 0), 0.6) * rng.uniform(0.7, 0.95) + 10
    noisy = soft + rng.normal(0, 2.0, picture.shape)
    grey = np.clip(noisy, 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8)
