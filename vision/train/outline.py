"""The outline of a labelled fruit, found by GrabCut inside its ellipse; None where the result is not believable."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

SIDE = 72
"""Pixels of the working crop; the labels are no finer."""
_WIDEN = 1.35
_SURE = 0.45
_BEYOND = 1.18
_AGREE = 0.62


def outline_of(
    color: npt.NDArray[np.uint8],
    centre: npt.NDArray[np.float64],
    axes: npt.NDArray[np.float64],
    others: list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]],
) -> npt.NDArray[np.float32] | None:
    """Return the fruit's outline [px], shape (n, 2).

    Args:
        color: RGB picture.
        centre: of the fruit [px], shape (2,).
        axes: maps the unit circle to the ellipse that the label stands for [px], shape (2, 2).
        others: centre and axes of the other labelled fruit, whose cores are no part of this one.
    """
    half = _WIDEN * np.linalg.norm(axes, axis=1)
    scale = SIDE / (2.0 * half.max())
    to_crop = np.array(
        [[scale, 0.0, SIDE / 2 - scale * centre[0]], [0.0, scale, SIDE / 2 - scale * centre[1]]], np.float64
    )
    crop = cv2.warpAffine(color, to_crop, (SIDE, SIDE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float64)
    points = np.stack([x, y], axis=-1)

    def radius(c: npt.NDArray[np.float64], a: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        inverse = np.linalg.inv(scale * a)
        here = to_crop[:, :2] @ c + to_crop[:, 2]
        return np.asarray(np.linalg.norm((points - here) @ inverse.T, axis=-1))

    own = radius(centre, axes)
    mask = np.full((SIDE, SIDE), cv2.GC_PR_BGD, np.uint8)
    mask[own < 0.95] = cv2.GC_PR_FGD
    mask[own > _BEYOND] = cv2.GC_BGD
    for c, a in others:
        mask[(radius(c, a) < 0.5) & (own > _SURE)] = cv2.GC_BGD
    mask[own < _SURE * 0.6] = cv2.GC_FGD
    if not ((mask == cv2.GC_BGD).any() and (mask == cv2.GC_FGD).any()):
        return None
    cv2.grabCut(crop, mask, None, np.zeros((1, 65)), np.zeros((1, 65)), 3, cv2.GC_INIT_WITH_MASK)
    fruit = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    fruit = cv2.morphologyEx(fruit, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    fruit = cv2.morphologyEx(fruit, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    found, _ = cv2.findContours(fruit, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not found:
        return None
    largest = max(found, key=cv2.contourArea)
    filled = np.zeros((SIDE, SIDE), np.uint8)
    cv2.drawContours(filled, [largest], -1, 1, -1)
    inside = own < 1.0
    if (filled & inside).sum() < _AGREE * (filled | inside).sum():
        return None
    smooth = cv2.approxPolyDP(largest, 0.8, closed=True)[:, 0].astype(np.float64)
    return np.asarray((smooth - to_crop[:, 2]) / scale, np.float32)
