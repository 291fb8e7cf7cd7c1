"""Analyse one frame of a stream: the JPEG decoded no finer than the network looks, boxes in full pixels."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vision.camera.header import read_header
from vision.camera.pictures import MAX_PIXELS, decode_picture
from vision.detect.network import NetworkDetector, NetworkSettings
from vision.net.decode import DecodeSettings
from vision.types import Detection, Detector

Picture = npt.NDArray[np.uint8]

WORKING_SIDE = 736
"""Longer side of the first look [px]; fruit that is large in it is looked at in half the size too. Of a 16:9 frame it
fills whole multiples of 32, so that it takes 2 % more time than 704. On 73 `train` pictures in 1080p frames it loses
1.1 points of AP50 of ripe fruit against all looks of a camera and none of unripe; 704 loses 4.0 and 0.2."""

LEAST_SCORE = 0.1
"""What scores less is not reported: about a quarter of what the network tells of, and no point of AP50."""

_REDUCED = ((8, cv2.IMREAD_REDUCED_COLOR_8), (4, cv2.IMREAD_REDUCED_COLOR_4), (2, cv2.IMREAD_REDUCED_COLOR_2))


class StreamEyes:
    """Find berries in frames of a stream: RGB, or the bytes of a JPEG. Not for several threads at once."""

    def __init__(self, detector: Detector | None = None, working_side: int = WORKING_SIDE) -> None:
        self._side = working_side
        self._detector = detector or NetworkDetector(
            NetworkSettings(
                looks=(1.0, 0.5),
                still_looks=(1.0, 0.5),
                working_side=working_side,
                outlines=False,  # with a full bed they took a quarter of the time, and a stream is for counting
                decode=DecodeSettings(least=LEAST_SCORE),
                frame_decode=DecodeSettings(least=LEAST_SCORE),
            )
        )
        # OpenVINO's first calls must not come from two threads at once: they wait for each other for ever.
        self._detector.detect(np.zeros((working_side * 9 // 16, working_side, 3), np.uint8))

    def detect(self, frame: Picture | bytes) -> tuple[tuple[int, int], list[Detection]]:
        """Return the frame's full width and height [px] and its berries, in pixels of the full frame.

        Raises:
            ValueError: the bytes are no picture, or cut short.
        """
        if not isinstance(frame, bytes):
            return (frame.shape[1], frame.shape[0]), self._detector.detect(frame)
        small, size = decode_reduced(frame, self._side)
        scale = size[0] / small.shape[1], size[1] / small.shape[0]
        found = self._detector.detect(small)
        return size, found if scale == (1.0, 1.0) else [enlarged(d, scale) for d in found]


def decode_reduced(data: bytes, side: int) -> tuple[Picture, tuple[int, int]]:
    """Return a JPEG as RGB with a longer side of at most `side` [px], and its full width and height [px].

    JPEG's blocks are transformed straight to the smallest of 1, 1/2, 1/4, 1/8 that still has `side`, which is what
    saves the time; the rest, less than one half, is interpolated, eight times as fast as averaging areas.

    Raises:
        ValueError: it is no picture, cut short, or too large.
    """
    header = read_header(data)
    if header is None or not data.startswith(b"\xff\xd8"):
        whole = decode_picture(data, "the frame")
        return whole, (whole.shape[1], whole.shape[0])
    if not header.complete or not 0 < header.width * header.height <= MAX_PIXELS:
        raise ValueError("expected a whole JPEG, got one that is cut short or too large: the stream was disturbed")
    longest = max(header.width, header.height)
    flag = next((flag for factor, flag in _REDUCED if longest >= side * factor), cv2.IMREAD_COLOR)
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    if decoded is None:
        raise ValueError("expected a JPEG, got bytes that cannot be decoded: the stream was disturbed")
    rest = side / max(decoded.shape[:2])
    if 0.5 < rest < 1.0:
        size = max(1, round(decoded.shape[1] * rest)), max(1, round(decoded.shape[0] * rest))
        decoded = cv2.resize(decoded, size, interpolation=cv2.INTER_LINEAR)
    color: Picture = cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)
    turned = (color.shape[1] >= color.shape[0]) != (header.width >= header.height)  # by its EXIF orientation
    return color, (header.height, header.width) if turned else (header.width, header.height)


def enlarged(d: Detection, scale: tuple[float, float]) -> Detection:
    """Return a detection in a picture that is `scale` (x, y) times larger; pixel centres are at whole numbers."""
    sx, sy = scale
    x, y = 0.5 * sx - 0.5, 0.5 * sy - 0.5
    x0, y0, x1, y1 = d.box
    return Detection(  # not `replace`, which takes three times as long
        box=(x0 * sx, y0 * sy, x1 * sx, y1 * sy),
        score=d.score,
        ripeness=d.ripeness,
        stage=d.stage,
        polygon=None if d.polygon is None else (d.polygon + 0.5) * scale - 0.5,
        peduncle=None if d.peduncle is None else (d.peduncle[0] * sx + x, d.peduncle[1] * sy + y),
        visible=d.visible,
        calyx=None if d.calyx is None else (d.calyx[0] * sx + x, d.calyx[1] * sy + y),
        stem=d.stem,
        box_spread=None if d.box_spread is None else d.box_spread * sx,
        ripeness_spread=d.ripeness_spread,
        peduncle_spread=None if d.peduncle_spread is None else d.peduncle_spread * sx,
    )
