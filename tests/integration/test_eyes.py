"""Camera and eyes on one bus: frames only when asked for, berries with their stamp, pictures not to be trusted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from robot.arms import load_arm
from robot.nodes.camera import CameraNode, CameraSettings
from robot.nodes.convert import RELIABLE, from_berry_message, to_key, to_seconds
from robot.nodes.eyes import EyesNode, EyesSettings
from robot.ros.context import Context
from robot.ros.interfaces import berry_msgs, sensor_msgs, vision_msgs
from robot.ros.node import Node
from robot.ros.transport.inprocess import InProcess
from sim.lockstep import Lockstep
from vision.types import CameraError, Detection, Frame, Intrinsics, Stage

INTRINSICS = Intrinsics(width=160, height=120, fx=140.0, fy=140.0, cx=79.5, cy=59.5)


class Wall:
    """A camera in front of a textured wall 0.3 m away."""

    intrinsics = INTRINSICS

    def __init__(self, time: Lockstep) -> None:
        self.time = time
        self.rng = np.random.default_rng(1)
        self.light = 1.0
        self.error: CameraError | None = None
        self.frames = 0

    def read(self) -> Frame:
        if self.error is not None:
            raise self.error
        self.frames += 1
        color = (self.light * self.rng.integers(0, 255, (120, 160, 3))).astype(np.uint8)
        depth = np.full((120, 160), 0.3, np.float32)
        return Frame(stamp=self.time.now(), color=color, intrinsics=self.intrinsics, depth=depth)

    def close(self) -> None:
        pass


class OneBerry:
    """Sees one berry in the middle of every picture."""

    def __init__(self) -> None:
        self.asked = 0

    def detect(self, color: npt.NDArray[np.uint8]) -> list[Detection]:
        self.asked += 1
        box = (72.0, 50.0, 87.0, 69.0)  # 32 mm by 41 mm on a wall 0.3 m away
        doubtful = Detection(box=box, score=0.1, ripeness=0.5, stage=Stage.TURNING)
        return [Detection(box=box, score=0.9, ripeness=0.9, stage=Stage.RIPE), doubtful]


class Bench:
    def __init__(self, latency: float = 0.1) -> None:
        self.time = Lockstep(epoch=1_750_000_000.0)
        context = Context(transport=InProcess(self.time))
        self.wall, self.detector = Wall(self.time), OneBerry()
        self.camera = CameraNode(context, self.time, CameraSettings(), self.wall)
        self.eyes = EyesNode(context, self.time, EyesSettings(latency=latency), load_arm("ur3e"), self.detector)
        self.node = Node("bench", context=context, namespace="/robot")
        self.client = self.node.create_client(berry_msgs.srv.Capture, "camera/capture")
        self.berries: list[tuple[float, Any]] = []
        self.images: list[Any] = []
        self.boxes: list[Any] = []
        self.node.create_subscription(
            berry_msgs.msg.BerryArray, "berries", lambda m: self.berries.append((self.time.now(), m)), RELIABLE
        )
        self.node.create_subscription(sensor_msgs.msg.Image, "camera/color/image_raw", self.images.append, RELIABLE)
        self.node.create_subscription(
            vision_msgs.msg.Detection3DArray, "berries/detections", self.boxes.append, RELIABLE
        )

    def look(self, frames: int = 1) -> Any:
        future = self.client.call_async(berry_msgs.srv.Capture.Request(frames=frames))
        self.time.run(until=future.done, seconds=2.0)
        self.time.run(seconds=1.0)
        return future.result()


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_no_frame_is_exposed_unless_it_is_asked_for(bench: Bench) -> None:
    bench.time.run(seconds=2.0)
    assert bench.wall.frames == 0
    bench.look(3)
    assert bench.wall.frames == 3


def test_the_berries_carry_the_stamp_of_their_frame_and_come_after_the_modelled_latency(bench: Bench) -> None:
    answer = bench.look()
    ((heard_at, message),) = bench.berries
    assert answer.success
    assert to_key(answer.stamp) == to_key(message.header.stamp)
    assert heard_at - to_seconds(message.header.stamp) == pytest.approx(0.1, abs=1e-3)


def test_a_detection_becomes_a_berry_in_the_cameras_frame(bench: Bench) -> None:
    bench.look()
    (message,) = bench.berries[0][1].berries
    berry = from_berry_message(message)
    assert berry.position[:2] == pytest.approx([0.0, 0.0], abs=0.01)
    assert 0.25 < berry.position[2] < 0.36
    assert (berry.detection.ripeness, berry.detection.stage) == (pytest.approx(0.9), Stage.RIPE)
    assert np.linalg.norm(berry.axis) == pytest.approx(1.0)
    assert bench.boxes[0].detections[0].results[0].hypothesis.class_id == "ripe"


def test_the_picture_is_published_as_rgb8_of_its_size(bench: Bench) -> None:
    bench.look()
    (image,) = bench.images
    assert (image.encoding, image.width, image.height, image.step) == ("rgb8", 160, 120, 480)
    assert len(image.data) == 160 * 120 * 3


def test_a_dark_picture_gives_no_berries_but_its_fault(bench: Bench) -> None:
    bench.wall.light = 0.0
    bench.look()
    message = bench.berries[0][1]
    assert (message.image_ok, message.fault, list(message.berries)) == (False, "camera_dark", [])
    assert bench.detector.asked == 0


def test_a_calibration_that_does_not_fit_the_pictures_gives_no_berries_but_its_fault(bench: Bench) -> None:
    bench.wall.intrinsics = replace(INTRINSICS, fx=1.9, fy=1.9)
    bench.look()
    message = bench.berries[0][1]
    assert (message.image_ok, message.fault, list(message.berries)) == (False, "camera_intrinsics", [])


def test_a_camera_that_is_gone_is_told_to_who_asked(bench: Bench) -> None:
    bench.wall.error = CameraError(code="camera_lost", detail="unplugged")
    answer = bench.look()
    assert not answer.success
    assert answer.message.startswith("camera_lost")
    assert bench.berries == []


def test_asking_for_no_frame_is_refused(bench: Bench) -> None:
    assert not bench.look(0).success
