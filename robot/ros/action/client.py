"""Send goals to an action server, follow and cancel them."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextlib import suppress
from types import GenericAlias
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict
from uuid import uuid4

from robot.ros.action.status import GoalStatus, part
from robot.ros.action.waiting import ClientWaiting
from robot.ros.borrowed import finder
from robot.ros.interfaces import action_msgs, unique_identifier_msgs
from robot.ros.qos import QoSProfile, qos_profile_action_status_default, qos_profile_services_default
from robot.ros.task import Future, Task
from robot.ros.type_support import check_for_type_support

if TYPE_CHECKING:
    from robot.ros.callback_groups import CallbackGroup
    from robot.ros.client import Client
    from robot.ros.node import Node

FeedbackCallback = Callable[[Any], object]


class SendGoalKWargs(TypedDict, total=False):
    """What `send_goal` takes beside the goal."""

    feedback_callback: Callable[[Any], Any] | None
    goal_uuid: Any


class ClientGoalHandle:
    """One goal as its client sees it."""

    __class_getitem__: ClassVar[Any] = classmethod(GenericAlias)  # rclpy's is generic

    def __init__(self, action_client: ActionClient, goal_id: Any, goal_response: Any) -> None:
        self._action_client = action_client
        self._goal_id = goal_id
        self._goal_response = goal_response
        self._status = GoalStatus.STATUS_UNKNOWN

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClientGoalHandle) and bool(self._goal_id == other._goal_id)

    def __hash__(self) -> int:
        return hash(bytes(self._goal_id.uuid))

    def __repr__(self) -> str:
        return f"ClientGoalHandle <id={self.goal_id.uuid}, accepted={self.accepted}, status={int(self.status)}>"

    @property
    def goal_id(self) -> Any:
        return self._goal_id

    @property
    def stamp(self) -> Any:
        return self._goal_response.stamp

    @property
    def accepted(self) -> bool:
        return bool(self._goal_response.accepted)

    @property
    def status(self) -> GoalStatus:
        return self._status

    def cancel_goal(self, timeout_sec: float | None = None) -> Any:
        """Ask to cancel and wait for the response; see `Client.call` for what it raises."""
        return self._action_client._cancel_goal(self, timeout_sec)

    def cancel_goal_async(self) -> Future[Any]:
        """Ask to cancel: a response with `return_code` and `goals_canceling`."""
        return self._action_client._cancel_goal_async(self)

    def get_result(self, timeout_sec: float | None = None) -> Any:
        """Wait for the result; see `Client.call` for what it raises."""
        return self._action_client._get_result(self, timeout_sec)

    def get_result_async(self) -> Future[Any]:
        """Ask for the result: a response with `status` and `result`."""
        return self._action_client._get_result_async(self)


class ActionClient(ClientWaiting):
    """A client of one action, as `rclpy.action.ActionClient`.

    Args:
        callback_group: of the feedback callbacks; None = the node's default.
    """

    __class_getitem__: ClassVar[Any] = classmethod(GenericAlias)  # rclpy's is generic

    def __init__(
        self,
        node: Node,
        action_type: Any,
        action_name: str,
        *,
        callback_group: CallbackGroup | None = None,
        goal_service_qos_profile: QoSProfile = qos_profile_services_default,
        result_service_qos_profile: QoSProfile = qos_profile_services_default,
        cancel_service_qos_profile: QoSProfile = qos_profile_services_default,
        feedback_sub_qos_profile: QoSProfile | None = None,
        status_sub_qos_profile: QoSProfile = qos_profile_action_status_default,
    ) -> None:
        check_for_type_support(action_type)
        impl, name = action_type.Impl, node.resolve_topic_name(action_name)
        group = node.default_callback_group if callback_group is None else callback_group
        super().__init__(group)
        self._node = node
        self._action_type = action_type
        self._action_name = action_name
        self._feedback_callbacks: dict[bytes, FeedbackCallback] = {}
        self._ended: list[bytes] = []
        self._goal_handles: dict[bytes, weakref.ReferenceType[ClientGoalHandle]] = {}

        def client(kind: Any, of: str, profile: QoSProfile) -> Client:
            return node.create_client(kind, part(name, of), qos_profile=profile, callback_group=group)

        self._goal_client = client(impl.SendGoalService, "send_goal", goal_service_qos_profile)
        self._cancel_client = client(impl.CancelGoalService, "cancel_goal", cancel_service_qos_profile)
        self._result_client = client(impl.GetResultService, "get_result", result_service_qos_profile)
        self._feedback_subscription = node.create_subscription(
            impl.FeedbackMessage,
            part(name, "feedback"),
            self._on_feedback,
            feedback_sub_qos_profile or QoSProfile(depth=10),
            callback_group=group,
        )
        self._status_subscription = node.create_subscription(
            impl.GoalStatusMessage,
            part(name, "status"),
            self._on_status,
            status_sub_qos_profile,
            callback_group=group,
        )
        self.destroyed = False
        node._ros_own(self)

    def server_is_ready(self) -> bool:
        return all(
            client.service_is_ready() for client in (self._goal_client, self._cancel_client, self._result_client)
        )

    def wait_for_server(self, timeout_sec: float | None = None) -> bool:
        """Wait for a server without running callbacks; in a context driven from outside, only look.

        Raises:
            ROSInterruptException: the context was shut down meanwhile.
        """
        return self._node._ros_wait_for_others(self.server_is_ready, timeout_sec)

    # --- goals

    def send_goal(self, goal: Any, timeout_sec: float | None = None, **kwargs: Any) -> Any:
        """Send a goal and wait for its result: a response with `status` and `result`.

        Takes what `send_goal_async` takes; see `Client.call` for what it raises and for its use in callbacks.
        """
        handle = self._goal_client.wait_for(self.send_goal_async(goal, **kwargs), timeout_sec)
        if not handle.accepted:
            return self._action_type.Impl.GetResultService.Response(status=int(GoalStatus.STATUS_UNKNOWN))
        return self._get_result(handle, timeout_sec)

    def send_goal_async(
        self, goal: Any, feedback_callback: FeedbackCallback | None = None, goal_uuid: Any = None
    ) -> Future[Any]:
        """Send a goal; the future gets a `ClientGoalHandle` that says whether it was accepted.

        Args:
            feedback_callback: takes each message of feedback, from before the goal is accepted.
            goal_uuid: None = a random one.
        """
        if not isinstance(goal, self._action_type.Goal):
            raise TypeError(f"{self._action_name}: expected a goal of {self._action_type._TYPE_NAME}, got {goal!r}")
        goal_id = goal_uuid or self._new_uuid()
        key = bytes(goal_id.uuid)
        if feedback_callback is not None:
            self._feedback_callbacks[key] = feedback_callback
        outcome: Future[Any] = Future(executor=self._node._ros_tasks)
        sent = self._goal_client.call_async(self._action_type.Impl.SendGoalService.Request(goal_id=goal_id, goal=goal))

        def answered() -> None:
            if sent.cancelled() or outcome.cancelled():
                self._feedback_callbacks.pop(key, None)
                return
            handle = ClientGoalHandle(self, goal_id, sent.result())
            if handle.accepted:
                self._goal_handles[key] = weakref.ref(handle)
            else:
                self._feedback_callbacks.pop(key, None)
            outcome.set_result(handle)

        sent.wake(answered)
        return outcome

    def _new_uuid(self) -> Any:
        """Make a goal's id: random, or counted where a run has to be repeatable."""
        context = self._node.context
        made = context.new_id() if context.transport.external else uuid4().bytes
        return unique_identifier_msgs.msg.UUID(uuid=list(made))

    def _get_result_async(self, handle: ClientGoalHandle) -> Future[Any]:
        self._check(handle)
        future = self._result_client.call_async(self._action_type.Impl.GetResultService.Request(goal_id=handle.goal_id))
        future.wake(lambda: self._on_result(handle, future))
        return future

    def _get_result(self, handle: ClientGoalHandle, timeout_sec: float | None = None) -> Any:
        return self._result_client.wait_for(self._get_result_async(handle), timeout_sec)

    def _cancel_goal_async(self, handle: ClientGoalHandle) -> Future[Any]:
        self._check(handle)
        request = self._action_type.Impl.CancelGoalService.Request(
            goal_info=action_msgs.msg.GoalInfo(goal_id=handle.goal_id)
        )
        return self._cancel_client.call_async(request)

    def _cancel_goal(self, handle: ClientGoalHandle, timeout_sec: float | None = None) -> Any:
        return self._cancel_client.wait_for(self._cancel_goal_async(handle), timeout_sec)

    @staticmethod
    def _check(handle: ClientGoalHandle) -> None:
        if not isinstance(handle, ClientGoalHandle):
            raise TypeError(f"Expected type ClientGoalHandle but received {type(handle)}")

    def _on_result(self, handle: ClientGoalHandle, future: Future[Any]) -> None:
        response = None if future.cancelled() else future.result()
        if response is not None:
            handle._status = GoalStatus(response.status)
        self._ended.append(bytes(handle.goal_id.uuid))
        self._forget_ended()

    def _forget_ended(self) -> None:
        """Forget who wants the feedback of goals that have ended, when there is none left of what came before."""
        with suppress(IndexError):  # another thread was faster
            while self._ended and not self._feedback_subscription.has_message():
                self._feedback_callbacks.pop(self._ended.pop(), None)

    def _on_feedback(self, message: Any) -> Task[Any] | None:
        callback = self._feedback_callbacks.get(bytes(message.goal_id.uuid))
        self._forget_ended()
        return None if callback is None else callback(message)  # type: ignore[return-value]

    def _on_status(self, message: Any) -> None:
        for status in message.status_list:
            key = bytes(status.goal_info.goal_id.uuid)
            known = self._goal_handles.get(key)
            if known is None:
                continue
            handle, state = known(), GoalStatus(status.status)
            if handle is not None:
                handle._status = state
            if handle is None or state.is_terminal:
                self._goal_handles.pop(key, None)

    def configure_introspection(
        self, clock: Any, service_event_qos_profile: QoSProfile, introspection_state: Any
    ) -> None:
        """Publish what the three clients of the action do; see `Client.configure_introspection`."""
        for client in (self._goal_client, self._cancel_client, self._result_client):
            client.configure_introspection(clock, service_event_qos_profile, introspection_state)

    def __enter__(self) -> ActionClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.destroy()

    def destroy(self) -> None:
        if self.destroyed:
            return
        self.destroyed = True
        for entity in (
            self._goal_client,
            self._cancel_client,
            self._result_client,
            self._feedback_subscription,
            self._status_subscription,
        ):
            entity.destroy()
        self._node._ros_forget(self)


if not TYPE_CHECKING:
    __getattr__ = finder(__name__)
