"""The network as a detector: any RGB picture in, berries with outline, ripeness, peduncle and uncertainties out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from vision.detect.looks import Look, PhotoSettings, look_at, upright
from vision.detect.tint import middle_tints
from vision.detect.turned import turned_back
from vision.net.decode import DecodeSettings, Found
from vision.net.engine import Engine
from vision.net.masks import outlines_of
from vision.net.merge import Merged, MergeSettings, merged
from vision.net.modelfile import ModelFile, shipped_model
from vision.ripeness import LABELLED_RIPE_FROM, stage_of
from vision.types import Detection, Stage

Picture = npt.NDArray[np.uint8]
Array = npt.NDArray[np.float64]

FRAME_PIXELS = 640 * 480
_FRAMES = (4 / 3, 16 / 9)
"""Longer over shorter side of cameras' frames; 424x240 and the like are within two per cent."""

_UNSURE = 0.1
"""Told error of the ripeness from which colour has half a say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """How pictures are given to the network.

    Attributes:
        precision: "int8" or "fp32"; int8 takes a third of the time.
        looks: sizes at which a picture is looked at, over its own size; later looks are for large fruit, which the
            network knows best at half the size.
        still_looks: the same for pictures of more than 640x480 pixels, where time matters less.
        photo: how pictures are looked at instead where time hardly matters: those of more than 640x480 pixels, and
            smaller ones that are neither 4:3 nor 16:9 as a camera's frames are, or all of them; None: as `looks` and
            `still_looks` say.
        large: frames of 640x480 and less get their later looks only where the first shows fruit of this side [px], or
            none at all.
        working_side: no look of a frame has a longer side [px].
        smallest_side: the first look has at least this longest side, unless that more than doubles the picture [px].
        box_growth: sides of the boxes over those that the network was taught, which are those of the fruit's very
            outline: people draw a little around it.
        clear: berries of at least this score are taken for there; they get an outline, which costs 0.04 ms each.
        outlines: whether there are outlines at all.
        decode: how centres become berries.
        frame_decode: the same for frames of 640x480 and less, where the tail costs time.
        merge: how looks are put together, those of photographs aside.
    """

    precision: str = "int8"
    looks: tuple[float, ...] = (1.0, 0.5)
    still_looks: tuple[float, ...] = (1.2, 0.5)
    photo: PhotoSettings | None = None
    large: float = 150.0
    working_side: int = 960
    smallest_side: int = 320
    box_growth: float = 1.08
    clear: float = 0.25
    outlines: bool = True
    decode: DecodeSettings = field(default_factory=DecodeSettings)
    frame_decode: DecodeSettings = field(default_factory=lambda: DecodeSettings(least=0.2))
    merge: MergeSettings = field(default_factory=MergeSettings)


class NetworkDetector:
    """Find berries with the trained network; a `Detector`."""

    def __init__(self, settings: NetworkSettings | None = None, model: ModelFile | None = None) -> None:
        """Load the shipped model, or `model`.

        Raises:
            ModelFileError: the model is missing, damaged or of another version.
        """
        self._settings = settings or NetworkSettings()
        self._engine = Engine(model or shipped_model(self._settings.precision), prototypes=self._settings.outlines)

    def detect(self, color: Picture) -> list[Detection]:
        """Return the berries seen in `color` (RGB, shape (h, w, 3)), best score first.

        Raises:
            ValueError: `color` is not an RGB picture of 8 bits per channel.
        """
        if color.ndim != 3 or color.shape[2] != 3 or color.dtype != np.uint8 or color.size == 0:
            raise ValueError(f"expected an RGB picture (h, w, 3) of uint8, got {color.shape} of {color.dtype}")
        s = self._settings
        if _is_small(color.shape) and (s.photo is None or (_is_frame(color.shape) and not s.photo.frames)):
            first, *later = scales_of(color.shape, s)
            looks = [look_at(self._engine, color, first, s.frame_decode)]
            if _shows_large(looks[0].found, s):
                looks += [look_at(self._engine, color, scale, s.frame_decode) for scale in later]
            return self._told(color, looks, s.merge)
        if s.photo is None:
            looks = [look_at(self._engine, color, k, s.decode) for k in scales_of(color.shape, s)]
            return self._told(color, looks, s.merge)
        return self._photograph(color, s.photo)

    def _photograph(self, color: Picture, photo: PhotoSettings) -> list[Detection]:
        """Return the berries of a picture that may lie or stand on its head."""
        turn, first = upright(self._engine, color, self._settings.decode, photo)
        turned = np.ascontiguousarray(np.rot90(color, turn))
        longest = max(color.shape[:2])
        looks = [
            look_at(self._engine, turned, side / longest, self._settings.decode, mirrored=mirrored)
            for side, mirrored in photo.looks
            if side <= longest or side <= min(photo.enlarged_to, photo.most_enlarged * longest)
        ]
        return turned_back(self._told(turned, [first, *looks], photo.merge), turn, color.shape)

    def _told(self, color: Picture, looks: list[Look], merge: MergeSettings) -> list[Detection]:
        berries = merged([k.found for k in looks], [k.scale for k in looks], merge)
        found, stages = _checked_by_colour(color, berries.found)
        return self._detections(replace(berries, found=found), looks, stages, shape=color.shape)

    def _detections(
        self, berries: Merged, looks: list[Look], stages: list[Stage], *, shape: tuple[int, ...]
    ) -> list[Detection]:
        """Return what was found in the picture of `shape`; what lies in the padding is left out."""
        found = berries.found
        limit = np.array([shape[1], shape[0]] * 2, np.float64)
        boxes = _grown(found.boxes.astype(np.float64), self._settings.box_growth)
        boxes = np.minimum(np.maximum(boxes, 0.0), limit)
        sides = boxes[:, 2:] - boxes[:, :2]
        finest = max(float(k.scale[0]) for k in looks)
        inside = np.flatnonzero((sides > 1.0 / finest).all(axis=1)).tolist()
        box, score, ripeness = boxes.tolist(), found.scores.tolist(), found.ripeness.tolist()
        calyx, peduncle, stem = found.calyx.tolist(), found.peduncle.tolist(), found.stem.tolist()
        visible = np.clip(found.visible, 0.05, 1.0).tolist()
        box_spread = (found.box_spread * sides.max(axis=1, initial=0.0) / 2).tolist()
        ripeness_spread, peduncle_spread = found.ripeness_spread.tolist(), found.stem_spread.tolist()
        clear = (found.scores >= self._settings.clear) & self._settings.outlines
        outlines = _outlines(berries, looks, clear, limit[:2] - 1.0)
        return [
            Detection(
                box=tuple(box[i]),
                score=score[i],
                ripeness=ripeness[i],
                stage=stages[i],
                polygon=outlines[i],
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
    chosen = s.looks if _is_small(shape) else s.still_looks
    first = max(chosen[0], min(2.0, s.smallest_side / longest))
    first = min(first, s.working_side / longest)
    return [first * look / chosen[0] for look in chosen]


def _is_small(shape: tuple[int, ...]) -> bool:
    return shape[0] * shape[1] <= FRAME_PIXELS


def _is_frame(shape: tuple[int, ...]) -> bool:
    """Return whether a picture has the sides of cameras' frames; photographs for learning are often square."""
    sides = max(shape[:2]) / min(shape[:2])
    return any(abs(sides / usual - 1.0) < 0.02 for usual in _FRAMES)


