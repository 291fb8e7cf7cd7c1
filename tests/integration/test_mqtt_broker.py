"""Real brokers: started, in each other's way, killed, without mosquitto, and gone with the one who started them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from telemetry.ingest.wall import WallClock
from telemetry.messages import Kind
from telemetry.messages.wire import MAX_BYTES
from telemetry.mqtt import Message, MqttError
from telemetry.mqtt.broker import Broker, free_port, mosquitto_path, start_broker
from telemetry.mqtt.device import Address, DevicePublisher, Identity
from telemetry.mqtt.filters import MAX_PAYLOAD
from telemetry.mqtt.network import NetworkClient, NetworkSettings
from telemetry.mqtt.outbox import Outbox

HOUSE = Path(__file__).parents[2]
DEADLINE_S = 30.0
needs_mosquitto = pytest.mark.skipif(
    mosquitto_path() is None, reason="mosquitto is not installed (apt-get install mosquitto)"
)


def run(until: Callable[[], bool], *clients: NetworkClient) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not until():
        assert time.monotonic() < deadline, "condition not met in time"
        for client in clients:
            client.loop(0.002)


class Numbers:
    """Collects numbered messages."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def __call__(self, message: Message) -> None:
        self.seen.append(int(message.payload))

    def missing(self, count: int) -> set[int]:
        return set(range(count)) - set(self.seen)


@pytest.fixture
def brokers(tmp_path: Path) -> Iterator[Callable[..., Broker]]:
    """Start brokers on one folder and port; all are ended afterwards."""
    started: list[Broker] = []
    port = free_port()

    def start(*, embedded: bool = False) -> Broker:
        started.append(start_broker(tmp_path / "broker", port, embedded=embedded))
        return started[-1]

    yield start
    for broker in started:
        broker.close()


def _written(broker: Broker) -> bool:
    """Tell whether mosquitto has written its sessions, which it does every 2 s when there is something new."""
    return (broker.log_path.parent / "mosquitto.db").exists()


@needs_mosquitto
def test_nothing_acknowledged_is_lost_when_the_broker_is_killed_again_and_again(
    brokers: Callable[..., Broker],
) -> None:
    broker = brokers()
    numbers = Numbers()
    subscriber = NetworkClient(broker.host, broker.port, "subscriber")
    publisher = NetworkClient(broker.host, broker.port, "publisher")
    subscriber.subscribe("gh/1/+/+/+/data", numbers)
    run(lambda: subscriber.connected and publisher.connected, subscriber, publisher)
    run(lambda: _written(broker), subscriber, publisher)
    count = 0
    for _ in range(3):
        for _ in range(700):
            publisher.publish("gh/1/s/z/d/data", str(count).encode(), qos=1)
            count += 1
            if count % 10 == 0:
                publisher.loop(0.0)
                subscriber.loop(0.0)
        broker.kill()
        run(lambda: not publisher.connected and not subscriber.connected, subscriber, publisher)
        broker = brokers()
        run(lambda: publisher.connected, publisher)
    run(lambda: publisher.unacknowledged() == 0 and not numbers.missing(count), subscriber, publisher)
    for client in (publisher, subscriber):
        client.close()


@needs_mosquitto
def test_measurements_sent_before_the_farm_has_ever_subscribed_reach_it(
    brokers: Callable[..., Broker], tmp_path: Path
) -> None:
    broker = brokers()
    device, farm = (NetworkClient(broker.host, broker.port, name) for name in ("device", "farm"))
    outbox = Outbox(tmp_path / "outbox.sqlite3")
    address = Address(site="s", zone="z", device="d")
    publisher = DevicePublisher(
        device, address, WallClock(), Identity(boot="b", model="m", firmware="", metrics={}), outbox=outbox
    )
    run(lambda: device.connected, device)
    for value in range(3):
        publisher.data({"air_temperature": float(value)})
    run(lambda: device.unacknowledged() == 3 and publisher.waiting() == 0, device)
    heard: list[dict[str, float]] = []
    farm.subscribe(address.topic(Kind.DATA), lambda message: heard.append(json.loads(message.payload)["m"]))
    run(lambda: len(heard) == 3, device, farm)
    run(lambda: device.unacknowledged() == 0, device, farm)
    assert [one["air_temperature"] for one in heard] == [0.0, 1.0, 2.0]
    for client in (device, farm):
        client.close()
    outbox.close()


