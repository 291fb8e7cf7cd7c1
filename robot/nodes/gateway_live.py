"""What the gateway shows while somebody watches: the live view, and the camera's pictures, encoded once."""

from __future__ import annotations

import logging
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from robot.arms import ArmDescription
from robot.kinematics import camera_pose, forward
from robot.nodes.convert import NEWEST, from_point, to_seconds
from robot.nodes.gateway_texts import finite
from robot.nodes.joints import JointHistory
from robot.ros.entity import Entity
from robot.ros.interfaces import berry_msgs, sensor_msgs
from robot.ros.node import Node
from robot.ros.qos import QoSProfile
from telemetry.clock import Clock
from telemetry.mqtt.device import DevicePublisher

log = logging.getLogger(__name__)

WATCH_S = 15.0
"""A viewer that does not ask again within this time is gone [s]; viewers ask every 5 s."""
KINDS = ("live", "video")
ANSWER_S = 2.0
"""A camera that has not answered for this long is asked again [s]."""
FRESH_S = 2.0
"""The picker tells of the berry in hand ten times a second: older word is no word [s]."""
SAME_BERRY = 0.03
"""The berry in hand is the one seen nearest to its place, within this [m]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSettings:
    """`live_period` and `video_period`: between two views or pictures [s]; a picture in between is passed on as well.

    In simulation a picture costs some 0.15 s of computing in camera and eyes: five a second are enough to see by.
    """

    live_period: float = 0.2
    video_period: float = 0.2
    quality: int = 75


@dataclass(slots=True, kw_only=True)
class Seen:
    """The newest of what the robot said."""

    mission: Any = None
    safety: Any = None
    joints: Any = None
    berries: Any = None
    latency: float = 0.0
    seconds: float = 0.0
    peak_force: float = 0.0
    faults: set[str] = field(default_factory=set)
    due: set[str] = field(default_factory=set)
    blind: str = ""


class Show:
    """Speaks on `live` and `video` only while asked to, and listens to pictures only then.

    Args:
        seen: kept up to date by the gateway.
    """

    def __init__(
        self,
        node: Node,
        clock: Clock,
        arm: ArmDescription,
        device: DevicePublisher,
        *,
        seen: Seen,
        settings: LiveSettings,
    ) -> None:
        self._node, self._clock, self._arm, self._device = node, clock, arm, device
        self._seen, self._settings = seen, settings
        self._joints = JointHistory(arm.joint_names)
        self._until = dict.fromkeys(KINDS, 0.0)
        self._listening: dict[str, Entity] = {}
        self._picture_at = float("-inf")
        self._asked_at = float("-inf")
        self._berry: Any = None
        self._berry_at = float("-inf")
        self._capture = node.create_client(berry_msgs.srv.Capture, "camera/capture")
        node.create_timer(settings.live_period, self._send_live)
        node.create_timer(settings.video_period, self._ask_for_picture)

    def watch(self, arguments: Mapping[str, Any]) -> None:
        """Show what is asked for during the next seconds: `{"what": ["live", "video"]}`, or `{"video": true}`.

        Raises:
            ValueError: something is asked for that cannot be shown.
        """
        what = arguments.get("what", ["live", *(["video"] if arguments.get("video") is True else [])])
        if not isinstance(what, list) or any(kind not in KINDS for kind in what):
            raise ValueError(f"what: expected a list of {', '.join(KINDS)}, got {str(what)[:80]}")
        for kind in what:
            self._until[kind] = self._clock.monotonic() + WATCH_S

    def on_joints(self, message: Any) -> None:
        """Take in measured joints."""
        self._seen.joints = message
        if self._watched("live"):
            self._joints.add(message)

    def _watched(self, kind: str) -> bool:
        """Tell whether somebody watches, and listen accordingly."""
        watched = self._clock.monotonic() < self._until[kind]
        if watched and kind not in self._listening:
            self._listening[kind] = self._listen_to_picker() if kind == "live" else self._listen_to_camera()
        elif not watched and kind in self._listening:
            self._listening.pop(kind).destroy()
        return watched

    def _listen_to_picker(self) -> Entity:
        kind = berry_msgs.action.Harvest.Impl.FeedbackMessage
        return self._node.create_subscription(kind, "harvest/_action/feedback", self._on_feedback, QoSProfile(depth=10))

    def _listen_to_camera(self) -> Entity:
        return self._node.create_subscription(sensor_msgs.msg.Image, "camera/color/image_raw", self._on_picture, NEWEST)

    def _on_feedback(self, message: Any) -> None:
        self._berry, self._berry_at = message.feedback, self._clock.monotonic()

    # Pictures

    def _ask_for_picture(self) -> None:
        """Ask the camera when nobody else does: the robot looks rarely, a viewer wants to see all the time."""
        if not self._watched("video"):
            return
        now = self._clock.monotonic()
        # A picture comes some time after it was asked for: one of the last half period is the answer to another one.
        if now - self._picture_at < 0.5 * self._settings.video_period or now - self._asked_at < ANSWER_S:
            return
        if self._capture.service_is_ready():
            self._asked_at = now
            self._capture.call_async(berry_msgs.srv.Capture.Request(frames=1)).add_done_callback(self._answered)

    def _answered(self, _: object) -> None:
        self._asked_at = float("-inf")

    def _on_picture(self, message: Any) -> None:
        self._picture_at = self._clock.monotonic()
        if message.encoding != "rgb8":
            log.warning("a picture is not shown: expected rgb8, got %s", message.encoding)
            return
        self._device.video(struct.pack(">d", to_seconds(message.header.stamp)) + jpeg(message, self._settings.quality))

    # The live view

    def _send_live(self) -> None:
        if not self._watched("live"):
            return
        seen = self._seen
        content: dict[str, Any] = {"ts": round(self._clock.now() * 1000.0)}
        if seen.joints is not None:
            content["joints"] = joints_by_name(seen.joints)
        if self._joints.known:
            T = forward(self._arm, self._joints.newest())
            content["tool"] = {"position": _rounded(T[:3, 3]), "approach": _rounded(T[:3, 2])}
        if seen.mission is not None:
            content |= {name: getattr(seen.mission, name) for name in ("state", "order_id", "bed", "side", "task")}
            content |= {
                n: int(getattr(seen.mission, n)) for n in ("segment", "queued", "picked", "placed", "attempted")
            }
        if seen.safety is not None:
            content |= {"safety": seen.safety.state, "causes": list(seen.safety.causes)}
            content["needs_reset"] = bool(seen.safety.needs_reset)
        content["berry"] = self._berry_in_hand()
        if seen.berries is not None:
            content |= self._in_picture(seen.berries)
        self._device.live(finite(content))

    def _berry_in_hand(self) -> dict[str, Any] | None:
        berry = self._berry
        if berry is None or not berry.berry_id or self._clock.monotonic() - self._berry_at > FRESH_S:
            return None
        return {
            "id": int(berry.berry_id),
            "step": berry.task,
            "position": _rounded(from_point(berry.position)),
            "ripeness": round(float(berry.ripeness), 3),
            "stage": berry.stage,
            "diameter": round(float(berry.diameter), 4),
        }

    def _in_picture(self, array: Any) -> dict[str, Any]:
        """Return the berries of the newest picture by number, with their boxes [px]: x, y, width, height."""
        rows, nearest, target = [], SAME_BERRY, None
        stamp = to_seconds(array.header.stamp)
        T_world_camera = camera_pose(self._arm, self._joints.at(stamp)) if self._joints.known else None
        in_hand = self._berry_in_hand()
        for number, berry in enumerate(array.berries, start=1):
            x0, y0, x1, y1 = (int(v) for v in berry.box)
            rows.append(
                {
                    "id": number,
                    "box": [x0, y0, x1 - x0, y1 - y0],
                    "ripeness": round(float(berry.ripeness), 3),
                    "stage": berry.stage,
                    "score": round(float(berry.score), 3),
                    "target": False,
                }
            )
            if in_hand is not None and T_world_camera is not None:
                place = T_world_camera[:3, :3] @ from_point(berry.pose.pose.position) + T_world_camera[:3, 3]
                distance = float(np.linalg.norm(place - np.array(in_hand["position"])))
                if distance < nearest:
                    nearest, target = distance, number
        if target is not None:
            rows[target - 1]["target"] = True
        camera = self._arm.camera
        frame = {"at": round(stamp, 3), "width": camera.width, "height": camera.height, "ok": bool(array.image_ok)}
        return {"berries": rows, "target": target, "frame": frame}


def jpeg(message: Any, quality: int) -> bytes:
    """Return a picture (`sensor_msgs/Image`, rgb8) as JPEG; `quality` 0-100."""
    pixels = np.frombuffer(message.data, dtype=np.uint8).reshape(message.height, message.step)
    rgb = pixels[:, : message.width * 3].reshape(message.height, message.width, 3)
    ok, encoded = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        raise ValueError(f"expected a picture that can be encoded, got {message.width} x {message.height}")
    return encoded.tobytes()


def joints_by_name(message: Any) -> Mapping[str, float]:
    return {n: round(float(p), 4) for n, p in zip(message.name, message.position, strict=False)}


def _rounded(values: Any) -> list[float]:
    return [round(float(value), 4) for value in values]