def _shows_large(found: Found, s: NetworkSettings) -> bool:
    """Return whether fruit may be there that is too large for this look."""
    clear = found.scores >= s.clear
    sides = (found.boxes[:, 2:] - found.boxes[:, :2])[clear]
    return not clear.any() or bool((sides.max(axis=1) > s.large).any())


def _outlines(berries: Merged, looks: list[Look], clear: npt.NDArray[np.bool_], last: Array) -> list[Array | None]:
    """Return the outline of each berry [px of the picture, of which `last` is the last (x, y)]; None if not `clear`."""
    outlines: list[Array | None] = [None] * len(clear)
    for number, look in enumerate(looks):
        mine = np.flatnonzero((berries.look == number) & clear)
        if len(mine):
            own = berries.own[mine]
            found = outlines_of(look.proto, look.found.weights[own], look.found.boxes[own], look.scale, last)
            for i, outline in zip(mine.tolist(), found, strict=True):
                outlines[i] = outline
    return outlines


def _grown(boxes: Array, by: float) -> Array:
    """Return the boxes with their sides `by` times as long."""
    more = (boxes[:, 2:] - boxes[:, :2]) * ((by - 1.0) / 2)
    return np.concatenate([boxes[:, :2] - more, boxes[:, 2:] + more], axis=1)


def _checked_by_colour(picture: Picture, found: Found) -> tuple[Found, list[Stage]]:
    """Return the berries with their ripeness checked by colour, and each berry's stage.

    Where the network is not sure, the share of red among points inside the box has up to half a say; the side of 0.5,
    on which the network is trained with labels, stays. It halves the fruit that is told ripe and is not.
    """
    if len(found.scores) == 0:
        return found, []
    red, colours = middle_tints(picture, found.boxes)
    say = 0.5 * np.minimum(found.ripeness_spread / _UNSURE, 1.0)
    mixed = (1.0 - say) * found.ripeness + say * red
    ripeness = np.where(found.ripeness >= LABELLED_RIPE_FROM, np.maximum(mixed, 0.5), np.minimum(mixed, 0.499))
    stages = [stage_of(r, colour) for r, colour in zip(ripeness.tolist(), colours.tolist(), strict=True)]
    return replace(found, ripeness=ripeness.astype(np.float32)), stages
