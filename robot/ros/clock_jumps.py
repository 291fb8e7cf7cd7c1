"""Jumps of clocks: what they are, which of them to tell of, and the callbacks that are told."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TypedDict

from robot.ros.duration import Duration

if TYPE_CHECKING:
    from robot.ros.clock import BaseClock

JumpHandlePreCallbackType = Callable[[], Any]


class ClockChange(IntEnum):
    """What happened to the source of a ROS clock's time, numbered as rcl's."""

    ROS_TIME_NO_CHANGE = 1
    ROS_TIME_ACTIVATED = 2
    ROS_TIME_DEACTIVATED = 3
    SYSTEM_TIME_NO_CHANGE = 4


class JumpThreshold:
    """Which jumps to tell of.

    Args:
        min_forward: shortest jump forward, > 0; None = none.
        min_backward: shortest jump back, < 0; None = none.
        on_clock_change: also when simulated time is switched on or off.
    """

    def __init__(
        self, *, min_forward: Duration | None, min_backward: Duration | None, on_clock_change: bool = True
    ) -> None:
        if min_forward is not None and min_forward.nanoseconds <= 0:
            raise ValueError("min_forward must be a positive non-zero duration")
        if min_backward is not None and min_backward.nanoseconds >= 0:
            raise ValueError("min_backward must be a negative non-zero duration")
        if min_forward is None and min_backward is None and not on_clock_change:
            raise ValueError("At least one jump threshold must be enabled")
        self.min_forward = min_forward
        self.min_backward = min_backward
        self.on_clock_change = on_clock_change

    def is_exceeded(self, change: ClockChange, delta_ns: int) -> bool:
        if change in (ClockChange.ROS_TIME_ACTIVATED, ClockChange.ROS_TIME_DEACTIVATED):
            return self.on_clock_change
        if self.min_forward is not None and delta_ns >= self.min_forward.nanoseconds:
            return True
        return self.min_backward is not None and delta_ns <= self.min_backward.nanoseconds


class TimeJump:
    """A jump: what changed, and by how much."""

    def __init__(self, clock_change: ClockChange, delta: Duration) -> None:
        if not isinstance(clock_change, ClockChange):
            raise TypeError("clock_change must be an instance of rclpy.clock.ClockChange")
        self._clock_change = clock_change
        self._delta = delta

    @property
    def clock_change(self) -> ClockChange:
        return self._clock_change

    @property
    def delta(self) -> Duration:
        return self._delta


class TimeJumpDictionary(TypedDict):
    """A jump, as handles made by hand are told of it; `delta` in nanoseconds."""

    clock_change: ClockChange
    delta: int


class JumpHandle:
    """A registered pair of callbacks; enter it to unregister them at the end of a block.

    Args:
        post_callback: takes a `TimeJumpDictionary`; `Clock.create_jump_callback` takes one that gets a `TimeJump`.
    """

    def __init__(
        self,
        *,
        clock: BaseClock,
        threshold: JumpThreshold,
        pre_callback: JumpHandlePreCallbackType | None,
        post_callback: Callable[[TimeJumpDictionary], Any] | None,
    ) -> None:
        if pre_callback is None and post_callback is None:
            raise ValueError("One of pre_callback or post_callback must be callable")
        if pre_callback is not None and not callable(pre_callback):
            raise ValueError("pre_callback must be callable if given")
        if post_callback is not None and not callable(post_callback):
            raise ValueError("post_callback must be callable if given")
        self._pre_callback = pre_callback
        self._post_callback = post_callback
        self._clock: BaseClock | None = clock
        with clock.handle:
            clock.handle.told[self] = threshold

    def unregister(self) -> None:
        if self._clock is not None:
            self._clock.handle.told.pop(self, None)
            self._clock = None

    def __enter__(self) -> JumpHandle:
        return self

    def __exit__(self, *_: object) -> None:
        self.unregister()
