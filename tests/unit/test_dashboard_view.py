"""The farm as it last described itself: nothing is guessed, newer word stays, nonsense changes nothing."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.link import Link
from dashboard.view import LIVE_BYTES, SILENT_S, VIDEO_BYTES, FarmView
from telemetry.farm import default_farm_text, parse_farm
from telemetry.messages import Data, Kind, Payload, State
from telemetry.messages.wire import encode
from telemetry.mqtt import Handler
from telemetry.mqtt.filters import matches

NOW = 1_790_000_000.0
ROBOT = "gh/1/yangcunqiao/tunnel-1/berry-1/"
JPEG = b"\xff\xd8" + b"picture" + b"\xff\xd9"


@dataclass(frozen=True)
class Arrived:
    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False

    def ack(self) -> None:
        """Nothing to release."""


class Hand:
    """A clock turned by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def now(self) -> float:
        return NOW + self.seconds

    def monotonic(self) -> float:
        return self.seconds


@dataclass
class Line:
    """An MQTT client that delivers what a test says."""

    connected: bool = True
    dropped: int = 0
    handlers: dict[str, Handler] = field(default_factory=dict)

    def subscribe(self, topic_filter: str, handler: Handler, *, qos: int = 1) -> None:
        self.handlers[topic_filter] = handler

    def on_connect(self, callback: Callable[[], None]) -> None:
        callback()

    def publish(self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False) -> None:
        raise AssertionError("the view sends nothing")

    def unacknowledged(self) -> int:
        return 0

    def close(self) -> None:
        """Nothing to close."""

    def deliver(self, topic: str, payload: bytes | Payload) -> None:
        content = payload if isinstance(payload, bytes) else encode(payload)
        for topic_filter, handler in self.handlers.items():
            if matches(topic_filter, topic):
                handler(Arrived(topic, content))


@dataclass
class Watched:
    line: Line
    clock: Hand
    view: FarmView
    heard: list[tuple[str, Kind]]


@pytest.fixture
def farm() -> Watched:
    return make()


def make() -> Watched:
    line, clock, heard = Line(), Hand(), list[tuple[str, Kind]]()
    view = FarmView(line, parse_farm(default_farm_text()), clock)
    view.listen(lambda device, kind: heard.append((device, kind)))
    return Watched(line, clock, view, heard)


def state(at: float, status: str = "working", **detail: Any) -> State:
    return State(at=at, status=status, detail={"safety": "RUN", **detail})


def test_a_robot_that_has_not_spoken_is_unknown(farm: Watched) -> None:
    robot = farm.view.robots["berry-1"]
    assert (robot.status, robot.safety, robot.picked, robot.at) == ("unknown", "unknown", None, None)
    assert farm.view.link("berry-1", watched=True) == "unknown"


def test_what_a_robot_says_is_shown_and_older_word_does_not_replace_it(farm: Watched) -> None:
    farm.line.deliver(ROBOT + "state", state(NOW, segment=2, needs_reset=True, causes=["collision", 7]))
    farm.line.deliver(ROBOT + "state", state(NOW - 10.0, "idle"))
    robot = farm.view.robots["berry-1"]
    assert (robot.status, robot.segment, robot.needs_reset, robot.causes) == ("working", 2, True, ("collision",))
    assert farm.heard[0] == ("berry-1", Kind.STATE)


@pytest.mark.parametrize("status", ["offline"])
def test_a_robot_whose_last_will_arrived_is_lost(farm: Watched, status: str) -> None:
    farm.line.deliver(ROBOT + "state", state(NOW))
    assert farm.view.link("berry-1", watched=False) == "ok"
    farm.line.deliver(ROBOT + "state", State(at=NOW + 1.0, status=status, fault="device_offline"))
    assert farm.view.link("berry-1", watched=False) == "lost"


