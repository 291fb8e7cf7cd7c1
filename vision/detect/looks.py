"""Looks of the network at one picture: at a size, turned by quarters, or in a mirror."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from vision.net.decode import DecodeSettings, Found, decode
from vision.net.engine import Engine
from vision.net.layout import SIZE_MULTIPLE
from vision.net.merge import MergeSettings
from vision.net.mirror import unmirrored

Picture = npt.NDArray[np.uint8]
Array = npt.NDArray[np.float64]

_GREY = 114


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the network made of a picture at one size; `scale`: pixels of the look per pixel of the picture (x, y).

    `proto` is overwritten by the engine's next run at the same size, unless the look was in a mirror.
    """

    found: Found
    proto: npt.NDArray[np.float32]
    scale: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoSettings:
    """How a photograph is looked at, where time matters less than in a camera's frame: from all sides, then closely.

    Attributes:
        looks: longest side [px] and whether in a mirror; those beyond `enlarged_to` only where the photograph has them.
        most_enlarged: nor is a small picture looked at larger than so many times its size.
        frames: whether pictures of 640x480 pixels and less in the shape of a camera's frames are photographs too.
        upright_side: longest side at which it is looked at in all four turns [px]; the look at the chosen one counts.
        upright_margin: another turn is taken only where it tells so many times as much of hanging fruit.
        merge: how the looks are put together.
    """

    looks: tuple[tuple[int, bool], ...] = (
        (1536, False),
        (1280, False),
        (1024, False),
        (800, True),
        (800, False),
        (480, True),
        (480, False),
        (224, False),
    )
    enlarged_to: int = 1280
    most_enlarged: float = 2.0
    frames: bool = False
    upright_side: int = 320
    upright_margin: float = 1.3
    merge: MergeSettings = field(default_factory=lambda: MergeSettings(same=0.55, same_other=0.8))


def look_at(engine: Engine, color: Picture, scale: float, settings: DecodeSettings, *, mirrored: bool = False) -> Look:
    """Return what the network sees in the picture at `scale` times its size."""
    fitted, exact = _fitted(color, scale)
    if mirrored:
        head, proto = unmirrored(*engine.run(np.ascontiguousarray(fitted[:, ::-1])))
    else:
        head, proto = engine.run(fitted)
    return Look(found=decode(head, settings), proto=proto, scale=exact)


def upright(engine: Engine, color: Picture, decoding: DecodeSettings, s: PhotoSettings) -> tuple[int, Look]:
    """Return by how many quarter turns to the left fruit hangs down, and the look at the picture turned so.

    The network knows fruit that hangs, and says of its stem how sure it is: that tells a picture that stands upright
    from one that lies or stands on its head. Where no fruit is seen the picture stays as it is.
    """
    scale = min(s.upright_side / max(color.shape[:2]), s.most_enlarged)
    best, chosen, most = 0, None, 0.0
    for turn in range(4):
        look = look_at(engine, np.rot90(color, turn), scale, decoding)
        told = hanging(look.found) * (s.upright_margin if turn == 0 else 1.0)
        if chosen is None or told > most:
            # The engine overwrites its outputs at the next turn.
            kept = Look(found=look.found, proto=look.proto.copy(), scale=look.scale)
            best, chosen, most = turn, kept, max(told, 0.0)
    assert chosen is not None
    return best, chosen


def hanging(found: Found) -> float:
    """Return how clearly fruit hangs from its stem: upward parts of the stems over their spreads, by squared score."""
    sides = (found.boxes[:, 2:] - found.boxes[:, :2]).max(axis=1, initial=1.0)
    spread = np.maximum(found.stem_spread / sides, 0.03)
    return float((-found.stem[:, 1] * found.scores**2 / spread).sum())


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
    padded = np.full((high, wide, 3), _GREY, np.uint8)
    padded[: size[1], : size[0]] = small
    return padded, np.array([size[0] / w, size[1] / h])
