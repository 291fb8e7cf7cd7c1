"""A RealSense camera through pyrealsense2 (extra `realsense`): colour with depth aligned to it.

Written to the documented API and tested against a stand-in for it; not tried on a device.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from vision.camera.pipeline import Images, PipelineCamera
from vision.types import CameraError, Intrinsics

TIMEOUT_MS = 2000


class RealSenseCamera(PipelineCamera):
    """Read aligned colour and depth.

    Args:
        serial: of the device; the first one when empty.
        now: UTC clock that stamps the frames [s].
        intrinsics: from an own calibration instead of the device's.
        sdk: the module pyrealsense2; another one in tests.
    """

    def __init__(
        self,
        serial: str = "",
        *,
        now: Callable[[], float],
        size: tuple[int, int] = (640, 480),
        rate: int = 30,
        intrinsics: Intrinsics | None = None,
        sdk: Any = None,
    ) -> None:
        super().__init__(f"RealSense camera {serial or '(first)'}", now=now, intrinsics=intrinsics)
        self._sdk = sdk if sdk is not None else _load()
        self._serial, self._size, self._rate = serial, size, rate
        self._align: Any = None
        self._scale = 0.001

    def _grab(self) -> Images:
        frames = self._align.process(self._pipeline.wait_for_frames(TIMEOUT_MS))
        color, depth = frames.get_color_frame(), frames.get_depth_frame()
        if not color or not depth:
            raise CameraError("camera_lost", f"{self._name} gave a frame without {'depth' if color else 'colour'}")
        pixels = np.array(color.get_data(), np.uint8)  # a copy: the SDK takes its buffer back
        return pixels, np.asarray(depth.get_data()).astype(np.float32) * np.float32(self._scale)

    def _open(self) -> tuple[Any, Intrinsics]:
        rs, (w, h) = self._sdk, self._size
        config = rs.config()
        if self._serial:
            config.enable_device(self._serial)
        config.enable_stream(rs.stream.color, w, h, rs.format.rgb8, self._rate)
        config.enable_stream(rs.stream.depth, w, h, rs.format.z16, self._rate)
        pipeline = rs.pipeline()
        profile = pipeline.start(config)
        self._scale = float(profile.get_device().first_depth_sensor().get_depth_scale())
        told = profile.get_stream(rs.stream.color).as_video_stream_profile().get_intrinsics()
        self._align = rs.align(rs.stream.color)
        return pipeline, _intrinsics(rs, told)


def _intrinsics(rs: Any, told: Any) -> Intrinsics:
    distortion = tuple(float(v) for v in told.coeffs)
    if told.model == rs.distortion.inverse_brown_conrady:
        distortion = forward_distortion(told)
    return Intrinsics(
        width=told.width,
        height=told.height,
        fx=told.fx,
        fy=told.fy,
        cx=told.ppx,
        cy=told.ppy,
        distortion=distortion if any(distortion) else (),
    )


def forward_distortion(told: Any) -> tuple[float, ...]:
    """Return plumb-bob k1, k2, p1, p2, k3 for a lens told by the inverse polynomial (librealsense's `rsutil.h`).

    Fitted by least squares, which is linear, on a grid over the picture.
    """
    x, y = np.meshgrid(
        (np.linspace(0, told.width - 1, 25) - told.ppx) / told.fx,
        (np.linspace(0, told.height - 1, 19) - told.ppy) / told.fy,
    )
    x, y = x.ravel(), y.ravel()  # as the lens bends them
    k1, k2, p1, p2, k3 = (float(v) for v in told.coeffs)
    r2 = x * x + y * y
    f = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
    u = x * f + 2 * p1 * x * y + p2 * (r2 + 2 * x * x)  # straight
    v = y * f + 2 * p2 * x * y + p1 * (r2 + 2 * y * y)
    r2 = u * u + v * v
    rows = np.concatenate(
        [
            np.stack([u * r2, u * r2**2, 2 * u * v, r2 + 2 * u * u, u * r2**3], axis=1),
            np.stack([v * r2, v * r2**2, r2 + 2 * v * v, 2 * u * v, v * r2**3], axis=1),
        ]
    )
    off: npt.NDArray[np.float64] = np.concatenate([x - u, y - v])
    return tuple(float(value) for value in np.linalg.lstsq(rows, off, rcond=None)[0])


def _load() -> Any:
    try:
        return importlib.import_module("pyrealsense2")
    except ImportError as error:
        raise ValueError("RealSense needs its SDK: pip install 'berrybrain[realsense]'") from error
