"""One goal as its server sees it: a state machine that only goes the ways ROS allows."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import IntEnum
from types import GenericAlias
from typing import TYPE_CHECKING, Any, ClassVar

from robot.ros.action.status import GoalStatus
from robot.ros.exceptions import RCLError
from robot.ros.task import Future

if TYPE_CHECKING:
    from robot.ros.action.server import ActionServer


class GoalEvent(IntEnum):
    """What changes a goal's state, numbered as rcl_action's."""

    EXECUTE = 0
    CANCEL_GOAL = 1
    SUCCEED = 2
    ABORT = 3
    CANCELED = 4


GO = {  # what follows on a state and an event
    (GoalStatus.STATUS_ACCEPTED, GoalEvent.EXECUTE): GoalStatus.STATUS_EXECUTING,
    (GoalStatus.STATUS_ACCEPTED, GoalEvent.CANCEL_GOAL): GoalStatus.STATUS_CANCELING,
    (GoalStatus.STATUS_EXECUTING, GoalEvent.CANCEL_GOAL): GoalStatus.STATUS_CANCELING,
    (GoalStatus.STATUS_EXECUTING, GoalEvent.SUCCEED): GoalStatus.STATUS_SUCCEEDED,
    (GoalStatus.STATUS_EXECUTING, GoalEvent.ABORT): GoalStatus.STATUS_ABORTED,
    (GoalStatus.STATUS_CANCELING, GoalEvent.SUCCEED): GoalStatus.STATUS_SUCCEEDED,
    (GoalStatus.STATUS_CANCELING, GoalEvent.ABORT): GoalStatus.STATUS_ABORTED,
    (GoalStatus.STATUS_CANCELING, GoalEvent.CANCELED): GoalStatus.STATUS_CANCELED,
}


class ServerGoalHandle:
    """One goal, handed to the callbacks of an action server. Any thread may use it."""

    __class_getitem__: ClassVar[Any] = classmethod(GenericAlias)  # rclpy's is generic

    def __init__(self, action_server: ActionServer, goal_info: Any, goal_request: Any) -> None:
        self._action_server = action_server
        self._goal_info = goal_info
        self._goal_request = goal_request
        self._status: GoalStatus = GoalStatus.STATUS_ACCEPTED
        self._destroyed = False
        self.has_callback = False  # which returns the result
        self._result_future: Future[Any] = Future()
        self._lock = threading.RLock()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ServerGoalHandle) and bool(self.goal_id == other.goal_id)

    def __hash__(self) -> int:
        return hash(bytes(self.goal_id.uuid))

    @property
    def request(self) -> Any:
        return self._goal_request

    @property
    def goal_id(self) -> Any:
        return self._goal_info.goal_id

    @property
    def goal_info(self) -> Any:
        return self._goal_info

    @property
    def status(self) -> GoalStatus:
        return GoalStatus.STATUS_UNKNOWN if self._destroyed else self._status

    @property
    def is_active(self) -> bool:
        return not self._destroyed and not self._status.is_terminal

    @property
    def is_cancel_requested(self) -> bool:
        return self.status == GoalStatus.STATUS_CANCELING

    def execute(self, execute_callback: Callable[[ServerGoalHandle], Any] | None = None) -> None:
        """Start the execution, from the accepted callback or later."""
        self.executing()
        self._action_server.notify_execute(self, execute_callback)

    def executing(self) -> None:
        """Say that it is executed, unless it is to be cancelled."""
        with self._lock:
            if not self.is_cancel_requested:
                self._update_state(GoalEvent.EXECUTE)

    def publish_feedback(self, feedback: Any) -> None:
        if not isinstance(feedback, self._action_server.action_type.Feedback):
            raise TypeError(f"expected {self._action_server.action_type.Feedback}, got {type(feedback)}")
        if not self._destroyed:
            self._action_server.publish_feedback(self, feedback)

    def succeed(self, response: Any = None) -> None:
        self._end(GoalEvent.SUCCEED, response)

    def abort(self, response: Any = None) -> None:
        self._end(GoalEvent.ABORT, response)

    def canceled(self, response: Any = None) -> None:
        self._end(GoalEvent.CANCELED, response)

    def destroy(self) -> None:
        with self._lock:
            self._destroyed = True

    def _end(self, event: GoalEvent, response: Any) -> None:
        self._update_state(event)
        if response is not None:
            self._set_result(response)
        elif not self.has_callback:
            self._set_result(self._action_server.action_type.Result())

    def _set_result(self, response: Any) -> None:
        kind = self._action_server.action_type
        if not self._result_future.done():
            answer = kind.Impl.GetResultService.Response(status=int(self.status), result=response)
            self._result_future.set_result(answer)

    def _update_state(self, event: GoalEvent) -> None:
        """Change the state and tell everybody; a destroyed goal stays as it is.

        Raises:
            RCLError: that event cannot happen in this state.
        """
        with self._lock:
            if self._destroyed:
                return
            status = GO.get((self._status, event))
            if status is None:
                raise RCLError(
                    f"goal_handle attempted invalid transition from state {self._status.name.removeprefix('STATUS_')} "
                    f"with event {event.name}"
                )
            self._status = status
        self._action_server.publish_status()
        if status.is_terminal:
            self._action_server.notify_goal_done(self)
