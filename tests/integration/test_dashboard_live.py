"""The live socket: nothing that nobody watches, the newest only for the slow, at once that something is lost."""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
import time
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

import dashboard_farm
from dashboard.viewer import Viewer


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    running = dashboard_farm.Site(tmp_path_factory.mktemp("site"), days=0.1, pick_period=0.5)
    yield running
    running.close()


class Page:
    """An open page that keeps what it is sent."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.texts: list[dict[str, Any]] = []
        self.frames: list[bytes] = []

    def watch(self, *names: str) -> None:
        self.socket.send(json.dumps({"watch": list(names)}))

    def hear(self, seconds: float) -> None:
        """Take in what comes in so many wall seconds."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0.0:
            with contextlib.suppress(TimeoutError):
                self._take(self.socket.recv(timeout=left))

    def until(self, wanted: Any, *, within: float = 30.0) -> Any:
        """Take in what comes until `wanted` accepts a message, and return that."""
        end = time.monotonic() + within
        while True:
            message = self._take(self.socket.recv(timeout=max(0.01, end - time.monotonic())))
            if isinstance(message, dict) and wanted(message):
                return message

    def kinds(self) -> set[str]:
        return {message["type"] for message in self.texts}

    def _take(self, message: str | bytes) -> Any:
        if isinstance(message, bytes):
            self.frames.append(message)
            return message
        self.texts.append(json.loads(message))
        return self.texts[-1]


@contextlib.contextmanager
def page(site: Any, name: str = "viewer", *, anew: bool = False) -> Iterator[Page]:
    with site.login(name, anew=anew) as client:
        cookie = {"cookie": f"bb_session={client.cookies['bb_session']}"}
        with connect(f"ws://{site.host}/live", origin=site.url, additional_headers=cookie, compression=None) as socket:
            yield Page(socket)


def closed_with(site: Any, **options: Any) -> int:
    with connect(f"ws://{site.host}/live", **options) as socket, pytest.raises(ConnectionClosed):
        socket.recv(timeout=30.0)
    assert socket.close_code is not None
    return int(socket.close_code)


def test_without_a_session_the_page_is_told_to_log_in(site: Any) -> None:
    assert closed_with(site, origin=site.url) == 4401
    assert closed_with(site, origin=site.url, additional_headers={"cookie": "bb_session=forged"}) == 4401


@pytest.mark.parametrize("origin", ["http://evil.example", None])
def test_a_page_of_another_origin_gets_nothing(site: Any, origin: str | None) -> None:
    with site.login("viewer") as client:
        cookie = {"cookie": f"bb_session={client.cookies['bb_session']}"}
        assert closed_with(site, origin=origin, additional_headers=cookie) == 4403


def test_the_first_word_is_everything_and_later_ones_only_what_changed(site: Any) -> None:
    with page(site) as open_page:
        open_page.watch("state")
        first = open_page.until(lambda m: m["type"] == "state")
        assert first["full"] is True
        assert {"berry-1"} == set(first["robots"])
        assert len(first["last"]) >= 11
        later = open_page.until(lambda m: m["type"] == "state" and "full" not in m)
        assert len(later["last"]) < len(first["last"])
        assert later["at"] > first["at"]


def test_state_comes_at_most_once_a_second(site: Any) -> None:
    with page(site) as open_page:
        open_page.watch("state")
        open_page.hear(4.2)
        assert 2 <= sum(message["type"] == "state" for message in open_page.texts) <= 8


def test_nothing_is_sent_that_nobody_watches(site: Any) -> None:
    with page(site) as watching, page(site, "grower") as idle:
        watching.watch("robot:berry-1", "camera:berry-1")
        watching.hear(2.0)
        assert watching.frames and "robot" in watching.kinds()
        assert "state" not in watching.kinds()
        watching.watch()
        watching.hear(0.5)
        watching.frames.clear()
        watching.texts.clear()
        watching.hear(1.5)
        idle.hear(0.3)
        assert watching.frames == [] and watching.kinds() <= {"pulse"}
        assert idle.frames == [] and idle.kinds() <= {"pulse"}


def test_a_robot_is_not_asked_to_show_itself_when_nobody_looks(site: Any, until: Any) -> None:
    until(lambda: site.call(lambda: site.app.state.hub.viewers) == 0, within=30.0)
    robot = site.beds.robot
    until(
        lambda: site.call(lambda: robot._clock.monotonic() >= robot._video_until), within=30.0, what="the camera's end"
    )
    with page(site) as open_page:
        open_page.watch("state")
        open_page.hear(1.5)
        assert site.call(lambda: robot._clock.monotonic() >= robot._video_until), "nobody asked for pictures"
        assert site.call(lambda: robot._clock.monotonic() < robot._live_until)


