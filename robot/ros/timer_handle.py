"""The handle of a timer, which asks and drives it as rclpy's compiled part does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from robot.ros.handle import Handle

if TYPE_CHECKING:
    from robot.ros.timer import Timer


class TimerHandle(Handle):
    """What `Timer.handle` gives; spans of time are in nanoseconds."""

    def __init__(self, timer: Timer, on_destroy: Callable[[], None]) -> None:
        super().__init__("a timer", on_destroy)
        self._timer = timer
        self._resets = 0
        self._on_reset: Callable[[int], object] | None = None

    def get_timer_period(self) -> int:
        return self._timer.timer_period_ns

    def change_timer_period(self, period_nsec: int) -> None:
        self._timer.timer_period_ns = period_nsec

    def is_timer_ready(self) -> bool:
        return self._timer.is_ready()

    is_ready = is_timer_ready

    def is_timer_canceled(self) -> bool:
        return self._timer.is_canceled()

    def cancel_timer(self) -> None:
        self._timer.cancel()

    def reset_timer(self) -> None:
        self._timer.reset()

    def time_since_last_call(self) -> int:
        return self._timer.time_since_last_call()

    def time_until_next_call(self) -> int | None:
        return self._timer.time_until_next_call()

    def call_timer(self) -> None:
        """Begin the next period, due or not; raises TimerCancelledError when it was cancelled."""
        self.call_timer_with_info()

    def call_timer_with_info(self) -> dict[str, int]:
        """Begin the next period; return when the call was due and when it came, on the timer's clock."""
        with self:
            expected, actual = self._timer.call()
        return {"expected_call_time": expected, "actual_call_time": actual}

    def set_on_reset_callback(self, callback: Callable[[int], object]) -> None:
        """Call back at each reset with 1, and now with how many there were before."""
        with self:
            self._on_reset = callback
            resets, self._resets = self._resets, 0
        if resets:
            callback(resets)

    def clear_on_reset_callback(self) -> None:
        with self:
            self._on_reset = None

    def was_reset(self) -> None:
        """Tell who wants to know."""
        if self._on_reset is None:
            self._resets += 1
        else:
            self._on_reset(1)
