"""Many contexts that start, make endpoints on several threads and end at once: everyone finds and hears everyone, once.

Run as a script it is one of the processes: its arguments are the folder, its own names and, after `--`, the others'.
"""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from robot.ros.callback_groups import ReentrantCallbackGroup
from robot.ros.context import Context
from robot.ros.executors import Executor, ExternalShutdownException, MultiThreadedExecutor, SingleThreadedExecutor
from robot.ros.experimental import EventsExecutor
from robot.ros.interfaces import std_msgs, std_srvs
from robot.ros.node import Node
from robot.ros.qos import DurabilityPolicy, QoSProfile
from robot.ros.transport.zeromq import ZeroMQ

DEADLINE = 60.0  # [s]
LATCHED = QoSProfile(depth=50, durability=DurabilityPolicy.TRANSIENT_LOCAL)
SAID = [str(n) for n in range(5)]
BUSY = 0.25  # [s] of a callback during which the transport's own thread takes in what comes
KINDS: tuple[type[Executor], ...] = (SingleThreadedExecutor, MultiThreadedExecutor, EventsExecutor)
String, Trigger = std_msgs.msg.String, std_srvs.srv.Trigger


class Guest:
    """A context that says something, listens to everyone twice and asks everyone."""

    def __init__(self, folder: Path, name: str, everyone: list[str]) -> None:
        self.folder, self.name, self.everyone = folder, name, everyone
        self.chance = random.Random(name)
        self.heard: dict[tuple[str, int], list[str]] = {(who, n): [] for who in everyone for n in range(2)}
        self.answered: set[str] = set()
        self.errors: list[BaseException] = []
        self.pause = threading.Event()
        self.threads: list[threading.Thread] = []

    def come(self) -> None:
        self.context = Context(transport=ZeroMQ(folder=self.folder))
        self.node = Node(self.name, context=self.context)
        self.executor = self.chance.choice(KINDS)(context=self.context)
        self.executor.add_node(self.node)
        self.group = ReentrantCallbackGroup()
        jobs = [self.say, self.listen, self.serve, self.ask]
        self.chance.shuffle(jobs)
        for job in (self.spin, *jobs):
            self.threads.append(threading.Thread(target=self.guard, args=(job,), daemon=True))
            self.threads[-1].start()

    def guard(self, job: Callable[[], None]) -> None:
        try:
            job()
        except ExternalShutdownException:
            pass
        except Exception as error:  # noqa: BLE001 (the test looks at it)
            self.errors.append(error)

    def dawdle(self) -> None:
        self.pause.wait(self.chance.random() * 0.01)

    def spin(self) -> None:
        self.executor.spin()

    def say(self) -> None:
        publisher = self.node.create_publisher(String, f"said_by_{self.name}", LATCHED)
        for text in SAID:
            publisher.publish(String(data=text))
            self.dawdle()

    def listen(self) -> None:
        for who, n in self.heard:
            self.dawdle()
            self.node.create_subscription(
                String, f"said_by_{who}", lambda m, who=who, n=n: self.hear(who, n, m.data), LATCHED
            )

    def hear(self, who: str, n: int, text: str) -> None:
        self.heard[who, n].append(text)
        if who == self.name and n == 0 and text == SAID[0]:
            self.pause.wait(BUSY)

    def serve(self) -> None:
        def answer(_: Any, response: Any) -> Any:
            response.message = self.name
            return response

        self.dawdle()
        self.node.create_service(Trigger, f"ask_{self.name}", answer, callback_group=self.group)

    def ask(self) -> None:
        for who in self.everyone:
            self.dawdle()
            client = self.node.create_client(Trigger, f"ask_{who}")
            assert client.wait_for_service(timeout_sec=DEADLINE), f"{self.name} never saw the service of {who}"
            assert client.call(Trigger.Request(), timeout_sec=DEADLINE).message == who
            self.answered.add(who)

    def missing(self) -> list[Any]:
        """Name what it has not heard rightly or not been answered."""
        wrong: list[Any] = [(key, texts) for key, texts in self.heard.items() if texts != SAID]
        return wrong + sorted(set(self.everyone) - self.answered) + self.errors

    def go(self) -> None:
        self.context.shutdown()
        for thread in self.threads:
            thread.join(DEADLINE)
            assert not thread.is_alive(), f"{self.name}: a thread does not end"


def together(jobs: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)


def party(folder: Path, mine: list[str], others: list[str], leave: Callable[[], None]) -> list[Any]:
    guests = [Guest(folder, name, [*mine, *others]) for name in mine]
    together([guest.come for guest in guests])
    end = time.monotonic() + DEADLINE
    tick = threading.Event()
    while any(guest.missing() for guest in guests) and time.monotonic() < end:
        tick.wait(0.01)
    missing = [(guest.name, guest.missing()) for guest in guests if guest.missing()]
    leave()
    together([guest.go for guest in guests])
    return missing + [(guest.name, guest.errors) for guest in guests if guest.errors]


@pytest.mark.parametrize("number", range(2))
def test_everyone_who_comes_at_once_is_found_heard_and_answered_once(tmp_path: Path, number: int) -> None:
    folder = tmp_path / "ros"
    folder.mkdir(mode=0o700)
    mine, others = [f"a{number}", f"b{number}"], [f"c{number}", f"d{number}"]
    child = subprocess.Popen(
        [sys.executable, __file__, str(folder), *others, "--", *mine],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None and child.stdin is not None
        assert child.stdout.readline() == "here\n"

        def leave() -> None:
            child.stdout.readline()  # type: ignore[union-attr]
            child.stdin.close()  # type: ignore[union-attr]

        assert party(folder, mine, others, leave) == []
        assert child.wait(DEADLINE) == 0
    finally:
        child.kill()
        child.wait(DEADLINE)
    assert list(folder.iterdir()) == []


def main(folder: str, *names: str) -> int:
    split = names.index("--")

    def leave() -> None:
        sys.stdout.write("done\n")
        sys.stdout.flush()
        sys.stdin.read()

    sys.stdout.write("here\n")
    sys.stdout.flush()
    missing = party(Path(folder), list(names[:split]), list(names[split + 1 :]), leave)
    sys.stderr.write("".join(f"{item}\n" for item in missing))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
