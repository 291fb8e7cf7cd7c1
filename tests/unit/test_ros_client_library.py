"""The parts of the client library that need no bus: time, names, quality of service, futures, parameters, logging."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robot.ros import task
from robot.ros.duration import Duration
from robot.ros.exceptions import NotInitializedException
from robot.ros.graph import Endpoint
from robot.ros.logging import RcutilsLogger
from robot.ros.parameter import Parameter, Type
from robot.ros.qos import DurabilityPolicy, HistoryPolicy, InvalidQoSProfileException, QoSProfile, as_profile
from robot.ros.task import Future, Task
from robot.ros.time import ClockType, Time


@given(st.integers(0, 2**63 - 1), st.integers(-(2**31), 2**31))
def test_time_arithmetic_is_exact_and_survives_messages(instant: int, span: int) -> None:
    time = Time(nanoseconds=instant, clock_type=ClockType.ROS_TIME)
    if 0 <= instant + span < 2**63:
        assert (time + Duration(nanoseconds=span) - time).nanoseconds == span
    if instant < 2**31 * 10**9:
        assert Time.from_msg(time.to_msg()) == time
    assert Duration.from_msg(Duration(nanoseconds=span).to_msg()) == Duration(nanoseconds=span)


def test_instants_of_different_clocks_do_not_mix() -> None:
    ros, system = Time(nanoseconds=5, clock_type=ClockType.ROS_TIME), Time(nanoseconds=5)
    with pytest.raises(TypeError):
        _ = ros == system
    with pytest.raises(TypeError):
        _ = ros - system
    with pytest.raises(ValueError, match="must not be negative"):
        Time(nanoseconds=-1)


def test_a_profile_needs_a_depth_and_survives_its_announcement() -> None:
    with pytest.raises(InvalidQoSProfileException):
        QoSProfile()
    with pytest.raises(TypeError):
        as_profile(1.5)  # type: ignore[arg-type]
    assert as_profile(3).limit == 3
    assert QoSProfile(history=HistoryPolicy.KEEP_ALL).limit is None
    qos = QoSProfile(depth=2, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    endpoint = Endpoint(kind="publisher", gid=bytes(16), name="/a", type_name="t", type_hash="h", node="/n", qos=qos)
    assert Endpoint.from_json(endpoint.to_json()) == endpoint


class Steps:
    """Runs posted callbacks when told."""

    def __init__(self) -> None:
        self.queue: deque[Callable[[], None]] = deque()

    def create_task(self, callback: Callable[..., Any], *arguments: Any) -> None:
        self._call_task_in_next_spin(Task(callback, arguments, executor=self))

    def _call_task_in_next_spin(self, task: Task[Any]) -> None:
        self.queue.append(task.step)

    def run(self) -> None:
        while self.queue:
            self.queue.popleft()()


def test_a_coroutine_waits_for_futures_and_returns_its_result() -> None:
    steps = Steps()
    first: Future[int] = Future(executor=steps)
    second: Future[int] = Future()

    async def add() -> int:
        return (await first or 0) + (await second or 0)

    made = Task(add(), executor=steps)
    made.step()
    first.set_result(2)
    steps.run()
    assert not made.done()
    second.set_result(3)
    steps.run()
    assert made.result() == 5


def test_an_exception_comes_out_where_it_happened_and_reaches_who_awaits_it() -> None:
    steps = Steps()

    async def fail() -> None:
        raise RuntimeError("broken")

    failing = Task(fail(), executor=steps)

    async def careful() -> str:
        try:
            await failing
        except RuntimeError as error:
            return str(error)
        return "nothing"

    waiting = Task(careful(), executor=steps)
    waiting.step()
    with pytest.raises(RuntimeError, match="broken"):
        failing.step()
    failing.step()  # it is over, and said
    steps.run()
    assert waiting.result() == "broken"
    with pytest.raises(RuntimeError, match="broken"):
        task.begin(fail(), steps)


def test_a_cancelled_task_ends_where_it_waits_and_runs_its_cleanup() -> None:
    steps = Steps()
    cleaned: list[bool] = []

    async def wait() -> None:
        try:
            await Future()
        finally:
            cleaned.append(True)

    made = Task(wait(), executor=steps)
    made.step()
    made.cancel()
    steps.run()
    assert made.cancelled() and not made.done() and cleaned == [True]


def test_a_done_callback_added_late_still_runs() -> None:
    future: Future[int] = Future()
    future.set_result(1)
    seen: list[int | None] = []
    future.add_done_callback(lambda done: seen.append(done.result()))
    assert seen == [1]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, Type.BOOL),
        (3, Type.INTEGER),
        (0.5, Type.DOUBLE),
        ("x", Type.STRING),
        ([True], Type.BOOL_ARRAY),
        ([1, 2], Type.INTEGER_ARRAY),
        ([1.0], Type.DOUBLE_ARRAY),
        (["a"], Type.STRING_ARRAY),
        ([b"a"], Type.BYTE_ARRAY),
        (None, Type.NOT_SET),
    ],
)
def test_parameter_types_follow_their_values(value: object, kind: Type) -> None:
    assert Parameter("p", value=value).type_ == kind


def test_a_throttled_message_is_logged_once_per_period(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    logger = RcutilsLogger("robot.control", lambda: now[0])
    with caplog.at_level(logging.INFO):
        for _ in range(10):
            logger.info("throttled", throttle_duration_sec=2.0)
            logger.warning("once", once=True)
            now[0] += 0.5
    assert caplog.messages.count("throttled") == 3
    assert caplog.messages.count("once") == 1
    assert caplog.records[0].filename == "test_ros_client_library.py"


def test_the_default_context_has_to_be_initialised() -> None:
    from robot import ros

    with pytest.raises(NotInitializedException, match="init"):
        ros.create_node("early")
    assert ros.ok() is False


def test_every_announcement_that_is_damaged_is_refused() -> None:
    qos: dict[str, Any] = QoSProfile(depth=1).to_json()
    good = {"kind": "client", "gid": "00" * 16, "name": "/a", "type": "t", "hash": "h", "node": "/n", "qos": qos}
    assert Endpoint.from_json(good).name == "/a"
    for key, value in good.items():
        for bad in (None, 7, [], "zz"):
            if isinstance(value, str) and isinstance(bad, str) and key != "gid":
                continue
            with pytest.raises((ValueError, KeyError, TypeError)):
                Endpoint.from_json({**good, key: bad})
    with pytest.raises(ValueError, match="publisher, subscription, service, client, got 'topic'"):
        Endpoint.from_json({**good, "kind": "topic"})
    with pytest.raises(ValueError, match="finite"):
        Endpoint.from_json({**good, "qos": {**qos, "depth": float("inf")}})
