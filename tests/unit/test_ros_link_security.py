"""What another robot can do to a link: bounded queues, bounded logs, sound numbers and addresses."""

from __future__ import annotations

import logging
import math
from typing import Any

import pytest

from robot.ros.bridge.inbox import FRAME, FRAMES, HELLO, HELLO_MAX, OCTETS, Inbox
from robot.ros.bridge.instants import is_possible
from robot.ros.bridge.proxies import FarPublisher
from robot.ros.bridge.seldom import TEXTS, News, Seldom
from robot.ros.bridge.wire import checked_address
from robot.ros.bridge.zenoh_names import Attachment, ForeignError, read_attachment
from robot.ros.exceptions import ROSError
from robot.ros.graph import PUBLISHER, Endpoint
from robot.ros.qos import QoSProfile


def test_a_flood_of_frames_is_dropped_and_logged_seldom_but_no_announcement(caplog: pytest.LogCaptureFixture) -> None:
    inbox = Inbox("two")
    with caplog.at_level(logging.WARNING):
        kept = [inbox.put([FRAME, bytes([number % 256])]) for number in range(FRAMES + 100)]
    assert kept == [True] * FRAMES + [False] * 100
    assert len(caplog.messages) == 7  # 1, 2, 4 … 64
    assert inbox.put([HELLO, b"last"])
    assert [inbox.take() for _ in range(FRAMES + 1)][-1] == [HELLO, b"last"]
    assert inbox.put([FRAME, b"again"])


def test_of_two_announcements_in_a_row_the_newer_waits_and_large_ones_are_dropped() -> None:
    inbox = Inbox("two")
    puts = [[HELLO, b"1"], [HELLO, b"2"], [FRAME, b"3"], [HELLO, b"4"], [HELLO, bytes(HELLO_MAX)]]
    assert [inbox.put(parts) for parts in puts] == [True, False, True, True, False]
    assert [inbox.take()[1] for _ in range(3)] == [b"2", b"3", b"4"]


def test_large_frames_wait_one_at_a_time() -> None:
    class Large(bytes):
        def __len__(self) -> int:
            return OCTETS

    inbox = Inbox("two")
    assert [inbox.put([FRAME, Large()]) for _ in range(2)] == [True, False]
    inbox.take()
    assert inbox.put([FRAME, Large()])


def test_logs_grow_with_the_logarithm_of_what_others_do() -> None:
    seldom, news = Seldom(), News()
    assert [number for number in range(1, 20) if seldom.again()] == [1, 2, 4, 8, 16]
    assert [news.is_news(str(number)) for number in range(TEXTS)] == [True] * TEXTS
    assert not news.is_news("0")
    assert sum(news.is_news(f"more {number}") for number in range(1000)) == 10


@pytest.mark.parametrize("stamp", [math.nan, math.inf, -math.inf, -1.0, 1e10, 1e300])
def test_instants_that_are_none_are_told(stamp: float) -> None:
    assert not is_possible(stamp)
    assert is_possible(0.0)
    assert is_possible(1.8e9)


def test_an_attachment_of_zenoh_with_an_impossible_instant_is_foreign() -> None:
    with pytest.raises(ForeignError, match="impossible instant"):
        read_attachment(Attachment(sequence=1, stamp_ns=-1, gid=bytes(16)).encode())


def test_a_far_publisher_publishes_no_message_twice_and_none_after_a_newer_one() -> None:
    class Bus:
        def __init__(self) -> None:
            self.published: list[int] = []

        def publish(self, gid: bytes, frame: Any, payload: bytes) -> None:
            self.published.append(frame.sequence)

    bus: Any = Bus()
    endpoint = Endpoint(
        kind=PUBLISHER, gid=bytes(16), name="/x", type_name="x/msg/Y", type_hash="", node="/n", qos=QoSProfile(depth=1)
    )
    publisher = FarPublisher(endpoint, bus)
    for sequence in (3, 3, 1, 4, 2):
        publisher.publish(sequence, 0.0, b"")
    publisher.publish_next(0.0, b"")
    assert bus.published == [3, 4, 5]


@pytest.mark.parametrize("text", ["h", "h:port", ":7450", "h:0", "h:70000", "h:-1", "h:", "h:" + "9" * 9000, "h:²"])
def test_an_address_without_a_port_is_refused(text: str) -> None:
    assert checked_address("[::1]:7450") == "[::1]:7450"
    with pytest.raises(ROSError, match="HOST:PORT"):
        checked_address(text)
