"""What a broker acknowledged and may have forgotten is sent again, however late its death is noticed, by both links."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from telemetry.ingest.packets import PUBLISH
from telemetry.ingest.receive import ReceivingLink
from telemetry.ingest.stream import PacketStream
from telemetry.mqtt.connection import NO_SUBSCRIBERS, OpenLink
from telemetry.mqtt.link import PahoLink
from telemetry.mqtt.network import NetworkClient, NetworkSettings
from telemetry.mqtt.unheard import FIRST_PAUSE_S

DEADLINE_S = 20.0
REPLAY_S = 0.2
LONG_S = 0.3
WELCOME = bytes.fromhex("2003000000")
LINKS = pytest.mark.parametrize("open_link", [PahoLink, ReceivingLink])


class Plant:
    """A broker that acknowledges when it is told to, and a client of it that notes what is done; one thread."""

    def __init__(self, open_link: OpenLink) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.peer: socket.socket | None = None
        self.stream = PacketStream(1 << 20)
        self.published: list[tuple[bytes, bytes]] = []
        """Packet id and payload of each PUBLISH."""
        self.done: list[bytes] = []
        settings = NetworkSettings(replay_s=REPLAY_S, keepalive_s=3600, retry_min_s=0.01)
        port = self.listener.getsockname()[1]
        self.client = NetworkClient("127.0.0.1", port, "c", clean=True, settings=settings, open_link=open_link)

    def publish(self, payload: bytes) -> None:
        count = len(self.published)
        self.client.publish("t", payload, qos=1, done=lambda: self.done.append(payload))
        self.run(lambda: len(self.published) > count)

    def acknowledge(self, payload: bytes, code: int = 0) -> None:
        assert self.peer is not None
        packet_id = next(number for number, body in reversed(self.published) if body == payload)
        self.peer.sendall(b"\x40\x03" + packet_id + bytes([code]) if code else b"\x40\x02" + packet_id)

    def hang_up(self) -> None:
        assert self.peer is not None
        self.peer.close()
        self.peer = None

    def run(self, until: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not until():
            assert time.monotonic() < deadline
            self._turn()
            self.client.loop(0.001)

    def let_pass(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        self.run(lambda: time.monotonic() > end)
        for _ in range(3):
            self.client.loop(0.001)

    def _turn(self) -> None:
        sockets = [self.listener] + ([self.peer] if self.peer is not None else [])
        for ready in select.select(sockets, [], [], 0.0)[0]:
            if ready is self.listener:  # one that only looks whether somebody listens is followed by the next
                self.peer, self.stream = self.listener.accept()[0], PacketStream(1 << 20)
            elif ready is self.peer:
                for first, data, begin, end in self.stream.feed(self.peer.recv(65536)):
                    if first & 0xF0 == PUBLISH:  # topic of one letter, packet id, no properties
                        self.published.append((data[begin + 3 : begin + 5], data[begin + 6 : end]))
                    elif first == 0x10:
                        self.peer.sendall(WELCOME)

    def close(self) -> None:
        self.client.close(timeout=0.0)
        for each in (self.listener, self.peer):
            if each is not None:
                each.close()


@pytest.fixture
def plant(open_link: OpenLink) -> Iterator[Plant]:
    made = Plant(open_link)
    made.publish(b"first")
    made.acknowledge(b"first")
    made.run(lambda: made.client.unacknowledged() == 0)
    yield made
    made.close()


@LINKS
def test_what_was_acknowledged_before_a_long_silence_is_sent_again(plant: Plant) -> None:
    """The network is cut without a word, the broker is killed, and that is noticed much later."""
    plant.let_pass(LONG_S)
    assert plant.done == []
    plant.hang_up()
    plant.run(lambda: [payload for _, payload in plant.published] == [b"first", b"first"])


@LINKS
def test_what_was_acknowledged_is_done_when_the_broker_still_speaks_long_after_it(plant: Plant) -> None:
    plant.let_pass(LONG_S)
    plant.publish(b"second")
    plant.acknowledge(b"second")
    plant.run(lambda: plant.done == [b"first"])
    plant.hang_up()
    plant.run(lambda: [payload for _, payload in plant.published] == [b"first", b"second", b"second"])


@LINKS
def test_a_client_that_stood_still_does_not_take_old_words_for_signs_of_life(plant: Plant) -> None:
    plant.publish(b"second")
    plant.publish(b"third")
    plant.acknowledge(b"second")
    plant.run(lambda: plant.client.unacknowledged() == 1)
    plant.acknowledge(b"third")
    plant.hang_up()
    select.select([], [], [], LONG_S)  # the process was stopped
    plant.run(lambda: [payload for _, payload in plant.published[3:]][-2:] == [b"second", b"third"])
    assert b"second" not in plant.done


@LINKS
def test_what_nobody_has_subscribed_to_yet_is_published_again(plant: Plant) -> None:
    plant.publish(b"early")
    plant.acknowledge(b"early", NO_SUBSCRIBERS)
    plant.run(lambda: [body for _, body in plant.published] == [b"first", b"early", b"early"])
    assert plant.client.unacknowledged() == 1
    plant.acknowledge(b"early")
    plant.run(lambda: plant.client.unacknowledged() == 0)
    plant.let_pass(LONG_S)
    plant.publish(b"sign of life")
    plant.acknowledge(b"sign of life")
    plant.run(lambda: plant.done == [b"first", b"early"])


@LINKS
def test_what_nobody_waits_for_is_published_once_though_nobody_has_subscribed(plant: Plant) -> None:
    plant.client.publish("t", b"state", qos=1)
    plant.run(lambda: len(plant.published) == 2)
    plant.acknowledge(b"state", NO_SUBSCRIBERS)
    plant.run(lambda: plant.client.unacknowledged() == 0)
    plant.let_pass(2.0 * FIRST_PAUSE_S)
    assert len(plant.published) == 2
