"""A camera that plays pictures of a folder, one picture, or a video file."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from vision.camera.pictures import PICTURE_SUFFIXES, load_picture
from vision.types import CameraError, Frame, Intrinsics

VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm", ".mjpeg"})


class FolderCamera:
    """Play pictures or a video as frames without depth; a `Camera`.

    Args:
        path: a folder of pictures (played by name), a picture, or a video.
        now: UTC clock that stamps the frames [s].
        loop: begin again at the end instead of reporting the camera as lost.
        intrinsics: of the camera that took them; a usual lens is assumed when unknown.
    """

    def __init__(
        self, path: Path, *, now: Callable[[], float], loop: bool = False, intrinsics: Intrinsics | None = None
    ) -> None:
        self._path, self._now, self._loop = path, now, loop
        self._given = intrinsics
        self._next = 0
        self._video: cv2.VideoCapture | None = None
        self._pictures: list[Path] = []
        if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file():
            self._video = _open(path)
            self._size = (
                int(self._video.get(cv2.CAP_PROP_FRAME_WIDTH)),
                int(self._video.get(cv2.CAP_PROP_FRAME_HEIGHT)),
            )
        else:
            self._pictures = picture_files(path)
            first = load_picture(self._pictures[0])
            self._size = (first.shape[1], first.shape[0])

    @property
    def intrinsics(self) -> Intrinsics:
        """Intrinsics of the next frame's size."""
        return self._given or usual_lens(*self._size)

    def read(self) -> Frame:
        """Return the next frame.

        Raises:
            CameraError: `camera_lost`, the pictures are at their end or one cannot be read.
        """
        color = self._read_video() if self._video is not None else self._read_picture()
        self._size = (color.shape[1], color.shape[0])
        return Frame(stamp=self._now(), color=color, intrinsics=self.intrinsics)

    def close(self) -> None:
        """Release the video file."""
        if self._video is not None:
            self._video.release()

    def _read_picture(self) -> npt.NDArray[np.uint8]:
        if self._next >= len(self._pictures):
            if not self._loop:
                raise CameraError("camera_lost", f"all {len(self._pictures)} pictures of {self._path} are shown")
            self._next = 0
        path = self._pictures[self._next]
        self._next += 1
        try:
            return load_picture(path)
        except ValueError as error:
            raise CameraError("camera_lost", str(error)) from error

    def _read_video(self) -> npt.NDArray[np.uint8]:
        assert self._video is not None
        good, picture = self._video.read()
        if not good and self._loop:
            self._video.set(cv2.CAP_PROP_POS_FRAMES, 0)
            good, picture = self._video.read()
        if not good:
            raise CameraError("camera_lost", f"the video {self._path} is at its end")
        rgb: npt.NDArray[np.uint8] = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
        return rgb


def usual_lens(width: int, height: int, fov: float = math.radians(65.0)) -> Intrinsics:
    """Return pinhole intrinsics for a picture whose camera is unknown: `fov` [rad] across the longer side."""
    focal = max(width, height) / 2 / math.tan(fov / 2)
    return Intrinsics(width=width, height=height, fx=focal, fy=focal, cx=(width - 1) / 2, cy=(height - 1) / 2)


def picture_files(path: Path) -> list[Path]:
    """Return the pictures of a folder by name, or the one picture.

    Raises:
        ValueError: there is no such thing, or no picture in it.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise ValueError(f"expected a folder of pictures, a picture or a video, got {path}: there is no such thing")
    pictures = sorted(p for p in path.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES)
    if not pictures:
        raise ValueError(f"expected pictures ({', '.join(sorted(PICTURE_SUFFIXES))}) in {path}, got none")
    return pictures


def _open(path: Path) -> cv2.VideoCapture:
    video = cv2.VideoCapture(str(path))
    if not video.isOpened():
        raise ValueError(f"expected a video, got {path}: it cannot be decoded")
    return video
