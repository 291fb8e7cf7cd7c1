"""The inbox of a context: what ends a wait for frames."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import zmq

from robot.ros.bus import Bus
from robot.ros.transport.inbox import COARSE, FINE, Inbox
from robot.ros.transport.zeromq import ZeroMQ

LONG = 60.0  # [s]
WAITS = pytest.mark.parametrize("timeout", [FINE / 2, COARSE, LONG], ids=["fine", "short", "long"])  # made in 3 ways


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    with zmq.Context() as context:
        inbox = Inbox(
            context, f"ipc://{tmp_path / 'in'}", bytes(8), SimpleNamespace(takers={}, hearers={}), SimpleNamespace()
        )
        yield inbox
        inbox.close()


def next_frame(inbox: Inbox, timeout: float) -> bytes:
    end = time.monotonic() + LONG
    while (data := inbox.wait(timeout)) is None:
        assert time.monotonic() < end, "nothing came"
    return data


@WAITS
def test_many_rings_end_one_wait_and_a_later_one_the_next(inbox: Inbox, timeout: float) -> None:
    for _ in range(3):
        for _ in range(5):
            inbox.ring()
        heard = inbox.wait(timeout)
        assert heard is not None
        inbox.take_in(heard, more=True)
        assert inbox.look() is None


def test_another_thread_ends_a_wait_that_has_begun(inbox: Inbox) -> None:
    thread = threading.Timer(0.03, inbox.ring)
    thread.start()
    assert inbox.wait(LONG) is not None
    thread.join()


def test_after_a_wait_in_vain_the_next_ring_is_heard_by_either_wait(inbox: Inbox) -> None:
    for timeout in (1e-3, LONG, COARSE):
        assert inbox.wait(1e-3) is None and inbox.wait(2.0 * COARSE) is None and inbox.look() is None
        inbox.ring()
        heard = inbox.wait(timeout) or inbox.wait(LONG)
        assert heard is not None
        inbox.take_in(heard, more=False)


def test_a_process_with_more_files_than_select_takes_waits_all_the_same(inbox: Inbox) -> None:
    inbox._fine = []
    assert inbox.wait(FINE / 2) is None
    inbox.ring()
    assert next_frame(inbox, FINE / 2)


@pytest.mark.parametrize("vain", [1e-3, 2.0 * COARSE], ids=["short", "long"])
def test_a_ring_that_an_exception_lost_keeps_the_next_from_nothing(inbox: Inbox, vain: float) -> None:
    inbox.ring()
    assert next_frame(inbox, LONG)  # and Ctrl-C comes before it is taken in
    assert inbox.wait(vain) is None
    inbox.ring()
    assert inbox.wait(5.0) is not None


def test_a_ring_that_another_thread_took_in_still_ends_the_wait_of_whoever_is_about_to_poll(tmp_path: Path) -> None:
    transport = ZeroMQ(folder=tmp_path)
    bus = Bus(transport)
    bus.open()
    with bus.pump.leading:  # as a thread between its look at what is new and its poll
        transport.wake()
        bus.pump.refresh()
        with transport._polling:
            heard = transport._inbox.wait(LONG)
    transport.close()
    assert heard is not None


def test_a_ring_after_the_close_is_not_heard_and_harms_nobody(inbox: Inbox) -> None:
    inbox.close()
    inbox.ring()


@WAITS
def test_what_a_peer_sends_comes_in_order_and_is_no_ring(
    inbox: Inbox, timeout: float, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with zmq.Context() as context, context.socket(zmq.PUSH) as peer:
        peer.connect(f"ipc://{tmp_path / 'in'}")
        for data in (b"", b"x" * 16):
            peer.send(data)
            inbox.take_in(next_frame(inbox, timeout), more=False)
            assert f"dropped {len(data)} bytes" in caplog.text
    inbox.ring()
    assert inbox.wait(timeout) is not None
