"""Futures and tasks: results, exceptions, cancelling, callbacks, asyncio."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from robot.ros.callback_groups import MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from robot.ros.task import Future, Task


class Recorder:
    """Stands for an executor: notes the tasks it is asked to create."""

    def __init__(self) -> None:
        self.created: list[tuple[Any, tuple[Any, ...]]] = []

    def create_task(self, callback: Any, *arguments: Any) -> None:
        self.created.append((callback, arguments))


def test_a_task_runs_a_function_once_with_its_arguments() -> None:
    calls: list[tuple[Any, ...]] = []
    task: Task[Any] = Task(lambda *args, **kwargs: calls.append((args, kwargs)), (1,), {"two": 2})
    task()
    task()
    assert calls == [((1,), {"two": 2})]
    assert task.done() and not task.executing() and task.result() is None


def test_a_task_keeps_the_exception_of_its_function() -> None:
    error = RuntimeError("broken")

    def fail() -> None:
        raise error

    task: Task[None] = Task(fail)
    task()
    assert task.done() and task.exception() is error
    with pytest.raises(RuntimeError, match="broken"):
        task.result()


def test_a_coroutine_goes_on_where_it_gave_way() -> None:
    steps: list[int] = []

    async def work() -> str:
        steps.append(1)
        await asyncio.sleep(0)
        steps.append(2)
        return "done"

    task = Task(work)
    task()
    assert steps == [1] and not task.done()
    task()
    assert steps == [1, 2] and task.result() == "done"


def test_done_callbacks_are_created_as_tasks_of_the_executor() -> None:
    recorder = Recorder()
    task: Task[None] = Task(lambda: None, executor=recorder)
    task.add_done_callback("first")  # type: ignore[arg-type]
    task()
    task.add_done_callback("second")  # type: ignore[arg-type]
    assert recorder.created == [("first", (task,)), ("second", (task,))]


def test_without_an_executor_callbacks_run_at_once_and_one_that_raises_does_not_stop_the_others() -> None:
    future: Future[int] = Future()
    seen: list[int | None] = []

    def fail(_: Any) -> None:
        raise RuntimeError("broken")

    future.add_done_callback(fail)
    future.add_done_callback(lambda done: seen.append(done.result()))
    with pytest.warns(UserWarning, match="broken"):
        future.set_result(3)
    assert seen == [3]
    assert future.remove_done_callback(fail) is False


def test_a_cancelled_future_is_not_done_and_tells_its_callbacks() -> None:
    future: Future[int] = Future()
    seen: list[bool] = []
    future.add_done_callback(lambda ended: seen.append(ended.cancelled()))
    future.cancel()
    assert future.cancelled() and not future.done() and future.result() is None
    assert seen == [True]
    future.set_result(1)
    assert future.done() and not future.cancelled()
    future.cancel()
    assert not future.cancelled()


def test_a_future_cancelled_before_calls_back_at_once() -> None:
    future: Future[int] = Future()
    future.cancel()
    seen: list[bool] = []
    future.add_done_callback(lambda ended: seen.append(ended.cancelled()))
    assert seen == [True]


def test_a_coroutine_goes_on_without_a_result_when_what_it_awaits_is_cancelled() -> None:
    before: Future[int] = Future()
    before.cancel()
    meanwhile: Future[int] = Future()

    async def wait() -> tuple[int | None, int | None]:
        return await before, await meanwhile

    task: Task[Any] = Task(wait)
    task()
    assert not task.done()
    meanwhile.cancel()
    task()
    assert task.result() == (None, None)


def test_a_cancelled_task_does_not_run() -> None:
    ran: list[bool] = []
    task: Task[None] = Task(lambda: ran.append(True))
    task.cancel()
    task()
    assert ran == [] and task.cancelled()


def test_a_coroutine_that_awaits_gets_result_and_exception() -> None:
    good: Future[int] = Future()
    bad: Future[int] = Future()

    async def work() -> tuple[int | None, str]:
        value = await good
        try:
            await bad
        except RuntimeError as error:
            return value, str(error)
        return value, ""

    coroutine = work()
    coroutine.send(None)
    good.set_result(1)
    coroutine.send(None)
    bad.set_exception(RuntimeError("broken"))
    with pytest.raises(StopIteration) as ended:
        coroutine.send(None)
    assert ended.value.value == (1, "broken")


def test_asyncio_awaits_a_future_of_ours() -> None:
    async def main() -> int | None:
        future: Future[int] = Future()
        asyncio.get_running_loop().call_later(0.001, future.set_result, 7)
        return await asyncio.wait_for(future, 5.0)

    assert asyncio.run(main()) == 7


def test_an_exception_nobody_asked_for_is_said_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    future: Future[int] = Future()
    future.set_exception(RuntimeError("forgotten"))
    del future
    assert "never retrieved: forgotten" in capsys.readouterr().err


class Entity:
    pass


def test_a_mutually_exclusive_group_lets_one_in_and_a_reentrant_one_all() -> None:
    one, other = Entity(), Entity()
    exclusive, reentrant = MutuallyExclusiveCallbackGroup(), ReentrantCallbackGroup()
    for group in (exclusive, reentrant):
        group.add_entity(one)
        group.add_entity(other)
        assert group.has_entity(one) and not group.has_entity(Entity())
        assert group.beginning_execution(one)
    assert not exclusive.can_execute(other) and not exclusive.beginning_execution(other)
    assert reentrant.can_execute(other) and reentrant.beginning_execution(other)
    exclusive.ending_execution(one)
    assert exclusive.can_execute(other)


def test_a_group_forgets_entities_that_are_gone() -> None:
    group, entity = ReentrantCallbackGroup(), Entity()
    group.add_entity(entity)
    del entity
    assert not group.entities
