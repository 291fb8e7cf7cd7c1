"""A broker that takes few messages at once is obeyed, by both links."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable

import pytest

from telemetry.ingest.packets import PUBLISH
from telemetry.ingest.receive import ReceivingLink
from telemetry.ingest.stream import PacketStream
from telemetry.mqtt.connection import OpenLink
from telemetry.mqtt.link import PahoLink
from telemetry.mqtt.network import NetworkClient

DEADLINE_S = 20.0
WELCOME = bytes.fromhex("2006000003210003")
"""CONNACK of MQTT 5 with Receive Maximum 3."""


class NarrowBroker:
    """Welcomes the newest connection and notes the packet ids published on it."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.peer: socket.socket | None = None
        self.stream = PacketStream(1 << 20)
        self.published: list[bytes] = []

    def turn(self) -> None:
        sockets = [self.listener] + ([self.peer] if self.peer is not None else [])
        for ready in select.select(sockets, [], [], 0.0)[0]:
            if ready is self.listener:
                if self.peer is not None:
                    self.peer.close()
                self.peer, self.stream = self.listener.accept()[0], PacketStream(1 << 20)
            elif self.peer is not None:
                for first, data, begin, _ in self.stream.feed(self.peer.recv(65536)):
                    if first & 0xF0 == PUBLISH:
                        at = begin + 2 + int.from_bytes(data[begin : begin + 2], "big")
                        self.published.append(data[at : at + 2])
                    elif first == 0x10:
                        self.peer.sendall(WELCOME)

    def acknowledge(self, packet_id: bytes) -> None:
        assert self.peer is not None
        self.peer.sendall(b"\x40\x02" + packet_id)

    def close(self) -> None:
        for each in (self.listener, self.peer):
            if each is not None:
                each.close()


@pytest.mark.parametrize("open_link", [PahoLink, ReceivingLink])
def test_no_more_is_on_its_way_than_the_broker_takes(open_link: OpenLink) -> None:
    broker = NarrowBroker()
    client = NetworkClient("127.0.0.1", broker.listener.getsockname()[1], "c", clean=True, open_link=open_link)
    for number in range(10):
        client.publish("gh/1/s/z/d/data", b"%d" % number, qos=1)

    def run(until: Callable[[], bool], turns: int = 0) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while turns > 0 or not until():
            assert time.monotonic() < deadline
            broker.turn()
            client.loop(0.001)
            turns -= 1

    run(lambda: len(broker.published) >= 3)
    run(lambda: True, turns=30)
    assert len(broker.published) == 3
    broker.acknowledge(broker.published[0])
    run(lambda: len(broker.published) >= 4)
    run(lambda: True, turns=30)
    assert (len(broker.published), client.unacknowledged()) == (4, 9)
    client.close(timeout=0.0)
    broker.close()
