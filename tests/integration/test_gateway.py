"""The gateway between a robot and a farm that are stand-ins: commands, acknowledgements, events and state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from robot.arms import load_arm
from robot.loop import ControlLoop, LoopSettings
from robot.nodes.convert import LATCHED, RELIABLE, header, to_seconds
from robot.nodes.gateway import GatewayNode, GatewaySettings
from robot.nodes.mission import MissionNode, MissionSettings
from robot.ros.context import Context
from robot.ros.interfaces import berry_msgs, sensor_msgs, std_srvs
from robot.ros.node import Node
from robot.ros.transport.inprocess import InProcess
from sim.lockstep import Lockstep
from telemetry.messages import Ack, Command, Event, Kind, State
from telemetry.messages.tables import faults
from telemetry.messages.wire import decode, encode
from telemetry.mqtt import Message
from telemetry.mqtt.device import Address, offline_will
from telemetry.mqtt.memory import MemoryBroker
from telemetry.mqtt.outbox import Outbox

ADDRESS = Address(site="farm", zone="z1", device="berry-1")
ARM = load_arm("ur3e")
HARVEST: dict[str, Any] = {"bed": "bed-1", "side": "a", "segments": [0, 1], "segment_length": 0.6}


class Farm:
    """A gateway, a mission and a control loop that only note what they are asked, and a farm that listens."""

    def __init__(self) -> None:
        self.time = Lockstep(epoch=1_750_000_000.0)
        self.broker = MemoryBroker(self.time)
        context = Context(transport=InProcess(self.time))
        self.robot = Node("robot", context=context, namespace="/robot")
        self.orders: list[Any] = []
        self.asked: list[str] = []
        self.answer = ("accepted", "")
        self.refusal = "hardware_fault lasts"
        will = offline_will(ADDRESS, self.time)
        settings = GatewaySettings(address=ADDRESS, boot="g1", capacity=2)
        self.gateway = GatewayNode(context, self.time, settings, self.broker.client("gateway", will=will), ARM)
        self.farm = self.broker.client("farm")
        self.acks: list[Ack] = []
        self.events: list[Event] = []
        self.states: list[State] = []
        for kind, heard in ((Kind.ACK, self.acks), (Kind.EVENT, self.events), (Kind.STATE, self.states)):
            self.farm.subscribe(ADDRESS.topic(kind), self._hear(kind, heard))
        self.picks = self.robot.create_publisher(berry_msgs.msg.PickOutcome, "picks", RELIABLE)
        self.status = self.robot.create_publisher(berry_msgs.msg.OrderStatus, "orders/status", RELIABLE)
        self.safety = self.robot.create_publisher(berry_msgs.msg.SafetyState, "safety/state", LATCHED)
        self.mission = self.robot.create_publisher(berry_msgs.msg.MissionState, "mission/state", LATCHED)

    def with_mission(self) -> Farm:
        self.robot.create_service(berry_msgs.srv.SubmitOrder, "orders/submit", self._on_submit)
        return self

    def with_control(self) -> Farm:
        for name in ("start", "hold", "stop", "reset"):
            self.robot.create_service(std_srvs.srv.Trigger, f"safety/{name}", self._trigger(name))
        return self

    def _hear(self, kind: Kind, heard: list[Any]) -> Any:
        def note(message: Message) -> None:
            heard.extend(decode(kind, message.payload))
            message.ack()

        return note

    def _on_submit(self, request: Any, response: Any) -> Any:
        self.orders.append(request)
        response.status, response.reason = self.answer
        return response

    def _trigger(self, name: str) -> Any:
        def respond(_: Any, response: Any) -> Any:
            self.asked.append(name)
            response.success = name != "reset"
            response.message = "" if response.success else self.refusal
            return response

        return respond

    def send(
        self, command: str, id: str = "c1", *, expires_in: float = 60.0, **arguments: Any
    ) -> list[tuple[str, str]]:
        order = Command(
            id=id, issuer="plan", expires_at=self.time.now() + expires_in, command=command, arguments=arguments
        )
        self.farm.publish(ADDRESS.topic(Kind.CMD), encode(order), qos=1)
        self.run()
        return [(str(a.status), a.reason) for a in self.acks if a.id == id]

    def now(self) -> Any:
        return header(self.time.now(), "world")

    def run(self, seconds: float = 1.0) -> None:
        self.time.run(seconds=seconds)

    def told(self, type: str) -> list[dict[str, Any]]:
        return [e.data for e in self.events if e.type == type]


@pytest.fixture
def farm() -> Farm:
    return Farm()


def test_a_harvest_command_becomes_an_order_and_is_acknowledged_twice(farm: Farm) -> None:
    assert farm.with_mission().send("harvest", **HARVEST) == [("accepted", "")]
    (order,) = farm.orders
    assert (order.id, order.issuer, order.bed, list(order.segments)) == ("c1", "plan", "bed-1", [0, 1])
    assert to_seconds(order.expires_at) == pytest.approx(1_750_000_060.0, abs=1.0)
    farm.status.publish(
        berry_msgs.msg.OrderStatus(header=farm.now(), id="c1", status="done", picked=3, placed=3, attempted=4)
    )
    farm.run()
    assert [str(a.status) for a in farm.acks] == ["accepted", "done"]
    assert farm.told("order")[0]["placed"] == 3


def test_a_failed_order_is_told_with_its_fault(farm: Farm) -> None:
    farm.with_mission().send("harvest", **HARVEST)
    farm.status.publish(berry_msgs.msg.OrderStatus(header=farm.now(), id="c1", status="failed", fault="picker_lost"))
    farm.run()
    assert (str(farm.acks[-1].status), farm.acks[-1].reason) == ("failed", "picker_lost")


@pytest.mark.parametrize("status", ["rejected", "duplicate", "expired"])
def test_the_missions_answer_is_the_acknowledgement(farm: Farm, status: str) -> None:
    farm.answer = (status, "why")
    assert farm.with_mission().send("harvest", **HARVEST) == [(status, "why")]


def test_commands_that_cannot_be_carried_out_are_refused_with_the_reason(farm: Farm) -> None:
    assert farm.send("harvest", **HARVEST) == [("rejected", "mission_lost")]
    assert farm.send("stop", "c2") == [("rejected", "control_lost")]
    (answer,) = farm.send("harvest", "c3", **(HARVEST | {"segments": []}))
    assert answer[0] == "rejected"
    assert answer[1].startswith("order_invalid: segments")
    assert farm.send("dance", "c4") == [("rejected", "unknown_command")]


def test_an_expired_and_a_repeated_command_have_no_effect(farm: Farm) -> None:
    farm.with_mission()
    assert farm.send("harvest", "old", expires_in=-1.0, **HARVEST) == [("expired", "")]
    farm.send("harvest", "new", **HARVEST)
    assert farm.send("harvest", "new", **HARVEST)[-1] == ("duplicate", "")
    assert [o.id for o in farm.orders] == ["new"]


@pytest.mark.parametrize(("command", "service"), [("stop", "stop"), ("hold", "hold"), ("resume", "start")])
def test_a_safety_command_is_one_call_of_the_control_loop(farm: Farm, command: str, service: str) -> None:
    assert farm.with_control().send(command) == [("done", "")]
    assert farm.asked == [service]


def test_a_refused_reset_is_told_with_the_reason(farm: Farm) -> None:
    assert farm.with_control().send("reset") == [("failed", "hardware_fault lasts")]


def test_a_reset_from_afar_is_refused_with_a_key_that_pages_have_in_both_languages(farm: Farm) -> None:
    loop = ControlLoop(cast(Any, None), ARM, farm.time, LoopSettings())
    farm.refusal = loop.reset()
    assert farm.with_control().send("reset") == [("failed", "reset_at_machine")]
    assert "复位" in faults()["reset_at_machine"].zh


def test_placed_berries_fill_punnets_and_full_ones_are_closed(farm: Farm) -> None:
    for berry in range(3):
        farm.picks.publish(
            berry_msgs.msg.PickOutcome(
                header=farm.now(), result="ok", attempt=1, punnet="p1", mass=0.01, berry_id=berry
            )
        )
    farm.picks.publish(berry_msgs.msg.PickOutcome(header=farm.now(), result="slipped", attempt=2))
    farm.run()
    assert [p["result"] for p in farm.told("pick")] == ["ok", "ok", "ok", "slipped"]
    assert [(p["berries"], p["closed"]) for p in farm.told("punnet")] == [(1, False), (2, True), (1, False)]
    farm.gateway.close()
    farm.run()
    assert farm.told("punnet")[-1]["closed"] is True


def test_a_fault_is_told_when_it_comes_and_when_it_goes(farm: Farm) -> None:
    farm.safety.publish(berry_msgs.msg.SafetyState(state="HOLD", causes=["eyes_lost"]))
    farm.run()
    farm.safety.publish(berry_msgs.msg.SafetyState(state="HOLD"))
    farm.run()
    faults = [{"fault": "eyes_lost", "active": True}, {"fault": "eyes_lost", "active": False}]
    assert farm.told("fault") == faults


def test_what_is_due_is_told_once_when_it_comes_and_once_when_it_is_done(farm: Farm) -> None:
    low = ["blade_due", "charge_low"]
    for due, fault in ((["blade_due"], ""), (low, "charge_low"), (low, "eyes_lost"), (low, "charge_low"), ([], "")):
        farm.mission.publish(berry_msgs.msg.MissionState(state="holding" if fault else "idle", fault=fault, due=due))
        farm.run()
    came = [(event["fault"], event["active"]) for event in farm.told("fault")]
    assert came == [("blade_due", True), ("charge_low", True), ("blade_due", False), ("charge_low", False)]
    assert farm.states[-2].detail["due"] == low


def test_the_state_says_what_the_robot_does_and_its_death_is_noticed(farm: Farm) -> None:
    farm.mission.publish(berry_msgs.msg.MissionState(state="holding", fault="eyes_lost", order_id="o1", segment=2))
    farm.run()
    assert (farm.states[-1].status, farm.states[-1].fault, farm.states[-1].detail["segment"]) == (
        "holding",
        "eyes_lost",
        2,
    )
    farm.broker.cut("gateway")
    farm.run(5.0)
    assert (farm.states[-1].status, farm.states[-1].fault) == ("offline", "device_offline")


@pytest.mark.parametrize("watched", [False, True])
def test_joints_that_are_no_numbers_are_left_out_and_the_rest_is_told(farm: Farm, watched: bool) -> None:
    data: list[Any] = []
    live: list[dict[str, Any]] = []
    farm.farm.subscribe(ADDRESS.topic(Kind.DATA), farm._hear(Kind.DATA, data))
    farm.farm.subscribe(ADDRESS.topic(Kind.LIVE), lambda message: live.append(json.loads(message.payload)))
    joints = farm.robot.create_publisher(sensor_msgs.msg.JointState, "joint_states", RELIABLE)
    farm.mission.publish(berry_msgs.msg.MissionState(state="idle", picked=3))
    position = [float("nan"), *[0.1] * (len(ARM.joint_names) - 1)]
    joints.publish(sensor_msgs.msg.JointState(name=list(ARM.joint_names), position=position))
    if watched:
        farm.send("watch", what=["live"])
    joints.publish(sensor_msgs.msg.JointState(name=list(ARM.joint_names), position=position))
    farm.picks.publish(
        berry_msgs.msg.PickOutcome(header=farm.now(), result="ok", attempt=1, punnet="p", mass=float("nan"))
    )
    farm.run(12.0)
    assert data[-1].metrics["picked_total"] == 3.0
    assert "rail_position" not in data[-1].metrics
    assert farm.told("pick")[0]["result"] == "ok"
    assert "mass" not in farm.told("pick")[0]
    assert farm.told("punnet")[0]["mass"] == 0.0
    if watched:
        assert len(live[-1]["joints"]) == len(ARM.joint_names) - 1


@pytest.mark.parametrize("fault", ["camera_frozen", "camera_dark"])
def test_a_camera_the_eyes_do_not_trust_is_a_fault_until_they_trust_it_again(farm: Farm, fault: str) -> None:
    eyes = farm.robot.create_publisher(berry_msgs.msg.BerryArray, "berries", RELIABLE)
    for ok in (True, False, False, True, True):
        eyes.publish(berry_msgs.msg.BerryArray(header=farm.now(), image_ok=ok, fault="" if ok else fault))
        farm.run()
    assert farm.told("fault") == [{"fault": fault, "active": True}, {"fault": fault, "active": False}]


def test_a_camera_that_gives_no_picture_is_a_fault_until_one_comes(farm: Farm) -> None:
    eyes = farm.robot.create_publisher(berry_msgs.msg.BerryArray, "berries", RELIABLE)
    farm.status.publish(berry_msgs.msg.OrderStatus(header=farm.now(), id="c1", status="failed", fault="camera_lost"))
    farm.run()
    eyes.publish(berry_msgs.msg.BerryArray(header=farm.now(), image_ok=True))
    farm.run()
    assert farm.told("fault") == [{"fault": "camera_lost", "active": True}, {"fault": "camera_lost", "active": False}]


class Robot:
    """Mission and gateway, each with its file, on one virtual time; either can be gone for a while."""

    def __init__(self, folder: Path) -> None:
        self.time = Lockstep(epoch=1_750_000_000.0)
        self.broker = MemoryBroker(self.time)
        self.context = Context(transport=InProcess(self.time))
        self.node = Node("robot", context=self.context, namespace="/robot")
        self.picks = self.node.create_publisher(berry_msgs.msg.PickOutcome, "picks", RELIABLE)
        self.folder = folder
        self.events: list[Event] = []
        self.broker.client("farm").subscribe(ADDRESS.topic(Kind.EVENT), self._hear)
        self.berry = 0
        self.mission = MissionNode(self.context, self.time, MissionSettings(queue=folder / "orders", beds={"1": 0.2}))
        self.time.run(seconds=0.1)

    def _hear(self, message: Message) -> None:
        """Keep each event once, as ingest does: known by boot and number."""
        for event in decode(Kind.EVENT, message.payload):
            if isinstance(event, Event) and event not in self.events:
                self.events.append(event)

    def gateway(self, boot: str) -> GatewayNode:
        settings = GatewaySettings(address=ADDRESS, boot=boot)
        client, outbox = self.broker.client("gateway"), Outbox(self.folder / "outbox")
        return GatewayNode(self.context, self.time, settings, client, ARM, outbox=outbox)

    def pick(self, count: int) -> None:
        for _ in range(count):
            stamp = header(self.time.now(), "world")
            self.picks.publish(
                berry_msgs.msg.PickOutcome(
                    header=stamp, result="ok", attempt=1, punnet="p1", mass=0.01, berry_id=self.berry
                )
            )
            self.berry += 1
        self.time.run(seconds=0.5)

    def told(self) -> list[int]:
        return [event.data["berry_id"] for event in self.events if event.type == "pick"]


def test_picks_while_the_gateway_was_dead_reach_the_farm_once_and_fill_the_same_punnet(tmp_path: Path) -> None:
    robot = Robot(tmp_path)
    first = robot.gateway("g1")
    robot.time.run(seconds=1.0)
    robot.pick(3)
    first.destroy_node()  # killed: it says nothing
    robot.pick(4)
    assert robot.told() == [0, 1, 2]
    robot.gateway("g2")
    robot.time.run(seconds=5.0)
    robot.pick(2)
    robot.time.run(seconds=5.0)
    assert robot.told() == list(range(9))
    punnets = [event.data["berries"] for event in robot.events if event.type == "punnet"]
    assert punnets == list(range(1, 10))


def test_picks_while_the_link_to_the_farm_is_down_survive_the_death_of_the_gateway(tmp_path: Path) -> None:
    robot = Robot(tmp_path)
    first = robot.gateway("g1")
    robot.time.run(seconds=1.0)
    robot.broker.stop()
    robot.pick(3)
    robot.time.run(seconds=5.0)  # the mission has been asked: it keeps nothing any more
    first.destroy_node()
    robot.broker.start()
    robot.gateway("g2")
    robot.time.run(seconds=5.0)
    assert robot.told() == [0, 1, 2]
    assert {(event.boot, event.seq) for event in robot.events if event.type == "pick"} == {
        ("g1", 0),
        ("g1", 2),
        ("g1", 4),
    }
