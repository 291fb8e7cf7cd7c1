"""A ROS clock on which coroutines of asyncio can sleep."""

from __future__ import annotations

import asyncio
from typing import Any

from robot.ros.clock import ClockChange, JumpThreshold, ROSClock, TimeJump
from robot.ros.duration import Duration
from robot.ros.exceptions import TimeSourceChangedError

CHANGES = ClockChange.ROS_TIME_ACTIVATED, ClockChange.ROS_TIME_DEACTIVATED


class AsyncClock(ROSClock):
    """The clock of an `AsyncNode`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._sleeping: set[asyncio.Future[None]] = set()
        self._destroyed = False

    async def sleep(self, duration_sec: float) -> None:
        """Wait, in simulated time when that is active.

        Raises:
            TimeSourceChangedError: simulated time was switched on or off meanwhile.
            RuntimeError: the node of this clock was destroyed before; meanwhile, the sleep is cancelled.
        """
        if self._destroyed:
            raise RuntimeError("Cannot sleep on a destroyed clock")
        if duration_sec <= 0:
            await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        over: asyncio.Future[None] = loop.create_future()
        until = self.now() + Duration(seconds=duration_sec)

        def end(error: Exception | None = None) -> None:
            if not over.done():
                over.set_result(None) if error is None else over.set_exception(error)

        def on_jump(jump: TimeJump) -> None:
            if jump.clock_change in CHANGES:
                loop.call_soon_threadsafe(end, TimeSourceChangedError())
            elif self.now() >= until:
                loop.call_soon_threadsafe(end)

        threshold = JumpThreshold(min_forward=Duration(nanoseconds=1), min_backward=None)
        self._sleeping.add(over)
        with self.create_jump_callback(threshold, post_callback=on_jump):
            timer = None if self.ros_time_is_active else loop.call_later(duration_sec, end)
            try:
                await over
            finally:
                self._sleeping.discard(over)
                if timer is not None:
                    timer.cancel()

    def destroy(self) -> None:
        """Cancel who sleeps; on the thread of their loop."""
        self._destroyed = True
        for over in tuple(self._sleeping):
            over.cancel()
