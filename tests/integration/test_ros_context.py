"""Contexts: their life, the default one, domains, callbacks at shutdown, signals."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from robot import ros
from robot.ros.context import Context
from robot.ros.exceptions import NotInitializedException, RCLError, RCLInvalidROSArgsError, UnknownROSArgsError
from robot.ros.interfaces import rcl_interfaces, std_msgs
from robot.ros.signals import (
    SignalHandlerOptions,
    get_current_signal_handlers_options,
    install_signal_handlers,
    uninstall_signal_handlers,
)
from robot.ros.utilities import (
    get_available_rmw_implementations,
    get_default_context,
    get_rmw_implementation_identifier,
    timeout_sec_to_nsec,
)
from robot.ros.wait_for_message import wait_for_message


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("BERRYBRAIN_ROS_DIR", str(tmp_path / "ros"))
    yield
    ros.try_shutdown()
    uninstall_signal_handlers()


# --- life


def test_a_context_is_initialised_once_and_shut_down_once() -> None:
    context = Context()
    assert not context.ok() and context.handle is None
    for early in (context.shutdown, context.get_domain_id):
        with pytest.raises(RuntimeError, match="must be initialized before"):
            early()
    context.try_shutdown()
    ros.init(context=context, args=[])
    assert context.ok() and context.handle is not None and context.handle.ok()
    with pytest.raises(RuntimeError, match="must only be called once"):
        ros.init(context=context, args=[])
    ros.shutdown(context=context)
    assert not context.ok() and not ros.ok(context=context)
    with pytest.raises(RuntimeError):
        ros.shutdown(context=context)
    context.try_shutdown()
    with pytest.raises(RuntimeError, match="must only be called once"):
        context.init([])


def test_the_default_context_is_new_after_each_shutdown() -> None:
    ros.init(args=[])
    first = get_default_context()
    assert ros.ok() and first.ok()
    with pytest.raises(RuntimeError):
        ros.init(args=[])
    ros.shutdown()
    assert not ros.ok() and get_default_context() is not first
    with pytest.raises(RuntimeError):
        ros.shutdown()
    ros.try_shutdown()
    with ros.init(args=[]) as made:
        assert made.context.ok()
    assert not ros.ok()
    with Context() as context:
        assert context.ok()
    assert not context.ok()


def test_wrong_arguments_leave_the_context_as_it_was() -> None:
    context = Context()
    with pytest.raises(UnknownROSArgsError, match=r"\['unknown'\]"):
        ros.init(context=context, args=["--ros-args", "unknown"])
    with pytest.raises(RCLInvalidROSArgsError):
        ros.init(context=context, args=["--ros-args", "-r"])
    with pytest.raises(RuntimeError, match="lower than zero"):
        ros.init(context=context, args=[], domain_id=-1)
    ros.init(context=context, args=["prog"], domain_id=9)
    assert context.get_domain_id() == 9
    context.shutdown()


def test_the_domain_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", "42")
    with ros.init(args=[]) as made:
        assert made.context.get_domain_id() == 42


def test_nothing_works_before_init() -> None:
    with pytest.raises(NotInitializedException):
        ros.create_node("early")
    with pytest.raises(NotInitializedException):
        ros.create_node("early", context=Context())


class Listener:
    def __init__(self, heard: list[str]) -> None:
        self._heard = heard

    def on_shutdown(self) -> None:
        self._heard.append("method")


def test_shutdown_calls_back_once_and_at_once_when_it_is_late() -> None:
    heard: list[str] = []
    context = Context()
    context.on_shutdown(lambda: heard.append("before init"))
    context.init([])
    listener, gone = Listener(heard), Listener(heard)
    context.on_shutdown(listener.on_shutdown)
    context.on_shutdown(gone.on_shutdown)
    context.on_shutdown(lambda: heard.append(f"ok {context.ok()}"))
    with pytest.raises(TypeError, match="callable"):
        context.on_shutdown("text")  # type: ignore[arg-type]
    del gone
    gc.collect()
    context.shutdown()
    assert heard == ["before init", "method", "ok False"]
    context.on_shutdown(lambda: heard.append("late"))
    assert heard[-1] == "late"


def test_small_helpers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [timeout_sec_to_nsec(value) for value in (None, -1, 0, 1.5)] == [-1, -1, 0, 1_500_000_000]
    identifier = get_rmw_implementation_identifier()
    assert get_available_rmw_implementations() == {identifier}
    monkeypatch.setenv("RMW_IMPLEMENTATIONS", f"{identifier}:rmw_other")
    with pytest.raises(RuntimeError, match="rmw_other"):
        get_available_rmw_implementations()


def test_waiting_for_a_message_gives_it_or_gives_up() -> None:
    ros.init(args=[])
    node = ros.create_node("waiter")
    latched = ros.create_node("talker").create_publisher(std_msgs.msg.String, "chat", 1)
    assert wait_for_message(std_msgs.msg.String, node, "chat", time_to_wait=0.05) == (False, None)
    timer = node.create_timer(0.01, lambda: None)
    got: list[tuple[bool, object]] = []
    thread = threading.Thread(
        target=lambda: got.append(wait_for_message(std_msgs.msg.String, node, "chat", time_to_wait=10))
    )
    thread.start()
    while not latched.get_subscription_count():
        assert thread.is_alive()
    latched.publish(std_msgs.msg.String(data="here"))
    thread.join(10)
    assert got == [(True, std_msgs.msg.String(data="here"))]
    assert node.count_subscribers("chat") == 0
    timer.destroy()


# --- signals


def test_handlers_come_with_the_default_context_and_go_with_it() -> None:
    before = signal.getsignal(signal.SIGTERM)
    ros.init(args=[])
    assert get_current_signal_handlers_options() == SignalHandlerOptions.ALL
    ros.shutdown()
    assert get_current_signal_handlers_options() == SignalHandlerOptions.NO
    assert signal.getsignal(signal.SIGTERM) is before
    context = Context()
    ros.init(args=[], context=context)
    assert get_current_signal_handlers_options() == SignalHandlerOptions.NO
    context.shutdown()
    ros.init(args=[], signal_handler_options=SignalHandlerOptions.SIGTERM)
    assert get_current_signal_handlers_options() == SignalHandlerOptions.SIGTERM
    install_signal_handlers(SignalHandlerOptions.SIGINT)
    assert get_current_signal_handlers_options() == SignalHandlerOptions.ALL
    ros.shutdown(uninstall_handlers=False)
    assert get_current_signal_handlers_options() == SignalHandlerOptions.ALL


SCRIPT = """
import sys
from robot import ros
from robot.ros.executors import ExternalShutdownException

