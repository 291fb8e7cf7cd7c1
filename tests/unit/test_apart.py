"""Fruit that a detector took together is told apart by the step in depth between it; what is one fruit stays one."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from vision.apart import locate_apart
from vision.camera.pinhole import project, rays
from vision.locate import locate_all
from vision.types import Detection, Frame, Intrinsics, Stage

CAMERA = Intrinsics(width=320, height=240, fx=430.0, fy=430.0, cx=159.5, cy=119.5)
RED, GREEN, WALL = (190, 30, 35), (70, 120, 40), 0.9
Array = npt.NDArray[np.float64]


def balls(*placed: tuple[tuple[float, float, float], float]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int8]]:
    """Return the depth [m] of balls of (centre, radius) before a wall, and which ball each pixel shows, -1 the wall."""
    x, y = np.meshgrid(np.arange(CAMERA.width), np.arange(CAMERA.height))
    d = rays(np.stack([x.ravel(), y.ravel()], axis=1), CAMERA)
    depth, which = np.full(len(d), WALL), np.full(len(d), -1, np.int8)
    for number, (centre, radius) in enumerate(placed):
        along = d @ np.asarray(centre) / (d * d).sum(axis=1)
        off2 = radius**2 - ((d * along[:, None] - np.asarray(centre)) ** 2).sum(axis=1)
        z = along - np.sqrt(np.maximum(off2, 0.0) / (d * d).sum(axis=1))
        nearer = (off2 > 0.0) & (z < depth)
        depth[nearer], which[nearer] = z[nearer], number
    return depth.reshape(x.shape).astype(np.float32), which.reshape(x.shape)


def noisy(depth: npt.NDArray[np.float32], seed: int = 1) -> npt.NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    rough = cv2.GaussianBlur(rng.normal(0.0, 0.0035, depth.shape).astype(np.float32), (0, 0), 0.8)
    return np.asarray(depth + rough, np.float32)


def painted(which: npt.NDArray[np.int8], *colours: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    color = np.full((*which.shape, 3), 60, np.uint8)
    for number, colour in enumerate(colours):
        color[which == number] = colour
    return color


def around(mask: npt.NDArray[np.bool_], ripeness: float = 1.0) -> Detection:
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(found, key=len)[:, 0].astype(np.float64)
    (x0, y0), (x1, y1) = outline.min(axis=0), outline.max(axis=0) + 1
    return Detection(box=(x0, y0, x1, y1), score=0.8, ripeness=ripeness, stage=Stage.RIPE, polygon=outline)


def frame(color: npt.NDArray[np.uint8], depth: npt.NDArray[np.float32] | None) -> Frame:
    return Frame(stamp=0.0, color=color, intrinsics=CAMERA, depth=depth)


FRONT, BACK = (-0.012, 0.0, 0.40), (0.012, 0.006, 0.43)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_overlapping_fruit_in_one_outline_become_two_berries(seed: int) -> None:
    depth, which = balls((FRONT, 0.015), (BACK, 0.015))
    berries = locate_apart([around(which >= 0)], frame(painted(which, RED, RED), noisy(depth, seed)))
    assert len(berries) == 2
    assert [b.id for b in berries] == [0, 1]
    for place in (FRONT, BACK):
        assert min(np.linalg.norm(b.position - place) for b in berries) < 0.005
    first = berries[0].detection
    assert first.box[2] - first.box[0] < 45, "keeps what is left of it"


def test_red_fruit_beside_an_unripe_one_that_hides_half_of_it_is_found() -> None:
    depth, which = balls((FRONT, 0.015), (BACK, 0.015))
    berries = locate_apart([around(which == 0, 0.0)], frame(painted(which, GREEN, RED), noisy(depth)))
    assert len(berries) == 2
    assert np.linalg.norm(berries[1].position - BACK) < 0.009, "half of it is hidden"
    assert berries[1].detection.ripeness > 0.9
    assert berries[0].detection.box == around(which == 0).box, "nothing was taken out of the detection"


def test_a_stem_before_a_fruit_does_not_make_two_of_it() -> None:
    depth, which = balls(((0.0, 0.0, 0.40), 0.018))
    column = round(project([(0.0, 0.0, 0.4)], CAMERA)[0][0])
    color = painted(which, RED)
    depth[:, column - 1 : column + 2], color[:, column - 1 : column + 2] = 0.36, GREEN
    assert len(locate_apart([around(which >= 0)], frame(color, noisy(depth)))) == 1


def test_a_red_wall_behind_a_fruit_is_no_fruit() -> None:
    depth, which = balls(((0.0, 0.0, 0.40), 0.015))
    color = painted(which, RED)
    color[which < 0] = RED
    assert len(locate_apart([around(which >= 0)], frame(color, noisy(depth)))) == 1


def test_a_leaf_before_a_fruit_inside_its_outline_is_no_fruit() -> None:
    depth, which = balls(((0.0, 0.0, 0.40), 0.018))
    color = painted(which, RED)
    x, y = np.meshgrid(np.arange(CAMERA.width), np.arange(CAMERA.height))
    leaf = (which >= 0) & (x - y > 45)
    depth[leaf], color[leaf] = 0.37 + 0.0006 * (x[leaf] - 160), GREEN
    assert leaf.sum() > 200
    assert len(locate_apart([around(which >= 0)], frame(color, noisy(depth)))) == 1


def test_without_depth_or_detections_nothing_is_added() -> None:
    depth, which = balls((FRONT, 0.015), (BACK, 0.015))
    found, color = [around(which >= 0)], painted(which, RED, RED)
    assert len(locate_apart(found, frame(color, None))) == len(locate_all(found, frame(color, None))) == 1
    assert locate_apart([], frame(color, depth)) == []
    assert len(locate_apart(found, frame(color, np.zeros_like(depth)))) == 1
