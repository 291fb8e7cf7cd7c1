"""A server of an action and its goals without callbacks, as rclpy's compiled part makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robot.ros.action.cancelling import refusal, wanted
from robot.ros.action.goal import GO, GoalEvent
from robot.ros.action.handles import Parts, Taken
from robot.ros.action.status import GoalStatus
from robot.ros.by_hand import make_publisher, make_service
from robot.ros.duration import NANOSECONDS
from robot.ros.exceptions import RCLError
from robot.ros.handle import Handle
from robot.ros.interfaces import action_msgs

if TYPE_CHECKING:
    from robot.ros.clock import ClockHandle
    from robot.ros.entity_handles import ServiceHeader
    from robot.ros.node_parts.handle import NodeHandle
    from robot.ros.qos import QoSProfile


class ActionServerHandle(Parts):
    """A server of an action, with the goals it was told of by `ActionGoalHandle`.

    Args:
        clock: the handle of the clock by which ended goals expire.
        result_timeout: how long they are kept [s].
    """

    def __init__(  # noqa: PLR0917
        self,
        node: NodeHandle,
        clock: ClockHandle,
        action_type: Any,
        action_name: str,
        goal_profile: QoSProfile,
        result_profile: QoSProfile,
        cancel_profile: QoSProfile,
        feedback_profile: QoSProfile,
        status_profile: QoSProfile,
        result_timeout: float,
    ) -> None:
        profiles = goal_profile, result_profile, cancel_profile, feedback_profile, status_profile
        super().__init__(node, action_type, action_name, make_publisher, make_service, *profiles)
        self._clock = clock
        self._timeout_ns = int(result_timeout * NANOSECONDS)
        self.goals: dict[bytes, ActionGoalHandle] = {}

    def get_num_entities(self) -> tuple[int, int, int, int, int]:
        """Return how many subscriptions, guard conditions, timers, clients and services it consists of."""
        return 0, 0, 1, 0, 3

    def add_to_waitset(self, wait_set: Any) -> None:
        with self:
            for each in (self._goal, self._cancel, self._result):
                wait_set.add_service(each)

    def is_ready(self, wait_set: Any = None) -> tuple[bool, ...]:
        """Tell whether there are requests with a goal, to cancel, for a result to take, and goals that expire."""
        with self:
            waiting = (each.is_ready() for each in (self._goal, self._cancel, self._result))
            return (*waiting, any(self._expired()))

    def take_goal_request(self, request_type: Any) -> Taken:
        """Take a request with its header, which the response needs; (None, None) when there is none."""
        return _headed(self._goal.service_take_request(request_type))

    def take_cancel_request(self, request_type: Any) -> Taken:
        return _headed(self._cancel.service_take_request(request_type))

    def take_result_request(self, request_type: Any) -> Taken:
        return _headed(self._result.service_take_request(request_type))

    def send_goal_response(self, header: ServiceHeader, response: Any) -> None:
        self._goal.service_send_response(response, header)

    def send_cancel_response(self, header: ServiceHeader, response: Any) -> None:
        self._cancel.service_send_response(response, header)

    def send_result_response(self, header: ServiceHeader, response: Any) -> None:
        self._result.service_send_response(response, header)

    def publish_feedback(self, message: Any) -> None:
        self._feedback.publish(message)

    def publish_status(self) -> None:
        """Tell of all goals."""
        states = [
            action_msgs.msg.GoalStatus(goal_info=goal.goal_info, status=goal.get_status())
            for goal in self.goals.values()
        ]
        self._status.publish(action_msgs.msg.GoalStatusArray(status_list=states))

    def notify_goal_done(self) -> None:
        """Begin to count how long the goals that have ended are kept."""
        now = self._clock.clock.nanoseconds()
        for goal in self.goals.values():
            if goal.ended_at is None and not goal.is_active():
                goal.ended_at = now

    def goal_exists(self, goal_info: Any) -> bool:
        return bytes(goal_info.goal_id.uuid) in self.goals

    def _expired(self) -> list[bytes]:
        now = self._clock.clock.nanoseconds()
        return [
            key
            for key, goal in self.goals.items()
            if goal.ended_at is not None and 0 <= self._timeout_ns <= now - goal.ended_at
        ]

    def expire_goals(self, max_num_goals: int) -> tuple[Any, ...]:
        """Forget up to so many goals whose time is over; return their action_msgs/msg/GoalInfo."""
        return tuple(self.goals.pop(key).goal_info for key in self._expired()[:max_num_goals])

    def process_cancel_request(self, request: Any, response_type: Any) -> Any:
        """Return a response with the goals a request is about that can still be cancelled."""
        chosen, response = wanted(self.goals, request), response_type()
        response.goals_canceling = [goal.goal_info for goal in chosen if goal.can(GoalEvent.CANCEL_GOAL)]
        if not response.goals_canceling:
            code = refusal(request, response_type, chosen, ActionGoalHandle.is_active)
            response.return_code = response_type.ERROR_NONE if code == response_type.ERROR_REJECTED else code
        return response


def _headed(taken: Taken) -> Taken:
    request, header = taken
    return header, request


class ActionGoalHandle(Handle):
    """One goal of a server.

    Raises:
        RCLError: the server has a goal of that id.
    """

    def __init__(self, action_server: ActionServerHandle, goal_info: Any) -> None:
        super().__init__("a goal")
        if action_server.goal_exists(goal_info):
            raise RCLError("Failed to accept new goal: its id is in use")
        self.goal_info = goal_info
        self.ended_at: int | None = None  # [ns]
        self._state = GoalStatus.STATUS_ACCEPTED
        action_server.goals[bytes(goal_info.goal_id.uuid)] = self

    def get_status(self) -> int:
        with self:
            return int(self._state)

    def is_active(self) -> bool:
        with self:
            return not self._state.is_terminal

    def can(self, event: GoalEvent) -> bool:
        """Tell whether an event can happen now."""
        return (self._state, event) in GO

    def update_goal_state(self, event: GoalEvent) -> None:
        """Go on; raises RCLError when that event cannot happen in this state."""
        with self:
            if not self.can(event):
                raise RCLError(f"Failed to update goal state: {event.name} cannot happen in {self._state.name}")
            self._state = GO[self._state, event]
