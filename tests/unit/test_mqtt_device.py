"""What a device publishes, and what it does with commands, on virtual time."""

from __future__ import annotations

import json

import pytest

from sim.lockstep import Lockstep
from telemetry.messages import Ack, AckStatus, Birth, Command, Data, Event, Kind, MetricInfo, State
from telemetry.messages.wire import MessageError, decode, encode
from telemetry.mqtt import Message
from telemetry.mqtt.commands import CommandInbox, Reply
from telemetry.mqtt.device import ARRAY_LENGTH, Address, DevicePublisher, Identity, offline_will
from telemetry.mqtt.memory import MemoryBroker

T0 = 1_780_000_000.0
ADDRESS = Address(site="farm", zone="z1", device="robot-1")
METRICS = {"rail_position": MetricInfo(unit="m", minimum=-0.6, maximum=3.4, interval=1.0)}


class Farm:
    """A device on an in-memory broker, and a watcher who keeps all it sees."""

    def __init__(self, *, queue_limit: int = 1000) -> None:
        self.time = Lockstep(T0)
        self.broker = MemoryBroker(self.time)
        self.seen: list[Message] = []
        self.watcher = self.broker.client("watcher")
        self.watcher.subscribe("gh/1/#", self.seen.append)
        self.run()
        self.client = self.broker.client("robot-1", will=offline_will(ADDRESS, self.time))
        identity = Identity(boot="b1", model="ur3e", firmware="0.1", metrics=METRICS)
        self.publisher = DevicePublisher(self.client, ADDRESS, self.time, identity, queue_limit=queue_limit)
        self.run()

    def run(self, seconds: float = 1.0) -> None:
        self.time.post(lambda: None, delay=seconds)  # time only moves as far as something is due
        self.time.run(seconds=seconds)

    def of(self, kind: Kind) -> list[bytes]:
        return [message.payload for message in self.seen if message.topic == ADDRESS.topic(kind)]

    def data(self) -> list[Data]:
        payloads = [payload for message in self.of(Kind.DATA) for payload in decode(Kind.DATA, message)]
        return [payload for payload in payloads if isinstance(payload, Data)]

    def states(self) -> list[str]:
        states = [decode(Kind.STATE, message)[0] for message in self.of(Kind.STATE)]
        return [state.status for state in states if isinstance(state, State)]

    def acks(self) -> list[tuple[str, AckStatus, str]]:
        acks = [decode(Kind.ACK, message)[0] for message in self.of(Kind.ACK)]
        return [(ack.id, ack.status, ack.reason) for ack in acks if isinstance(ack, Ack)]


def test_device_introduces_itself_with_birth_and_state_that_stay() -> None:
    farm = Farm()
    late: list[Message] = []
    farm.broker.client("late").subscribe("gh/1/#", late.append)
    farm.run()
    kept = {message.topic: message for message in late}
    birth = decode(Kind.BIRTH, kept[ADDRESS.topic(Kind.BIRTH)].payload)[0]
    assert isinstance(birth, Birth)
    assert (birth.model, birth.boot, birth.metrics) == ("ur3e", "b1", METRICS)
    assert decode(Kind.STATE, kept[ADDRESS.topic(Kind.STATE)].payload)[0] == State(at=T0 + 1.0, status="online")


@pytest.mark.parametrize(("size", "told"), [(30_000, True), (40_000, False)])
def test_birth_describes_the_device_unless_that_is_too_large_to_keep(size: int, told: bool) -> None:
    time = Lockstep(T0)
    client = MemoryBroker(time).client("robot-1")
    births: list[Birth] = []
    client.subscribe(ADDRESS.topic(Kind.BIRTH), lambda m: births.extend(decode(Kind.BIRTH, m.payload)))  # type: ignore[arg-type]
    description = {"urdf": "x" * size}
    identity = Identity(boot="b1", model="ur3e", firmware="0.1", metrics=METRICS, description=description)
    DevicePublisher(client, ADDRESS, time, identity)
    time.run(seconds=1.0)
    assert births[0].description == (description if told else {})


def test_measurements_are_numbered_from_zero_within_a_boot() -> None:
    farm = Farm()
    for value in (0.0, 0.5, 1.0):
        farm.publisher.data({"rail_position": value})
        farm.run()
    assert [(data.seq, data.boot, data.metrics["rail_position"], data.historical) for data in farm.data()] == [
        (0, "b1", 0.0, False),
        (1, "b1", 0.5, False),
        (2, "b1", 1.0, False),
    ]


def test_events_carry_their_own_numbers_and_time() -> None:
    farm = Farm()
    farm.publisher.data({"rail_position": 0.0})
    farm.publisher.event("pick", {"berry": 3}, at=T0 - 5.0)
    farm.publisher.event("pick", {"berry": 4})
    farm.run()
    assert [decode(Kind.EVENT, payload)[0] for payload in farm.of(Kind.EVENT)] == [
        Event(at=T0 - 5.0, seq=0, boot="b1", type="pick", data={"berry": 3}),
        Event(at=T0 + 2.0, seq=1, boot="b1", type="pick", data={"berry": 4}),
    ]


def test_measurements_of_an_outage_are_sent_afterwards_as_arrays_and_keep_time_and_number() -> None:
    farm = Farm()
    farm.broker.cut("robot-1")
    for i in range(2 * ARRAY_LENGTH + 5):
        farm.publisher.data({"rail_position": i / 1000.0})
        farm.run()
    assert farm.publisher.waiting() == 2 * ARRAY_LENGTH + 5
    farm.broker.restore("robot-1")
    farm.run()
    assert len(farm.of(Kind.DATA)) == 3
    data = farm.data()
    assert [item.seq for item in data] == list(range(2 * ARRAY_LENGTH + 5))
    assert all(item.historical for item in data)
    assert data[-1].at - data[0].at == 2 * ARRAY_LENGTH + 4
    assert farm.publisher.waiting() == 0


