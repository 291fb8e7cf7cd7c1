"""One labelled fruit of a training picture, in a form that any affine map carries along."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fruit:
    """One fruit; lengths in pixels of its picture. What is None or nan was not labelled and costs nothing.

    Attributes:
        ripe: the label's class.
        centre: shape (2,).
        axes: maps the unit circle to the ellipse inscribed in the fruit's box before any turning, shape (2, 2).
        outline: of the visible surface, shape (n, 2).
        ripeness: share of the visible surface with its ripe colour, 0-1, or nan.
        calyx: where the peduncle meets the calyx, shape (2,).
        peduncle: cutting point, shape (2,).
        visible: share that is not hidden, 0-1, or nan.
    """

    ripe: bool
    centre: Array
    axes: Array
    outline: Array | None = None
    ripeness: float = float("nan")
    calyx: Array | None = None
    peduncle: Array | None = None
    visible: float = float("nan")

    @property
    def box(self) -> Array:
        """Left, top, right, bottom [px]: of the outline, else of the ellipse."""
        if self.outline is not None:
            return np.concatenate([self.outline.min(axis=0), self.outline.max(axis=0)])
        half = np.linalg.norm(self.axes, axis=1)
        return np.concatenate([self.centre - half, self.centre + half])

    @property
    def core(self) -> Array:
        """Points around the middle of the ellipse, where surely is fruit [px], shape (12, 2)."""
        angle = np.linspace(0.0, 2.0 * np.pi, 12, endpoint=False)
        circle = np.stack([np.cos(angle), np.sin(angle)]).astype(np.float32)
        return np.asarray(self.centre + 0.6 * (self.axes @ circle).T, np.float32)

    def moved(self, affine: npt.NDArray[np.float64]) -> Fruit:
        """Return the fruit after `affine`, shape (2, 3)."""
        linear = affine[:, :2].astype(np.float32)
        offset = affine[:, 2].astype(np.float32)

        def point(p: Array | None) -> Array | None:
            return None if p is None else p @ linear.T + offset

        return replace(
            self,
            centre=linear @ self.centre + offset,
            axes=linear @ self.axes,
            outline=point(self.outline),
            calyx=point(self.calyx),
            peduncle=point(self.peduncle),
        )


def fruit_of_box(kind: int, box: npt.ArrayLike) -> Fruit:
    """Return the fruit that a label's box [px] stands for; class 0 is ripe."""
    x0, y0, x1, y1 = np.asarray(box, np.float32)
    return Fruit(
        ripe=kind == 0,
        centre=np.array([(x0 + x1) / 2, (y0 + y1) / 2], np.float32),
        axes=np.diag([max((x1 - x0) / 2, 0.5), max((y1 - y0) / 2, 0.5)]).astype(np.float32),
    )
