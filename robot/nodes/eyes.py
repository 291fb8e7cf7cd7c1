"""The eyes: every frame becomes berries in the camera's frame, or the word why the picture cannot be trusted."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from robot.arms import ArmDescription
from robot.kinematics import camera_pose
from robot.nodes.convert import NEWEST, RELIABLE, to_berry_message, to_key, to_seconds
from robot.nodes.heartbeat import Heartbeat
from robot.nodes.joints import JointHistory
from robot.ros.context import Context
from robot.ros.interfaces import berry_msgs, sensor_msgs, vision_msgs
from robot.ros.node import Node
from telemetry.clock import Clock
from vision.apart import locate_apart
from vision.camera.selfcheck import SelfcheckState, check
from vision.locate import LocateSettings
from vision.types import Berry, Detector, Frame, Intrinsics

log = logging.getLogger(__name__)

MISFIT = "camera_intrinsics"
BLINDING = ("camera_frozen", "camera_dark", "camera_bright", MISFIT)
"""Faults of a picture that nothing may be decided on; the others are reported with the berries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EyesSettings:
    """Settings of the eyes.

    Attributes:
        namespace: of the robot.
        latency: computing time modelled where time is virtual and computing takes none of it [s]; 0 elsewhere.
        score: detections below are not reported.
    """

    namespace: str = "/robot"
    latency: float = 0.0
    score: float = 0.3
    locate: LocateSettings = field(default_factory=LocateSettings)


class EyesNode(Node):
    """Runs the detector on each frame and publishes `berries` with the frame's stamp."""

    def __init__(
        self, context: Context, clock: Clock, settings: EyesSettings, arm: ArmDescription, detector: Detector
    ) -> None:
        super().__init__("eyes", context=context, namespace=settings.namespace)
        self._clock_source = clock
        self._settings = settings
        self._arm = arm
        self._detector = detector
        self._joints = JointHistory(arm.joint_names)
        self._check = SelfcheckState()
        self._info: Any = None
        self._depth: Any = None
        self.frames = 0
        self._berries = self.create_publisher(berry_msgs.msg.BerryArray, "berries", RELIABLE)
        self._detections = self.create_publisher(vision_msgs.msg.Detection3DArray, "berries/detections", RELIABLE)
        self.create_subscription(sensor_msgs.msg.JointState, "joint_states", self._joints.add, NEWEST)
        self.create_subscription(sensor_msgs.msg.CameraInfo, "camera/color/camera_info", self._on_info, NEWEST)
        self.create_subscription(sensor_msgs.msg.Image, "camera/depth/image_raw", self._on_depth, NEWEST)
        self.create_subscription(sensor_msgs.msg.Image, "camera/color/image_raw", self._on_color, NEWEST)
        self.heartbeat = Heartbeat(self, clock)

    def _on_info(self, message: Any) -> None:
        self._info = message

    def _on_depth(self, message: Any) -> None:
        self._depth = message

    def _on_color(self, message: Any) -> None:
        began = self._clock_source.monotonic()
        if self._info is None:
            return
        frame = frame_of(message, self._depth, self._info)
        berries, fault = self._see(frame)
        seconds = self._settings.latency + self._clock_source.monotonic() - began
        answer = berry_msgs.msg.BerryArray(header=message.header, fault=fault, latency=seconds)
        answer.image_ok = fault not in BLINDING
        answer.berries = [to_berry_message(b) for b in berries] if answer.image_ok else []
        self.frames += 1
        if self._settings.latency > 0.0:
            self.scheduler.post(lambda: self._publish(answer), delay=self._settings.latency)
        else:
            self._publish(answer)

    def _see(self, frame: Frame) -> tuple[list[Berry], str]:
        faults, self._check = check(frame, self._check)
        if any(fault in BLINDING for fault in faults):
            return [], faults[0]
        up = self._up(frame.stamp)
        found = [d for d in self._detector.detect(frame.color) if d.score >= self._settings.score]
        try:
            return locate_apart(found, frame, self._settings.locate, up), faults[0] if faults else ""
        except ValueError as error:
            log.error("picture refused: %s", error)
            return [], MISFIT

    def _up(self, stamp: float) -> Any:
        """Return the direction against gravity in the optical frame, shape (3,); None before joints are known."""
        if not self._joints.known:
            return None
        return camera_pose(self._arm, self._joints.at(stamp))[2, :3]

    def _publish(self, answer: Any) -> None:
        self._berries.publish(answer)
        self._detections.publish(detections_of(answer))


def frame_of(color: Any, depth: Any, info: Any) -> Frame:
    """Return the frame of three messages; depth of another instant is left out."""
    k = info.k
    intrinsics = Intrinsics(
        width=int(info.width),
        height=int(info.height),
        fx=float(k[0]),
        fy=float(k[4]),
        cx=float(k[2]),
        cy=float(k[5]),
        distortion=tuple(float(v) for v in info.d) if any(info.d) else (),
    )
    pixels = np.frombuffer(color.data, dtype=np.uint8).reshape(color.height, color.width, 3)
    frame = Frame(
        stamp=to_seconds(color.header.stamp),
        color=pixels,
        intrinsics=intrinsics,
        frame_id=color.header.frame_id,
    )
    if depth is None or to_key(depth.header.stamp) != to_key(color.header.stamp):
        return frame
    metres = np.frombuffer(depth.data, dtype=np.float32).reshape(depth.height, depth.width)
    return replace(frame, depth=metres)


def detections_of(answer: Any) -> Any:
    """Return `vision_msgs/Detection3DArray` of a `BerryArray`, for tools that know no berries."""
    array = vision_msgs.msg.Detection3DArray(header=answer.header)
    for berry in answer.berries:
        detection = vision_msgs.msg.Detection3D(header=answer.header, id=str(berry.id))
        detection.bbox.center = berry.pose.pose
        detection.bbox.size.x = detection.bbox.size.z = float(berry.diameter)
        detection.bbox.size.y = float(berry.length)
        hypothesis = vision_msgs.msg.ObjectHypothesisWithPose(pose=berry.pose)
        hypothesis.hypothesis.class_id = berry.stage
        hypothesis.hypothesis.score = float(berry.score)
        detection.results = [hypothesis]
        array.detections.append(detection)
    return array
