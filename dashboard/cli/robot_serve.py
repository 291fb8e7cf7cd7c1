"""One robot on real hardware: its processes are started and kept, and the person beside it is told and listened to."""

from __future__ import annotations

import logging
import os
import select
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashboard.cli.errors import Misuse, Problem
from dashboard.cli.host import Host
from dashboard.cli.known_broker import address, credentials
from dashboard.cli.prepare import HOST, answers, claim, own
from dashboard.cli.robot_roles import check_dock, namespace, wiring_of
from dashboard.cli.roles import ROLES, program
from dashboard.cli.settings import FARM, RunSettings, find_farm
from dashboard.cli.starved import Starved, Waiting, late
from dashboard.supervise import ProcessDiedError, Supervisor

log = logging.getLogger(__name__)

Say = Callable[[str], None]

START_S = 60.0
FARM_SIDE = ("ingest", "brain", "keeper", "dashboard")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What is to be driven.

    Attributes:
        kind, address, wiring: of the hardware; the address stands in for the wiring file's when it is not empty.
        robot: id in the farm file; empty = the first.
        camera: what `vision.camera` opens; empty = another program shows the berries.
        pages: port of the farm's pages; None = store, brain and pages are elsewhere.
        button: the reset button is this terminal.
    """

    kind: str
    address: str
    wiring: Path
    data: Path
    farm: Path | None = None
    robot: str = ""
    camera: str = ""
    pages: int | None = None
    button: bool = False


def serve(machine: Machine, say: Say) -> None:
    """Run the robot until Ctrl-C or SIGTERM.

    Raises:
        Misuse: the farm file or the wiring file is wrong, or they do not belong together.
        Problem: the machine does not answer, or a process without which it cannot go on has died.
    """
    text, _ = find_farm(machine.farm, machine.data)
    with own(machine.data), Supervisor(logs=machine.data / "log", monotonic=time.monotonic) as supervisor:
        settings = prepare(machine, text, supervisor.run)
        try:
            _Served(machine, settings, supervisor, say).run()
        except ProcessDiedError as death:
            raise Problem(str(death)) from death


def prepare(machine: Machine, text: str, run: Path) -> RunSettings:
    """Hold farm file and wiring file against each other, and write down what the processes share."""
    from telemetry.farm import load_farm

    (run / FARM).write_text(text, encoding="utf-8")
    farm = load_farm(run / FARM)
    known = [robot.id for robot in farm.robots]
    if not known:
        raise Misuse("the farm file has no [[robots]]; add one, or start from: berrybrain init")
    if machine.robot and machine.robot not in known:
        raise Misuse(f"expected --robot to be one of {', '.join(known)}, got {machine.robot}")
    if farm.mqtt.url:
        credentials(farm.mqtt)  # what is missing is said before anything is started
        host, port = address(farm.mqtt)
    else:
        host, port = HOST, farm.mqtt.port or claim(0)
        claim(port)
    settings = RunSettings(
        run=str(run),
        data=str(machine.data.resolve()),
        farm=str(run / FARM),
        robot=machine.robot or known[0],
        host=host,
        port=port,
        seed=0,
        epoch=0.0,
        rate=1.0,
        http_port=machine.pages or 0,
        hardware=machine.kind,
        wiring=str(machine.wiring.resolve()),
        address=machine.address,
        camera=machine.camera,
    )
    try:
        wiring = wiring_of(settings)
        arm = wiring.arm
        arm.require_six()
        if wiring.driver is not None:
            wiring.driver.load(arm)
    except ValueError as error:
        raise Misuse(str(error)) from error
    wanted = farm.robot(settings.robot).arm
    if arm.name != wanted:
        raise Misuse(
            f"expected a wiring file of a {wanted}, the arm that robot {settings.robot} of the farm file has, got a "
            f"{arm.name}; berrybrain robot --check reads any arm"
        )
    check_dock(farm.robot(settings.robot), arm)
    return settings


class _Served:
    """The processes of one robot, and one person."""

    def __init__(self, machine: Machine, settings: RunSettings, supervisor: Supervisor, say: Say) -> None:
        self._machine, self._settings, self._supervisor, self._say = machine, settings, supervisor, say
        self._farm = settings.load_farm()
        left_out = {"broker": bool(self._farm.mqtt.url), "camera": not machine.camera, "eyes": not machine.camera}
        left_out |= dict.fromkeys(FARM_SIDE, machine.pages is None)
        self._names = [name for name, role in ROLES.items() if role.hardware is not False and not left_out.get(name)]
        self._typed = Typed(sys.stdin.fileno()) if machine.button and sys.stdin is not None else None

    def run(self) -> None:
        path = self._settings.write()
        if "broker" in self._names:
            self._supervisor.start(program("broker", path))
        deadline = time.monotonic() + START_S
        while not answers(self._settings.port, self._settings.host):
            self._supervisor.poll()
            if "broker" not in self._names or time.monotonic() > deadline:
                raise Problem(f"the broker {self._farm.mqtt.url or self._settings.port} does not answer")
        for name in self._names:
            if name != "broker":
                self._supervisor.start(program(name, path, joined=True))
        self._say(f"{len(self._names)} processes, logs in {self._machine.data / 'log'}")
        if self._machine.pages:
            self._say(f"pages: http://{HOST}:{self._machine.pages}/")
        host = Host(self._settings, "person", slot=None)
        waiting = Waiting(self._supervisor.pids, time.monotonic)
        person = Person(host, namespace(self._settings.robot), self._say, waiting.worst)

        def look() -> None:
            waiting.look()
            for name in self._supervisor.poll():
                self._say(f"{name} has died and is started again")
            for line in self._typed.lines() if self._typed else ():
                person.says(line)

        host.each_turn(look)
        host.run()
        self._say("ending")
        stages = sorted({ROLES[name].stage for name in self._names})
        for stage in stages:
            self._supervisor.stop([name for name in self._names if ROLES[name].stage == stage])


class Typed:
    """Lines that somebody types, each as soon as it is whole; the end of a terminal is no line, and presses nothing.

    Args:
        file: descriptor to read from.
    """

    def __init__(self, file: int) -> None:
        self._file = file
        self._begun = b""
        self._ended = False

    def lines(self) -> list[str]:
        """Return what has come since the last call, in small letters; never waits."""
        while not self._ended and select.select([self._file], [], [], 0.0)[0]:
            try:
                data = os.read(self._file, 4096)
            except OSError:  # a terminal that was hung up
                data = b""
            self._ended = not data
            self._begun += data
        *whole, self._begun = self._begun.split(b"\n")
        return [line.decode(errors="replace").strip().lower() for line in whole]


class Person:
    """Somebody beside the machine: reads what it says, presses its reset button, lets it go on, stops it.

    Args:
        starved: which program had to wait for a processor of late; None = none.
    """

    def __init__(self, host: Host, space: str, say: Say, starved: Callable[[], Starved | None]) -> None:
        from robot.nodes.convert import LATCHED, RELIABLE
        from robot.ros.interfaces import berry_msgs, std_msgs, std_srvs
        from robot.ros.node import Node
        from telemetry.messages.tables import faults

        self._say, self._faults, self._starved = say, faults(), starved
        self._message, self._request = std_msgs.msg.Bool, std_srvs.srv.Trigger.Request
        self._node = Node("person", context=host.context(), namespace=space)
        host.add(self._node)
        self._safety: Any = None
        self._told = ""
        self._node.create_subscription(berry_msgs.msg.SafetyState, "safety/state", self._on_safety, LATCHED)
        self._node.create_subscription(berry_msgs.msg.OrderStatus, "orders/status", self._on_order, RELIABLE)
        self._button = self._node.create_publisher(std_msgs.msg.Bool, "safety/reset_button", RELIABLE)
        kind = std_srvs.srv.Trigger
        self._asks = {name: self._node.create_client(kind, f"safety/{name}") for name in ("start", "stop")}

    def says(self, word: str) -> None:
        """Take a line from the terminal: `s` stops; Enter resets, and once that is done starts."""
        if word == "s":
            self._ask("stop")
        elif word:
            self._say("Enter: reset, then start; s and Enter: stop; Ctrl-C: end")
        elif self._safety is not None and self._safety.needs_reset:
            for level in (False, True):
                self._button.publish(self._message(data=level))
        else:
            self._ask("start")

    def _ask(self, name: str) -> None:
        def answered(future: Any) -> None:
            if not future.result().success:
                self._say(f"{name}: {future.result().message}")

        self._asks[name].call_async(self._request()).add_done_callback(answered)

    def _on_safety(self, message: Any) -> None:
        self._safety = message
        causes = list(message.causes)
        told = " ".join([message.state, *causes])
        if told == self._told:
            return
        self._told = told
        self._say(told)
        known = [self._faults[cause] for cause in causes if cause in self._faults]
        for fault in known[:1]:
            self._say(f"  {fault.en}. {fault.do_en}")
            self._say(f"  {fault.zh}。{fault.do_zh}")
        starved = self._starved() if late(causes) else None
        for line in starved.lines() if starved is not None else ():
            self._say(f"  {line}")

    def _on_order(self, message: Any) -> None:
        self._say(
            f"order {message.id} {message.status}: picked {message.picked}, placed {message.placed} {message.fault}"
        )
