"""A flag that can be waited for until an instant of a clock."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from robot.ros.clock_handle import ClockHandle
from robot.ros.clock_type import ClockType
from robot.ros.duration import NANOSECONDS
from robot.ros.exceptions import RCLError

if TYPE_CHECKING:
    from robot.ros.clock import BaseClock


class ClockEvent:
    """A flag that can be waited for until an instant of a clock, as `rclpy.clock.ClockEvent`."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    def clear(self) -> None:
        self._event.clear()

    def is_set(self) -> bool:
        return self._event.is_set()

    def wait_until(self, clock: BaseClock | ClockHandle, until: Any) -> None:
        """Wait until the flag is set or, on a clock that runs by itself, the instant [its `nanoseconds`] has come."""
        clock = clock.clock if isinstance(clock, ClockHandle) else clock
        if clock.is_set():
            self._event.wait()
            return
        self._event.wait(max(0, until.nanoseconds - clock.nanoseconds()) / NANOSECONDS)

    wait_until_steady = wait_until_system = wait_until

    def wait_until_ros(self, clock: BaseClock | ClockHandle, until: Any) -> None:
        """Wait as `wait_until` does; raises RCLError for a clock of another type."""
        clock = clock.clock if isinstance(clock, ClockHandle) else clock
        if clock.clock_type != ClockType.ROS_TIME:
            raise RCLError(f"expected a clock of type ROS_TIME, got {clock.clock_type.name}")
        self.wait_until(clock, until)
