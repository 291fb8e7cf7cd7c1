"""What the gateway shows, to whom and how long: nothing unwatched, pictures once encoded, boxes, the berry in hand."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import pytest

from dashboard.urdf import chain
from robot.arms import load_arm
from robot.kinematics import camera_pose
from robot.nodes.camera import CameraNode, CameraSettings
from robot.nodes.convert import LATCHED, header, point
from robot.nodes.gateway import GatewayNode, GatewaySettings
from robot.ros.action import ActionClient, ActionServer, ServerGoalHandle
from robot.ros.callback_groups import ReentrantCallbackGroup
from robot.ros.context import Context
from robot.ros.interfaces import berry_msgs, sensor_msgs, std_msgs
from robot.ros.node import Node
from robot.ros.task import Future
from robot.ros.transport.inprocess import InProcess
from sim.lockstep import Lockstep
from telemetry.messages import Ack, AckStatus, Birth, Command, Kind
from telemetry.messages.wire import decode, encode
from telemetry.mqtt import Message
from telemetry.mqtt.device import Address
from telemetry.mqtt.memory import MemoryBroker
from vision.types import Frame, Intrinsics

ARM = load_arm("ur3e")
ADDRESS = Address(site="farm", zone="z1", device="berry-1")
EPOCH = 1_780_000_000.0
HOME = [0.4, -1.5, -2.0, 1.5, 0.5, 1.5, 0.0]
Harvest = berry_msgs.action.Harvest


class Card:
    """A camera in front of a red card."""

    def __init__(self, time: Lockstep) -> None:
        self._time = time
        self.frames = 0

    intrinsics = Intrinsics(width=64, height=48, fx=50.0, fy=50.0, cx=31.5, cy=23.5)

    def read(self) -> Frame:
        self.frames += 1
        color = np.zeros((48, 64, 3), np.uint8)
        color[:, :, 0] = 200
        return Frame(stamp=self._time.now(), color=color, intrinsics=self.intrinsics)

    def close(self) -> None:
        pass


class World:
    """Gateway and camera on the in-process bus, a viewer on the in-memory broker."""

    def __init__(self) -> None:
        self.time = Lockstep(EPOCH)
        broker = MemoryBroker(self.time)
        context = Context(transport=InProcess(self.time))
        self.robot = Node("robot", context=context, namespace="/r1")
        self.camera = Card(self.time)
        self.camera_node = CameraNode(context, self.time, CameraSettings(namespace="/r1"), self.camera)
        settings = GatewaySettings(namespace="/r1", address=ADDRESS, boot="g1")
        self.gateway = GatewayNode(context, self.time, settings, broker.client("gateway"), ARM)
        self.viewer = broker.client("viewer")
        self.seen: dict[Kind, list[bytes]] = {kind: [] for kind in Kind}
        for kind in (Kind.BIRTH, Kind.ACK, Kind.LIVE, Kind.VIDEO):
            self.viewer.subscribe(ADDRESS.topic(kind), self._note(kind))
        self.joints = self.robot.create_publisher(sensor_msgs.msg.JointState, "joint_states", 10)
        self.time.every(0.02, self._publish_joints)
        self._sent = 0
        self.run(0.5)

    def _note(self, kind: Kind) -> Any:
        def note(message: Message) -> None:
            self.seen[kind].append(message.payload)

        return note

    def _publish_joints(self) -> None:
        names = [*ARM.joint_names, "gripper_joint"]
        position, effort = [*HOME, 0.05], [0.0] * 8
        message = sensor_msgs.msg.JointState(
            header=header(self.time.now(), ""), name=names, position=position, velocity=effort, effort=effort
        )
        self.joints.publish(message)

    def run(self, seconds: float) -> None:
        self.time.run(seconds=seconds)

    def watch(self, **arguments: Any) -> Ack:
        self._sent += 1
        command = Command(
            id=f"w{self._sent}", issuer="li", expires_at=self.time.now() + 5.0, command="watch", arguments=arguments
        )
        self.viewer.publish(ADDRESS.topic(Kind.CMD), encode(command), qos=1)
        self.run(0.05)
        (ack,) = decode(Kind.ACK, self.seen[Kind.ACK][-1])
        assert isinstance(ack, Ack)
        return ack

    def live(self) -> dict[str, Any]:
        content = json.loads(self.seen[Kind.LIVE][-1])
        assert isinstance(content, dict)
        return content

    def publish_berries(self, places: Sequence[tuple[float, float, float]]) -> None:
        """Publish a picture's berries at places in the camera's frame [m]."""
        publisher = self.robot.create_publisher(berry_msgs.msg.BerryArray, "berries", 10)
        array = berry_msgs.msg.BerryArray(header=header(self.time.now(), ""), image_ok=True)
        for place in places:
            berry = berry_msgs.msg.Berry(score=0.9, ripeness=0.95, stage="ripe", box=[10, 20, 40, 60])
            berry.pose.pose.position = point(np.array(place))
            array.berries.append(berry)
        publisher.publish(array)
        self.run(0.3)


@pytest.fixture
def world() -> World:
    return World()


def test_nothing_is_shown_and_no_picture_taken_while_nobody_watches(world: World) -> None:
    world.run(30.0)
    assert world.seen[Kind.LIVE] == world.seen[Kind.VIDEO] == []
    assert world.camera.frames == 0


def test_a_live_view_comes_five_times_a_second_until_nobody_asks_any_more(world: World) -> None:
    assert world.watch(what=["live"]).status is AckStatus.DONE
    world.run(10.0)
    assert len(world.seen[Kind.LIVE]) == pytest.approx(50, abs=2)
    content = world.live()
    assert content["joints"] == pytest.approx(
        dict(zip([*ARM.joint_names, "gripper_joint"], [*HOME, 0.05], strict=True))
    )
    assert content["berry"] is None
    assert len(content["tool"]["position"]) == 3
    world.run(60.0)
    assert len(world.seen[Kind.LIVE]) == pytest.approx(75, abs=3), "15 s after the last word nobody watches"
    assert world.camera.frames == 0, "who asks for the live view does not ask for pictures"


@pytest.mark.parametrize("arguments", [{"what": ["live", "video"]}, {"live": True, "video": True}])
def test_pictures_come_as_jpeg_with_their_time_and_the_camera_rests_afterwards(
    world: World, arguments: dict[str, Any]
) -> None:
    assert world.watch(**arguments).status is AckStatus.DONE
    world.run(4.0)
    frames = world.seen[Kind.VIDEO]
    assert 14 <= len(frames) <= 21, "about five a second"
    (at,) = struct.unpack(">d", frames[-1][:8])
    assert at == pytest.approx(world.time.now(), abs=0.5)
    assert frames[-1][8:10] == b"\xff\xd8"
    picture = cv2.imdecode(np.frombuffer(frames[-1][8:], np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None and picture.shape == (48, 64, 3)
    assert picture.mean(axis=(0, 1)) == pytest.approx([0.0, 0.0, 200.0], abs=6.0), "red is red (BGR here)"
    world.run(15.0)
    taken = world.camera.frames
    world.run(60.0)
    assert world.camera.frames == taken
    assert len(world.seen[Kind.VIDEO]) == taken, "each picture once"


def test_pictures_that_the_picker_asks_for_are_passed_on_and_none_are_asked_for_besides(world: World) -> None:
    world.watch(what=["video"])
    client = world.robot.create_client(berry_msgs.srv.Capture, "camera/capture")

    def ask() -> None:
        client.call_async(berry_msgs.srv.Capture.Request(frames=2))

    world.time.every(0.1, ask)
    world.run(0.3)
    before = world.camera.frames
    world.run(3.0)
    assert world.camera.frames - before <= 46, "the camera's own 15 Hz bounds it"
    assert len(world.seen[Kind.VIDEO]) >= world.camera.frames - 1


def test_a_camera_that_does_not_answer_is_asked_again_but_not_flooded(world: World) -> None:
    world.camera_node.destroy_node()
    asked: list[Any] = []

    async def never(request: Any, response: Any) -> Any:
        asked.append(request)
        await Future(executor=world.robot)
        return response

    world.robot.create_service(berry_msgs.srv.Capture, "camera/capture", never, callback_group=ReentrantCallbackGroup())
    world.watch(what=["video"])
    world.run(10.0)
    assert 4 <= len(asked) <= 6


@pytest.mark.parametrize(
    "arguments", [{"what": "video"}, {"what": ["everything"]}, {"what": [["live"]]}, {"what": None}]
)
def test_what_cannot_be_shown_is_refused(world: World, arguments: dict[str, Any]) -> None:
    ack = world.watch(**arguments)
    assert ack.status is AckStatus.REJECTED
    assert "expected a list of live, video" in ack.reason
    world.run(2.0)
    assert world.seen[Kind.LIVE] == []


def test_berries_have_boxes_and_the_one_in_hand_is_found_by_its_place(world: World) -> None:
    T = camera_pose(ARM, np.array(HOME))
    near, far = np.array([0.02, 0.03, 0.30]), np.array([-0.05, 0.03, 0.32])
    in_world = T[:3, :3] @ near + T[:3, 3]

    async def harvest(handle: ServerGoalHandle) -> Any:
        feedback = Harvest.Feedback(task="grasp", berry_id=17, ripeness=0.93, stage="ripe", diameter=0.031)
        feedback.position = point(in_world + 0.004)
        timer = world.robot.create_timer(0.1, lambda: handle.publish_feedback(feedback))
        await wait_for(world, 2.0)
        timer.destroy()
        handle.succeed()
        return Harvest.Result(result="done")

    ActionServer(world.robot, Harvest, "harvest", harvest)
    client = ActionClient(world.robot, Harvest, "harvest")
    world.watch(what=["live"])
    world.publish_berries([tuple(far), tuple(near)])
    assert world.live()["target"] is None
    client.send_goal_async(Harvest.Goal(end=1.0))
    world.run(0.8)
    content = world.live()
    assert content["berry"] == {
        "id": 17,
        "step": "grasp",
        "position": pytest.approx((in_world + 0.004).tolist(), abs=1e-4),
        "ripeness": 0.93,
        "stage": "ripe",
        "diameter": 0.031,
    }
    assert content["target"] == 2
    row = {"id": 2, "box": [10, 20, 30, 40], "ripeness": 0.95, "stage": "ripe", "score": 0.9, "target": True}
    assert content["berries"][1] == row
    assert content["berries"][0]["target"] is False
    assert (content["frame"]["width"], content["frame"]["height"]) == (640, 480)
    world.run(6.0)
    assert world.live()["berry"] is None, "the picker has said nothing for two seconds"


async def wait_for(world: World, seconds: float) -> None:
    """Wait in virtual time."""
    done: Future[None] = Future(executor=world.robot)
    world.time.post(lambda: done.set_result(None), delay=seconds)
    await done


def test_the_robots_shape_is_in_its_birth_and_on_robot_description(world: World) -> None:
    (birth,) = decode(Kind.BIRTH, world.seen[Kind.BIRTH][-1])
    assert isinstance(birth, Birth)
    assert chain(birth.description["urdf"])["name"] == "ur3e"
    assert birth.model == "berrybrain ur3e"
    heard: list[Any] = []
    world.robot.create_subscription(std_msgs.msg.String, "robot_description", heard.append, LATCHED)
    world.run(0.2)
    assert heard[0].data == birth.description["urdf"]
