"""The attendant of an unattended demo acts as a person would: late, in order, and not without end."""

from __future__ import annotations

from dashboard.cli.attendant import LOOK_S, PATIENCE, Attendant
from telemetry.farm import default_farm_text, parse_farm
from telemetry.messages import Command, Kind
from telemetry.messages.wire import decode
from telemetry.mqtt.memory import MemoryBroker


class Now:
    """Runs what is posted at once."""

    def post(self, callback: object, *, delay: float = 0.0) -> None:
        assert callable(callback)
        callback()


class Scene:
    """An attendant, and what the robot hears of it."""

    def __init__(self) -> None:
        broker = MemoryBroker(Now())
        self.heard: list[str] = []
        self.said: list[str] = []
        robot = broker.client("robot")
        robot.subscribe("gh/1/yangcunqiao/tunnel-1/berry-1/cmd", self._hear)
        farm = parse_farm(default_farm_text())
        self.attendant = Attendant(broker.client("demo"), farm, "berry-1", self.said.append)
        self.now = 1.8e9

    def _hear(self, message: object) -> None:
        (command,) = decode(Kind.CMD, message.payload)  # type: ignore[attr-defined]
        assert isinstance(command, Command)
        assert command.expires_at > self.now
        self.heard.append(command.command)

    def let_pass(self, seconds: float, *, blocked: bool) -> None:
        for _ in range(round(seconds / 0.1)):
            self.now += 0.1
            self.attendant.look(blocked=blocked, fault="tracking_error", now=self.now)


def test_a_robot_that_works_is_left_alone() -> None:
    scene = Scene()
    scene.let_pass(100.0, blocked=False)
    assert scene.heard == []


def test_a_latched_stop_is_reset_after_a_look_and_then_the_robot_goes_on() -> None:
    scene = Scene()
    scene.let_pass(LOOK_S - 0.5, blocked=True)
    assert scene.heard == []
    scene.let_pass(2.0, blocked=True)
    assert scene.heard == ["reset", "resume"]
    scene.let_pass(1.0, blocked=False)
    assert scene.attendant.resets == 1
    assert not scene.attendant.gave_up
    assert scene.said == ["the attendant looks, resets the stop (tracking_error) and lets the robot go on"]


def test_a_stop_that_does_not_go_away_is_tried_again_and_given_up_in_the_end() -> None:
    scene = Scene()
    scene.let_pass(PATIENCE * (LOOK_S + 1.0) + 60.0, blocked=True)
    assert scene.attendant.gave_up
    assert scene.attendant.resets == PATIENCE
    assert scene.heard.count("reset") == PATIENCE
