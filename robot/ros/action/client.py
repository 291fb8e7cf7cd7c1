"""Send goals to an action server, follow and cancel them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from robot.ros.action.status import GoalStatus, part
from robot.ros.interfaces import action_msgs, builtin_interfaces, unique_identifier_msgs
from robot.ros.qos import QoSProfile, qos_profile_action_status_default
from robot.ros.task import Future

if TYPE_CHECKING:
    from robot.ros.callback_groups import CallbackGroup
    from robot.ros.node import Node

FeedbackCallback = Callable[[Any], object]


class ClientGoalHandle:
    """One goal as its client sees it."""

    def __init__(self, client: ActionClient, goal_id: Any, response: Any) -> None:
        self._client = client
        self.goal_id = goal_id
        self.accepted: bool = response.accepted
        self.stamp = response.stamp
        self.status = GoalStatus.STATUS_ACCEPTED if response.accepted else GoalStatus.STATUS_UNKNOWN

    def get_result_async(self) -> Future[Any]:
        """Ask for the result: a response with `status` and `result`."""
        return self._client.get_result_async(self)

    def cancel_goal_async(self) -> Future[Any]:
        """Ask to cancel: a response with `return_code` and `goals_canceling`."""
        return self._client.cancel_goal_async(self)


class ActionClient:
    """A client of one action, as `rclpy.action.ActionClient`."""

    def __init__(
        self, node: Node, action_type: Any, action_name: str, *, callback_group: CallbackGroup | None = None
    ) -> None:
        impl = action_type.Impl
        self._node = node
        self._type = action_type
        self._name = node.resolve_topic_name(action_name)
        self._feedback: dict[bytes, FeedbackCallback] = {}
        self._handles: dict[bytes, ClientGoalHandle] = {}
        self._send = node.create_client(impl.SendGoalService, part(self._name, "send_goal"))
        self._cancel = node.create_client(impl.CancelGoalService, part(self._name, "cancel_goal"))
        self._result = node.create_client(impl.GetResultService, part(self._name, "get_result"))
        self._feedback_subscription = node.create_subscription(
            impl.FeedbackMessage, part(self._name, "feedback"), self._on_feedback, QoSProfile(depth=10)
        )
        self._status_subscription = node.create_subscription(
            impl.GoalStatusMessage, part(self._name, "status"), self._on_status, qos_profile_action_status_default
        )
        node.own(self)

    def server_is_ready(self) -> bool:
        return all(client.service_is_ready() for client in (self._send, self._cancel, self._result))

    def wait_for_server(self, timeout_sec: float | None = None) -> bool:
        """Wait for a server without running callbacks; in a context driven from outside, only look."""
        return self._node.wait_until(self.server_is_ready, timeout_sec)

    def send_goal_async(
        self, goal: Any, feedback_callback: FeedbackCallback | None = None, goal_uuid: Any = None
    ) -> Future[Any]:
        """Send a goal; the future gets a `ClientGoalHandle` that says whether it was accepted."""
        if not isinstance(goal, self._type.Goal):
            raise TypeError(f"{self._name}: expected a goal of {self._type._TYPE_NAME}, got {goal!r}")
        goal_id = goal_uuid or unique_identifier_msgs.msg.UUID(uuid=list(self._node.context.new_id()))
        key = goal_id.uuid.tobytes()
        if feedback_callback is not None:
            self._feedback[key] = feedback_callback
        outcome: Future[Any] = Future(executor=self._node)

        def accepted(sent: Future[Any]) -> None:
            response = sent.result()
            handle = ClientGoalHandle(self, goal_id, response)
            if handle.accepted:
                self._handles[key] = handle
            else:
                self._feedback.pop(key, None)
            outcome.set_result(handle)

        sent = self._send.call_async(self._type.Impl.SendGoalService.Request(goal_id=goal_id, goal=goal))
        sent.add_done_callback(accepted)
        return outcome

    def get_result_async(self, handle: ClientGoalHandle) -> Future[Any]:
        future = self._result.call_async(self._type.Impl.GetResultService.Request(goal_id=handle.goal_id))
        future.add_done_callback(lambda done: self._ended(handle, done))
        return future

    def cancel_goal_async(self, handle: ClientGoalHandle) -> Future[Any]:
        info = action_msgs.msg.GoalInfo(goal_id=handle.goal_id, stamp=builtin_interfaces.msg.Time())
        return self._cancel.call_async(self._type.Impl.CancelGoalService.Request(goal_info=info))

    def _ended(self, handle: ClientGoalHandle, done: Future[Any]) -> None:
        response = None if done.cancelled() else done.result()
        if response is not None:
            handle.status = GoalStatus(response.status)
        self._feedback.pop(handle.goal_id.uuid.tobytes(), None)

    def _on_feedback(self, message: Any) -> None:
        callback = self._feedback.get(message.goal_id.uuid.tobytes())
        if callback is not None:
            self._node.run(callback, message)

    def _on_status(self, message: Any) -> None:
        for status in message.status_list:
            key = status.goal_info.goal_id.uuid.tobytes()
            if (handle := self._handles.get(key)) is not None:
                handle.status = GoalStatus(status.status)
                if handle.status.is_terminal:
                    del self._handles[key]

    def destroy(self) -> None:
        for entity in (
            self._send,
            self._cancel,
            self._result,
            self._feedback_subscription,
            self._status_subscription,
        ):
            entity.destroy()
        self._node.forget(self)
