"""The handle of a clock: its time, its override, and who is told of its jumps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robot.ros.clock_jumps import JumpHandle, JumpThreshold
from robot.ros.clock_type import ClockType
from robot.ros.duration import Duration
from robot.ros.handle import Handle
from robot.ros.time import Time

if TYPE_CHECKING:
    from robot.ros.clock import BaseClock


class ClockHandle(Handle):
    """What `Clock.handle` gives.

    Attributes:
        told: of jumps beyond their thresholds, in this order.
    """

    def __init__(self, clock: BaseClock) -> None:
        super().__init__("a clock")
        self.clock = clock
        self.told: dict[JumpHandle, JumpThreshold] = {}

    def get_now(self) -> Time:
        return self.clock.now()

    def get_ros_time_override_is_enabled(self) -> bool:
        return self.clock.ros_time_is_active

    def set_ros_time_override_is_enabled(self, enabled: bool) -> None:
        self.clock._set_ros_time_is_active(enabled)

    def set_ros_time_override(self, time_point: Any) -> None:
        """Set simulated time to an instant that has nanoseconds; raises RCLError for a clock of another type."""
        self.clock.set_ros_time_override(Time(nanoseconds=time_point.nanoseconds, clock_type=ClockType.ROS_TIME))

    def add_clock_callback(
        self, pyjump_handle: JumpHandle, on_clock_change: bool, min_forward: int, min_backward: int
    ) -> None:
        """Tell a handle of jumps of at least so much [ns]; 0 = of none in that direction."""
        with self:
            self.told[pyjump_handle] = JumpThreshold(
                min_forward=Duration(nanoseconds=min_forward) if min_forward else None,
                min_backward=Duration(nanoseconds=min_backward) if min_backward else None,
                on_clock_change=on_clock_change,
            )

    def remove_clock_callback(self, pyjump_handle: JumpHandle) -> None:
        with self:
            self.told.pop(pyjump_handle, None)
