"""Serve an action: accept goals, execute them as coroutines, report, cancel and keep results for a while."""

from __future__ import annotations

import logging
from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from robot.ros.action.status import GoalStatus, part
from robot.ros.exceptions import ROSError
from robot.ros.interfaces import action_msgs
from robot.ros.qos import QoSProfile, qos_profile_action_status_default
from robot.ros.task import Future

if TYPE_CHECKING:
    from robot.ros.callback_groups import CallbackGroup
    from robot.ros.node import Node

log = logging.getLogger(__name__)


class GoalResponse(IntEnum):
    REJECT = 1
    ACCEPT = 2


class CancelResponse(IntEnum):
    REJECT = 1
    ACCEPT = 2


_FROM = {
    GoalStatus.STATUS_EXECUTING: (GoalStatus.STATUS_ACCEPTED,),
    GoalStatus.STATUS_CANCELING: (GoalStatus.STATUS_ACCEPTED, GoalStatus.STATUS_EXECUTING),
    GoalStatus.STATUS_SUCCEEDED: (GoalStatus.STATUS_EXECUTING, GoalStatus.STATUS_CANCELING),
    GoalStatus.STATUS_ABORTED: (GoalStatus.STATUS_EXECUTING, GoalStatus.STATUS_CANCELING),
    GoalStatus.STATUS_CANCELED: (GoalStatus.STATUS_CANCELING,),
}


class ServerGoalHandle:
    """One goal as its server sees it."""

    def __init__(self, server: ActionServer, info: Any, request: Any) -> None:
        self._server = server
        self.goal_info = info
        self.request = request
        self.status = GoalStatus.STATUS_ACCEPTED
        self.result: Future[Any] = Future()

    @property
    def goal_id(self) -> Any:
        return self.goal_info.goal_id

    @property
    def is_active(self) -> bool:
        return not self.status.is_terminal

    @property
    def is_cancel_requested(self) -> bool:
        return self.status == GoalStatus.STATUS_CANCELING

    def execute(self, execute_callback: Callable[[ServerGoalHandle], Any] | None = None) -> None:
        """Start the execution, from the accepted callback or later."""
        if not self.is_cancel_requested:
            self.change(GoalStatus.STATUS_EXECUTING)
        self._server.execute(self, execute_callback)

    def publish_feedback(self, feedback: Any) -> None:
        self._server.publish_feedback(self, feedback)

    def succeed(self) -> None:
        self.change(GoalStatus.STATUS_SUCCEEDED)

    def abort(self) -> None:
        self.change(GoalStatus.STATUS_ABORTED)

    def canceled(self) -> None:
        self.change(GoalStatus.STATUS_CANCELED)

    def change(self, status: GoalStatus) -> None:
        if self.status not in _FROM[status]:
            raise ROSError(f"a goal that is {self.status.name} cannot become {status.name}")
        self.status = status
        self._server.publish_status()


def accept_goal(_: Any) -> GoalResponse:
    return GoalResponse.ACCEPT


def reject_cancel(_: Any) -> CancelResponse:
    return CancelResponse.REJECT


def execute_now(handle: ServerGoalHandle) -> None:
    handle.execute()


