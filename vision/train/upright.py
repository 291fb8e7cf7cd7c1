"""Which way is up in training pictures, and where hanging fruit therefore has its calyx."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vision.train.fruit import Fruit

_TABLE = Path(__file__).with_name("upright.toml")
_LEAST_ELONGATION = 1.2
_MOST_LEAN = 0.6
"""Radians from the vertical beyond which an outline's long axis says nothing about hanging."""
_CUT_SHARE = 0.28
"""Cutting point above the calyx as a share of the fruit's length: 10 mm on 36 mm."""


def upright_of(group: str, turn: npt.NDArray[np.float64] | None) -> npt.NDArray[np.float64] | None:
    """Return the linear map that brings a picture upright, shape (2, 2), determinant 1 or -1; None when not known.

    Args:
        turn: maps the photograph to this version; None when there is only one version.
    """
    quarters = tomllib.loads(_TABLE.read_text(encoding="utf-8")).get(group)
    if quarters is None:
        return None
    quarter = np.linalg.matrix_power(np.array([[0.0, -1.0], [1.0, 0.0]]), quarters)
    back = quarter if turn is None else quarter @ np.linalg.inv(turn)
    return np.asarray(back / np.sqrt(abs(np.linalg.det(back))))


def with_calyx(fruit: Fruit, up: npt.NDArray[np.float64]) -> Fruit:
    """Return a hanging fruit with calyx and cutting point where its outline tells: at the top of its long axis."""
    if fruit.outline is None or len(fruit.outline) < 5:
        return fruit
    points = fruit.outline.astype(np.float64) @ up.T
    middle = points.mean(axis=0)
    spread, axes = np.linalg.eigh(np.cov((points - middle).T))
    axis = axes[:, 1] if axes[1, 1] < 0 else -axes[:, 1]
    elongation = np.sqrt(spread[1] / max(spread[0], 1e-6))
    if elongation < _LEAST_ELONGATION or np.arccos(np.clip(-axis[1], -1, 1)) > _MOST_LEAN:
        return fruit
    along = (points - middle) @ axis
    length = along.max() - along.min()
    calyx = middle + along.max() * axis
    # The stem bends from the fruit's axis towards the vertical.
    stem = axis + np.array([0.0, -1.0])
    cut = calyx + _CUT_SHARE * length * stem / np.linalg.norm(stem)
    back = np.linalg.inv(up)
    return replace(fruit, calyx=np.asarray(back @ calyx, np.float32), peduncle=np.asarray(back @ cut, np.float32))
