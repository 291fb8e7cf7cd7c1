"""Serve an action: accept goals, execute them, report, cancel and keep results for a while."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from enum import Enum
from types import GenericAlias
from typing import TYPE_CHECKING, Any, ClassVar

from robot.ros.action.cancelling import refusal, wanted
from robot.ros.action.goal import GoalEvent, ServerGoalHandle
from robot.ros.action.status import GoalStatus, part
from robot.ros.action.waiting import ServerWaiting
from robot.ros.borrowed import finder
from robot.ros.callback_groups import ReentrantCallbackGroup
from robot.ros.exceptions import RCLError
from robot.ros.interfaces import action_msgs
from robot.ros.qos import QoSProfile, qos_profile_action_status_default, qos_profile_services_default
from robot.ros.task import Task, await_or_execute
from robot.ros.type_support import check_for_type_support

if TYPE_CHECKING:
    from robot.ros.callback_groups import CallbackGroup
    from robot.ros.node import Node

__all__ = ["ActionServer", "CancelResponse", "GoalEvent", "GoalResponse", "ServerGoalHandle"]

RESULT_TIMEOUT = 10.0  # [s]


class GoalResponse(Enum):
    """What a goal callback answers."""

    REJECT = 1
    ACCEPT = 2


class CancelResponse(Enum):
    """What a cancel callback answers."""

    REJECT = 1
    ACCEPT = 2


def default_handle_accepted_callback(goal_handle: ServerGoalHandle) -> None:
    """Execute the goal at once."""
    goal_handle.execute()


def default_goal_callback(goal_request: Any) -> GoalResponse:
    """Accept every goal."""
    return GoalResponse.ACCEPT


def default_cancel_callback(cancel_request: Any) -> CancelResponse:
    """Cancel nothing."""
    return CancelResponse.REJECT


class ActionServer(ServerWaiting):
    """A server of one action, as `rclpy.action.ActionServer`.

    Goals are executed as tasks, outside callback groups; requests are judged in the callback group given.

    Args:
        execute_callback: takes the goal handle, returns the result; plain or `async def`. It ends the goal with
            `succeed`, `abort` or `canceled`; a goal it leaves open is aborted, and so is one where it raises. Without
            one, whoever has the handle ends the goal, with its result.
        callback_group: of the callbacks that judge; None = the node's default.
        goal_callback: takes the goal's request and says whether it is accepted.
        handle_accepted_callback: takes an accepted goal's handle; the default executes it at once.
        cancel_callback: takes a goal's handle and says whether it may be cancelled; the default refuses.
        result_timeout: how long an ended goal's result is kept [s]; negative = for ever.
    """

    __class_getitem__: ClassVar[Any] = classmethod(GenericAlias)  # rclpy's is generic

    def __init__(
        self,
        node: Node,
        action_type: Any,
        action_name: str,
        execute_callback: Callable[[ServerGoalHandle], Any] | None = None,
        *,
        callback_group: CallbackGroup | None = None,
        goal_callback: Callable[[Any], Any] | None = default_goal_callback,
        handle_accepted_callback: Callable[[ServerGoalHandle], Any] | None = default_handle_accepted_callback,
        cancel_callback: Callable[[ServerGoalHandle], Any] | None = default_cancel_callback,
        goal_service_qos_profile: QoSProfile = qos_profile_services_default,
        result_service_qos_profile: QoSProfile = qos_profile_services_default,
        cancel_service_qos_profile: QoSProfile = qos_profile_services_default,
        feedback_pub_qos_profile: QoSProfile | None = None,
        status_pub_qos_profile: QoSProfile = qos_profile_action_status_default,
        result_timeout: float = RESULT_TIMEOUT,
    ) -> None:
        check_for_type_support(action_type)
        self.register_handle_accepted_callback(handle_accepted_callback)
        self.register_goal_callback(goal_callback)
        self.register_cancel_callback(cancel_callback)
        self._execute_callback: Callable[[ServerGoalHandle], Any] | None = None
        if execute_callback is not None:
            self.register_execute_callback(execute_callback)
        super().__init__(node.default_callback_group if callback_group is None else callback_group)
        impl, name = action_type.Impl, node.resolve_topic_name(action_name)
        self._node = node
        self._action_type = action_type
        self._name = name
        self._result_timeout = result_timeout
        self._goal_handles: dict[bytes, ServerGoalHandle] = {}
        self._lock = threading.RLock()
        self._logger = node.get_logger().get_child("action_server")
        self._feedback = node.create_publisher(
            impl.FeedbackMessage, part(name, "feedback"), feedback_pub_qos_profile or QoSProfile(depth=10)
        )
        self._status = node.create_publisher(impl.GoalStatusMessage, part(name, "status"), status_pub_qos_profile)
        self._result_service = node.create_service(
            impl.GetResultService,
            part(name, "get_result"),
            self._execute_get_result_request,
            qos_profile=result_service_qos_profile,
            callback_group=ReentrantCallbackGroup(),  # an answer takes as long as its goal
        )
        self._cancel_service = node.create_service(
            impl.CancelGoalService,
            part(name, "cancel_goal"),
            self._execute_cancel_request,
            qos_profile=cancel_service_qos_profile,
            callback_group=self.callback_group,
        )
        self._goal_service = node.create_service(
            impl.SendGoalService,
            part(name, "send_goal"),
            self._execute_goal_request,
            qos_profile=goal_service_qos_profile,
            callback_group=self.callback_group,
        )
        self.destroyed = False
        node._ros_own(self)

    @property
    def action_type(self) -> Any:
        return self._action_type

    @property
    def action_name(self) -> str:
        return self._name

    # --- goals

    async def _execute_goal_request(self, request: Any, response: Any) -> Any:
        key, log = bytes(request.goal_id.uuid), self._logger
        with self._lock:
            if key in self._goal_handles:
                log.warning(f"{self._name}: refused a goal whose id is in use")
                return response
        verdict = await await_or_execute(self._goal_callback, request.goal)
        if not isinstance(verdict, GoalResponse):
            log.warning("Goal request callback did not return a GoalResponse type. Rejecting goal.")
        if verdict != GoalResponse.ACCEPT or self.destroyed:
            return response
        response.accepted = True
        response.stamp = self._node.get_clock().now().to_msg()
        info = action_msgs.msg.GoalInfo(goal_id=request.goal_id, stamp=response.stamp)
        with self._lock:
            handle = self._goal_handles[key] = ServerGoalHandle(self, info, request.goal)
        self.publish_status()
        self._node._ros_dispatch(self, lambda: self._accept(handle))
        return response

    def _accept(self, handle: ServerGoalHandle) -> Task[Any] | None:
        return None if self.destroyed else self._node._ros_run(self._handle_accepted_callback, handle)

    def notify_execute(
        self, goal_handle: ServerGoalHandle, execute_callback: Callable[[ServerGoalHandle], Any] | None
    ) -> None:
        callback = execute_callback or self._execute_callback
        if callback is not None:
            goal_handle.has_callback = True
            self._node._ros_tasks.create_task(self._execute_goal, callback, goal_handle)

    async def _execute_goal(
        self, execute_callback: Callable[[ServerGoalHandle], Any], handle: ServerGoalHandle
    ) -> None:
        log, result = self._logger, None
        try:
            result = await await_or_execute(execute_callback, handle)
        except Exception as error:  # noqa: BLE001 (the client has to hear of it, the node goes on)
            log.error(f"Error raised in execute callback: {error}")
            traceback.print_exc()
        if self.destroyed:
            return
        if handle.is_active:
            log.warning(f"Goal state not set, assuming aborted. Goal ID: {bytes(handle.goal_id.uuid).hex()}")
            if handle.status == GoalStatus.STATUS_ACCEPTED:
                handle._update_state(GoalEvent.EXECUTE)
            handle.abort()
        handle._set_result(result if isinstance(result, self._action_type.Result) else self._action_type.Result())

    def notify_goal_done(self, handle: ServerGoalHandle) -> None:
        """Keep the result of a goal that ended for as long as was said."""
        if self._result_timeout >= 0:
            key = bytes(handle.goal_id.uuid)
            self._node._ros_scheduler.post(lambda: self._expire(key), delay=float(self._result_timeout))
            self._node.context.bus.pump.news()

    def _expire(self, key: bytes) -> None:
        with self._lock:
            self._goal_handles.pop(key, None)

    async def _execute_get_result_request(self, request: Any, response: Any) -> Any:
        handle = self._goal_handles.get(bytes(request.goal_id.uuid))
        if handle is None:
            response.status = int(GoalStatus.STATUS_UNKNOWN)
            return response
        return await handle._result_future

    async def _execute_cancel_request(self, request: Any, response: Any) -> Any:
        with self._lock:
            chosen = wanted(dict(self._goal_handles), request)
        kind = type(response)
        response.return_code = refusal(request, kind, chosen, lambda handle: handle.is_active)
        for handle in chosen:
            if not handle.is_active or handle.is_cancel_requested:
                continue
            verdict = await await_or_execute(self._cancel_callback, handle)
            if verdict != CancelResponse.ACCEPT:
                continue
            try:
                handle._update_state(GoalEvent.CANCEL_GOAL)
            except RCLError:
                continue  # it ended while the callback thought about it
            response.goals_canceling.append(handle.goal_info)
            response.return_code = kind.ERROR_NONE
        return response

    # --- telling

    def publish_feedback(self, handle: ServerGoalHandle, feedback: Any) -> None:
        if not self.destroyed:
            self._feedback.publish(self._action_type.Impl.FeedbackMessage(goal_id=handle.goal_id, feedback=feedback))

    def publish_status(self) -> None:
        if self.destroyed:
            return
        with self._lock:
            states = [
                action_msgs.msg.GoalStatus(goal_info=handle.goal_info, status=int(handle.status))
                for handle in self._goal_handles.values()
            ]
            self._status.publish(action_msgs.msg.GoalStatusArray(status_list=states))

    # --- callbacks

    def register_handle_accepted_callback(self, handle_accepted_callback: Callable[..., Any] | None) -> None:
        default = default_handle_accepted_callback
        self._handle_accepted_callback = _checked(handle_accepted_callback or default, "handle accepted")

    def register_goal_callback(self, goal_callback: Callable[..., Any] | None) -> None:
        self._goal_callback = _checked(goal_callback or default_goal_callback, "goal acceptance")

    def register_cancel_callback(self, cancel_callback: Callable[..., Any] | None) -> None:
        self._cancel_callback = _checked(cancel_callback or default_cancel_callback, "goal cancellation")

    def register_execute_callback(self, execute_callback: Callable[..., Any]) -> None:
        self._execute_callback = _checked(execute_callback, "goal execution")

    def configure_introspection(
        self, clock: Any, service_event_qos_profile: QoSProfile, introspection_state: Any
    ) -> None:
        """Publish what the three services of the action do; see `Service.configure_introspection`."""
        for service in (self._goal_service, self._cancel_service, self._result_service):
            service.configure_introspection(clock, service_event_qos_profile, introspection_state)

    def __enter__(self) -> ActionServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.destroy()

    def destroy(self) -> None:
        """Stop serving; goals under way are left without an answer."""
        if self.destroyed:
            return
        self.destroyed = True
        with self._lock:
            for handle in self._goal_handles.values():
                handle.destroy()
        for entity in (self._goal_service, self._cancel_service, self._result_service, self._feedback, self._status):
            entity.destroy()
        self._node._ros_forget(self)


def _checked(callback: Callable[..., Any], what: str) -> Callable[..., Any]:
    if not callable(callback):
        raise TypeError(f"Failed to register {what} callback: not callable")
    return callback


if not TYPE_CHECKING:
    __getattr__ = finder(__name__)
