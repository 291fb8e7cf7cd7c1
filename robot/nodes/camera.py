"""The camera node: exposes frames when asked, at most at the camera's rate, and publishes colour and depth."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np

from robot.nodes.convert import NEWEST, header, to_time
from robot.nodes.heartbeat import Heartbeat
from robot.ros.callback_groups import ReentrantCallbackGroup
from robot.ros.context import Context
from robot.ros.interfaces import berry_msgs, sensor_msgs
from robot.ros.node import Node
from robot.ros.task import Future
from telemetry.clock import Clock
from vision.types import Camera, CameraError, Frame

log = logging.getLogger(__name__)

MAX_FRAMES = 60
"""Frames one request may ask for: four seconds at the usual rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraSettings:
    """`namespace` of the robot; `rate` of the camera [Hz]."""

    namespace: str = "/robot"
    rate: float = 15.0


class CameraNode(Node):
    """Hosts one camera. Frames are exposed only when asked for: looking costs computing, the robot mostly travels."""

    def __init__(self, context: Context, clock: Clock, settings: CameraSettings, camera: Camera) -> None:
        super().__init__("camera", context=context, namespace=settings.namespace)
        self._clock_source = clock
        self._camera = camera
        self._pending = 0
        self._asked: list[Future[float]] = []
        self._color = self.create_publisher(sensor_msgs.msg.Image, "camera/color/image_raw", NEWEST)
        self._depth = self.create_publisher(sensor_msgs.msg.Image, "camera/depth/image_raw", NEWEST)
        self._info = self.create_publisher(sensor_msgs.msg.CameraInfo, "camera/color/camera_info", NEWEST)
        group = ReentrantCallbackGroup()  # a request waits for the exposure, which a callback of this node makes
        self.create_service(berry_msgs.srv.Capture, "camera/capture", self._on_capture, callback_group=group)
        self.create_timer(1.0 / settings.rate, self._expose)
        self.heartbeat = Heartbeat(self, clock)

    async def _on_capture(self, request: Any, response: Any) -> Any:
        """Answer once the first frame is exposed."""
        self._pending = max(self._pending, min(int(request.frames), MAX_FRAMES))
        if self._pending == 0:
            response.message = "expected frames >= 1, got 0"
            return response
        first: Future[float] = Future(executor=self)
        self._asked.append(first)
        try:
            stamp = await first
        except CameraError as error:
            response.message = str(error)
            return response
        response.success = True
        response.stamp = to_time(stamp if stamp is not None else 0.0)
        return response

    def _expose(self) -> None:
        if self._pending == 0:
            return
        self._pending -= 1
        waiting, self._asked = self._asked, []
        try:
            frame = self._camera.read()
        except CameraError as error:
            log.warning("camera: %s", error)
            self._pending = 0
            for future in waiting:
                future.set_exception(error)
            return
        self._publish(frame)
        for future in waiting:
            future.set_result(frame.stamp)

    def _publish(self, frame: Frame) -> None:
        head = header(frame.stamp, frame.frame_id)
        self._info.publish(camera_info(frame, head))
        if frame.depth is not None:
            self._depth.publish(image(frame.depth.astype(np.float32, copy=False), "32FC1", head))
        self._color.publish(image(frame.color, "rgb8", head))


def image(pixels: Any, encoding: str, head: Any) -> Any:
    """Return `sensor_msgs/Image` of a contiguous picture."""
    data = np.ascontiguousarray(pixels)
    step = data.strides[0]
    return sensor_msgs.msg.Image(
        header=head,
        height=data.shape[0],
        width=data.shape[1],
        encoding=encoding,
        is_bigendian=0,
        step=step,
        data=data.view(np.uint8).reshape(-1),
    )


def camera_info(frame: Frame, head: Any) -> Any:
    """Return `sensor_msgs/CameraInfo` of a frame."""
    i = frame.intrinsics
    return sensor_msgs.msg.CameraInfo(
        header=head,
        height=i.height,
        width=i.width,
        distortion_model="plumb_bob",
        d=list(i.distortion) or [0.0] * 5,
        k=[i.fx, 0.0, i.cx, 0.0, i.fy, i.cy, 0.0, 0.0, 1.0],
        r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p=[i.fx, 0.0, i.cx, 0.0, 0.0, i.fy, i.cy, 0.0, 0.0, 0.0, 1.0, 0.0],
    )
