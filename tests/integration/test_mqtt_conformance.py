"""One suite over all MQTT clients: paho's and ingest's link on a real mosquitto, the in-memory twin on virtual time."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from sim.lockstep import Lockstep
from telemetry.ingest.receive import ReceivingLink
from telemetry.mqtt import Client, MakeWill, Message, Will
from telemetry.mqtt.broker import Broker, free_port, mosquitto_path, start_broker
from telemetry.mqtt.connection import OpenLink
from telemetry.mqtt.link import PahoLink
from telemetry.mqtt.memory import MemoryBroker
from telemetry.mqtt.memory_client import MemoryClient
from telemetry.mqtt.network import NetworkClient

DEADLINE_S = 20.0


class World(Protocol):
    """What the suite needs of a broker and of time."""

    def client(
        self, name: str, *, will: MakeWill | None = None, clean: bool = False, manual_ack: bool = False
    ) -> Client: ...
    def run(self, until: Callable[[], bool]) -> None: ...
    def cut(self, client: Client) -> None: ...
    def gone(self, client: Client) -> None: ...
    def stop_broker(self) -> None: ...
    def start_broker(self) -> None: ...
    def close(self) -> None: ...


class MemoryWorld:
    def __init__(self) -> None:
        self.time = Lockstep(1_780_000_000.0)
        self.broker = MemoryBroker(self.time, delay=0.001)

    def client(
        self, name: str, *, will: MakeWill | None = None, clean: bool = False, manual_ack: bool = False
    ) -> Client:
        return self.broker.client(name, will=will, clean=clean, manual_ack=manual_ack)

    def run(self, until: Callable[[], bool]) -> None:
        self.time.run(until=until, seconds=DEADLINE_S)
        assert until()

    def cut(self, client: Client) -> None:
        assert isinstance(client, MemoryClient)
        self.broker.cut(client.client_id)
        self.broker.restore(client.client_id)

    def gone(self, client: Client) -> None:
        assert isinstance(client, MemoryClient)
        self.broker.cut(client.client_id)

    def stop_broker(self) -> None:
        self.broker.stop()

    def start_broker(self) -> None:
        self.broker.start()

    def close(self) -> None:
        pass


class MosquittoWorld:
    def __init__(self, directory: Path, open_link: OpenLink) -> None:
        self.open_link = open_link
        self.directory = directory
        self.port = free_port()
        self.broker: Broker = start_broker(directory, self.port)
        self.clients: list[NetworkClient] = []

    def client(
        self, name: str, *, will: MakeWill | None = None, clean: bool = False, manual_ack: bool = False
    ) -> Client:
        client = NetworkClient(
            "127.0.0.1",
            self.port,
            name,
            will=will,
            clean=clean,
            manual_ack=manual_ack,
            open_link=self.open_link,
        )
        self.clients.append(client)
        return client

    def run(self, until: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not until():
            assert time.monotonic() < deadline, "condition not met in time"
            for client in self.clients:
                client.loop(0.002)

    def cut(self, client: Client) -> None:
        assert isinstance(client, NetworkClient)
        with socket.socket(fileno=os.dup(client.fileno())) as connection:
            connection.shutdown(socket.SHUT_RDWR)
        self.run(lambda: not client.connected)

    def gone(self, client: Client) -> None:
        assert isinstance(client, NetworkClient)
        self.clients.remove(client)
        with socket.socket(fileno=os.dup(client.fileno())) as connection:
            connection.shutdown(socket.SHUT_RDWR)

    def stop_broker(self) -> None:
        self.broker.close()
        self.run(lambda: not any(client.connected for client in self.clients))

    def start_broker(self) -> None:
        self.broker = start_broker(self.directory, self.port)

    def close(self) -> None:
        for client in self.clients:
            client.close(timeout=0.0)
        self.broker.close()


LINKS: dict[str, OpenLink] = {"paho": PahoLink, "ingest": ReceivingLink}


@pytest.fixture(params=["memory", *LINKS])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param != "memory" and mosquitto_path() is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    made: World = MemoryWorld() if request.param == "memory" else MosquittoWorld(tmp_path, LINKS[request.param])
    yield made
    made.close()


class Inbox:
    """Collects messages. Markers are acknowledged and set aside: they may come again after a lost connection."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.marked = False

    def __call__(self, message: Message) -> None:
        if message.payload == b"marker":
            self.marked = True
            message.ack()
        else:
            self.messages.append(message)

    @property
    def payloads(self) -> list[bytes]:
        return [message.payload for message in self.messages]


def connected(world: World, *clients: Client) -> None:
    world.run(lambda: all(client.connected for client in clients))


