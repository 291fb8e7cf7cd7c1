"""Call back each period of a clock, on a grid that does not drift."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from robot.ros.callback_groups import ReentrantCallbackGroup
from robot.ros.clock import Clock, ROSClock
from robot.ros.duration import NANOSECONDS

if TYPE_CHECKING:
    from robot.ros.callback_groups import CallbackGroup
    from robot.ros.node import Node
    from robot.ros.scheduler import Cancellable
    from robot.ros.task import Task

TOLERANCE = 1e-6  # [s] a clock read as float seconds is not exact


class Timer:
    """A timer, made by `Node.create_timer`.

    Periods that passed while the callback could not run are skipped, also while a coroutine of the last call still
    awaits something, unless the callback group is reentrant.

    Args:
        period: [s], > 0.
    """

    def __init__(
        self,
        node: Node,
        period: float,
        callback: Callable[[], Any],
        clock: Clock,
        callback_group: CallbackGroup | None = None,
        *,
        autostart: bool = True,
    ) -> None:
        if period < 0.0:
            raise ValueError(f"expected a period >= 0 s, got {period}")
        self.node = node
        self.callback = callback
        self.callback_group = callback_group
        self.clock = clock
        self.destroyed = False
        self._period = max(period, TOLERANCE)
        self._running = False
        self._posted = False
        self._simulated = False
        self._start = 0.0
        self._count = 1
        self._event: Cancellable | None = None
        self._task: Task[Any] | None = None
        if isinstance(clock, ROSClock):
            clock.add_jump_callback(self._on_clock)
        if autostart:
            self.reset()

    @property
    def timer_period_ns(self) -> int:
        return round(self._period * NANOSECONDS)

    def is_canceled(self) -> bool:
        return not self._running

    def is_ready(self) -> bool:
        return self._running and self._now() >= self._next_at() - TOLERANCE

    def time_until_next_call(self) -> int | None:
        """Return the nanoseconds until the next call, None when cancelled."""
        return round((self._next_at() - self._now()) * NANOSECONDS) if self._running else None

    def cancel(self) -> None:
        self._running = False
        if self._event is not None:
            self._event.cancel()
            self._event = None

    def reset(self) -> None:
        """Start (again): the next call is one period from now."""
        self.cancel()
        self._running = not self.destroyed
        self._simulated = isinstance(self.clock, ROSClock) and self.clock.ros_time_is_active
        self._start = self._now()
        self._count = 1
        self._arm()

    def destroy(self) -> None:
        if not self.destroyed:
            self.destroyed = True
            self.cancel()
            if isinstance(self.clock, ROSClock):
                self.clock.remove_jump_callback(self._on_clock)
            self.node.forget(self)

    def _now(self) -> float:
        return self.clock.nanoseconds() / NANOSECONDS if self._simulated else self.node.scheduler.monotonic()

    def _next_at(self) -> float:
        return self._start + self._count * self._period

    def _arm(self) -> None:
        if self._running and not self._simulated:
            self._event = self.node.scheduler.post(self._due, delay=self._next_at() - self._now())

    def _on_clock(self) -> None:
        simulated = isinstance(self.clock, ROSClock) and self.clock.ros_time_is_active
        if not self._running:
            return
        if simulated != self._simulated or self._now() < self._next_at() - self._period - TOLERANCE:
            self.reset()
        elif simulated:
            self._due()

    def _due(self) -> None:
        if not self._posted and self.is_ready():
            self._posted = True
            self.node.post(self._fire)

    def _fire(self) -> None:
        self._posted = False
        if not self._running:
            return
        missed = int((self._now() - self._next_at() + TOLERANCE) // self._period)
        self._count += 1 + max(0, missed)
        self._arm()
        if self._task is None or self._task.done() or isinstance(self.callback_group, ReentrantCallbackGroup):
            self._task = self.node.run(self.callback)
