"""The network as a detector: any RGB picture in, berries with outline, ripeness, peduncle and uncertainties out."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from vision.net.decode import DecodeSettings, Found, decode
from vision.net.engine import Engine
from vision.net.layout import SIZE_MULTIPLE
from vision.net.masks import outline_of
from vision.net.modelfile import ModelFile, shipped_model
from vision.ripeness import stage_of, to_lab
from vision.types import Detection, Stage

Picture = npt.NDArray[np.uint8]
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """How pictures are given to the network.

    Attributes:
        precision: "int8" or "fp32"; int8 takes half the time.
        working_side: pictures are reduced to this longest side [px]; cameras of 640x480 pass unchanged.
        smallest_side: pictures whose longest side is shorter are enlarged to it, twice at most [px].
        outline_score: berries of at least this score get an outline; each costs 0.05 ms.
        decode: how centres become berries.
    """

    precision: str = "int8"
    working_side: int = 640
    smallest_side: int = 320
    outline_score: float = 0.2
    decode: DecodeSettings = field(default_factory=DecodeSettings)


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
        fitted, scale = _fitted(color, self._settings)
        head, proto = self._engine.run(fitted)
        found = decode(head, self._settings.decode)
        return self._detections(found, proto, _stages(fitted, found), scale=scale, shape=color.shape)

    def _detections(
        self, found: Found, proto: npt.NDArray[np.float32], stages: list[Stage], *, scale: Array, shape: tuple[int, ...]
    ) -> list[Detection]:
        """Return what was found in pixels of the picture of `shape`; what lies in the padding is left out."""
        limit = np.array([shape[1], shape[0]], np.float64)
        boxes = np.clip(found.boxes / np.tile(scale, 2), 0, np.tile(limit, 2))
        sides = boxes[:, 2:] - boxes[:, :2]
        inside = np.flatnonzero((sides > 1.0 / scale).all(axis=1)).tolist()
        box, score, ripeness = boxes.tolist(), found.scores.tolist(), found.ripeness.tolist()
        calyx, peduncle = (((p + 0.5) / scale - 0.5).tolist() for p in (found.calyx, found.peduncle))
        stem, visible = found.stem.tolist(), np.clip(found.visible, 0.05, 1.0).tolist()
        box_spread = (found.box_spread * sides.max(axis=1, initial=0.0) / 2).tolist()
        ripeness_spread, peduncle_spread = found.ripeness_spread.tolist(), (found.stem_spread / scale[0]).tolist()
        least = self._settings.outline_score
        return [
            Detection(
                box=tuple(box[i]),
                score=score[i],
                ripeness=ripeness[i],
                stage=stages[i],
                polygon=_outline(found, i, proto, scale, limit) if score[i] >= least else None,
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


def _outline(found: Found, i: int, proto: npt.NDArray[np.float32], scale: Array, limit: Array) -> Array | None:
    outline = outline_of(proto, found.weights[i], found.boxes[i])
    return None if outline is None else np.clip((outline + 0.5) / scale - 0.5, 0, limit - 1)


def _fitted(color: Picture, s: NetworkSettings) -> tuple[Picture, Array]:
    """Return the picture at the network's size, grey below and to the right, and the scale it was changed by (x, y)."""
    h, w = color.shape[:2]
    longest = max(h, w)
    scale = min(1.0, s.working_side / longest)
    if longest < s.smallest_side:
        scale = min(2.0, s.smallest_side / longest)
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


def _stages(picture: Picture, found: Found) -> list[Stage]:
    """Return each berry's stage, by its ripeness and the median colour of its middle."""
    if len(found.scores) == 0:
        return []
    h, w = picture.shape[:2]
    middle = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2
    reach = (found.boxes[:, 2:] - found.boxes[:, :2]) * 0.22
    steps = np.linspace(-1.0, 1.0, 5)
    x = np.clip(middle[:, 0, None] + reach[:, 0, None] * steps, 0, w - 1).astype(np.int64)
    y = np.clip(middle[:, 1, None] + reach[:, 1, None] * steps, 0, h - 1).astype(np.int64)
    samples = picture[y[:, :, None], x[:, None, :]].reshape(len(x), -1, 3)
    colours = np.median(to_lab(samples), axis=1)
    return [stage_of(float(r), colour) for r, colour in zip(found.ripeness, colours, strict=True)]
