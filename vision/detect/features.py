"""Measure every region of a picture at once: shape from its moments, colour, texture and what surrounds it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vision.detect.colour import ColourModel
from vision.detect.regions import Regions

Array = npt.NDArray[np.float64]
Plane = npt.NDArray[np.uint8]

_AROUND = ("red", "pale", "leaf", "grey", "edge")


@dataclass(frozen=True, slots=True, kw_only=True)
class Planes:
    """What is known of every pixel of the working picture, shape (h, w) each; `sums` are integral pictures."""

    index: npt.NDArray[np.uint16]
    red: Plane
    pale: Plane
    grey: Plane
    fine: Plane
    edge: Plane
    sums: dict[str, npt.NDArray[np.int32]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Measures of n regions.

    Attributes:
        values: what the score is computed from, by name, shape (n,) each.
        box: x0, y0, x1, y1 of an ellipse with the region's moments [px], shape (n, 4).
        ripeness: share of the surface with its ripe colour, shape (n,).
        lab: mean CIELAB colour, shape (n, 3).
        area: [px^2], shape (n,).
    """

    values: dict[str, Array]
    box: Array
    ripeness: Array
    lab: Array
    area: Array


def planes_of(color: Plane, model: ColourModel) -> Planes:
    """Return the planes of an RGB working picture (h, w, 3)."""
    index = model.index(cv2.blur(color, (3, 3)))
    grey = cv2.cvtColor(color, cv2.COLOR_RGB2GRAY)
    fine = cv2.absdiff(grey, cv2.blur(grey, (5, 5)))
    gx, gy = cv2.Sobel(grey, cv2.CV_16S, 1, 0), cv2.Sobel(grey, cv2.CV_16S, 0, 1)
    edge = cv2.addWeighted(cv2.convertScaleAbs(gx, alpha=0.25), 0.7, cv2.convertScaleAbs(gy, alpha=0.25), 0.7, 0.0)
    red, pale, leaf = model.red[index], model.pale[index], model.leaf[index]
    sums = {n: cv2.integral(p) for n, p in zip(_AROUND, (red, pale, leaf, grey, edge), strict=True)}
    return Planes(index=index, red=red, pale=pale, grey=grey, fine=fine, edge=edge, sums=sums)


