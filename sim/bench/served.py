"""`python -m sim.bench.served`: one bed side in real time, `berrybrain robot` in processes on stand-in devices.

Drivers, loop, picker, mission and gateway are those of a real machine, each in its process on the wall's time; devices
and camera are `python -m sim.devices`. Somebody presses reset and start whenever the robot waits for that. What comes
out depends on the computer: a slow or busy one stops with `picker_lost`, `loop_overrun` or `hardware_lost`, which is
counted and said. `starved`: how often a stop came while a program had no processor, and the largest share of 5 s.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from robot import ros
from robot.nodes.convert import LATCHED, RELIABLE, to_time
from robot.ros.executors import SingleThreadedExecutor
from robot.ros.interfaces import berry_msgs
from robot.ros.node import Node
from telemetry.farm import default_farm_text

LENGTH = 0.6
"""Of the bed side [m]."""

ROBOT = "/berry_1"
AGAIN = 1.0
"""Between two presses of Enter [s]."""

PATIENCE = 5.0
"""Before an order that nobody tells of is given again under the same name [s]."""

ENDED = ("done", "failed")
LATE = frozenset({"loop_overrun", "hardware_lost", "picker_lost"})
NO_PROCESSOR = re.compile(r"^  (\w+) had no processor for (\d+) %", re.MULTILINE)


class Program:
    """A program with a pipe to its input; its words are in a file."""

    def __init__(self, folder: Path, name: str, *words: str) -> None:
        with (folder / f"{name}.log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *words], stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT, cwd=folder
            )

    def press_enter(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def end(self, *, politely: bool = False) -> int:
        """End it by a signal, or by the end of its input."""
        if politely and self.process.stdin is not None:
            self.process.stdin.close()
        else:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60.0)


class Person:
    """Gives the order, listens, and presses Enter where the robot waits for that."""

    def __init__(self, robot: Program) -> None:
        self._robot = robot
        self._node = Node("orderer", context=ros.get_default_context(), namespace=ROBOT)
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self._node)
        self.safety: Any = None
        self.order: Any = None
        self.results: Counter[str] = Counter()
        self.stops: Counter[str] = Counter()
        self._asked_at = float("-inf")
        self._pressed_at = float("-inf")
        self._submit = self._node.create_client(berry_msgs.srv.SubmitOrder, "orders/submit")
        listen = self._node.create_subscription
        listen(berry_msgs.msg.SafetyState, "safety/state", self._on_safety, LATCHED)
        listen(berry_msgs.msg.OrderStatus, "orders/status", self._on_order, RELIABLE)
        listen(berry_msgs.msg.PickOutcome, "picks", self._on_pick, RELIABLE)

    def _on_safety(self, message: Any) -> None:
        before = self.safety.state if self.safety is not None else ""
        self.safety = message
        if message.state in ("HOLD", "PSTOP", "FAULT", "ESTOP") and message.state != before:
            self.stops[message.causes[0] if message.causes else message.state] += 1

    def _on_order(self, message: Any) -> None:
        self.order = message

    def _on_pick(self, message: Any) -> None:
        self.results[message.result] += 1

    def look(self) -> bool:
        """Take a turn; tell whether the order has ended."""
        self.executor.spin_once(timeout_sec=0.05)
        if self.order is None and self._submit.service_is_ready() and time.monotonic() - self._asked_at > PATIENCE:
            self._asked_at = time.monotonic()
            self._submit.call_async(self._request())
        waits = self.safety is not None and self.safety.state != "RUN"
        if waits and time.monotonic() - self._pressed_at > AGAIN:
            self._pressed_at = time.monotonic()
            self._robot.press_enter()
        return self.order is not None and self.order.status in ENDED

    @staticmethod
    def _request() -> Any:
        return berry_msgs.srv.SubmitOrder.Request(
            id="order-served",
            issuer="bench",
            expires_at=to_time(time.time() + 3600.0),
            bed="bed-1",
            side="a",
            segments=[0],
            segment_length=LENGTH,
            ripeness_min=0.8,
            ripeness_max=1.0,
            speed=1.0,
            force=1.0,
        )


def run(folder: Path, *, hardware: str, berries: int, seed: int, limit: float, pages: int | None) -> dict[str, Any]:
    """Harvest one bed side and return the figures.

    Args:
        folder: for the programs' logs and state; `XDG_RUNTIME_DIR` has to be set to a short one of its own.
        limit: after which it is broken off [s].
    """
    arm = "lite6" if hardware == "xarm" else "ur3e"
    farm = default_farm_text().replace("port = 1883", "port = 0").replace("length = 2.4", f"length = {LENGTH}")
    (folder / "farm.toml").write_text(farm.replace('arm = "ur3e"', f'arm = "{arm}"'), encoding="utf-8")
    world = ("--hardware", hardware, "--berries", str(berries), "--seed", str(seed), "--length", str(LENGTH))
    devices = Program(folder, "devices", "-m", "sim.devices", *world, "--wiring", "machine.toml")
    while "berrybrain robot" not in (folder / "devices.log").read_text(encoding="utf-8"):
        time.sleep(0.1)
    words = ["-c", "from dashboard.cli import main; main()", "robot", "--hardware", hardware, "--button"]
    words += ["--wiring", "machine.toml", "--data", "data", *(["--pages", str(pages)] if pages else [])]
    robot = Program(folder, "robot", *words)
    begin, load = time.monotonic(), os.getloadavg()[0]
    answered = None
    with ros.init():
        person = Person(robot)
        started: float | None = None
        while not person.look() and time.monotonic() - begin < limit and robot.process.poll() is None:
            if started is None and person.safety is not None and person.safety.state == "RUN":
                started = time.monotonic()
        ended = time.monotonic()
        if pages:
            with urllib.request.urlopen(f"http://127.0.0.1:{pages}/", timeout=30.0) as page:
                answered = page.status
    code = robot.end()
    devices.end(politely=True)
    order = person.order
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "hardware": hardware,
        "arm": arm,
        "ripe": berries,
        "status": order.status if order is not None else "no order",
        "picked": int(order.picked) if order is not None else 0,
        "placed": int(order.placed) if order is not None else 0,
        "in_the_punnet": _last_count(folder / "devices.log"),
        "results": dict(person.results),
        "stops": dict(person.stops),
        "starved": _starved((folder / "robot.log").read_text(encoding="utf-8")),
        "seconds": round(ended - (started or begin), 1),
        "page": answered,
        "exit_code": code,
        "load_before": round(load, 1),
        "busy_s": round(used.ru_utime + used.ru_stime, 1),
    }


def _starved(words: str) -> dict[str, dict[str, float]]:
    """Return what `berrybrain robot` said of programs that waited for a processor when it was stopped."""
    found: dict[str, dict[str, float]] = {}
    for name, percent in NO_PROCESSOR.findall(words):
        one = found.setdefault(name, {"stops": 0, "share_max": 0.0})
        one["stops"] += 1
        one["share_max"] = max(one["share_max"], int(percent) / 100.0)
    return found


def _last_count(log: Path) -> int:
    told = [line for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("in the punnet:")]
    return int(told[-1].rsplit(" ", 1)[1]) if told else 0


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m sim.bench.served", description=__doc__)
    parser.add_argument("--hardware", choices=("ur", "xarm", "feetech", "dynamixel"), default="ur")
    parser.add_argument("--berries", type=int, default=3, help="ripe ones")
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--limit", type=float, default=300.0, help="broken off after [s]")
    parser.add_argument("--pages", type=int, metavar="PORT", help="run the farm's side and its pages too")
    parser.add_argument("--logs", type=Path, help="keep the programs' words here")
    told = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="bb-") as short:  # names of sockets have at most 107 characters
        os.environ |= {"XDG_RUNTIME_DIR": short, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
        folder = (told.logs or Path(short)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        figures = run(
            folder,
            hardware=told.hardware,
            berries=told.berries,
            seed=told.seed,
            limit=told.limit,
            pages=told.pages,
        )
    sys.stdout.write(json.dumps(figures, ensure_ascii=False) + "\n")
    if not LATE.isdisjoint(figures["stops"]):
        busy = f"{os.cpu_count()} cores, load {figures['load_before']} before it began"
        sys.stderr.write(f"late: {busy}; too few or too busy to keep time, try a quiet computer\n")


if __name__ == "__main__":
    main()