def subscribed(world: World, client: Client, inbox: Inbox, topic_filter: str, marker: str) -> None:
    """Subscribe and wait until the broker serves it: `marker` published by the same client comes back."""
    client.subscribe(topic_filter, inbox)
    client.publish(marker, b"marker", qos=1)
    world.run(lambda: inbox.marked and client.unacknowledged() == 0)


def test_message_reaches_every_subscriber_once_and_in_order(world: World) -> None:
    publisher, first, second = world.client("p"), world.client("a"), world.client("b")
    connected(world, publisher, first, second)
    inboxes = Inbox(), Inbox()
    subscribed(world, first, inboxes[0], "gh/1/+/+/+/data", "gh/1/s/z/m/data")
    subscribed(world, second, inboxes[1], "gh/1/s/#", "gh/1/s/z/m/data")
    sent = [f"{i}".encode() for i in range(300)]
    for payload in sent:
        publisher.publish("gh/1/s/z/d/data", payload, qos=1)
    world.run(lambda: len(inboxes[0].messages) >= 300 and len(inboxes[1].messages) >= 300)
    assert inboxes[0].payloads == sent
    assert inboxes[1].payloads == sent
    world.run(lambda: publisher.unacknowledged() == 0)


def test_wildcards_select_and_nothing_else_arrives(world: World) -> None:
    client = world.client("a")
    connected(world, client)
    inbox = Inbox()
    subscribed(world, client, inbox, "gh/1/+/+/+/data", "gh/1/s/z/m/data")
    for topic in ("gh/1/s/z/d/state", "gh/1/s/z/data", "gh/1/s/z/d/data/x", "x/1/s/z/d/data"):
        client.publish(topic, b"other", qos=1)
    client.publish("gh/1/s/z/d/data", b"wanted", qos=1)
    world.run(lambda: b"wanted" in inbox.payloads)
    assert inbox.payloads == [b"wanted"]


def test_retained_message_waits_for_new_subscribers_and_an_empty_one_clears_it(world: World) -> None:
    publisher = world.client("p")
    connected(world, publisher)
    publisher.publish("gh/1/s/z/d/birth", b"one", qos=1, retain=True)
    publisher.publish("gh/1/s/z/d/birth", b"two", qos=1, retain=True)
    publisher.publish("gh/1/s/z/e/birth", b"gone", qos=1, retain=True)
    publisher.publish("gh/1/s/z/e/birth", b"", qos=1, retain=True)
    world.run(lambda: publisher.unacknowledged() == 0)
    late, inbox = world.client("late"), Inbox()
    late.subscribe("gh/1/+/+/+/birth", inbox)
    world.run(lambda: bool(inbox.messages))
    publisher.publish("gh/1/s/z/d/birth", b"three", qos=1, retain=True)
    world.run(lambda: b"three" in inbox.payloads)
    assert inbox.payloads == [b"two", b"three"]
    assert [message.retain for message in inbox.messages] == [True, False]


def test_will_is_published_for_the_one_who_vanishes_and_not_for_the_one_who_says_goodbye(world: World) -> None:
    watcher, inbox = world.client("w"), Inbox()
    connected(world, watcher)
    subscribed(world, watcher, inbox, "gh/1/+/+/+/state", "gh/1/s/z/m/state")
    polite = world.client("polite", will=lambda: Will(topic="gh/1/s/z/polite/state", payload=b"polite"))
    vanishing = world.client("vanishing", will=lambda: Will(topic="gh/1/s/z/vanishing/state", payload=b"vanishing"))
    connected(world, polite, vanishing)
    polite.close()
    world.gone(vanishing)
    world.run(lambda: b"vanishing" in inbox.payloads)
    assert inbox.payloads == [b"vanishing"]


def test_messages_wait_for_a_subscriber_that_is_away(world: World) -> None:
    publisher, subscriber, inbox = world.client("p"), world.client("s"), Inbox()
    connected(world, publisher, subscriber)
    subscribed(world, subscriber, inbox, "gh/1/+/+/+/data", "gh/1/s/z/m/data")
    world.gone(subscriber)
    sent = [f"{i}".encode() for i in range(200)]
    for payload in sent:
        publisher.publish("gh/1/s/z/d/data", payload, qos=1)
    world.run(lambda: publisher.unacknowledged() == 0)
    returned, inbox = world.client("s"), Inbox()
    returned.subscribe("gh/1/+/+/+/data", inbox)
    world.run(lambda: len(inbox.messages) >= 200)
    assert inbox.payloads == sent


