"""Serve many cameras: a thread reads each, workers find berries, one thread hears the results."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from vision.camera.folder import FolderCamera, picture_files
from vision.camera.selfcheck import SelfcheckState, check
from vision.camera.sources import open_camera
from vision.streams.post import Post
from vision.types import Camera, CameraError, Detection, Frame

RETRY_S = 1.0
"""Pause before a camera that is lost is tried again."""


class Eyes(Protocol):
    """What a worker looks with; see `StreamEyes`."""

    def detect(self, frame: npt.NDArray[np.uint8] | bytes) -> tuple[tuple[int, int], list[Detection]]: ...


class Source(Protocol):
    """A stream: `live` ones drop frames and come back after a fault, files wait and end."""

    @property
    def live(self) -> bool: ...

    def read(self) -> tuple[float, npt.NDArray[np.uint8] | bytes, tuple[str, ...]]:
        """Return the instant [s], RGB or a JPEG's bytes, and the faults of the camera's self-check.

        Raises:
            CameraError: it is lost, or a file is at its end.
        """
        ...

    def close(self) -> None: ...


class CameraSource:
    """A camera as a stream, with its self-check."""

    def __init__(self, camera: Camera) -> None:
        self._camera, self._state = camera, SelfcheckState()
        self.live = not isinstance(camera, FolderCamera)

    def read(self) -> tuple[float, npt.NDArray[np.uint8] | bytes, tuple[str, ...]]:
        frame: Frame = self._camera.read()
        faults, self._state = check(frame, self._state)
        return frame.stamp, frame.color, faults

    def close(self) -> None:
        self._camera.close()


class FileSource:
    """Picture files as a stream of their bytes, which are decoded no finer than needed."""

    live = False

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        self._files, self._now = picture_files(path), now
        self._left = iter(self._files)

    def read(self) -> tuple[float, npt.NDArray[np.uint8] | bytes, tuple[str, ...]]:
        path = next(self._left, None)
        if path is None:
            raise CameraError("camera_lost", f"all {len(self._files)} pictures are shown")
        return self._now(), path.read_bytes(), ()

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamResult:
    """One frame's berries, or what is wrong with the stream.

    Attributes:
        stamp: instant of exposure [s]; size: width and height [px].
        faults: keys: of the self-check (berries are then not to be trusted), `camera_lost`, `picture_broken`.
    """

    stream: int
    stamp: float = 0.0
    size: tuple[int, int] = (0, 0)
    berries: tuple[Detection, ...] = ()
    faults: tuple[str, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRate:
    """What a stream got: frames received, dropped and analysed, and analysed ones per second."""

    received: int
    dropped: int
    analysed: int
    rate: float


def open_source(name: str, now: Callable[[], float]) -> Source:
    """Return the stream that `name` names; see `open_camera`.

    Raises:
        ValueError: see `open_camera`.
    """
    if Path(name).is_dir():
        return FileSource(Path(name), now)
    return CameraSource(open_camera(name, now=now))


def serve(
    sources: Sequence[Source],
    eyes: Sequence[Eyes],
    tell: Callable[[StreamResult], None],
    *,
    monotonic: Callable[[], float],
    stop: threading.Event,
    capacity: int = 2,
) -> list[StreamRate]:
    """Analyse streams until all files are at their end or `stop` is set.

    Args:
        eyes: one per worker.
        tell: is called in this thread with each result.
        monotonic: clock for the rates [s].
        capacity: frames that wait per stream.

    Returns:
        The rate of each stream.
    """
    post = Post(len(sources), capacity)
    results: queue.SimpleQueue[StreamResult | None] = queue.SimpleQueue()
    readers = [
        threading.Thread(target=_read, args=(number, source, post, results, stop), name=f"stream-{number}", daemon=True)
        for number, source in enumerate(sources)
    ]
    workers = [
        threading.Thread(target=_work, args=(one, post, results), name=f"eyes-{number}", daemon=True)
        for number, one in enumerate(eyes)
    ]
    begin = monotonic()
    for thread in (*readers, *workers):
        thread.start()
    closer = threading.Thread(target=_close_after, args=(readers, post), daemon=True)
    closer.start()
    analysed, at_work = [0] * len(sources), len(workers)
    while at_work:
        result = results.get()
        if result is None:
            at_work -= 1
            continue
        if result.size != (0, 0):
            analysed[result.stream] += 1
        tell(result)
    spent = max(monotonic() - begin, 1e-9)
    for source in sources:
        source.close()
    return [
        StreamRate(received=c.received, dropped=c.dropped, analysed=n, rate=n / spent)
        for c, n in zip(post.counts, analysed, strict=True)
    ]


def _read(
    number: int,
    source: Source,
    post: Post,
    results: queue.SimpleQueue[StreamResult | None],
    stop: threading.Event,
) -> None:
    while not stop.is_set():
        try:
            frame = source.read()
        except (CameraError, OSError, ValueError) as error:
            if not source.live and isinstance(error, CameraError):
                return
            if not source.live:  # one file that cannot be read; the others still can
                results.put(StreamResult(stream=number, faults=("picture_broken",), detail=str(error)))
                continue
            code = error.code if isinstance(error, CameraError) else "camera_lost"
            results.put(StreamResult(stream=number, faults=(code,), detail=str(error)))
            stop.wait(RETRY_S)
            continue
        post.put(number, frame, wait=not source.live)


def _work(eyes: Eyes, post: Post, results: queue.SimpleQueue[StreamResult | None]) -> None:
    try:
        while (taken := post.take()) is not None:
            stream, (stamp, frame, faults) = taken
            try:
                size, berries = eyes.detect(frame)
            except ValueError as error:
                results.put(StreamResult(stream=stream, stamp=stamp, faults=("picture_broken",), detail=str(error)))
                continue
            found = StreamResult(stream=stream, stamp=stamp, size=size, berries=tuple(berries), faults=faults)
            results.put(found)
    finally:
        results.put(None)


def _close_after(readers: Sequence[threading.Thread], post: Post) -> None:
    for reader in readers:
        reader.join()
    post.close()