@needs_mosquitto
def test_messages_for_a_subscriber_that_is_away_survive_the_kill_of_the_broker(brokers: Callable[..., Broker]) -> None:
    broker = brokers()
    subscriber = NetworkClient(broker.host, broker.port, "subscriber")
    subscriber.subscribe("gh/1/+/+/+/data", Numbers())
    publisher = NetworkClient(broker.host, broker.port, "publisher")
    run(lambda: subscriber.connected and publisher.connected, subscriber, publisher)
    run(lambda: _written(broker), subscriber, publisher)
    subscriber.close()
    for number in range(1500):
        publisher.publish("gh/1/s/z/d/data", str(number).encode(), qos=1)
    run(lambda: publisher.unacknowledged() == 0, publisher)
    broker.kill()  # all of them are acknowledged, most not written yet
    run(lambda: not publisher.connected, publisher)
    brokers()
    run(lambda: publisher.connected, publisher)
    numbers = Numbers()
    returned = NetworkClient(broker.host, broker.port, "subscriber")
    returned.subscribe("gh/1/+/+/+/data", numbers)
    run(lambda: not numbers.missing(1500), returned, publisher)
    for client in (publisher, returned):
        client.close()


@needs_mosquitto
def test_retained_state_is_the_newest_after_the_broker_was_killed(brokers: Callable[..., Broker]) -> None:
    broker = brokers()
    publisher = NetworkClient(broker.host, broker.port, "publisher")
    run(lambda: publisher.connected, publisher)
    for number in range(20):
        publisher.publish("gh/1/s/z/d/state", str(number).encode(), qos=1, retain=True)
    run(lambda: publisher.unacknowledged() == 0, publisher)
    broker.kill()
    run(lambda: not publisher.connected, publisher)
    publisher.publish("gh/1/s/z/d/state", b"20", qos=1, retain=True)
    brokers()
    run(lambda: publisher.connected and publisher.unacknowledged() == 0, publisher)
    numbers = Numbers()
    reader = NetworkClient(broker.host, broker.port, "reader", clean=True)
    reader.subscribe("gh/1/+/+/+/state", numbers)
    run(lambda: bool(numbers.seen), reader)
    assert numbers.seen == [20]
    for client in (publisher, reader):
        client.close()


@needs_mosquitto
def test_device_that_ends_in_order_just_before_its_broker_is_killed_says_it_again(
    brokers: Callable[..., Broker], tmp_path: Path
) -> None:
    broker = brokers()
    clock, path = WallClock(), tmp_path / "outbox.sqlite3"
    address = Address(site="s", zone="z", device="d")
    identity = Identity(boot="b", model="m", firmware="", metrics={})
    outbox, client = Outbox(path), NetworkClient(broker.host, broker.port, "d")
    device = DevicePublisher(client, address, clock, identity, outbox=outbox)
    other = NetworkClient(broker.host, broker.port, "other", clean=True)
    other.subscribe("gh/#", lambda _: None)
    run(lambda: client.connected and other.connected, client, other)
    for number in range(20):
        device.event("pick", {"n": number})
    run(lambda: client.unacknowledged() == 0, client, other)
    device.close()
    client.close()
    other.close()
    outbox.close()
    broker.kill()  # within its 2 s: it has acknowledged all and written nothing
    broker = brokers()
    numbers: list[int] = []
    watcher = NetworkClient(broker.host, broker.port, "watcher")
    watcher.subscribe("gh/1/s/z/d/event", lambda message: numbers.append(json.loads(message.payload)["data"]["n"]))
    run(lambda: watcher.connected, watcher)
    outbox, client = Outbox(path), NetworkClient(broker.host, broker.port, "d")
    assert len(outbox) == 20
    DevicePublisher(client, address, clock, identity, outbox=outbox)
    run(lambda: len(numbers) >= 20, watcher, client)
    assert numbers == list(range(20))
    for each in (watcher, client, outbox):
        each.close()


def test_port_in_use_is_named_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(MqttError, match=f"{port}.*choose another port") as failed:
            start_broker(tmp_path, port)
    assert failed.value.code == "port_in_use"


