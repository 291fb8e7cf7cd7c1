"""Cut real fruit out of one picture and paste it into another: more backgrounds and overlaps for the same fruit."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vision.train.cache import Cache
from vision.train.fruit import Fruit

Picture = npt.NDArray[np.uint8]
Box = npt.NDArray[np.float32]

_LEAST_SIDE = 36.0
_SIZE_PX = (18.0, 110.0)
_TURN = 0.25
_HIDDEN_FROM = 0.6
_EDGE = 4
_LEAST_SHOWN = 6


class FruitBank:
    """Outlined fruit of real pictures, large enough to be cut out."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._cuts = [
            (i, j)
            for i, sample in enumerate(cache.samples)
            if not sample.group.startswith("rendered")
            for j, f in enumerate(sample.fruit)
            if f.outline is not None and np.ptp(f.outline, axis=0).min() >= _LEAST_SIDE and _whole(f, sample.size)
        ]

    def __len__(self) -> int:
        return len(self._cuts)

    def paste(
        self, picture: Picture, fruit: list[Fruit], boxes: list[Box], rng: np.random.Generator
    ) -> tuple[list[Fruit], list[Box]]:
        """Paste one fruit into `picture`, in place, and return what is labelled now."""
        i, j = self._cuts[int(rng.integers(len(self._cuts)))]
        sample = self._cache.samples[i]
        cut = sample.fruit[j]
        assert cut.outline is not None
        side = picture.shape[0]
        length = float(np.sqrt(np.prod(np.ptp(cut.outline, axis=0))))
        scale = min(2.0, float(np.exp(rng.uniform(*np.log(_SIZE_PX)))) / length)
        turn = rng.normal(0.0, _TURN)
        linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        linear = linear @ (np.eye(2) if sample.up is None else sample.up) @ np.diag([rng.choice([-1.0, 1.0]), 1.0])
        target = rng.uniform(0.0, side, 2)
        affine = np.concatenate([linear, (target - linear @ cut.outline.mean(axis=0))[:, None]], axis=1)
        new = cut.moved(affine)
        assert new.outline is not None
        box = np.concatenate([new.outline.min(axis=0), new.outline.max(axis=0)]).clip(0, side).astype(np.float32)
        if (box[2:] - box[:2] < _LEAST_SHOWN).any():
            return fruit, boxes
        _blend(picture, self._cache.picture(sample), affine, new.outline)
        kept = [k for k, b in enumerate(boxes) if _covered(b, box) < _HIDDEN_FROM]
        return [*(fruit[k] for k in kept), new], [*(boxes[k] for k in kept), box]


def _whole(fruit: Fruit, size: tuple[int, int]) -> bool:
    assert fruit.outline is not None
    return bool((fruit.outline > 3).all() and (fruit.outline < np.array(size[::-1]) - 4).all())


def _blend(
    picture: Picture, source: Picture, affine: npt.NDArray[np.float64], outline: npt.NDArray[np.float32]
) -> None:
    """Lay the outlined part of the moved `source` over `picture`, with soft edges."""
    low = np.maximum(np.floor(outline.min(axis=0)) - _EDGE, 0).astype(int)
    high = np.minimum(np.ceil(outline.max(axis=0)) + _EDGE, picture.shape[0]).astype(int)
    w, h = (int(v) for v in high - low)
    shifted = affine.copy()
    shifted[:, 2] -= low
    patch = cv2.warpAffine(source, shifted, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask = np.zeros((h, w), np.uint8)
    cv2.fillPoly(mask, [np.round((outline - low) * 16).astype(np.int32)], 255, lineType=cv2.LINE_AA, shift=4)
    soft = cv2.blur(mask, (3, 3)).astype(np.float32)[..., None] / 255.0
    window = picture[low[1] : high[1], low[0] : high[0]]
    window[:] = (soft * patch + (1.0 - soft) * window).astype(np.uint8)


def _covered(box: Box, by: Box) -> float:
    """Return the share of `box` that `by` covers."""
    shared = np.clip(np.minimum(box[2:], by[2:]) - np.maximum(box[:2], by[:2]), 0, None).prod()
    return float(shared / max(float((box[2:] - box[:2]).prod()), 1e-6))
