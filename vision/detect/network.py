"""The network as a detector: any RGB picture in, berries with outline, ripeness, peduncle and uncertainties out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import numpy.typing as npt

from vision.net.decode import DecodeSettings, Found, decode
from vision.net.engine import Engine
from vision.net.layout import SIZE_MULTIPLE
from vision.net.masks import outline_of
from vision.net.merge import Merged, MergeSettings, merged
from vision.net.modelfile import ModelFile, shipped_model
from vision.ripeness import LABELLED_RIPE_FROM, is_surface, ripe_degree, stage_of, to_lab
from vision.types import Detection, Stage

Picture = npt.NDArray[np.uint8]
Array = npt.NDArray[np.float64]

FRAME_PIXELS = 640 * 480

_UNSURE = 0.1
"""Told error of the ripeness from which colour has half a say."""
_REACH = 0.4
_GRID = np.stack(np.meshgrid(np.linspace(-1.0, 1.0, 7), np.linspace(-1.0, 1.0, 7)), axis=-1).reshape(-1, 2)
_POINTS = _GRID[np.hypot(_GRID[:, 0], _GRID[:, 1]) <= 1.03]
"""Places in a fruit's middle where its colour is looked at, in shares of `_REACH` times its box."""
_CENTRAL = np.flatnonzero(np.abs(_POINTS).max(axis=1) < 0.6)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """How pictures are given to the network.

    Attributes:
        precision: "int8" or "fp32"; int8 takes a third of the time.
        looks: sizes at which a picture is looked at, over its own size; later looks are for large fruit, which the
            network knows best at half the size.
        still_looks: the same for pictures of more than 640x480 pixels, where time matters less.
        large: frames of 640x480 and less get their later looks only where the first shows fruit of this side [px], or
            none at all.
        working_side: no look has a longer side [px].
        smallest_side: the first look has at least this longest side, unless that more than doubles the picture [px].
        outline_score: berries of at least this score get an outline; each costs 0.05 ms.
        decode: how centres become berries.
        merge: how looks are put together.
    """

    precision: str = "int8"
    looks: tuple[float, ...] = (1.0, 0.5)
    still_looks: tuple[float, ...] = (1.2, 0.5)
    large: float = 90.0
    working_side: int = 960
    smallest_side: int = 320
    outline_score: float = 0.2
    decode: DecodeSettings = field(default_factory=DecodeSettings)
    merge: MergeSettings = field(default_factory=MergeSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What the network made of a picture at one size; `scale`: pixels of the look per pixel of the picture (x, y)."""

    found: Found
    proto: npt.NDArray[np.float32]
    scale: Array


class NetworkDetector:
    """Find berries with the trained network; a `Detector`."""

    def __init__(self, settings: NetworkSettings | None = None, model: ModelFile | None = None) -> None:
        """Load the shipped model, or `model`.

        Raises:
            ModelFileError: the model is missing, damaged or of another version.
        """
        self._settings = settings or NetworkSettings()
        self._engine = Engine(model or shipped_model(self._settings.precision))

    def detect(self, color: Picture) -> list[Detection]:
        """Return the berries seen in `color` (RGB, shape (h, w, 3)), best score first.

        Raises:
            ValueError: `color` is not an RGB picture of 8 bits per channel.
        """
        if color.ndim != 3 or color.shape[2] != 3 or color.dtype != np.uint8 or color.size == 0:
            raise ValueError(f"expected an RGB picture (h, w, 3) of uint8, got {color.shape} of {color.dtype}")
        first, *later = scales_of(color.shape, self._settings)
        looks = [self._look(color, first)]
        if color.shape[0] * color.shape[1] > FRAME_PIXELS or _shows_large(looks[0].found, self._settings):
            looks += [self._look(color, scale) for scale in later]
        berries = merged([k.found for k in looks], [k.scale for k in looks], self._settings.merge)
        found, stages = _checked_by_colour(color, berries.found)
        return self._detections(replace(berries, found=found), looks, stages, shape=color.shape)

    def _look(self, color: Picture, scale: float) -> _Look:
        fitted, exact = _fitted(color, scale)
        head, proto = self._engine.run(fitted)
        return _Look(found=decode(head, self._settings.decode), proto=proto, scale=exact)

    def _detections(
        self, berries: Merged, looks: list[_Look], stages: list[Stage], *, shape: tuple[int, ...]
    ) -> list[Detection]:
        """Return what was found in the picture of `shape`; what lies in the padding is left out."""
        found = berries.found
        limit = np.array([shape[1], shape[0]], np.float64)
        boxes = np.clip(found.boxes.astype(np.float64), 0, np.tile(limit, 2))
        sides = boxes[:, 2:] - boxes[:, :2]
        finest = max(float(k.scale[0]) for k in looks)
        inside = np.flatnonzero((sides > 1.0 / finest).all(axis=1)).tolist()
        box, score, ripeness = boxes.tolist(), found.scores.tolist(), found.ripeness.tolist()
        calyx, peduncle, stem = found.calyx.tolist(), found.peduncle.tolist(), found.stem.tolist()
        visible = np.clip(found.visible, 0.05, 1.0).tolist()
        box_spread = (found.box_spread * sides.max(axis=1, initial=0.0) / 2).tolist()
        ripeness_spread, peduncle_spread = found.ripeness_spread.tolist(), found.stem_spread.tolist()
        least = self._settings.outline_score
        return [
            Detection(
                box=tuple(box[i]),
                score=score[i],
                ripeness=ripeness[i],
                stage=stages[i],
                polygon=_outline(berries, looks, i, limit) if score[i] >= least else None,
                peduncle=tuple(peduncle[i]),
                calyx=tuple(calyx[i]),
                stem=tuple(stem[i]),
                visible=visible[i],
                box_spread=box_spread[i],
                ripeness_spread=ripeness_spread[i],
                peduncle_spread=peduncle_spread[i],
            )
            for i in inside
        ]


def scales_of(shape: tuple[int, ...], s: NetworkSettings) -> list[float]:
    """Return the sizes at which a picture of `shape` is looked at, over its own."""
    longest = max(shape[:2])
    chosen = s.looks if shape[0] * shape[1] <= FRAME_PIXELS else s.still_looks
    first = max(chosen[0], min(2.0, s.smallest_side / longest))
    first = min(first, s.working_side / longest)
    return [first * look / chosen[0] for look in chosen]


def _shows_large(found: Found, s: NetworkSettings) -> bool:
    """Return whether fruit may be there that is too large for this look."""
    clear = found.scores >= s.outline_score
    sides = (found.boxes[:, 2:] - found.boxes[:, :2])[clear]
    return not clear.any() or bool((sides.max(axis=1) > s.large).any())


def _outline(berries: Merged, looks: list[_Look], i: int, limit: Array) -> Array | None:
    look = looks[int(berries.look[i])]
    k = int(berries.own[i])
    outline = outline_of(look.proto, look.found.weights[k], look.found.boxes[k])
    return None if outline is None else np.clip((outline + 0.5) / look.scale - 0.5, 0, limit - 1)


def _fitted(color: Picture, scale: float) -> tuple[Picture, Array]:
    """Return the picture for one look, grey below and to the right, and by how much it was scaled exactly (x, y)."""
    h, w = color.shape[:2]
    size = max(1, round(w * scale)), max(1, round(h * scale))
    small = color
    if size != (w, h):
        small = cv2.resize(color, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    wide, high = (-(-n // SIZE_MULTIPLE) * SIZE_MULTIPLE for n in size)
    if (wide, high) == size:
        return np.ascontiguousarray(small), np.array([size[0] / w, size[1] / h])
    padded = np.full((high, wide, 3), 114, np.uint8)
    padded[: size[1], : size[0]] = small
    return padded, np.array([size[0] / w, size[1] / h])


def _checked_by_colour(picture: Picture, found: Found) -> tuple[Found, list[Stage]]:
    """Return the berries with their ripeness checked by colour, and each berry's stage.

    Where the network is not sure, the share of red among points inside the box has up to half a say; the side of 0.5,
    on which the network is trained with labels, stays. It halves the fruit that is told ripe and is not.
    """
    if len(found.scores) == 0:
        return found, []
    h, w = picture.shape[:2]
    middle = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2
    reach = (found.boxes[:, 2:] - found.boxes[:, :2]) * _REACH
    places = np.clip(middle[:, None] + reach[:, None] * _POINTS, 0, [w - 1, h - 1]).astype(np.int64)
    lab = to_lab(picture[places[..., 1], places[..., 0]])
    shown = is_surface(lab)
    shown |= ~shown.any(axis=1, keepdims=True)
    red = (ripe_degree(lab) * shown).sum(axis=1) / shown.sum(axis=1)
    say = 0.5 * np.minimum(found.ripeness_spread / _UNSURE, 1.0)
    mixed = (1.0 - say) * found.ripeness + say * red
    ripeness = np.where(found.ripeness >= LABELLED_RIPE_FROM, np.maximum(mixed, 0.5), np.minimum(mixed, 0.499))
    colours = np.median(lab[:, _CENTRAL], axis=1)
    stages = [stage_of(float(r), colour) for r, colour in zip(ripeness, colours, strict=True)]
    return replace(found, ripeness=ripeness.astype(np.float32)), stages