def test_client_without_a_broker_keeps_trying_and_connects_when_there_is_one(
    brokers: Callable[..., Broker], caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    lonely = NetworkClient("127.0.0.1", port, "lonely")
    lonely.publish("gh/1/s/z/d/data", b"1", qos=1)
    started = time.monotonic()
    run(lambda: time.monotonic() - started > 0.5, lonely)
    assert not lonely.connected
    assert lonely.unacknowledged() == 1
    lonely.close()
    told = [record.getMessage() for record in caplog.records if "no broker at" in record.getMessage()]
    assert told == [f"no broker at 127.0.0.1:{port} (Connection refused): trying until one answers"]
    broker = brokers()
    client = NetworkClient(broker.host, broker.port, "c")
    run(lambda: client.connected, client)
    client.close()


def test_client_whose_broker_never_answers_does_not_block_its_owner() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        client = NetworkClient("127.0.0.1", silent.getsockname()[1], "c", settings=NetworkSettings(connect_s=0.3))
        longest = 0.0
        started = time.monotonic()
        while time.monotonic() - started < 1.0:
            before = time.monotonic()
            client.loop(0.01)
            longest = max(longest, time.monotonic() - before)
        assert not client.connected
        assert longest < 0.3
        client.close()


def test_queue_is_bounded_and_the_oldest_give_way(brokers: Callable[..., Broker]) -> None:
    broker = brokers()
    client = NetworkClient(broker.host, broker.port, "c", settings=NetworkSettings(queue_limit=10))
    for number in range(25):
        client.publish("gh/1/s/z/d/data", str(number).encode(), qos=1)
    assert (client.unacknowledged(), client.dropped) == (10, 15)
    numbers = Numbers()
    client.subscribe("gh/1/+/+/+/data", numbers)
    run(lambda: len(numbers.seen) >= 10, client)
    assert numbers.seen == list(range(15, 25))
    client.close()


@needs_mosquitto
def test_payload_above_the_limit_of_a_kind_still_arrives_to_become_a_dead_letter(
    brokers: Callable[..., Broker],
) -> None:
    broker = brokers()
    client = NetworkClient(broker.host, broker.port, "c")
    sizes: list[int] = []
    client.subscribe("gh/1/+/+/+/data", lambda message: sizes.append(len(message.payload)))
    run(lambda: client.connected, client)
    client.publish("gh/1/s/z/d/data", b"x" * (MAX_BYTES + 1), qos=1)
    client.publish("gh/1/s/z/d/data", b"x" * MAX_PAYLOAD, qos=1)
    with pytest.raises(ValueError, match="at most 1048576 byte"):
        client.publish("gh/1/s/z/d/data", b"x" * (MAX_PAYLOAD + 1), qos=1)
    client.publish("gh/1/s/z/d/data", b"x", qos=1)
    run(lambda: bool(sizes) and sizes[-1] == 1, client)
    assert sizes == [MAX_BYTES + 1, MAX_PAYLOAD, 1]
    client.close()


@needs_mosquitto
def test_two_programs_with_one_client_id_are_told_and_do_not_chase_each_other(
    brokers: Callable[..., Broker], caplog: pytest.LogCaptureFixture
) -> None:
    broker = brokers()
    first = NetworkClient(broker.host, broker.port, "same")
    run(lambda: first.connected, first)
    second = NetworkClient(broker.host, broker.port, "same")
    connections: list[float] = []
    for client in (first, second):
        client.on_connect(lambda: connections.append(time.monotonic()))
    run(lambda: "has another program this client id?" in caplog.text, first, second)
    run(lambda: len(connections) > 1 and time.monotonic() - connections[-1] > 1.0, first, second)
    assert len(connections) < 20
    for client in (first, second):
        client.close()


def test_embedded_broker_serves_the_same_client_and_says_that_it_is_not_durable(
    brokers: Callable[..., Broker],
) -> None:
    broker = brokers(embedded=True)
    assert (broker.name, broker.durable) == ("amqtt", False)
    publisher = NetworkClient(broker.host, broker.port, "p")
    subscriber = NetworkClient(broker.host, broker.port, "s", manual_ack=True)
    numbers = Numbers()

    def take(message: Message) -> None:
        numbers(message)
        message.ack()

    subscriber.subscribe("gh/1/+/+/+/data", take)
    run(lambda: publisher.connected and subscriber.connected, publisher, subscriber)
    assert publisher.protocol == "3.1.1"
    run(lambda: _echo(publisher, numbers), publisher, subscriber)
    for number in range(100):
        publisher.publish("gh/1/s/z/d/data", str(number).encode(), qos=1)
    run(lambda: not numbers.missing(100), publisher, subscriber)
    for client in (publisher, subscriber):
        client.close()


def _echo(publisher: NetworkClient, numbers: Numbers) -> bool:
    """Publish until the subscription is served."""
    if publisher.unacknowledged() == 0 and not numbers.seen:
        publisher.publish("gh/1/s/z/d/data", b"-1", qos=1)
    return bool(numbers.seen)


PARENT = """
import sys, time
from pathlib import Path
from telemetry.mqtt.broker import start_broker
broker = start_broker(Path(sys.argv[1]), 0, embedded=sys.argv[2] == "embedded")
print(broker.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("which", [pytest.param("mosquitto", marks=needs_mosquitto), "embedded"])
def test_broker_ends_with_its_killed_parent(tmp_path: Path, which: str) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path), which]
    with subprocess.Popen(command, cwd=HOUSE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        broker = psutil.Process(int(parent.stdout.readline()))
        os.kill(parent.pid, signal.SIGKILL)
        _, alive = psutil.wait_procs([broker], timeout=30.0)
        still = [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
    assert not still