def measure(regions: Regions, planes: Planes, model: ColourModel) -> Measured:
    """Measure the regions of one mask."""
    n = len(regions.radius)
    height, width = regions.labels.shape
    x, y = (cv2.findNonZero(regions.labels)[:, 0, k].astype(np.intp) for k in (0, 1))
    pixels = y * width + x
    label = regions.labels.ravel()[pixels] - 1
    index = planes.index.ravel()[pixels]
    area = np.maximum(np.bincount(label, minlength=n), 1).astype(np.float64)

    def mean(values: npt.NDArray[np.generic]) -> Array:
        return np.asarray(np.bincount(label, weights=values, minlength=n) / area)

    # Colour and texture need only every second pixel.
    some, some_label = pixels[::2], label[::2]
    some_index = index[::2]
    some_area = np.maximum(np.bincount(some_label, minlength=n), 1).astype(np.float64)

    def about(values: npt.NDArray[np.generic]) -> Array:
        return np.asarray(np.bincount(some_label, weights=values, minlength=n) / some_area)

    cx, cy = mean(x), mean(y)
    dx, dy = x - cx[label], y - cy[label]
    xx, yy, xy = mean(dx * dx) + 1 / 12, mean(dy * dy) + 1 / 12, mean(dx * dy)
    root = np.sqrt(np.maximum(((xx + yy) / 2) ** 2 - (xx * yy - xy**2), 0.0))
    major, minor = (xx + yy) / 2 + root, np.maximum((xx + yy) / 2 - root, 0.05)
    lab = np.stack([about(model.lab[some_index, k]) for k in range(3)], axis=1)
    lightness, green_red = model.lab[some_index, 0], model.lab[some_index, 1]
    surface = model.surface[some_index]
    ripe = about(model.ripe[some_index] * surface) / 255 / np.maximum(about(surface), 0.02)
    border = regions.distance.ravel()[pixels] < 1.5
    border_count = np.bincount(label[border], minlength=n) + 1e-6
    border_edge = np.bincount(label[border], weights=planes.edge.ravel()[pixels[border]], minlength=n) / border_count
    half = 2 * np.sqrt(np.stack([xx, yy], axis=1))
    centre = np.stack([cx, cy], axis=1) + 0.5
    box = np.concatenate([centre - half, centre + half], axis=1)
    values = {
        "ellipse": area / (4 * np.pi * np.sqrt(major * minor)),
        "elongation": np.sqrt(major / minor),
        "upright": (yy - xx) / (xx + yy),
        "size": np.log(np.sqrt(area) / max(width, height)),
        "roundness": regions.radius / np.sqrt(area / np.pi),
        "lobes": np.log(regions.lobes),
        "lightness": lab[:, 0],
        "green_red": lab[:, 1],
        "blue_yellow": lab[:, 2],
        "red": about(planes.red.ravel()[some]),
        "pale": about(planes.pale.ravel()[some]),
        "ripe": ripe,
        "fine": about(planes.fine.ravel()[some]),
        "edge": about(planes.edge.ravel()[some]),
        "lightness_spread": np.sqrt(np.maximum(about(lightness**2) - lab[:, 0] ** 2, 0.0)),
        "green_red_spread": np.sqrt(np.maximum(about(green_red**2) - lab[:, 1] ** 2, 0.0)),
        "border_edge": border_edge,
        "border": border_count / np.sqrt(area),
        "cut_off": ((box[:, :2] < 1).any(axis=1) | (box[:, 2:] > (width - 1, height - 1)).any(axis=1)).astype(float),
    }
    values |= _surroundings(planes, centre, half)
    values["lightness_step"] = about(planes.grey.ravel()[some]) - values["around_grey"]
    return Measured(values=values, box=box, ripeness=np.clip(ripe, 0.0, 1.0), lab=lab, area=area)


def _surroundings(planes: Planes, centre: Array, half: Array) -> dict[str, Array]:
    """Return the mean of each plane in the frame between a region's box and one half as large again, and leaf above."""
    inner = np.concatenate([centre - half, centre + half], axis=1)
    outer = np.concatenate([centre - 1.5 * half, centre + 1.5 * half], axis=1)
    values = {}
    for name, sums in planes.sums.items():
        outer_sum, outer_count = _sum_in(sums, outer)
        inner_sum, inner_count = _sum_in(sums, inner)
        values[f"around_{name}"] = (outer_sum - inner_sum) / np.maximum(outer_count - inner_count, 1.0)
    above = np.stack([-0.7 * half[:, 0], -1.9 * half[:, 1], 0.7 * half[:, 0], -half[:, 1]], axis=1)
    leaf_sum, leaf_count = _sum_in(planes.sums["leaf"], np.concatenate([centre, centre], axis=1) + above)
    values["leaf_above"] = leaf_sum / leaf_count
    return values


def _sum_in(sums: npt.NDArray[np.int32], box: Array) -> tuple[Array, Array]:
    """Return sum and number of the pixels in boxes (n, 4) from an integral picture."""
    height, width = sums.shape[0] - 1, sums.shape[1] - 1
    x0, x1 = (np.clip(box[:, k], 0, width).astype(np.intp) for k in (0, 2))
    y0, y1 = (np.clip(box[:, k], 0, height).astype(np.intp) for k in (1, 3))
    total = sums[y1, x1] - sums[y0, x1] - sums[y1, x0] + sums[y0, x0]
    return total.astype(np.float64), np.maximum((x1 - x0) * (y1 - y0), 1).astype(np.float64)