def test_a_watched_robot_without_a_word_is_silent_and_one_that_shows_itself_is_not(farm: Watched) -> None:
    farm.line.deliver(ROBOT + "state", state(NOW))
    assert farm.view.link("berry-1", watched=True) == "silent"
    farm.line.deliver(ROBOT + "live", b'{"safety": "HOLD", "task": "grasp", "picked": 3, "placed": true}')
    assert farm.view.link("berry-1", watched=True) == "ok"
    robot = farm.view.robots["berry-1"]
    assert (robot.safety, robot.task, robot.picked, robot.placed) == ("HOLD", "grasp", 3, None)
    farm.clock.seconds += SILENT_S + 0.1
    assert farm.view.link("berry-1", watched=True) == "silent"
    farm.line.connected = False
    assert farm.view.link("berry-1", watched=True) == "lost"


def test_a_picture_is_kept_as_it_came_with_its_time(farm: Watched) -> None:
    farm.line.deliver(ROBOT + "video", struct.pack(">d", NOW) + JPEG)
    live = farm.view.live["berry-1"]
    assert (live.jpeg, live.jpeg_at, live.frame) == (JPEG, NOW, 1)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("video", b""),
        ("video", b"\0" * 8),
        ("video", struct.pack(">d", NOW) + b"GIF89a" + b"x" * 50),
        ("video", struct.pack(">d", NOW) + b"\xff\xd8" + bytes(VIDEO_BYTES)),
        ("live", b"[]"),
        ("live", b"{"),
        ("live", b"[" * 20_000),
        ("live", b'{"a": "' + b"x" * LIVE_BYTES + b'"}'),
        ("state", b"{}"),
        ("data", b'{"m": {"<script>": 1}}'),
        ("birth", b"\xff\xfe"),
    ],
)
def test_nonsense_changes_nothing_and_is_told_to_nobody(farm: Watched, kind: str, payload: bytes) -> None:
    before = dict(farm.view.robots)
    farm.line.deliver(ROBOT + kind, payload)
    assert farm.view.robots == before
    assert farm.heard == []
    assert farm.view.live["berry-1"].frame == 0


@pytest.mark.parametrize("kind", ["state", "live"])
def test_another_zones_device_cannot_speak_for_the_robot(farm: Watched, kind: str) -> None:
    payload = encode(state(NOW)) if kind == "state" else b'{"safety": "RUN"}'
    farm.line.deliver(f"gh/1/yangcunqiao/tunnel-9/berry-1/{kind}", payload)
    assert farm.view.robots["berry-1"].status == "unknown"
    assert farm.view.robots["berry-1"].safety == "unknown"


def test_history_that_is_sent_late_does_not_replace_the_newest_value(farm: Watched) -> None:
    topic = "gh/1/yangcunqiao/tunnel-1/climate-1/data"
    farm.line.deliver(topic, Data(at=NOW, seq=2, boot="b", metrics={"co2": 400.0}))
    farm.line.deliver(topic, Data(at=NOW - 60.0, seq=1, boot="b", metrics={"co2": 900.0}, historical=True))
    assert farm.view.values["climate-1", "co2"].value == 400.0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ["safety", "causes", "needs_reset", "segment", "queued", "bed", "task", "picked", "joints", "ts"]
)


@given(st.dictionaries(KEYS, JSON, max_size=6))
def test_any_detail_of_a_robot_leaves_fields_of_their_own_types(detail: dict[str, Any]) -> None:
    farm = make()
    farm.line.deliver(ROBOT + "live", json.dumps(detail).encode())
    farm.line.deliver(ROBOT + "state", json.dumps({"ts": NOW * 1000, "status": "idle", "detail": detail}).encode())
    robot = farm.view.robots["berry-1"]
    assert isinstance(robot.safety, str) and isinstance(robot.task, str) and isinstance(robot.segment, int)
    assert isinstance(robot.needs_reset, bool) and all(isinstance(cause, str) for cause in robot.causes)


def test_a_client_that_ends_by_itself_is_reported_so_that_the_process_ends_too() -> None:
    class Broken(Line):
        def fileno(self) -> int:
            return -1

        def loop(self, timeout: float) -> int:
            raise RuntimeError("a fault nobody expected")

    async def scenario() -> bool:
        failed = asyncio.Event()
        link = Link(Broken(), failed=failed.set)
        link.start()
        await asyncio.wait_for(failed.wait(), 5.0)
        await link.close()
        return failed.is_set()

    assert asyncio.run(scenario())
