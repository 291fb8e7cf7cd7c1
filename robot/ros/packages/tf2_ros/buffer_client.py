"""Ask another node's buffer through the action `tf2_buffer_server`."""

from __future__ import annotations

import threading
import time as wall
from typing import Any

from robot.ros.action import ActionClient
from robot.ros.duration import Duration
from robot.ros.interfaces import builtin_interfaces, tf2_msgs
from robot.ros.packages.tf2_py.buffer_core import nanoseconds
from robot.ros.packages.tf2_py.exceptions import (
    ConnectivityException,
    ExtrapolationException,
    InvalidArgumentException,
    LookupException,
    TimeoutException,
    TransformException,
)
from robot.ros.packages.tf2_py.history import SECOND
from robot.ros.packages.tf2_ros.buffer_interface import NO_WAIT, BufferInterface

ERRORS = {
    "LOOKUP_ERROR": LookupException,
    "CONNECTIVITY_ERROR": ConnectivityException,
    "EXTRAPOLATION_ERROR": ExtrapolationException,
    "INVALID_ARGUMENT_ERROR": InvalidArgumentException,
    "TIMEOUT_ERROR": TimeoutException,
}


def _stamp(time: Any) -> Any:
    seconds, rest = divmod(nanoseconds(time), SECOND)
    return builtin_interfaces.msg.Time(sec=seconds, nanosec=rest)


class BufferClient(BufferInterface):
    """Looks transforms up in the buffer of another node. The node given must be spun by another thread.

    Args:
        ns: name of the action.
        check_frequency: not looked at: answers are not polled for.
        timeout_padding: a Duration to wait beyond the timeout of a lookup; None = 2 s.
    """

    def __init__(self, node: Any, ns: str, check_frequency: float = 10.0, timeout_padding: Any = None) -> None:
        super().__init__()
        self.node = node
        self.action_client = ActionClient(node, tf2_msgs.action.LookupTransform, action_name=ns)
        self.timeout_padding = timeout_padding or Duration(seconds=2.0)

    def lookup_transform(self, target_frame: str, source_frame: str, time: Any, timeout: Any = NO_WAIT) -> Any:
        goal = tf2_msgs.action.LookupTransform.Goal(
            target_frame=target_frame, source_frame=source_frame, source_time=_stamp(time), advanced=False
        )
        return self._ask(goal, timeout)

    def lookup_transform_full(
        self,
        target_frame: str,
        target_time: Any,
        source_frame: str,
        source_time: Any,
        fixed_frame: str,
        timeout: Any = NO_WAIT,
    ) -> Any:
        goal = tf2_msgs.action.LookupTransform.Goal(
            target_frame=target_frame,
            target_time=_stamp(target_time),
            source_frame=source_frame,
            source_time=_stamp(source_time),
            fixed_frame=fixed_frame,
            advanced=True,
        )
        return self._ask(goal, timeout)

    def can_transform(self, target_frame: str, source_frame: str, time: Any, timeout: Any = NO_WAIT) -> bool:
        try:
            self.lookup_transform(target_frame, source_frame, time, timeout)
        except TransformException:
            return False
        return True

    def can_transform_full(
        self,
        target_frame: str,
        target_time: Any,
        source_frame: str,
        source_time: Any,
        fixed_frame: str,
        timeout: Any = NO_WAIT,
    ) -> bool:
        try:
            self.lookup_transform_full(target_frame, target_time, source_frame, source_time, fixed_frame, timeout)
        except TransformException:
            return False
        return True

    def _ask(self, goal: Any, timeout: Any) -> Any:
        seconds, rest = divmod(nanoseconds(timeout), SECOND)
        goal.timeout.sec, goal.timeout.nanosec = seconds, rest
        patience = (nanoseconds(timeout) + nanoseconds(self.timeout_padding)) / SECOND
        end = wall.monotonic() + patience
        if not self.action_client.wait_for_server(timeout_sec=patience):
            raise TimeoutException("the action server of the buffer did not appear")
        handle = self._wait(self.action_client.send_goal_async(goal), end)
        if not handle.accepted:
            raise TransformException("the buffer's action server refused the goal")
        result = self._wait(handle.get_result_async(), end).result
        names = {getattr(tf2_msgs.msg.TF2Error, name): error for name, error in ERRORS.items()}
        if result.error.error != tf2_msgs.msg.TF2Error.NO_ERROR:
            raise names.get(result.error.error, TransformException)(result.error.error_string)
        return result.transform

    def _wait(self, future: Any, end: float) -> Any:
        answered = threading.Event()
        future.add_done_callback(lambda _: answered.set())
        if not answered.wait(end - wall.monotonic()):
            raise TimeoutException("the buffer's action server did not answer in time")
        return future.result()
