"""The sender: old records first, no more on its way than its window, arrays no larger than a message."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from telemetry.messages import Kind
from telemetry.messages.wire import MAX_BYTES
from telemetry.mqtt.outbox import Outbox, Record
from telemetry.mqtt.sender import WINDOW_BYTES, Sender

TOPICS = {Kind.DATA: "data", Kind.EVENT: "event"}


class Line:
    """A client that notes what is published and confirms when told to."""

    def __init__(self) -> None:
        self.connected = True
        self.bodies: list[bytes] = []
        self.done: list[Callable[[], None]] = []
        self.refused: list[Callable[[], None]] = []

    def publish(self, topic: str, payload: bytes, **more: Any) -> None:
        self.bodies.append(payload)
        self.done.append(more["done"])
        self.refused.append(more["refused"])


def begin(outbox: Outbox) -> tuple[Line, Sender]:
    line = Line()
    return line, Sender(line, TOPICS, outbox)  # type: ignore[arg-type]


def say(outbox: Outbox, sender: Sender, kind: Kind, body: bytes) -> None:
    sender.send(Record(id=outbox.append(kind, body), kind=kind, body=body))


def test_what_an_earlier_process_left_goes_before_what_is_new() -> None:
    outbox = Outbox(":memory:")
    outbox.append(Kind.EVENT, b"old")
    line, sender = begin(outbox)
    assert sender.waiting() == 1
    say(outbox, sender, Kind.EVENT, b"new")
    assert (line.bodies, sender.waiting()) == ([b"old", b"new"], 0)


def test_history_is_marked_once() -> None:
    outbox = Outbox(":memory:")
    for body in (b'{"a":1}', b'{"a":2,"hist":true}'):
        outbox.append(Kind.DATA, body)
    line, sender = begin(outbox)
    sender.pump()
    assert line.bodies == [b'[{"a":1,"hist":true},{"a":2,"hist":true}]']


def test_arrays_are_cut_until_each_fits_a_message() -> None:
    outbox = Outbox(":memory:")
    for n in range(100):
        outbox.append(Kind.DATA, json.dumps({"n": n, "filler": "x" * (MAX_BYTES // 40)}).encode())
    line, sender = begin(outbox)
    sender.pump()
    assert all(len(body) <= MAX_BYTES for body in line.bodies)
    assert [item["n"] for body in line.bodies for item in json.loads(body)] == list(range(100))
    for done in line.done:
        done()
    assert len(outbox) == 0


def test_no_more_is_on_its_way_than_the_window_and_each_answer_makes_room() -> None:
    outbox = Outbox(":memory:")
    line, sender = begin(outbox)
    big = bytes(WINDOW_BYTES // 2)
    for body in (big, big, b"third", b"fourth"):
        say(outbox, sender, Kind.EVENT, body)
    assert (len(line.bodies), sender.waiting()) == (2, 2)
    line.done[0]()
    assert (line.bodies[2:], sender.waiting(), len(outbox)) == ([b"third", b"fourth"], 0, 3)
    say(outbox, sender, Kind.EVENT, big)
    say(outbox, sender, Kind.EVENT, b"last")
    assert sender.waiting() == 1
    line.refused[1]()
    assert (line.bodies[-1], sender.waiting()) == (b"last", 0)
    assert (outbox.note("refused"), len(outbox)) == ("1", 5)


def test_nothing_is_published_without_a_connection() -> None:
    outbox = Outbox(":memory:")
    line, sender = begin(outbox)
    line.connected = False
    say(outbox, sender, Kind.EVENT, b"e")
    assert (line.bodies, sender.waiting()) == ([], 1)
    line.connected = True
    sender.pump()
    assert line.bodies == [b"e"]
