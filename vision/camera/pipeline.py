"""What cameras behind a vendor's streaming pipeline share: started at need, closed on a fault, started again."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from vision.types import CameraError, Frame, Intrinsics

Images = tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]


class PipelineCamera(ABC):
    """Read aligned colour and depth; a `Camera`. After a fault each `read` starts the device again.

    The vendor's SDK tells every fault by RuntimeError.

    Args:
        name: of the device, for people.
        now: UTC clock that stamps the frames [s].
        intrinsics: from an own calibration instead of the device's.
    """

    def __init__(self, name: str, *, now: Callable[[], float], intrinsics: Intrinsics | None) -> None:
        self._name, self._now = name, now
        self._given = self._intrinsics = intrinsics
        self._pipeline: Any = None

    @abstractmethod
    def _open(self) -> tuple[Any, Intrinsics]:
        """Start the device; return what has a `stop()`, and the device's own calibration."""

    @abstractmethod
    def _grab(self) -> Images:
        """Return the next colour picture, RGB (h, w, 3), and its depth (h, w) [m]."""

    @property
    def intrinsics(self) -> Intrinsics:
        """As calibrated, else as the device tells.

        Raises:
            CameraError: `camera_lost`, the device cannot be started.
        """
        if self._intrinsics is None:
            self._start()
        assert self._intrinsics is not None
        return self._intrinsics

    def read(self) -> Frame:
        """Return the next frame.

        Raises:
            CameraError: `camera_lost`, the device is not there, was unplugged or answers nothing.
        """
        if self._pipeline is None:
            self._start()
        try:
            color, depth = self._grab()
        except RuntimeError as error:
            self.close()
            raise CameraError("camera_lost", f"{self._name} gives no frame: {error}") from error
        return Frame(stamp=self._now(), color=color, depth=depth, intrinsics=self.intrinsics)

    def close(self) -> None:
        """Stop the device."""
        if self._pipeline is not None:
            with contextlib.suppress(RuntimeError):  # it is gone already
                self._pipeline.stop()
            self._pipeline = None

    def _start(self) -> None:
        try:
            self._pipeline, told = self._open()
        except RuntimeError as error:
            raise CameraError("camera_lost", f"{self._name} cannot be started: {error}") from error
        self._intrinsics = self._given or told