def test_a_filter_of_an_earlier_life_can_be_left(world: World) -> None:
    got: list[str] = []
    first = world.client("hearer")
    first.subscribe("old/+", lambda message: None)
    world.run(lambda: first.connected)
    first.close()
    second = world.client("hearer")
    second.unsubscribe("old/+")
    second.subscribe("#", lambda message: got.append(message.topic))
    second.subscribe("new", lambda message: None)
    second.unsubscribe("#")
    second.subscribe("last", lambda message: got.append(message.topic))
    sender = world.client("sender")
    world.run(lambda: second.connected and sender.connected)
    for topic in ("old/1", "other", "last"):
        sender.publish(topic, b"1", qos=1)
    world.run(lambda: "last" in got)
    assert got == ["last"]


def test_what_is_not_acknowledged_is_delivered_again_after_a_reconnect(world: World) -> None:
    publisher, inbox = world.client("p"), Inbox()
    subscriber = world.client("s", manual_ack=True)
    connected(world, publisher, subscriber)
    subscribed(world, subscriber, inbox, "gh/1/+/+/+/data", "gh/1/s/z/m/data")
    for payload in (b"a", b"b", b"c"):
        publisher.publish("gh/1/s/z/d/data", payload, qos=1)
    world.run(lambda: len(inbox.messages) >= 3)
    old = list(inbox.messages)
    old[0].ack()
    publisher.publish("gh/1/s/z/d/data", b"d", qos=1)
    world.run(lambda: len(inbox.messages) >= 4)
    inbox.messages.clear()
    world.cut(subscriber)
    world.run(lambda: len(inbox.messages) >= 3)
    assert inbox.payloads == [b"b", b"c", b"d"]
    for message in old:
        message.ack()  # over a connection that is gone: has no effect
    inbox.messages[0].ack()
    inbox.messages[2].ack()
    publisher.publish("gh/1/s/z/d/data", b"e", qos=1)
    world.run(lambda: b"e" in inbox.payloads)
    inbox.messages.clear()
    world.cut(subscriber)
    world.run(lambda: len(inbox.messages) >= 2)
    assert inbox.payloads == [b"c", b"e"]


def test_publisher_queues_while_the_broker_is_away_and_nothing_is_lost(world: World) -> None:
    publisher, subscriber, inbox = world.client("p"), world.client("s"), Inbox()
    connected(world, publisher, subscriber)
    subscribed(world, subscriber, inbox, "gh/1/+/+/+/data", "gh/1/s/z/m/data")
    publisher.publish("gh/1/s/z/d/data", b"before", qos=1)
    world.run(lambda: bool(inbox.messages) and publisher.unacknowledged() == 0)
    world.stop_broker()
    assert not publisher.connected
    for i in range(100):
        publisher.publish("gh/1/s/z/d/data", f"{i}".encode(), qos=1)
        publisher.publish("gh/1/s/z/d/data", b"never", qos=0)
    assert publisher.unacknowledged() >= 100
    world.start_broker()
    world.run(lambda: inbox.payloads[-1:] == [b"99"])
    fresh = [payload for payload in inbox.payloads if payload != b"before"]  # may come twice: it was acknowledged last
    assert fresh == [f"{i}".encode() for i in range(100)]
    world.run(lambda: publisher.unacknowledged() == 0)


def test_those_who_ask_are_told_of_each_connection(world: World) -> None:
    client = world.client("c")
    told: list[bool] = []
    client.on_connect(lambda: told.append(client.connected))
    world.run(lambda: len(told) == 1)
    world.cut(client)
    world.run(lambda: len(told) == 2)
    client.on_connect(lambda: told.append(client.connected))
    assert told == [True, True, True]


@pytest.mark.parametrize("topic", ["", "gh/1/+/z/d/data", "gh/#", "a\0b"])
def test_topic_with_wildcards_is_not_published(world: World, topic: str) -> None:
    with pytest.raises(ValueError, match="without wildcards"):
        world.client("p").publish(topic, b"x", qos=1)


@pytest.mark.parametrize("topic_filter", ["", "gh/#/data", "gh/a+/data", "gh/1#"])
def test_filter_with_misplaced_wildcards_is_not_subscribed(world: World, topic_filter: str) -> None:
    with pytest.raises(ValueError, match="topic filter"):
        world.client("p").subscribe(topic_filter, lambda message: None)


def test_large_payload_arrives_whole(world: World) -> None:
    client, inbox = world.client("c"), Inbox()
    connected(world, client)
    subscribed(world, client, inbox, "gh/1/+/+/+/data", "gh/1/s/z/m/data")
    payload = bytes(range(256)) * 2048
    client.publish("gh/1/s/z/d/data", payload, qos=1)
    world.run(lambda: bool(inbox.messages))
    assert inbox.payloads == [payload]
