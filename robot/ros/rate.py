"""Sleep at a rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robot.ros.exceptions import InvalidHandle, ROSInterruptException

if TYPE_CHECKING:
    from robot.ros.context import Context
    from robot.ros.timer import Timer


class Rate:
    """Sleep at a rate, as `rclpy.timer.Rate`; made by `Node.create_rate`.

    `sleep` may be called where an executor spins the node on another thread, and on a thread of its own; where this
    thread is the one that spins, other callbacks run meanwhile as their groups let them.
    """

    def __init__(self, timer: Timer, *, context: Context) -> None:
        self._timer = timer
        self._context = context
        self._calls = 0
        self._destroyed = False
        timer.callback = self._count

    def _count(self) -> None:
        self._calls += 1
        self._context.bus.pump.tell_watchers()

    def sleep(self) -> None:
        """Wait for the end of the period.

        Raises:
            ROSInterruptException: the context was shut down or the rate was destroyed.
        """
        if not self._context.ok():
            raise ROSInterruptException
        if self._destroyed:
            raise RuntimeError("Rate cannot sleep because it has been destroyed")
        node = self._timer.node
        if self._timer.handle.destroyed or node is None:
            raise InvalidHandle("Rate cannot sleep because the timer has been destroyed")
        before = self._calls
        node._ros_wait_working(lambda: self._calls != before or self._destroyed or not self._context.ok(), None)
        if self._destroyed or not self._context.ok():
            raise ROSInterruptException

    def destroy(self) -> None:
        self._destroyed = True
        self._timer.destroy()
        if self._context.ok():
            self._context.bus.pump.tell_watchers()
