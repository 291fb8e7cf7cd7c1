"""The live socket: each message encoded once, sent to those who watch it, and only the newest to the slow."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import struct
import time
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect

from dashboard.services import Services
from dashboard.snapshot import Snapshot
from dashboard.viewer import Viewer, encode
from telemetry.messages import Kind, Topic

log = logging.getLogger(__name__)

router = APIRouter()

TICK_S = 0.25
STATE_S = 1.0
PULSE_S = 5.0
SESSION_S = 5.0
WATCH_S = 5.0
"""Robots are told this often that somebody looks; they stop showing themselves 15 s after the last word."""
GRACE_S = 2.5
"""A robot that was asked this long ago and shows nothing is silent."""
ROBOT_S = 0.18
MOST_VIEWERS = 200
MOST_WATCHED = 32
MOST_TEXT = 4096
SESSION_ENDED, TOO_MANY, NOT_UNDERSTOOD = 4401, 1013, 1003
JPEG = 1
DISPATCH = {Kind.LIVE: "robot", Kind.VIDEO: "camera"}


class Hub:
    """Hears the farm and tells the viewers; asks robots to show themselves while somebody watches."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._snapshot = Snapshot(services)
        self._viewers: set[Viewer] = set()
        self._sent_at: dict[str, float] = {}
        self._asked_since: dict[str, float] = {}
        self._asked: dict[str, tuple[float, bool]] = {}
        self._beside: set[asyncio.Task[Any]] = set()
        self._task: asyncio.Task[None] | None = None
        self._checked_at = 0.0
        services.view.listen(self._on_message)

    @property
    def viewers(self) -> int:
        return len(self._viewers)

    def start(self) -> None:
        """Begin; call it from a coroutine."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="live")
        self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            log.error("the live socket's work ended: %r", task.exception())
            self._services.failed()

    async def close(self) -> None:
        """End all that was begun."""
        tasks = [task for task in (self._task, *self._beside) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def announce(self, message: dict[str, Any]) -> None:
        """Tell everybody who watches the farm's state."""
        text = encode(message | {"at": self._services.clock.now()})
        for viewer in self._viewers:
            if "state" in viewer.watch:
                viewer.queue(text)

    def add(self, viewer: Viewer) -> bool:
        """Take a viewer in; False when there are too many."""
        if len(self._viewers) >= MOST_VIEWERS:
            return False
        self._viewers.add(viewer)
        return True

    def remove(self, viewer: Viewer) -> None:
        self._viewers.discard(viewer)

    def hear(self, viewer: Viewer, text: str) -> None:
        """Take a page's word: what it watches from now on, or a ping.

        Raises:
            ValueError: it is none of these.
        """
        content = json.loads(text) if len(text) <= MOST_TEXT else None
        if not isinstance(content, dict):
            raise ValueError("expected an object")
        if "ping" in content:
            pong = {"type": "pong", "n": content["ping"], "at": self._services.clock.now()}
            viewer.offer("pong", encode(pong))
        if "watch" in content:
            wanted = content["watch"]
            if not isinstance(wanted, list) or len(wanted) > MOST_WATCHED:
                raise ValueError("watch: expected a list")
            before = viewer.watch
            viewer.watch = frozenset(name for name in wanted if isinstance(name, str) and len(name) <= 80)
            if "state" in viewer.watch - before:
                self._start_beside(self._greet(viewer))
            self._ask()

    async def _greet(self, viewer: Viewer) -> None:
        """Send everything to a page that has just begun to watch the farm's state."""
        await self._snapshot.refresh()
        if sum("state" in other.watch for other in self._viewers) == 1:
            self._snapshot.delta(self._silent_robots())  # nobody else needs what has changed until now
        viewer.offer("state", encode(self._snapshot.full(self._silent_robots())))

    def _start_beside(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do something beside the rest."""
        task = asyncio.get_running_loop().create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    def _watched(self) -> set[str]:
        return set().union(*(viewer.watch for viewer in self._viewers)) if self._viewers else set()

    def _on_message(self, device: str, kind: Kind) -> None:
        """Pass on what a robot shows, at once."""
        if kind not in DISPATCH or not self._viewers:
            return
        slot = f"{DISPATCH[kind]}:{device}"
        watching = [viewer for viewer in self._viewers if slot in viewer.watch]
        if not watching:
            return
        live = self._services.view.live[device]
        message: str | bytes
        if kind is Kind.VIDEO:
            name = device.encode()
            message = struct.pack(">Bd", JPEG, live.jpeg_at or 0.0) + bytes([len(name)]) + name + live.jpeg
        else:
            now = time.monotonic()
            if now - self._sent_at.get(slot, 0.0) < ROBOT_S:
                return
            self._sent_at[slot] = now
            at = live.content.get("ts")
            seconds = at / 1000.0 if isinstance(at, int | float) else self._services.clock.now()
            message = encode({**live.content, "type": "robot", "id": device, "at": seconds})
        for viewer in watching:
            viewer.offer(slot, message)

    async def _run(self) -> None:
        state_at = pulse_at = 0.0
        told = self._urgent()
        while True:
            await asyncio.sleep(TICK_S)
            if not self._viewers:
                self._asked.clear()
                self._asked_since.clear()
                continue
            now = time.monotonic()
            self._ask()
            if now - self._checked_at >= SESSION_S:
                self._checked_at = now
                await self._check_sessions()
            watching = [viewer for viewer in self._viewers if "state" in viewer.watch]
            urgent = self._urgent()
            if watching and (now - state_at >= STATE_S or urgent != told):
                told = urgent
                if now - state_at >= STATE_S:
                    await self._snapshot.refresh()
                delta = self._snapshot.delta(self._silent_robots())
                if delta is not None:
                    state_at = pulse_at = now
                    self._spread(watching, delta)
                for alarm in self._snapshot.new_alarms():
                    self.announce({"type": "alarm", **alarm})
            if now - pulse_at >= PULSE_S:
                pulse_at = now
                text = encode({"type": "pulse", "at": self._services.clock.now()})
                for viewer in self._viewers:
                    viewer.offer("pulse", text)

    def _spread(self, viewers: list[Viewer], delta: dict[str, Any]) -> None:
        """Send what has changed; who has not got the last change yet gets everything instead."""
        changed = encode(delta)
        full = ""
        for viewer in viewers:
            if viewer.waits_for("state"):
                full = full or encode(self._snapshot.full(self._silent_robots()))
                viewer.offer("state", full)
            else:
                viewer.offer("state", changed)

    async def _check_sessions(self) -> None:
        for viewer in list(self._viewers):
            if self._services.accounts.session(viewer.key, touch=False) is None:
                self.remove(viewer)
                with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                    await viewer.socket.close(SESSION_ENDED, "not_signed_in")

    def _urgent(self) -> tuple[Any, ...]:
        """Return what pages are told at once, not once a second: links, stops, faults."""
        view, silent = self._services.view, self._silent_robots()
        robots = [
            (id_, view.link(id_, watched=id_ in silent), robot.safety, robot.needs_reset, robot.fault)
            for id_, robot in view.robots.items()
        ]
        return (view.broker_connected, *robots)

    def _silent_robots(self) -> set[str]:
        """Return the robots that were asked long enough ago to show themselves by now."""
        now = time.monotonic()
        return {robot for robot, since in self._asked_since.items() if now - since > GRACE_S}

    def _ask(self) -> None:
        """Tell the robots that somebody watches, and whether the camera too."""
        watched, now = self._watched(), time.monotonic()
        for robot in self._services.farm.robots:
            video = f"camera:{robot.id}" in watched
            if not video and not watched & {"state", f"robot:{robot.id}"}:
                self._asked_since.pop(robot.id, None)
                continue
            asked_at, with_video = self._asked.get(robot.id, (-WATCH_S, False))
            if now - asked_at < WATCH_S and (with_video or not video):
                continue
            self._asked[robot.id] = (now, video)
            self._asked_since.setdefault(robot.id, now)
            topic = Topic(site=self._services.farm.site.id, zone=robot.zone, device=robot.id, kind=Kind.CMD)
            arguments: dict[str, object] = {"what": ["live", "video"] if video else ["live"]}
            commands = self._services.commands
            self._start_beside(commands.request(topic, "watch", "dashboard", arguments=arguments, timeout_s=WATCH_S))


@router.websocket("/live")
async def live(socket: WebSocket) -> None:
    """Serve one page until it goes."""
    hub: Hub = socket.app.state.hub
    viewer = Viewer(socket)
    await socket.accept()
    if not hub.add(viewer):
        await socket.close(TOO_MANY, "too_many")
        return
    sender = asyncio.get_running_loop().create_task(viewer.send(), name="viewer")
    sender.add_done_callback(_ended)
    try:
        await _listen(socket, lambda text: hub.hear(viewer, text))
    finally:
        hub.remove(viewer)
        sender.cancel()


async def _listen(socket: WebSocket, hear: Callable[[str], None]) -> None:
    while True:
        try:
            hear(await socket.receive_text())
        except WebSocketDisconnect:
            return
        except (ValueError, KeyError, RecursionError):
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await socket.close(NOT_UNDERSTOOD, "bad_request")
            return
        except RuntimeError:  # closed from our side meanwhile
            return


def _ended(task: asyncio.Task[None]) -> None:
    """Note why a sender ended: a page that went away is no news."""
    if not task.cancelled() and not isinstance(task.exception(), WebSocketDisconnect | RuntimeError | None):
        log.warning("a viewer's sender ended: %r", task.exception())
