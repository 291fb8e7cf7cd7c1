"""A client of an action without callbacks, as rclpy's compiled part makes it: take and send by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robot.ros.action.status import part
from robot.ros.by_hand import make_client, make_subscription
from robot.ros.handle import Handle

if TYPE_CHECKING:
    from collections.abc import Callable

    from robot.ros.clock import ClockHandle
    from robot.ros.node_parts.handle import NodeHandle
    from robot.ros.qos import QoSProfile

Taken = tuple[Any, Any] | tuple[None, None]


class Parts(Handle):
    """What consists of handles; they go with it."""

    def __init__(self, node: NodeHandle, action_name: str) -> None:
        self._node = node
        self.action_name = node.node.resolve_topic_name(action_name)
        self._parts: list[Any] = []
        super().__init__(f"an end of the action {self.action_name}", self._destroy_parts)

    def _made(self, make: Callable[..., Any], kind: Any, of: str, profile: QoSProfile) -> Any:
        made = make(self._node, kind, part(self.action_name, of), profile)
        self._parts.append(made)
        return made

    def _destroy_parts(self) -> None:
        for each in self._parts:
            if not each.destroyed:
                each.destroy_when_not_in_use()

    def configure_introspection(self, clock: ClockHandle, profile: QoSProfile, state: Any) -> None:
        """Publish what its services or clients do; see `Service.configure_introspection`."""
        with self:
            for each in self._parts:
                if hasattr(each.entity, "configure_introspection"):
                    each.entity.configure_introspection(clock.clock, profile, state)


class ActionClientHandle(Parts):
    """A client of an action."""

    def __init__(  # noqa: PLR0917
        self,
        node: NodeHandle,
        action_type: Any,
        action_name: str,
        goal_profile: QoSProfile,
        result_profile: QoSProfile,
        cancel_profile: QoSProfile,
        feedback_profile: QoSProfile,
        status_profile: QoSProfile,
        enable_feedback_msg_optimization: bool = False,
    ) -> None:
        super().__init__(node, action_name)
        self._only: set[bytes] | None = set() if enable_feedback_msg_optimization else None
        impl = action_type.Impl
        self._feedback = self._made(make_subscription, impl.FeedbackMessage, "feedback", feedback_profile)
        self._status = self._made(make_subscription, impl.GoalStatusMessage, "status", status_profile)
        self._goal = self._made(make_client, impl.SendGoalService, "send_goal", goal_profile)
        self._cancel = self._made(make_client, impl.CancelGoalService, "cancel_goal", cancel_profile)
        self._result = self._made(make_client, impl.GetResultService, "get_result", result_profile)

    def get_num_entities(self) -> tuple[int, int, int, int, int]:
        """Return how many subscriptions, guard conditions, timers, clients and services it consists of."""
        return 2, 0, 0, 3, 0

    def add_to_waitset(self, wait_set: Any) -> None:
        with self:
            for each in (self._feedback, self._status):
                wait_set.add_subscription(each)
            for each in (self._goal, self._cancel, self._result):
                wait_set.add_client(each)

    def is_ready(self, wait_set: Any = None) -> tuple[bool, ...]:
        """Tell whether there are feedback, a status, and responses about a goal, a cancellation, a result to take."""
        with self:
            return tuple(each.is_ready() for each in self._parts)

    def is_action_server_available(self) -> bool:
        with self:
            return all(each.service_server_is_available() for each in (self._goal, self._cancel, self._result))

    def send_goal_request(self, request: Any) -> int:
        """Send a request and return its number."""
        number: int = self._goal.send_request(request)
        return number

    def send_cancel_request(self, request: Any) -> int:
        number: int = self._cancel.send_request(request)
        return number

    def send_result_request(self, request: Any) -> int:
        number: int = self._result.send_request(request)
        return number

    def take_goal_response(self, response_type: Any) -> Taken:
        """Take a response with the number of its request; (None, None) when there is none."""
        return _numbered(self._goal.take_response(response_type))

    def take_cancel_response(self, response_type: Any) -> Taken:
        return _numbered(self._cancel.take_response(response_type))

    def take_result_response(self, response_type: Any) -> Taken:
        return _numbered(self._result.take_response(response_type))

    def take_feedback(self, message_type: Any) -> Any | None:
        while (message := _message(self._feedback.take_message(message_type, False))) is not None:
            if self._only is None or bytes(message.goal_id.uuid) in self._only:
                return message
        return None

    def configure_feedback_subscription_filter_add_goal_id(self, goal_id: bytes) -> bool:
        """Take the feedback of this goal too; False where that of all goals is taken."""
        if self._only is None:
            return False
        self._only.add(bytes(goal_id))
        return True

    def configure_feedback_subscription_filter_remove_goal_id(self, goal_id: bytes) -> bool:
        if self._only is None:
            return False
        self._only.discard(bytes(goal_id))
        return True

    def take_status(self, message_type: Any) -> Any | None:
        return _message(self._status.take_message(message_type, False))


def _numbered(taken: Taken) -> Taken:
    header, response = taken
    return (None, None) if header is None else (header.request_id.sequence_number, response)


def _message(taken: Any) -> Any | None:
    return None if taken is None else taken[0]
