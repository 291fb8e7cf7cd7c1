"""Executors on several threads: who runs what, who waits for whom, and how all of it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from robot import ros
from robot.ros.action import ActionClient, ActionServer
from robot.ros.callback_groups import MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from robot.ros.exceptions import InvalidHandle, ROSInterruptException
from robot.ros.executors import (
    Executor,
    ExternalShutdownException,
    MultiThreadedExecutor,
    ShutdownException,
    SingleThreadedExecutor,
    TimeoutException,
)
from robot.ros.experimental import AsyncioExecutor, EventsExecutor
from robot.ros.interfaces import example_interfaces, std_msgs, std_srvs
from robot.ros.node import Node
from robot.ros.task import Future

DEADLINE = 20.0  # [s]
String, Trigger = std_msgs.msg.String, std_srvs.srv.Trigger


@pytest.fixture(autouse=True)
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("BERRYBRAIN_ROS_DIR", str(tmp_path / "ros"))
    ros.init(domain_id=5)
    yield
    ros.try_shutdown()


def until(condition: Callable[[], bool], executor: Executor | None = None) -> None:
    end = time.monotonic() + DEADLINE
    tick = threading.Event()
    while not condition():
        assert time.monotonic() < end, "the condition did not come true"
        if executor is None:
            tick.wait(0.002)
        else:
            executor.spin_once(timeout_sec=0.05)


class Spinning:
    """An executor that spins on a thread of its own."""

    def __init__(self, executor: Executor, *nodes: Node) -> None:
        self.executor = executor
        for node in nodes:
            executor.add_node(node)
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._spin, daemon=True)
        self.thread.start()

    def _spin(self) -> None:
        try:
            self.executor.spin()
        except Exception as error:  # noqa: BLE001 (the test looks at it)
            self.error = error

    def stop(self) -> None:
        assert self.executor.shutdown(timeout_sec=DEADLINE)
        self.thread.join(DEADLINE)
        assert not self.thread.is_alive()


def echo(_: Any, response: Any) -> Any:
    response.success = True
    return response


@pytest.mark.parametrize("kind", [SingleThreadedExecutor, MultiThreadedExecutor, EventsExecutor])
def test_a_user_thread_publishes_and_calls_while_another_spins(kind: type[Executor]) -> None:
    node = Node("one")
    heard: list[str] = []
    node.create_service(Trigger, "go", echo)
    client, publisher = node.create_client(Trigger, "go"), node.create_publisher(String, "chat", 1000)
    node.create_subscription(String, "chat", lambda m: heard.append(m.data), 1000)
    spinning = Spinning(kind(), node)

    def publish() -> None:
        for n in range(100):
            publisher.publish(String(data=str(n)))

    threads = [threading.Thread(target=publish) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert client.call(Trigger.Request(), timeout_sec=DEADLINE).success
    until(lambda: len(heard) == 300)
    for thread in threads:
        thread.join()
    spinning.stop()
    assert spinning.error is None


def test_entities_come_and_go_while_another_thread_spins() -> None:
    node, publisher = Node("one"), Node("two").create_publisher(String, "chat", 10)
    spinning = Spinning(SingleThreadedExecutor(), node)
    for n in range(50):
        subscription = node.create_subscription(String, "chat", lambda _: None, 10)
        timer = node.create_timer(0.001, lambda: None)
        publisher.publish(String(data=str(n)))
        node.destroy_subscription(subscription)
        node.destroy_timer(timer)
    other = Node("three")
    spinning.executor.add_node(other)
    other.destroy_node()
    spinning.stop()
    assert spinning.error is None


def test_two_executors_of_one_context_spin_at_the_same_time() -> None:
    heard: dict[str, list[str]] = {"one": [], "two": []}
    spinnings = []
    for name, messages in heard.items():
        node = Node(name)
        node.create_subscription(String, "chat", lambda m, messages=messages: messages.append(m.data), 100)
        spinnings.append(Spinning(SingleThreadedExecutor(), node))
    publisher = Node("talker").create_publisher(String, "chat", 100)
    for n in range(20):
        publisher.publish(String(data=str(n)))
    until(lambda: all(len(messages) == 20 for messages in heard.values()))
    for spinning in spinnings:
        spinning.stop()


def test_groups_decide_what_overlaps_on_several_threads() -> None:
    node, inside, most = Node("one"), {"exclusive": 0, "reentrant": 0}, {"exclusive": 0, "reentrant": 0}
    lock, both = threading.Lock(), threading.Barrier(2)

    def enter(name: str) -> None:
        with lock:
            inside[name] += 1
            most[name] = max(most[name], inside[name])
        if name == "reentrant":
            both.wait(DEADLINE)
        with lock:
            inside[name] -= 1

    exclusive, reentrant = MutuallyExclusiveCallbackGroup(), ReentrantCallbackGroup()
    for name, group in (("exclusive", exclusive), ("reentrant", reentrant)):
        for _ in range(2):
            node.create_subscription(String, name, lambda _, name=name: enter(name), 100, callback_group=group)
    spinning = Spinning(MultiThreadedExecutor(4), node)
    for name in inside:
        publisher = node.create_publisher(String, name, 100)
        for _ in range(10):
            publisher.publish(String())
    until(lambda: most["reentrant"] >= 2 and inside == {"exclusive": 0, "reentrant": 0})
    spinning.stop()
    assert most["exclusive"] == 1


def test_a_blocking_call_in_a_callback_lets_other_groups_run() -> None:
    node = Node("one")
    node.create_service(Trigger, "go", echo, callback_group=MutuallyExclusiveCallbackGroup())
    client, replies = node.create_client(Trigger, "go"), []
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    guard = node.create_guard_condition(lambda: replies.append(client.call(Trigger.Request(), timeout_sec=DEADLINE)))
    guard.trigger()
    until(lambda: bool(replies), executor)
    assert replies[0].success


def test_a_blocking_call_that_waits_for_itself_raises() -> None:
    node = Node("one")
    node.create_service(Trigger, "go", echo)
    client = node.create_client(Trigger, "go")
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    node.create_guard_condition(lambda: client.call(Trigger.Request())).trigger()
    with pytest.raises(RuntimeError, match="never return"):
        executor.spin_once(timeout_sec=DEADLINE)


def test_threads_that_would_wait_for_each_other_are_told() -> None:
    node, errors = Node("one"), []
    groups = [MutuallyExclusiveCallbackGroup(), MutuallyExclusiveCallbackGroup()]
    clients = [node.create_client(Trigger, f"s{n}") for n in range(2)]
    for n in range(2):
        node.create_service(Trigger, f"s{n}", echo, callback_group=groups[n])
    both = threading.Barrier(2)

    def call(n: int) -> None:
        both.wait(DEADLINE)
        try:
            clients[1 - n].call(Trigger.Request())
        except RuntimeError as error:
            errors.append(error)

    for n in range(2):
        node.create_guard_condition(lambda n=n: call(n), groups[n]).trigger()
    spinning = Spinning(MultiThreadedExecutor(2), node)
    until(lambda: bool(errors))
    spinning.stop()


def test_a_call_without_a_service_times_out_and_one_on_a_wrong_type_is_refused() -> None:
    client = Node("one").create_client(Trigger, "nobody")
    with pytest.raises(TimeoutError, match="nobody"):
        client.call(Trigger.Request(), timeout_sec=0.01)
    with pytest.raises(TypeError):
        client.call(Trigger.Response())


def test_a_blocking_goal_returns_its_result() -> None:
    fibonacci, node = example_interfaces.action.Fibonacci, Node("one")

    def execute(goal: Any) -> Any:
        goal.publish_feedback(fibonacci.Feedback(sequence=[0]))
        goal.succeed()
        return fibonacci.Result(sequence=[0, 1])

    ActionServer(node, fibonacci, "count", execute)
    client = ActionClient(node, fibonacci, "count")
    spinning = Spinning(SingleThreadedExecutor(), node)
    result = client.send_goal(fibonacci.Goal(order=1), timeout_sec=DEADLINE)
    assert list(result.result.sequence) == [0, 1]
    spinning.stop()


def test_a_rate_sleeps_and_a_shutdown_ends_the_sleep() -> None:
    node = Node("one")
    rate, slow = node.create_rate(200.0), node.create_rate(0.001)
    spinning = Spinning(SingleThreadedExecutor(), node)
    for _ in range(3):
        rate.sleep()
    ended: list[BaseException] = []

    def sleep() -> None:
        try:
            slow.sleep()
        except ROSInterruptException as error:
            ended.append(error)

    sleeping = threading.Thread(target=sleep)
    sleeping.start()
    ros.shutdown()
    sleeping.join(DEADLINE)
    assert len(ended) == 1
    spinning.thread.join(DEADLINE)
    assert isinstance(spinning.error, ExternalShutdownException | None)
    with pytest.raises(ValueError, match="frequency"):
        node.create_rate(0.0)


def test_shutdown_waits_for_callbacks_that_run() -> None:
    node, begun, end, ended = Node("one"), threading.Event(), threading.Event(), []

    def work() -> None:
        begun.set()
        end.wait(DEADLINE)
        ended.append(True)

    node.create_guard_condition(work).trigger()
    spinning = Spinning(MultiThreadedExecutor(2), node)
    assert begun.wait(DEADLINE)
    assert spinning.executor.shutdown(timeout_sec=0.01) is False
    end.set()
    spinning.stop()
    assert ended == [True]


def test_the_threads_of_a_pool_end_with_it() -> None:
    before = set(threading.enumerate())
    executor = MultiThreadedExecutor(2)
    future = executor.create_task(lambda: 7)
    executor.spin_until_future_complete(future, timeout_sec=DEADLINE)
    assert future.result() == 7
    executor.shutdown()
    assert set(threading.enumerate()) == before


def test_a_custom_executor_takes_what_is_ready() -> None:
    class Counting(Executor):
        ran = 0

        def spin_once(self, timeout_sec: float | None = None) -> None:
            try:
                task, entity, node = self.wait_for_ready_callbacks(timeout_sec=timeout_sec)
            except TimeoutException:
                return
            assert self.can_execute(entity) is False and node in self.get_nodes()
            self.ran += 1
            task()
            task.result()

    node, heard = Node("one"), []
    executor = Counting()
    executor.add_node(node)
    node.create_subscription(String, "chat", heard.append, 10)
    publisher = node.create_publisher(String, "chat", 10)
    for _ in range(3):
        publisher.publish(String())
    until(lambda: len(heard) == 3, executor)
    assert executor.ran == 3
    executor.shutdown()
    with pytest.raises(ShutdownException):
        executor.wait_for_ready_callbacks()


def test_an_executor_refuses_to_spin_twice_at_a_time() -> None:
    node, raised = Node("one"), []
    executor = SingleThreadedExecutor()
    executor.add_node(node)

    def again() -> None:
        with pytest.raises(RuntimeError, match="already spinning"):
            executor.spin_once()
        raised.append(True)

    node.create_guard_condition(again).trigger()
    executor.spin_once(timeout_sec=DEADLINE)
    assert raised == [True] and not executor.is_spinning


def test_a_future_completed_elsewhere_ends_the_spin() -> None:
    executor = SingleThreadedExecutor()
    executor.add_node(Node("one"))
    future: Future[int] = Future(executor=executor)
    thread = threading.Thread(target=executor.spin_until_future_complete, args=(future,))
    thread.start()
    future.set_result(1)
    thread.join(DEADLINE)
    assert not thread.is_alive()


def test_asyncio_runs_callbacks_that_await_what_asyncio_knows() -> None:
    import asyncio

    node, replies = Node("one"), []
    node.create_service(Trigger, "go", echo, callback_group=ReentrantCallbackGroup())
    client = node.create_client(Trigger, "go")

    async def call() -> None:
        await asyncio.wait_for(asyncio.sleep(0), DEADLINE)
        replies.append(await asyncio.wait_for(client.call_async(Trigger.Request()), DEADLINE))

    async def main() -> None:
        executor = AsyncioExecutor()
        executor.add_node(node)
        node.create_timer(0.005, call)
        spinning = asyncio.create_task(executor.spin_async())
        async with asyncio.timeout(DEADLINE):
            while len(replies) < 2:
                await asyncio.sleep(0.005)
        executor.shutdown()
        await spinning

    asyncio.run(main())
    assert all(reply.success for reply in replies)


def test_a_destroyed_entity_refuses_and_a_destroyed_guard_too() -> None:
    node = Node("one")
    guard, timer = node.create_guard_condition(lambda: None), node.create_timer(1.0, lambda: None)
    node.destroy_guard_condition(guard)
    node.destroy_timer(timer)
    with pytest.raises(InvalidHandle):
        guard.trigger()
    with pytest.raises(InvalidHandle):
        timer.reset()


class Left(SingleThreadedExecutor):
    """An executor that its nodes leave just before the next callback is queued with it, as another thread may ask."""

    leaving = False

    def enqueue(self, node: Any, entity: Any, run: Any, count: int = 1) -> None:
        if self.leaving:
            self.leaving = False
            self.remove_node(node)
        super().enqueue(node, entity, run, count)


def test_what_comes_just_when_a_node_leaves_its_executor_goes_with_the_node() -> None:
    node = ros.create_node("guest")
    heard: list[str] = []
    node.create_subscription(String, "chat", lambda message: heard.append(message.data), 10)
    publisher = node.create_publisher(String, "chat", 10)
    former, latter = Left(), SingleThreadedExecutor()
    former.add_node(node)
    former.leaving = True
    publisher.publish(String(data="late"))
    latter.add_node(node)
    until(lambda: heard == ["late"], latter)
    ticks: list[None] = []
    former.add_node(node)
    former.leaving = True
    node.create_timer(0.001, lambda: ticks.append(None))
    until(lambda: not former.leaving, former)
    latter.add_node(node)
    until(lambda: len(ticks) > 1, latter)
