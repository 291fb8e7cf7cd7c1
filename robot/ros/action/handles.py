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
    """One end of an action, which consists of the handles of two topics and three services; they go with it.

    Args:
        make_topic, make_service: make this side's handle of one, see `by_hand`.
        profiles: of goal, result, cancel, feedback and status.
    """

    def __init__(
        self,
        node: NodeHandle,
        action_type: Any,
        action_name: str,
        make_topic: Callable[..., Any],
        make_service: Callable[..., Any],
        *profiles: QoSProfile,
    ) -> None:
        self.action_name = name = node.node.resolve_topic_name(action_name)
        impl, (goal, result, cancel, feedback, status) = action_type.Impl, profiles
        self._parts: list[Any] = []
        super().__init__(f"an end of the action {name}", self._destroy_parts)
        for make, kind, of, profile in (
            (make_topic, impl.FeedbackMessage, "feedback", feedback),
            (make_topic, impl.GoalStatusMessage, "status", status),
            (make_service, impl.SendGoalService, "send_goal", goal),
            (make_service, impl.CancelGoalService, "cancel_goal", cancel),
            (make_service, impl.GetResultService, "get_result", result),
        ):
            self._parts.append(make(node, kind, part(name, of), profile))
        self._feedback, self._status, self._goal, self._cancel, self._result = self._parts

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
        profiles = goal_profile, result_profile, cancel_profile, feedback_profile, status_profile
        super().__init__(node, action_type, action_name, make_subscription, make_client, *profiles)
        self._only: set[bytes] | None = set() if enable_feedback_msg_optimization else None

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
