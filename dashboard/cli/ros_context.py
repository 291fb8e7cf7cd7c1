"""A ROS context on ZeroMQ whose timers follow the run's clock instead of the machine's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from dashboard.timers import ClockTimers

if TYPE_CHECKING:
    from robot.ros.context import Context
    from robot.ros.executors import Executor


def open_context(timers: ClockTimers) -> tuple[Context, Executor]:
    """Return a context and an executor for it. The owner polls the transport; timers are due in the run's time."""
    from robot.ros.context import Context
    from robot.ros.executors import SingleThreadedExecutor
    from robot.ros.transport.loop import Event, Loop
    from robot.ros.transport.zeromq import ZeroMQ

    class ClockLoop(Loop):
        def __init__(self) -> None:
            super().__init__(now=timers.now, monotonic=timers.monotonic)
            self.timers = cast(list[tuple[float, int, Event]], timers.entries)  # the transport asks whether any waits

        def post(self, callback: Callable[[], None], *, delay: float = 0.0) -> Event:
            return cast(Event, timers.post(callback, delay=delay))

        def run_due(self) -> bool:
            return timers.run_due() > 0

        def until_next(self) -> float | None:
            due = timers.next_due()
            return None if due is None else max(0.0, due - timers.monotonic())

    transport = ZeroMQ()
    transport.loop = ClockLoop()
    transport.scheduler = transport.loop
    context = Context(transport)
    return context, SingleThreadedExecutor(context=context)