def test_oldest_measurements_give_way_in_a_long_outage_and_their_numbers_stay_missing() -> None:
    farm = Farm(queue_limit=10)
    farm.broker.cut("robot-1")
    for i in range(25):
        farm.publisher.data({"rail_position": i / 1000.0})
    farm.broker.restore("robot-1")
    farm.run()
    assert [data.seq for data in farm.data()] == list(range(15, 25))


def test_value_that_cannot_be_sent_is_refused_at_once_even_while_disconnected() -> None:
    farm = Farm()
    farm.broker.cut("robot-1")
    with pytest.raises(MessageError):
        farm.publisher.data({"rail_position": float("nan")})
    farm.publisher.data({"rail_position": 1.0})
    farm.broker.restore("robot-1")
    farm.run()
    assert [(data.seq, data.metrics) for data in farm.data()] == [(0, {"rail_position": 1.0})]


def test_large_measurements_of_an_outage_are_cut_into_arrays_that_fit() -> None:
    farm = Farm()
    farm.broker.cut("robot-1")
    many = {f"metric_{i}": i / 7.0 for i in range(1000)}
    for _ in range(40):
        farm.publisher.data(many)
        farm.run()
    farm.broker.restore("robot-1")
    farm.run()
    assert [data.seq for data in farm.data()] == list(range(40))
    assert 2 < len(farm.of(Kind.DATA)) < 20


def test_state_is_sent_when_it_changes_and_again_after_an_outage() -> None:
    farm = Farm()
    for _ in range(3):
        farm.publisher.state("holding", fault="eyes_lost")
    farm.run()
    farm.broker.cut("robot-1")
    farm.run(5.0)
    farm.publisher.state("working")
    farm.broker.restore("robot-1")
    farm.run(5.0)
    assert farm.states() == ["online", "holding", "offline", "working"]


def test_will_of_a_device_that_is_back_in_time_is_not_published() -> None:
    farm = Farm()
    farm.broker.cut("robot-1")
    farm.broker.restore("robot-1")
    farm.run(10.0)
    assert "offline" not in farm.states()


def test_farewell_is_said_once_and_without_the_will() -> None:
    farm = Farm()
    farm.publisher.close()
    farm.client.close()
    farm.run(10.0)
    assert farm.states() == ["online", "offline"]


def test_live_view_is_lost_while_disconnected() -> None:
    farm = Farm()
    farm.publisher.live({"joints": [0.0]})
    farm.run()
    farm.broker.cut("robot-1")
    farm.publisher.live({"joints": [1.0]})
    farm.broker.restore("robot-1")
    farm.run()
    assert [json.loads(payload) for payload in farm.of(Kind.LIVE)] == [{"joints": [0.0]}]


class Robot(Farm):
    """A device that carries commands out and notes which."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[Command] = []
        self.replies: list[Reply] = []
        self.inbox = CommandInbox(self.client, ADDRESS, self.time, {"harvest": self.harvest})
        self.sender = self.broker.client("brain")
        self.run()

    def harvest(self, command: Command, reply: Reply) -> None:
        self.done.append(command)
        self.replies.append(reply)
        reply(AckStatus.ACCEPTED, "")

    def order(self, id: str, *, command: str = "harvest", expires_in: float = 60.0) -> None:
        expires_at = self.time.now() + expires_in
        order = Command(id=id, issuer="brain", expires_at=expires_at, command=command, arguments={"bed": "b1"})
        self.sender.publish(ADDRESS.topic(Kind.CMD), encode(order), qos=1)
        self.run()


def test_command_is_carried_out_and_answered_now_and_later() -> None:
    robot = Robot()
    robot.order("o-1")
    assert [command.arguments for command in robot.done] == [{"bed": "b1"}]
    robot.replies[0](AckStatus.DONE, "")
    robot.run()
    assert robot.acks() == [("o-1", AckStatus.ACCEPTED, ""), ("o-1", AckStatus.DONE, "")]


def test_repeated_command_is_acknowledged_without_effect() -> None:
    robot = Robot()
    robot.order("o-1")
    robot.order("o-1")
    assert len(robot.done) == 1
    assert [status for _, status, _ in robot.acks()] == [AckStatus.ACCEPTED, AckStatus.DUPLICATE]


@pytest.mark.parametrize("expires_in", [-1.0, 0.0])
def test_expired_command_is_acknowledged_without_effect(expires_in: float) -> None:
    robot = Robot()
    robot.order("o-1", expires_in=expires_in)
    assert not robot.done
    assert robot.acks() == [("o-1", AckStatus.EXPIRED, "")]


def test_command_that_waited_for_the_robot_until_it_expired_has_no_effect() -> None:
    robot = Robot()
    robot.broker.cut("robot-1")
    robot.order("o-1", expires_in=30.0)
    robot.run(60.0)
    robot.broker.restore("robot-1")
    robot.run()
    assert not robot.done
    assert robot.acks() == [("o-1", AckStatus.EXPIRED, "")]


def test_unknown_command_is_rejected_with_its_reason() -> None:
    robot = Robot()
    robot.order("o-1", command="dance")
    assert robot.acks() == [("o-1", AckStatus.REJECTED, "unknown_command")]


def test_command_that_breaks_the_contract_is_dropped_and_the_next_one_works() -> None:
    robot = Robot()
    robot.sender.publish(ADDRESS.topic(Kind.CMD), b"{", qos=1)
    robot.sender.publish(ADDRESS.topic(Kind.CMD), b'[{"id": "x"}]', qos=1)
    robot.order("o-2")
    assert [command.id for command in robot.done] == ["o-2"]