ros.init(args=[])
node = ros.create_node("spinning")
try:
    print("ready", flush=True)
    ros.spin(node)
    print("returned")
except ExternalShutdownException:
    print("shut down")
except KeyboardInterrupt:
    print("interrupted")
print(ros.ok())
if "--tidy" in sys.argv:
    node.destroy_node()
    ros.try_shutdown()
"""


@pytest.mark.parametrize(
    ("number", "options", "expected"),
    [
        (signal.SIGINT, (), {"interrupted"}),
        (signal.SIGTERM, ("--tidy",), {"shut down", "returned"}),
    ],
)
def test_a_signal_ends_spin_and_the_process_leaves_nothing(
    tmp_path: Path, number: signal.Signals, options: tuple[str, ...], expected: set[str]
) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.send_signal(number)
    out, err = child.communicate(timeout=30)
    lines = out.splitlines()
    assert len(lines) == 2 and lines[0] in expected and lines[1] == "False", (out, err)
    assert child.returncode == 0 and err == ""
    assert [path for path in (tmp_path / "ros").rglob("*") if not path.is_dir()] == []


HANDLING = """
import signal
from robot import ros
from robot.ros.utilities import get_default_context
from robot.ros.signals import SignalHandlerGuardCondition
heard = []
before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
ros.init(args=[])
context, guard, gone = get_default_context(), SignalHandlerGuardCondition(), SignalHandlerGuardCondition()
gone.destroy()
signal.raise_signal(signal.SIGTERM)
assert heard == [signal.SIGTERM] and guard.take()
assert not context.ok() and not ros.ok()
ros.shutdown()
assert signal.getsignal(signal.SIGTERM) is not before
signal.raise_signal(signal.SIGTERM)
assert heard == [signal.SIGTERM] * 2
print("done")
"""


def test_a_signal_interrupts_contexts_triggers_guards_and_does_what_it_did_before() -> None:
    child = subprocess.run([sys.executable, "-c", HANDLING], capture_output=True, text=True, timeout=60, check=False)
    assert (child.returncode, child.stdout) == (0, "done\n"), child.stderr


def test_a_forked_child_may_log_but_not_publish() -> None:
    ros.init(args=[])
    node = ros.create_node("parent")
    other = Context()
    other.init([])
    ros.create_node("listener", context=other).create_subscription(rcl_interfaces.msg.Log, "/rosout", print, 1)

    def matched() -> bool:
        other.transport.poll(0.0)
        return node.count_subscribers("/rosout") == 1

    assert node.wait_until(matched, 30.0)
    child = os.fork()
    if child == 0:
        code = 3
        try:
            code = 0 if node.get_logger().info("from the child") else 1
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    other.shutdown()
    assert os.waitstatus_to_exitcode(status) == 0


def test_two_threads_that_both_try_to_shut_a_context_down_both_succeed() -> None:
    context = Context()
    context.init()
    raised: list[RCLError] = []
    at_it = threading.Event()

    def again() -> None:
        at_it.set()
        try:
            context.try_shutdown()
        except RCLError as error:
            raised.append(error)

    other = threading.Thread(target=again)

    def meanwhile() -> None:
        other.start()
        at_it.wait(10.0)
        other.join(0.1)  # it waits for this one

    context.on_shutdown(meanwhile)
    context.try_shutdown()
    other.join(10.0)
    assert not other.is_alive()
    assert raised == []
