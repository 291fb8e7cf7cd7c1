"""An OAK camera through DepthAI 3 (extra `oak`): undistorted colour with stereo depth aligned to it.

Written to the documented API and tested against a stand-in for it; not tried on a device.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from vision.camera.pipeline import Images, PipelineCamera
from vision.types import Intrinsics

MILLIMETRE = np.float32(0.001)


class OakCamera(PipelineCamera):
    """Read aligned colour and depth.

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
        super().__init__(f"OAK camera {device or '(first)'}", now=now, intrinsics=intrinsics)
        self._sdk = sdk if sdk is not None else _load()
        self._device, self._size, self._rate = device, size, rate
        self._queue: Any = None

    def _grab(self) -> Images:
        group = self._queue.get()
        millimetres = np.asarray(group["depth"].getFrame())
        return np.array(group["rgb"].getFrame(), np.uint8), millimetres.astype(np.float32) * MILLIMETRE

    def _open(self) -> tuple[Any, Intrinsics]:
        dai, (w, h) = self._sdk, self._size
        socket = dai.CameraBoardSocket
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
        told = Intrinsics(width=w, height=h, fx=matrix[0, 0], fy=matrix[1, 1], cx=matrix[0, 2], cy=matrix[1, 2])
        return pipeline, told


def _load() -> Any:
    try:
        return importlib.import_module("depthai")
    except ImportError as error:
        raise ValueError("OAK needs its SDK: pip install 'berrybrain[oak]'") from error
