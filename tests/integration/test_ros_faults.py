"""What happens when processes die, fork or are interrupted, and when a peer sends garbage."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from robot import ros
from robot.ros.event_handler import SubscriptionEventCallbacks
from robot.ros.executors import SingleThreadedExecutor
from robot.ros.interfaces import std_msgs
from robot.ros.node import Node

DEADLINE = 30.0  # [s]
ROOT = Path(__file__).parents[2]
String = std_msgs.msg.String


@pytest.fixture(autouse=True)
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("BERRYBRAIN_ROS_DIR", str(tmp_path / "ros"))
    ros.init(domain_id=6)
    yield
    ros.try_shutdown()


@pytest.fixture
def children() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for child in started:
        child.kill()
        child.wait(DEADLINE)


def run(children: list[subprocess.Popen[str]], program: str) -> subprocess.Popen[str]:
    text = "from robot import ros\nfrom robot.ros.interfaces import std_msgs, std_srvs\n" + textwrap.dedent(program)
    child = subprocess.Popen(
        [sys.executable, "-c", text],
        cwd=ROOT,
        env={**os.environ, "ROS_DOMAIN_ID": "6"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    children.append(child)
    return child


def until(executor: SingleThreadedExecutor, condition: Callable[[], bool], limit: float = DEADLINE) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "the condition did not come true"
        executor.spin_once(timeout_sec=0.05)


def test_a_killed_peer_leaves_the_graph_and_nothing_behind(
    children: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    node, heard, matches = Node("listener"), [], []
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    node.create_subscription(
        String, "chat", heard.append, 10, event_callbacks=SubscriptionEventCallbacks(matched=matches.append)
    )
    child = run(
        children,
        """
        ros.init()
        node = ros.create_node("talker")
        publisher = node.create_publisher(std_msgs.msg.String, "chat", 10)
        node.create_timer(0.01, lambda: publisher.publish(std_msgs.msg.String(data="x" * 100_000)))
        ros.spin(node)
        """,
    )
    until(executor, lambda: len(heard) > 3)
    assert "talker" in node.get_node_names()
    child.kill()
    child.wait(DEADLINE)
    killed_at = time.monotonic()
    until(executor, lambda: "talker" not in node.get_node_names())
    assert time.monotonic() - killed_at < 10.0
    until(executor, lambda: bool(matches) and matches[-1].current_count == 0)
    left = {path.suffix for path in (tmp_path / "ros" / "6").iterdir()}
    assert left == {".lock", ".sock"} and len(list((tmp_path / "ros" / "6").iterdir())) == 2


INTERRUPTED = {
    "spin": "ros.spin(node)",
    "sleep": "import time; print('ready', flush=True); time.sleep(60)",
    "call": "node.create_client(std_srvs.srv.Trigger, 'nobody').call(std_srvs.srv.Trigger.Request())",
    "rate": """
        import threading
        threading.Thread(target=ros.spin, args=(node,), daemon=True).start()
        node.create_rate(0.001).sleep()
        """,
    "callback": """
        def forever():
            while True:
                pass
        node.create_timer(0.0, forever)
        ros.spin(node)
        """,
    "threads": """
        from robot.ros.executors import MultiThreadedExecutor
        executor = MultiThreadedExecutor(2)
        executor.add_node(node)
        executor.spin()
        """,
}


@pytest.mark.parametrize("where", INTERRUPTED)
def test_ctrl_c_anywhere_ends_the_process(children: list[subprocess.Popen[str]], where: str, tmp_path: Path) -> None:
    child = run(
        children,
        "ros.init()\nnode = ros.create_node('busy')\nprint('ready', flush=True)\n"
        + textwrap.dedent(INTERRUPTED[where]),
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGINT)
    child.wait(DEADLINE)
    assert len(list((tmp_path / "ros" / "6").iterdir())) == 2, "only this test's own record and socket are left"


@pytest.mark.parametrize("work", ["ros.spin(node)", INTERRUPTED["call"], INTERRUPTED["rate"].strip()])
def test_sigterm_ends_what_waits_in_an_orderly_way(children: list[subprocess.Popen[str]], work: str) -> None:
    lines = [line.strip() for line in work.splitlines()]
    body = "\n    ".join(lines)
    child = run(
        children,
        "from robot.ros.exceptions import ROSInterruptException\n"
        "from robot.ros.executors import ExternalShutdownException\n"
        "ros.init()\nnode = ros.create_node('busy')\nprint('ready', flush=True)\n"
        f"try:\n    {body}\n"
        "except (ExternalShutdownException, ROSInterruptException):\n    pass\n"
        "print('ended', flush=True)\n",  # a spin that the signal comes before returns at once
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.terminate()
    assert child.wait(DEADLINE) == 0
    assert child.stdout.readline() == "ended\n"


ASKED = {
    "a client that asks for a service until it is there": """
        client = node.create_client(std_srvs.srv.Empty, 'nobody')
        while not client.wait_for_service(timeout_sec=0.1):
            pass
        """,
    "a client of an action": """
        from robot.ros.action import ActionClient
        client = ActionClient(node, example_interfaces.action.Fibonacci, 'nobody')
        while not client.wait_for_server(timeout_sec=0.1):
            pass
        """,
    "a rate": "rate = node.create_rate(0.001)\nrate.sleep()",
}


@pytest.mark.parametrize("what", ASKED)
def test_a_script_that_catches_external_shutdowns_only_ends_quietly_at_sigterm(
    children: list[subprocess.Popen[str]], what: str
) -> None:
    child = run(
        children,
        "from robot.ros.executors import ExternalShutdownException\n"
        "from robot.ros.interfaces import example_interfaces\n"
        "ros.init()\nnode = ros.create_node('busy')\nprint('ready', flush=True)\ntry:\n"
        + textwrap.indent(textwrap.dedent(ASKED[what]).strip(), "    ")
        + "\nexcept ExternalShutdownException:\n    print('ended', flush=True)\n",
    )
    assert child.stdout is not None and child.stderr is not None
    assert child.stdout.readline() == "ready\n"
    child.terminate()
    assert child.wait(DEADLINE) == 0
    assert (child.stdout.read(), child.stderr.read()) == ("ended\n", "")


def test_a_shutdown_in_a_signal_handler_closes_nothing_that_is_being_polled(
    children: list[subprocess.Popen[str]],
) -> None:
    child = run(
        children,
        """
        import signal
        from robot.ros.executors import ExternalShutdownException
        ros.init()
        node = ros.create_node("busy")
        signal.signal(signal.SIGTERM, lambda *_: ros.shutdown())
        timer = node.create_timer(0.0, lambda: (timer.cancel(), print("ready", flush=True)))
        try:
            ros.spin(node)
        except ExternalShutdownException:
            pass
        print("ended", flush=True)
        """,
    )
    assert child.stdout is not None and child.stderr is not None
    assert child.stdout.readline() == "ready\n"
    child.terminate()
    assert child.wait(DEADLINE) == 0
    assert (child.stdout.read(), child.stderr.read()) == ("ended\n", "")


def test_a_context_does_not_survive_a_fork(children: list[subprocess.Popen[str]]) -> None:
    child = run(
        children,
        """
        import os
        ros.init()
        node = ros.create_node("parent")
        publisher = node.create_publisher(std_msgs.msg.String, "chat", 10)
        node.create_subscription(std_msgs.msg.String, "chat", print, 10)
        publisher.publish(std_msgs.msg.String())
        if os.fork() == 0:
            for work in (
                lambda: ros.spin_once(node, timeout_sec=0.1),
                lambda: ros.create_node("child"),
                lambda: publisher.publish(std_msgs.msg.String()),
            ):
                try:
                    work()
                except RuntimeError as error:
                    print(error, flush=True)
            os._exit(0)
        os.wait()
        print("parent", ros.ok(), flush=True)
        ros.shutdown()
        """,
    )
    out, errors = child.communicate(timeout=DEADLINE)
    assert child.returncode == 0, errors
    assert out.count("does not survive fork()") == 3, out
    assert out.endswith("parent True\n")


def test_two_domains_do_not_hear_each_other() -> None:
    here, other_context = Node("here"), ros.Context()
    other_context.init([], domain_id=7)
    other = Node("there", context=other_context)
    heard: list[Any] = []
    here.create_subscription(String, "chat", heard.append, 10)
    publisher = other.create_publisher(String, "chat", 10)
    publisher.publish(String())
    ros.spin_once(here, timeout_sec=0.1)
    ros.spin_once(other, timeout_sec=0.1)
    assert heard == [] and publisher.get_subscription_count() == 0
    assert "there" not in here.get_node_names()
    other_context.shutdown()


def test_a_publisher_that_never_spins_still_reaches_late_subscriptions(children: list[subprocess.Popen[str]]) -> None:
    node, heard = Node("listener"), []
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    run(
        children,
        """
        import threading
        ros.init()
        publisher = ros.create_node("talker").create_publisher(std_msgs.msg.String, "chat", 10)
        pause = threading.Event()
        while ros.ok():
            publisher.publish(std_msgs.msg.String(data="x"))
            pause.wait(0.05)
        """,
    )
    until(executor, lambda: "talker" in node.get_node_names())
    node.create_subscription(String, "chat", heard.append, 10)
    until(executor, lambda: len(heard) > 2)


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_nothing_grows_over_many_nodes_and_endpoints() -> None:
    def cycle() -> None:
        node = Node("short")
        node.create_publisher(String, "chat", 10).publish(String())
        node.create_subscription(String, "chat", lambda _: None, 10)
        node.create_timer(0.1, lambda: None)
        node.destroy_node()

    context = ros.get_default_context()
    for _ in range(3):
        cycle()
    gc.collect()  # what earlier tests left may go at any moment
    files, threads = _open_files(), threading.active_count()
    for _ in range(30):
        cycle()
    gc.collect()
    few = 5  # what others of this process open meanwhile; a leak would be thirty
    assert _open_files() <= files + few and threading.active_count() <= threads + few
    assert context.nodes == [] and context.bus.endpoints() == []
