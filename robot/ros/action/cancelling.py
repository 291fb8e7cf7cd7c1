"""Which goals a request to cancel is about: one, all, or those accepted until an instant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar


class Goal(Protocol):
    """What is known of a goal."""

    @property
    def goal_info(self) -> Any: ...


G = TypeVar("G", bound=Goal)


def wanted(goals: Mapping[bytes, G], request: Any) -> list[G]:
    """Choose from goals, by the octets of their ids, as action_msgs/srv/CancelGoal says."""
    info = request.goal_info
    key, until = bytes(info.goal_id.uuid), (info.stamp.sec, info.stamp.nanosec)
    if not any(key) and not any(until):
        return list(goals.values())
    return [goal for known, goal in goals.items() if known == key or (any(until) and _accepted_at(goal) <= until)]


def refusal(request: Any, response_type: Any, chosen: list[G], is_active: Callable[[G], bool]) -> int:
    """Return the code of a response that cancels none of the goals chosen."""
    if chosen:
        return int(response_type.ERROR_REJECTED if any(map(is_active, chosen)) else response_type.ERROR_GOAL_TERMINATED)
    named = any(bytes(request.goal_info.goal_id.uuid))
    return int(response_type.ERROR_UNKNOWN_GOAL_ID if named else response_type.ERROR_REJECTED)


def _accepted_at(goal: Goal) -> tuple[int, int]:
    return goal.goal_info.stamp.sec, goal.goal_info.stamp.nanosec