class ActionServer:
    """A server of one action, as `rclpy.action.ActionServer`.

    Args:
        execute_callback: takes the goal handle, returns the result; usually `async def`. It must end the goal with
            `succeed`, `abort` or `canceled`; one that returns without is aborted, and so is one that raises.
        goal_callback: takes the goal's request and says whether it is accepted.
        handle_accepted_callback: takes an accepted goal's handle; the default executes it at once.
        cancel_callback: takes a goal's handle and says whether it may be cancelled; the default refuses.
        result_timeout: how long an ended goal's result is kept [s].
    """

    def __init__(
        self,
        node: Node,
        action_type: Any,
        action_name: str,
        execute_callback: Callable[[ServerGoalHandle], Any],
        *,
        callback_group: CallbackGroup | None = None,
        goal_callback: Callable[[Any], GoalResponse] = accept_goal,
        handle_accepted_callback: Callable[[ServerGoalHandle], Any] = execute_now,
        cancel_callback: Callable[[ServerGoalHandle], CancelResponse] = reject_cancel,
        result_timeout: float = 10.0,
    ) -> None:
        impl = action_type.Impl
        self._node = node
        self._type = action_type
        self._name = node.resolve_topic_name(action_name)
        self._goals: dict[bytes, ServerGoalHandle] = {}
        self._execute_callback = execute_callback
        self._goal_callback = goal_callback
        self._accepted_callback = handle_accepted_callback
        self._cancel_callback = cancel_callback
        self._result_timeout = result_timeout
        self._entities = [
            node.create_service(impl.SendGoalService, part(self._name, "send_goal"), self._on_goal),
            node.create_service(impl.CancelGoalService, part(self._name, "cancel_goal"), self._on_cancel),
            node.create_service(impl.GetResultService, part(self._name, "get_result"), self._on_result),
        ]
        self._feedback = node.create_publisher(impl.FeedbackMessage, part(self._name, "feedback"), QoSProfile(depth=10))
        self._status = node.create_publisher(
            impl.GoalStatusMessage, part(self._name, "status"), qos_profile_action_status_default
        )
        self.destroyed = False
        node.own(self)

    async def _on_goal(self, request: Any, response: Any) -> Any:
        key = request.goal_id.uuid.tobytes()
        if key in self._goals:
            log.warning("%s: refused a goal whose id is in use", self._name)
            return response
        verdict = self._goal_callback(request.goal)
        if hasattr(verdict, "__await__"):
            verdict = await verdict
        if verdict != GoalResponse.ACCEPT:
            return response
        response.accepted = True
        response.stamp = self._node.get_clock().now().to_msg()
        info = action_msgs.msg.GoalInfo(goal_id=request.goal_id, stamp=response.stamp)
        handle = self._goals[key] = ServerGoalHandle(self, info, request.goal)
        self.publish_status()
        self._node.create_task(self._accepted_callback, handle)
        return response

    def execute(self, handle: ServerGoalHandle, callback: Callable[[ServerGoalHandle], Any] | None) -> None:
        self._node.create_task(self._execute, handle, callback or self._execute_callback)

    async def _execute(self, handle: ServerGoalHandle, callback: Callable[[ServerGoalHandle], Any]) -> None:
        result = None
        try:
            result = callback(handle)
            if hasattr(result, "__await__"):
                result = await result
        except Exception:
            log.exception("%s: the execution of a goal raised", self._name)
        if self.destroyed:
            return
        if handle.is_active:
            log.warning("%s: a goal's execution ended without a verdict, it is aborted", self._name)
            if handle.status == GoalStatus.STATUS_ACCEPTED:
                handle.change(GoalStatus.STATUS_EXECUTING)
            handle.abort()
        if not isinstance(result, self._type.Result):
            result = self._type.Result()
        answer = self._type.Impl.GetResultService.Response(status=int(handle.status), result=result)
        handle.result.set_result(answer)
        key = handle.goal_id.uuid.tobytes()
        self._node.scheduler.post(lambda: self._forget(key), delay=self._result_timeout)

    def _forget(self, key: bytes) -> None:
        self._goals.pop(key, None)

    async def _on_result(self, request: Any, response: Any) -> Any:
        handle = self._goals.get(request.goal_id.uuid.tobytes())
        if handle is None:
            response.status = int(GoalStatus.STATUS_UNKNOWN)
            return response
        return await handle.result

    async def _on_cancel(self, request: Any, response: Any) -> Any:
        key, stamp = request.goal_info.goal_id.uuid.tobytes(), request.goal_info.stamp
        limit = (stamp.sec, stamp.nanosec)
        every = not any(key) and limit == (0, 0)
        wanted = [
            handle
            for known, handle in self._goals.items()
            if every or known == key or (any(limit) and _stamp(handle) <= limit)
        ]
        kind = type(response)
        response.return_code = kind.ERROR_REJECTED if wanted or every else kind.ERROR_UNKNOWN_GOAL_ID
        if wanted and not any(handle.is_active for handle in wanted):
            response.return_code = kind.ERROR_GOAL_TERMINATED
        for handle in wanted:
            if not handle.is_active or handle.is_cancel_requested:
                continue
            verdict = self._cancel_callback(handle)
            if hasattr(verdict, "__await__"):
                verdict = await verdict
            if verdict == CancelResponse.ACCEPT and handle.is_active:
                handle.change(GoalStatus.STATUS_CANCELING)
                response.goals_canceling = [*response.goals_canceling, handle.goal_info]
                response.return_code = kind.ERROR_NONE
        return response

    def publish_feedback(self, handle: ServerGoalHandle, feedback: Any) -> None:
        if handle.is_active and not self.destroyed:
            self._feedback.publish(self._type.Impl.FeedbackMessage(goal_id=handle.goal_id, feedback=feedback))

    def publish_status(self) -> None:
        if not self.destroyed:
            message = action_msgs.msg.GoalStatusArray()
            for handle in self._goals.values():
                status = action_msgs.msg.GoalStatus(goal_info=handle.goal_info, status=int(handle.status))
                message.status_list.append(status)
            self._status.publish(message)

    def destroy(self) -> None:
        if not self.destroyed:
            self.destroyed = True
            for entity in (*self._entities, self._feedback, self._status):
                entity.destroy()
            self._node.forget(self)


def _stamp(handle: ServerGoalHandle) -> tuple[int, int]:
    return handle.goal_info.stamp.sec, handle.goal_info.stamp.nanosec
