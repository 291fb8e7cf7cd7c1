"""Turn what was found in a turned picture back into the picture as it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from vision.types import Detection

Point = tuple[float, float]


def turned_back(found: list[Detection], turn: int, shape: tuple[int, ...]) -> list[Detection]:
    """Return detections in a picture that `np.rot90` turned by `turn` quarters, in that picture before.

    Args:
        shape: height and width of the picture before [px].
    """
    return [_back(d, turn % 4, shape[0], shape[1]) for d in found] if turn % 4 else found


def _back(d: Detection, turn: int, h: int, w: int) -> Detection:
    """Return one detection; pixels' centres are at whole numbers, a box ends at pixels' borders."""
    quarter = [(1, 0, 0, 1), (0, -1, 1, 0), (-1, 0, 0, -1), (0, 1, -1, 0)][turn]
    linear = np.array(quarter, np.float64).reshape(2, 2)
    border = np.array([(0.0, 0.0), (w, 0.0), (w, h), (0.0, h)][turn])

    def points(p: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray((p + 0.5) @ linear.T + border - 0.5)

    def point(p: Point | None) -> Point | None:
        return None if p is None else _pair(points(np.array(p)))

    corners = np.array(d.box).reshape(2, 2) @ linear.T + border
    low, high = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    return replace(
        d,
        box=(low[0], low[1], high[0], high[1]),
        polygon=None if d.polygon is None else points(d.polygon),
        peduncle=point(d.peduncle),
        calyx=point(d.calyx),
        stem=None if d.stem is None else _pair(linear @ np.array(d.stem)),
    )


def _pair(p: npt.NDArray[np.float64]) -> Point:
    return float(p[0]), float(p[1])
