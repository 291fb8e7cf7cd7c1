"""Nodes for asyncio: their callbacks are tasks of the loop that runs them, and their calls are awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from robot.ros.clock_type import ClockType
from robot.ros.context import Context
from robot.ros.exceptions import TimeSourceChangedError
from robot.ros.experimental import AsyncNode
from robot.ros.interfaces import example_interfaces, std_msgs
from robot.ros.time import Time
from robot.ros.timer import TimerInfo

String, AddTwoInts = std_msgs.msg.String, example_interfaces.srv.AddTwoInts
DEADLINE = 30.0  # [s]


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Context]:
    monkeypatch.setenv("BERRYBRAIN_ROS_DIR", str(tmp_path))
    context = Context()
    context.init(())
    yield context
    context.try_shutdown()


async def until(condition: Any) -> None:
    async with asyncio.timeout(DEADLINE):
        while not condition():
            await asyncio.sleep(0.005)


def test_a_callback_may_await_and_the_next_waits_for_it_unless_they_are_concurrent(context: Context) -> None:
    async def main(*, concurrent: bool) -> int:
        inside = most = done = 0

        async def hear(message: Any) -> None:
            nonlocal inside, most, done
            inside += 1
            most = max(most, inside)
            await (asyncio.sleep(0.01) if not concurrent else until(lambda: most == 3))
            inside -= 1
            done += 1

        async with AsyncNode("node", context=context) as node:
            publisher = node.create_publisher(String, "words", 10)
            node.create_subscription(String, "words", hear, 10, concurrent=concurrent)
            for word in "abc":
                publisher.publish(String(data=word))
            await until(lambda: done == 3)
        return most

    assert asyncio.run(main(concurrent=False)) == 1
    assert asyncio.run(main(concurrent=True)) == 3


def test_a_service_is_called_and_awaited_inside_a_callback(context: Context) -> None:
    async def main() -> None:
        sums: list[int] = []

        async def add(request: Any, response: Any) -> Any:
            await asyncio.sleep(0)
            response.sum = request.a + request.b
            return response

        async with AsyncNode("node", context=context) as node:
            node.create_service(AddTwoInts, "add", add)
            client = node.create_client(AddTwoInts, "add")
            await client.wait_for_service()
            await node.wait_for_node("node")

            async def ask(info: Any) -> None:
                assert isinstance(info, TimerInfo)
                sums.append((await client.call(AddTwoInts.Request(a=2, b=3))).sum)
                node.destroy_timer(timer)

            timer = node.create_timer(0.001, ask)
            await until(lambda: sums)
        assert sums == [5]
        with pytest.raises(RuntimeError, match="destroyed client"):
            await client.call(AddTwoInts.Request())
        with pytest.raises(RuntimeError, match="on a destroyed node"):
            node.create_publisher(String, "words", 1)
        with pytest.raises(RuntimeError, match="reentered"):
            await node.run()

    asyncio.run(main())


def test_an_exception_of_a_callback_ends_the_block(context: Context) -> None:
    async def main() -> None:
        async def fail() -> None:
            raise LookupError("broken")

        async with AsyncNode("node", context=context) as node:
            node.create_timer(0.001, fail)
            await asyncio.sleep(DEADLINE)

    with pytest.raises(ExceptionGroup) as raised:
        asyncio.run(main())
    assert raised.value.subgroup(LookupError) is not None


def test_a_node_runs_until_it_is_destroyed_or_its_context_is_shut_down(context: Context) -> None:
    async def main() -> None:
        one, two = AsyncNode("one", context=context), AsyncNode("two", context=context)
        one.create_timer(0.001, one.destroy_node)
        async with asyncio.timeout(DEADLINE):
            await one.run()
            running = asyncio.create_task(two.run())
            await until(lambda: two.executor is not None)
            with pytest.raises(RuntimeError, match="already running"):
                await two.run()
            context.shutdown()
            await running

    asyncio.run(main())


def test_a_sleep_follows_simulated_time_and_ends_when_that_is_switched(context: Context) -> None:
    async def main() -> None:
        async with AsyncNode("node", context=context) as node:
            clock = node.get_clock()
            await clock.sleep(0.001)
            clock._set_ros_time_is_active(True)
            clock.set_ros_time_override(Time(seconds=10, clock_type=ClockType.ROS_TIME))
            sleeping = asyncio.create_task(clock.sleep(5.0))
            await asyncio.sleep(0)
            clock.set_ros_time_override(Time(seconds=14, clock_type=ClockType.ROS_TIME))
            await asyncio.sleep(0.01)
            assert not sleeping.done()
            clock.set_ros_time_override(Time(seconds=15, clock_type=ClockType.ROS_TIME))
            await asyncio.wait_for(sleeping, DEADLINE)
            sleeping = asyncio.create_task(clock.sleep(5.0))
            await asyncio.sleep(0)
            clock._set_ros_time_is_active(False)
            with pytest.raises(TimeSourceChangedError):
                await sleeping
            sleeping = asyncio.create_task(clock.sleep(DEADLINE))
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await sleeping
        with pytest.raises(RuntimeError, match="destroyed clock"):
            await clock.sleep(1.0)

    asyncio.run(main())


def test_a_timers_callback_takes_its_information_or_nothing(context: Context) -> None:
    async def main() -> None:
        async with AsyncNode("node", context=context) as node:
            with pytest.raises(RuntimeError, match="zero arguments"):
                node.create_timer(1.0, lambda one, two: None)

    asyncio.run(main())
