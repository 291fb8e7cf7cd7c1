"""One harvest in simulation: start the processes, watch, stop everything in order, and report what was measured."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashboard.cli.errors import Problem
from dashboard.cli.known_broker import credentials
from dashboard.cli.past import begin_with_past
from dashboard.cli.prepare import HOST, Order, answers, own, pause, prepare
from dashboard.cli.roles import ROLES, program
from dashboard.cli.settings import SCORED, RunSettings, find_farm
from dashboard.shared_clock import LeadingClock, SharedClock
from dashboard.supervise import ProcessDiedError, Supervisor
from dashboard.tally import total

if TYPE_CHECKING:
    from dashboard.cli.watch import Watch
    from telemetry.farm import Farm

Say = Callable[[str], None]

START_S = 20.0
DRAIN_S = 10.0
"""Longest wait without progress for what is published to be stored [s]."""
POLL_S = 0.1


def harvest(order: Order, say: Say) -> dict[str, Any]:
    """Harvest one bed side and return the figures.

    Raises:
        Misuse: the farm file is wrong.
        Problem: the run could not begin, or a process without which it cannot go on has died.
    """
    text, built_in = find_farm(order.farm, order.data)
    with own(order.data), Supervisor(logs=order.data / "log", monotonic=time.monotonic) as supervisor:
        try:
            with _interruptible():
                begin_with_past(order, text, say)
                settings = prepare(order, text, built_in, supervisor.run)
                return _Harvest(order, settings, supervisor, say).run()
        except ProcessDiedError as death:
            raise Problem(str(death)) from death


class _Harvest:
    """The steps of one run."""

    def __init__(self, order: Order, settings: RunSettings, supervisor: Supervisor, say: Say) -> None:
        self._order, self._settings, self._supervisor, self._say = order, settings, supervisor, say
        self._farm: Farm = settings.load_farm()
        self._began = time.monotonic()
        self._path = settings.write()
        self._pages = bool(settings.http_port)
        left_out = {"dashboard": not self._pages, "broker": bool(self._farm.mqtt.url)}
        self._names = [name for name, role in ROLES.items() if not (left_out.get(name) or role.hardware)]
        self._stored_before = self._counters()
        self._lots_before = self._lots()

    def run(self) -> dict[str, Any]:
        from dashboard.cli.attendant import Attendant
        from dashboard.cli.watch import Watch
        from telemetry.mqtt.network import NetworkClient
        from telemetry.store.embedded import open_store

        archive = open_store(self._order.data / "store", read_only=True)
        watch = Watch(archive, self._farm, self._settings.robot, self._say)
        clock = SharedClock(self._settings.clock)
        self._start_broker()
        client = NetworkClient(
            self._settings.host,
            self._settings.port,
            "berrybrain-demo",
            clean=True,
            settings=credentials(self._farm.mqtt),
        )
        attendant = Attendant(client, self._farm, self._settings.robot, self._say)
        for name in self._names:
            if name != "broker":
                self._supervisor.start(program(name, self._path))
        self._say(f"{len(self._names)} processes, logs in {self._order.data / 'log'}")
        if self._pages:
            self._show_pages()
        finished = False
        try:
            while (self._pages or not finished) and time.monotonic() - self._began < self._order.timeout_s:
                for name in self._supervisor.poll():
                    self._say(f"{name} has died and is started again")
                watch.poll()
                if not finished and watch.finished(clock.now()):
                    finished = True
                    if self._pages:
                        self._say("the bed side is done; the farm runs on until Ctrl-C")
                if not self._pages:  # at the pages sits a person, whose stop nobody else resets
                    attendant.look(blocked=watch.blocked, fault=watch.fault, now=clock.now())
                if attendant.gave_up:
                    self._say(f"the attendant gives up after {attendant.resets} resets")
                    break
                client.loop(POLL_S)
        except KeyboardInterrupt:
            if not finished:
                raise
        simulated = clock.monotonic()
        wall = time.monotonic() - self._began
        if not finished:
            self._say(f"not done within {self._order.timeout_s:.0f} s" + (f": {watch.fault}" if watch.fault else ""))
        client.close()
        self._stop()
        watch.poll()
        archive.close()
        return self._report(watch, attendant.resets, finished, simulated, wall)

    def _show_pages(self) -> None:
        """Wait until the dashboard answers, say where it is, and open it where there is a screen."""
        from dashboard.serve import ADMIN, first_admin

        address, deadline = f"http://{HOST}:{self._settings.http_port}/", time.monotonic() + START_S
        password = first_admin(self._order.data)
        while not answers(self._settings.http_port):
            self._supervisor.poll()
            if time.monotonic() > deadline:
                raise Problem(f"the dashboard does not answer:\n{self._supervisor.tail('dashboard')}")
        self._say(f"dashboard: {address}")
        if password is not None:
            self._say(f"account {ADMIN}, password {password} (shown only now)")
        if self._order.browser and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            webbrowser.open(address)

    def _start_broker(self) -> None:
        own = "broker" in self._names
        if own:
            self._supervisor.start(program("broker", self._path))
        deadline = time.monotonic() + START_S
        while not answers(self._settings.port, self._settings.host):
            if not own:
                raise Problem(f"the broker {self._farm.mqtt.url} of [mqtt] url does not answer")
            self._supervisor.poll()
            if time.monotonic() > deadline:
                raise Problem(f"the broker does not answer within {START_S:.0f} s:\n{self._supervisor.tail('broker')}")

    def _stop(self) -> None:
        """Stop the robot and the sensors, let everything published be stored, then stop the rest."""
        stages = sorted({role.stage for role in ROLES.values()})
        self._supervisor.stop([name for name in self._names if ROLES[name].stage == stages[0]])
        clock = LeadingClock(self._settings.clock)
        last, progress_at = -1, time.monotonic()
        began, simulated = time.monotonic(), clock.monotonic()
        while True:
            now = time.monotonic()
            clock.advance(simulated + now - began)  # the cell is gone: time goes on for those who finish their work
            self._supervisor.poll()
            stored = self._stored()
            if stored != last:
                last, progress_at = stored, now
            if stored >= total(Path(self._settings.run))["points"] or now - progress_at > DRAIN_S:
                break
            pause(POLL_S)
        for stage in stages[1:]:
            self._supervisor.stop([name for name in self._names if ROLES[name].stage == stage])
        clock.close()

    def _counters(self) -> Any:
        from telemetry.store.embedded import open_store
        from telemetry.store.journal import Counters, StoreError

        try:
            store = open_store(self._order.data / "store", read_only=True)
        except StoreError:
            return Counters()
        try:
            return store.counters()
        finally:
            store.close()

    def _stored(self) -> int:
        return int(self._counters().points) - int(self._stored_before.points)

    def _lots(self) -> int:
        from telemetry.records.records import Records
        from telemetry.store.embedded import open_store

        archive = open_store(self._order.data / "store")
        records = Records(archive, self._order.data / "records", timezone=self._farm.site.timezone)
        try:
            return len(records.lots())
        finally:
            records.close()
            archive.close()

    def _score(self, finished: bool) -> dict[str, int | None]:
        """Return what became of the berries; unknown when the run was given up before the cell had begun.

        Raises:
            Problem: the run is finished and nobody knows.
        """
        try:
            counts: dict[str, int | None] = json.loads(self._settings.score.read_text(encoding="utf-8"))
        except OSError as error:
            if finished:
                raise Problem(f"the cell has written no score:\n{self._supervisor.tail('cell')}") from error
            return dict.fromkeys(SCORED)
        return counts

    def _report(self, watch: Watch, resets: int, finished: bool, simulated: float, wall: float) -> dict[str, Any]:
        score = self._score(finished)
        published, counters, stored = total(Path(self._settings.run)), self._counters(), self._stored()
        working = (watch.ended_at or 0.0) - (watch.ordered_at or 0.0)
        placed = score["placed"]
        return {
            "finished": finished,
            "seed": self._order.seed,
            "ripe_present": score["ripe_present"],
            "attempted": watch.attempted,
            "picked": score["picked"],
            "placed": placed,
            "damaged": score["damaged"],
            "unripe_picked": score["unripe_picked"],
            "dropped": score["dropped"],
            "neighbours_lost": score["neighbours_lost"],
            "berries_present": score["berries_present"],
            "seconds_per_berry": round(working / placed, 2) if placed and working > 0.0 else None,
            "results": dict(watch.results),
            "mqtt_published": published["messages"],
            "points_published": published["points"],
            "points_stored": stored,
            "points_lost": max(0, published["points"] - stored),
            "dead_letters": counters.dead_letters - self._stored_before.dead_letters,
            "lots": self._lots() - self._lots_before,
            "attendant_resets": resets,
            "restarts": sum(self._supervisor.restarts.values()),
            "simulated_s": round(simulated, 2),
            "rtf": round(simulated / wall, 3),
            "wall_s": round(wall, 2),
        }


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """End like Ctrl-C when a service manager asks (SIGTERM) or the terminal goes (SIGHUP)."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        sys.stderr.flush()
