"""Commands wait for the device's own word, and every one of them leaves a line."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from dashboard.audit import Audit
from dashboard.commands import Answer, Commands
from telemetry.messages import Ack, AckStatus, Command, Kind, Topic
from telemetry.messages.wire import decode, encode
from telemetry.mqtt import Handler

ROBOT = Topic(site="farm", zone="tunnel-1", device="berry-1", kind=Kind.CMD)


@dataclass(frozen=True)
class Arrived:
    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False

    def ack(self) -> None:
        """Nothing to release."""


class Wall:
    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


class Robot:
    """An MQTT client with a robot behind it that answers the n-th message it sees."""

    connected = True
    dropped = 0

    def __init__(self, *, answers_nth: int, status: AckStatus = AckStatus.DONE) -> None:
        self.seen: list[Command] = []
        self._nth = answers_nth
        self._status = status
        self._handler: Handler | None = None

    def subscribe(self, topic_filter: str, handler: Handler, *, qos: int = 1) -> None:
        assert topic_filter == "gh/1/farm/+/+/ack"
        self._handler = handler

    def on_connect(self, callback: Callable[[], None]) -> None:
        callback()

    def publish(self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False) -> None:
        assert (topic, qos, retain) == ("gh/1/farm/tunnel-1/berry-1/cmd", 1, False)
        (command,) = decode(Kind.CMD, payload)
        assert isinstance(command, Command)
        self.seen.append(command)
        if len(self.seen) == self._nth:
            ack = Ack(id=command.id, at=time.time(), status=self._status, reason="why")
            self.deliver(encode(ack))

    def deliver(self, payload: bytes) -> None:
        assert self._handler is not None
        handler = self._handler
        arrived = Arrived(str(ROBOT).replace("/cmd", "/ack"), payload)
        asyncio.get_running_loop().call_soon(handler, arrived)

    def unacknowledged(self) -> int:
        return 0

    def close(self) -> None:
        """Nothing to close."""


def ask(robot: Robot, command: str, timeout_s: float) -> Answer:
    async def request() -> Answer:
        return await Commands(robot, Wall(), "farm").request(ROBOT, command, "li", timeout_s=timeout_s)

    return asyncio.run(request())


def test_answer_is_the_devices_own_word() -> None:
    answer = ask(Robot(answers_nth=1, status=AckStatus.REJECTED), "resume", 5.0)
    assert (answer.status, answer.reason, answer.confirmed) == ("rejected", "why", False)


def test_stop_is_repeated_under_one_id_until_it_is_acknowledged() -> None:
    robot = Robot(answers_nth=3)
    answer = ask(robot, "stop", 10.0)
    assert answer.confirmed
    assert len(robot.seen) == 3
    assert {c.id for c in robot.seen} == {answer.id}


def test_silence_is_said_and_never_taken_for_a_stop() -> None:
    answer = ask(Robot(answers_nth=10_000), "stop", 0.3)
    assert (answer.status, answer.confirmed) == ("no_answer", False)


def test_other_commands_are_sent_once() -> None:
    robot = Robot(answers_nth=2)
    assert ask(robot, "resume", 0.4).status == "no_answer"
    assert len(robot.seen) == 1


def test_garbage_and_answers_to_others_are_passed_over() -> None:
    class Noisy(Robot):
        def publish(self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False) -> None:
            self.deliver(b"{")
            self.deliver(encode(Ack(id="another", at=time.time(), status=AckStatus.DONE)))
            super().publish(topic, payload, qos=qos, retain=retain)

    assert ask(Noisy(answers_nth=1), "hold", 5.0).status == "done"


def test_audit_lines_are_read_back_newest_first_and_only_the_owner_may_read(tmp_path: Path) -> None:
    at = iter([1.0, 2.0])
    path = tmp_path / "audit.jsonl"
    audit = Audit(path, lambda: next(at))
    audit.write(name="li", role="grower", address="127.0.0.1", action="stop", target="berry-1", result="done")
    audit.write(name="李", role="viewer", address="127.0.0.1", action="stop", target="berry-1", result="no_answer")
    audit.close()
    with path.open("ab") as cut:
        cut.write(b'{"at": 3.0, "na')
    again = Audit(path, lambda: 4.0)
    assert [(line.at, line.name) for line in again.read()] == [(2.0, "李"), (1.0, "li")]
    assert [line.at for line in again.read(limit=1)] == [2.0]
    again.close()
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("status", [AckStatus.ACCEPTED, AckStatus.DONE, AckStatus.DUPLICATE])
def test_only_a_devices_yes_confirms(status: AckStatus) -> None:
    assert Answer(id="1", status=status, seconds=0.1).confirmed
