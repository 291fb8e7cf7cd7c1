"""Measure many cameras: 1080p JPEG frames analysed per second, and what it costs in average precision."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vision.bench import average_precision, gather
from vision.bench_tables import Looked
from vision.camera.pictures import decode_picture, load_picture
from vision.labelled import RIPE, UNRIPE, LabelledPicture, labelled_pictures
from vision.streams.eyes import StreamEyes
from vision.streams.server import Eyes, serve
from vision.types import CameraError, Detector

FRAME = (1920, 1080)
QUALITY = 85
STREAMS = 4
PICTURES = 24
ROUNDS = 4


class _Bytes:
    """A stream of frames from memory."""

    live = False

    def __init__(self, frames: Sequence[bytes]) -> None:
        self._left = iter(frames)

    def read(self) -> tuple[float, bytes, tuple[str, ...]]:
        frame = next(self._left, None)
        if frame is None:
            raise CameraError("camera_lost", "all frames are shown")
        return 0.0, frame, ()

    def close(self) -> None: ...


def measure_streams(pictures_dir: Path, single: Detector, *, split: str = "val", most: int = 80) -> dict[str, Any]:
    """Measure streams of 1080p JPEGs made from labelled pictures.

    Args:
        single: the detector that looks at single pictures, for the loss.
        most: labelled pictures at which the loss is measured, spread over all.

    Returns:
        `streams_1080p_fps`: wall time, decoding included, all cores; CPU time per frame [ms]; the number of cores; and
        how much AP50 of ripe and unripe fruit the streams' way of looking loses against `single` on the same frames.
    """
    labelled = list(labelled_pictures(pictures_dir, split))
    cores = len(os.sched_getaffinity(0))
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        frames = [_filled(load_picture(p.path)) for p in labelled[:: max(1, len(labelled) // PICTURES)]][:PICTURES]
        eyes = [StreamEyes() for _ in range(cores)]
        for one in eyes:
            one.detect(frames[0])
        share = (frames * ROUNDS)[:: STREAMS // 2]
        begin, cpu = time.perf_counter(), time.process_time()
        rates = _play([share] * STREAMS, eyes)
        spent, used = time.perf_counter() - begin, time.process_time() - cpu
        count = sum(rates)
        chosen = labelled[:: max(1, -(-len(labelled) // most))]
        loss = _loss(chosen, single, eyes[0])
    finally:
        cv2.setNumThreads(threads)
    return {
        "streams_1080p_fps": round(count / spent, 1),
        "streams": {
            "cores": cores,
            "frames": count,
            "cpu_ms_per_frame": round(used / count * 1e3, 2),
            "load_average": round(os.getloadavg()[0], 1),
            **loss,
        },
    }


def _play(streams: Sequence[Sequence[bytes]], eyes: Sequence[Eyes]) -> list[int]:
    rates = serve(
        [_Bytes(s) for s in streams], eyes, lambda _: None, monotonic=time.perf_counter, stop=threading.Event()
    )
    return [r.analysed for r in rates]


def _filled(color: npt.NDArray[np.uint8]) -> bytes:
    """Return a 1080p JPEG that the picture fills, cut at its longer side."""
    h, w = color.shape[:2]
    scale = max(FRAME[0] / w, FRAME[1] / h)
    large = cv2.resize(color, (max(FRAME[0], round(w * scale)), max(FRAME[1], round(h * scale))))
    top, left = (large.shape[0] - FRAME[1]) // 2, (large.shape[1] - FRAME[0]) // 2
    return _jpeg(large[top : top + FRAME[1], left : left + FRAME[0]])


def _loss(pictures: Sequence[LabelledPicture], single: Detector, eyes: StreamEyes) -> dict[str, float | None]:
    """Return the loss of AP50 on frames that hold each whole picture, grey beside it."""
    before: list[Looked] = []
    after: list[Looked] = []
    for p in pictures:
        color = load_picture(p.path)
        h, w = color.shape[:2]
        scale = min(FRAME[0] / w, FRAME[1] / h)
        size = round(w * scale), round(h * scale)
        left, top = (FRAME[0] - size[0]) // 2, (FRAME[1] - size[1]) // 2
        frame = np.full((FRAME[1], FRAME[0], 3), 114, np.uint8)
        frame[top : top + size[1], left : left + size[0]] = cv2.resize(color, size, interpolation=cv2.INTER_AREA)
        data = _jpeg(frame)
        for kept, berries in (
            (before, single.detect(decode_picture(data, p.path.name))),
            (after, eyes.detect(data)[1]),
        ):
            shift, span = np.array([left, top] * 2), np.array(size * 2)
            boxes = [tuple(((np.array(d.box) - shift) / span).tolist()) for d in berries]
            kept.append(Looked(picture=p, berries=tuple(berries), boxes=tuple(boxes), ripeness=(), spent_s=0.0))
    figures: dict[str, float | None] = {}
    for kind, name in ((RIPE, "ripe"), (UNRIPE, "unripe")):
        two = [average_precision(gather(looked, kind, 0.5)) for looked in (before, after)]
        figures[f"ap50_{name}_single"] = None if np.isnan(two[0]) else round(two[0], 4)
        figures[f"ap50_{name}_loss"] = None if np.isnan(two[0]) else round(two[0] - two[1], 4)
    return figures


def _jpeg(color: npt.NDArray[np.uint8]) -> bytes:
    bgr = cv2.cvtColor(color, cv2.COLOR_RGB2BGR)
    return bytes(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1])
