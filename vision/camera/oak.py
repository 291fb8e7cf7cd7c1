"""An OAK camera through DepthAI 3 (extra `oak`): undistorted colour with stereo depth aligned to it.

Written to the documented API and tested against a stand-in for it; not tried on a device.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from vision.types import CameraError, Frame, Intrinsics

MILLIMETRE = np.float32(0.001)


class OakCamera:
    """Read aligned colour and depth; a `Camera`. After a fault each `read` starts the device again.

    Args:
        device: name, address or id of the device; the first one when empty.
        now: UTC clock that stamps the frames [s].
        size: of the pictures [px], sides in multiples of 16.
        intrinsics: from an own calibration of the undistorted picture instead of the device's.
        sdk: the module depthai; another one in tests.
    """

    def __init__(
        self,
        device: str = "",
        *,
        now: Callable[[], float],
        size: tuple[int, int] = (640, 480),
        rate: float = 15.0,
        intrinsics: Intrinsics | None = None,
        sdk: Any = None,
    ) -> None:
        self._sdk = sdk if sdk is not None else _load()
        self._device, self._now, self._size, self._rate, self._given = device, now, size, rate, intrinsics
        self._pipeline: Any = None
        self._queue: Any = None
        self._intrinsics = intrinsics

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
            group = self._queue.get()
            color = np.array(group["rgb"].getFrame(), np.uint8)
            millimetres = np.asarray(group["depth"].getFrame())
        except RuntimeError as error:
            self.close()
            raise CameraError("camera_lost", f"{self._name} gives no frame: {error}") from error
        return Frame(
            stamp=self._now(),
            color=color,
            depth=millimetres.astype(np.float32) * MILLIMETRE,
            intrinsics=self.intrinsics,
        )

    def close(self) -> None:
        """Stop the device."""
        if self._pipeline is not None:
            with contextlib.suppress(RuntimeError):  # it is gone already
                self._pipeline.stop()
            self._pipeline = None

    @property
    def _name(self) -> str:
        return f"OAK camera {self._device or '(first)'}"

    def _start(self) -> None:
        dai, (w, h) = self._sdk, self._size
        socket = dai.CameraBoardSocket
        try:
            pipeline = dai.Pipeline(dai.Device(self._device)) if self._device else dai.Pipeline()
            eye, left, right = (
                pipeline.create(dai.node.Camera).build(place) for place in (socket.CAM_A, socket.CAM_B, socket.CAM_C)
            )
            color = eye.requestOutput((w, h), dai.ImgFrame.Type.RGB888i, fps=self._rate, enableUndistortion=True)
            stereo = pipeline.create(dai.node.StereoDepth)
            stereo.setLeftRightCheck(True)
            stereo.setSubpixel(True)
            stereo.setExtendedDisparity(True)  # half the least distance: berries are near
            left.requestOutput((640, 400), fps=self._rate).link(stereo.left)
            right.requestOutput((640, 400), fps=self._rate).link(stereo.right)
            align, sync = pipeline.create(dai.node.ImageAlign), pipeline.create(dai.node.Sync)
            stereo.depth.link(align.input)
            color.link(align.inputAlignTo)
            color.link(sync.inputs["rgb"])
            align.outputAligned.link(sync.inputs["depth"])
            self._queue = sync.out.createOutputQueue(maxSize=1, blocking=False)
            handler = pipeline.getDefaultDevice().readCalibration()
            matrix = np.asarray(handler.getCameraIntrinsics(socket.CAM_A, w, h), np.float64)
            pipeline.start()
        except RuntimeError as error:
            raise CameraError("camera_lost", f"{self._name} cannot be started: {error}") from error
        self._pipeline = pipeline
        self._intrinsics = self._given or Intrinsics(
            width=w, height=h, fx=matrix[0, 0], fy=matrix[1, 1], cx=matrix[0, 2], cy=matrix[1, 2]
        )


def _load() -> Any:
    try:
        return importlib.import_module("depthai")
    except ImportError as error:
        raise ValueError("OAK needs its SDK: pip install 'berrybrain[oak]'") from error