def test_a_picture_arrives_as_the_robot_encoded_it_with_its_time_and_name(site: Any) -> None:
    with page(site) as open_page:
        open_page.watch("camera:berry-1")
        open_page.hear(1.5)
        kind, at = struct.unpack_from(">Bd", open_page.frames[0])
        length = open_page.frames[0][9]
        assert (kind, open_page.frames[0][10 : 10 + length]) == (1, b"berry-1")
        assert abs(at - time.time()) < 30.0
        jpeg = open_page.frames[0][10 + length :]
        assert jpeg[:2] == b"\xff\xd8" and jpeg[-2:] == b"\xff\xd9"


@pytest.mark.usefixtures("patient")
def test_everybody_hears_of_a_stop_and_of_what_the_robot_said(site: Any) -> None:
    with page(site) as open_page, site.login("grower") as grower:
        open_page.watch("state")
        open_page.until(lambda m: m["type"] == "state")
        grower.post("/api/v1/robots/berry-1/stop")
        ack = open_page.until(lambda m: m["type"] == "ack")
        assert (ack["robot"], ack["command"], ack["status"], ack["by"]) == ("berry-1", "stop", "done", "grower")
        state = open_page.until(lambda m: m["type"] == "state" and "berry-1" in m["robots"])
        assert state["robots"]["berry-1"]["safety"] == "PSTOP"
        assert state["robots"]["berry-1"]["needs_reset"] is True
        for command in ("reset", "resume"):
            assert grower.post(f"/api/v1/robots/berry-1/{command}").json()["status"] == "done"


def test_a_robot_and_a_broker_that_are_gone_are_told_and_so_is_their_return(site: Any) -> None:
    broker = site.beds.broker

    def link(message: dict[str, Any], wanted: str) -> bool:
        return message["type"] == "state" and message["robots"].get("berry-1", {}).get("link") == wanted

    with page(site) as open_page:
        open_page.watch("state")
        open_page.until(lambda m: link(m, "ok"))
        site.call(lambda: broker.cut("berry-1"))
        began = time.monotonic()
        open_page.until(lambda m: link(m, "silent") or link(m, "lost"))
        assert time.monotonic() - began < 8.0
        site.call(lambda: broker.restore("berry-1"))
        open_page.until(lambda m: link(m, "ok"), within=30.0)
        site.call(lambda: broker.cut("dashboard"))
        open_page.until(lambda m: m["type"] == "state" and m["broker"] == "lost")
        site.call(lambda: broker.restore("dashboard"))
        open_page.until(lambda m: m["type"] == "state" and m["broker"] == "ok")


def test_a_session_that_ends_closes_its_open_pages(site: Any) -> None:
    with site.login("viewer", anew=True) as client:
        cookie = {"cookie": f"bb_session={client.cookies['bb_session']}"}
        with connect(f"ws://{site.host}/live", origin=site.url, additional_headers=cookie) as socket:
            client.post("/api/v1/logout")
            with pytest.raises(ConnectionClosed):
                while True:
                    socket.recv(timeout=15.0)
    assert socket.close_code == 4401


@pytest.mark.parametrize(
    "word", ["nonsense", "[]", '"x"', '{"watch": "state"}', '{"watch": 7}', "[" * 3000, "x" * 5000]
)
def test_a_page_that_talks_nonsense_is_closed_and_the_others_stay(site: Any, word: str) -> None:
    with page(site, "grower") as other, page(site) as open_page:
        open_page.socket.send(word)
        with pytest.raises(ConnectionClosed):
            open_page.hear(5.0)
        assert open_page.socket.close_code == 1003
        other.watch("state", "robot:nobody", "camera:../x", "state\n")
        # A change may still be on its way; what was asked for is the whole state.
        assert other.until(lambda m: m["type"] == "state" and m.get("full") is True)


def test_a_ping_is_answered_with_the_farms_time(site: Any) -> None:
    with page(site) as open_page:
        open_page.socket.send('{"ping": 17}')
        pong = open_page.until(lambda m: m["type"] == "pong")
        assert pong["n"] == 17
        assert abs(pong["at"] - time.time()) < 5.0


class SlowSocket:
    """A line that takes one message and then nothing until it is freed."""

    def __init__(self) -> None:
        self.cookies: dict[str, str] = {}
        self.sent: list[str | bytes] = []
        self.free = asyncio.Event()

    async def send_text(self, text: str) -> None:
        self.sent.append(text)
        await self.free.wait()

    async def send_bytes(self, content: bytes) -> None:
        self.sent.append(content)
        await self.free.wait()


def test_a_slow_line_gets_the_newest_picture_and_every_answer() -> None:
    async def scenario() -> list[str | bytes]:
        socket = SlowSocket()
        viewer = Viewer(socket)  # type: ignore[arg-type]
        sender = asyncio.create_task(viewer.send())
        viewer.offer("camera:r", b"0")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for number in range(1, 50):
            viewer.offer("camera:r", str(number).encode())
            if number % 20 == 0:
                viewer.queue(f"ack {number}")
        assert viewer.waits_for("camera:r")
        socket.free.set()
        for _ in range(10):
            await asyncio.sleep(0)
        sender.cancel()
        return socket.sent

    assert asyncio.run(scenario()) == [b"0", "ack 20", "ack 40", b"49"]
