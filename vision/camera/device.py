"""A camera that OpenCV opens: a number (USB), a device file, or the address of a network stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2

from vision.camera.folder import usual_lens
from vision.types import CameraError, Frame, Intrinsics

OPEN_TIMEOUT_MS, READ_TIMEOUT_MS = 5000, 3000


class OpenCVCamera:
    """Read frames without depth; a `Camera`. After a fault each `read` tries to open the device again.

    Args:
        source: number, device file or address.
        now: UTC clock that stamps the frames [s].
        intrinsics: from its calibration; a usual lens is assumed when unknown.
        opener: makes the capture; another one in tests.
    """

    def __init__(
        self,
        source: int | str,
        *,
        now: Callable[[], float],
        intrinsics: Intrinsics | None = None,
        opener: Callable[[int | str], Any] | None = None,
    ) -> None:
        self._source, self._now, self._given = source, now, intrinsics
        self._opener = opener or _open
        self._capture: Any = None
        self._seen: Intrinsics | None = intrinsics

    @property
    def intrinsics(self) -> Intrinsics:
        """Intrinsics as calibrated, else of a usual lens at the size of the last frame.

        Raises:
            CameraError: `camera_lost`, nothing is known before the first frame.
        """
        if self._seen is None:
            raise CameraError("camera_lost", f"camera {self._source} has given no picture yet")
        return self._seen

    def read(self) -> Frame:
        """Return the next frame.

        Raises:
            CameraError: `camera_lost`, it cannot be opened, was unplugged or answers nothing, or gives
                pictures of another size than it was calibrated at.
        """
        if self._capture is None:
            capture = self._opener(self._source)
            if not capture.isOpened():
                capture.release()
                raise CameraError("camera_lost", f"camera {self._source} cannot be opened: is it plugged in and free?")
            self._capture = capture
        try:
            good, picture = self._capture.read()
        except cv2.error:
            good, picture = False, None
        if not good or picture is None or picture.size == 0:
            self.close()
            raise CameraError("camera_lost", f"camera {self._source} gives no picture: it was unplugged or is in use")
        color = cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB if picture.ndim == 2 else cv2.COLOR_BGR2RGB)
        h, w = color.shape[:2]
        if self._given is not None and (self._given.width, self._given.height) != (w, h):
            raise CameraError(
                "camera_lost",
                f"camera {self._source} gives {w}x{h}, it was calibrated at {self._given.width}x{self._given.height}",
            )
        self._seen = self._given or usual_lens(w, h)
        return Frame(stamp=self._now(), color=color, intrinsics=self._seen)

    def close(self) -> None:
        """Release the device."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None


def _open(source: int | str) -> Any:
    if isinstance(source, int):
        return cv2.VideoCapture(source)
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_TIMEOUT_MS]
    return cv2.VideoCapture(source, cv2.CAP_FFMPEG, limits) if "://" in source else cv2.VideoCapture(source)
