"""Goal states and names of the topics and services an action consists of."""

from __future__ import annotations

from enum import IntEnum


class GoalStatus(IntEnum):
    """States of a goal, numbered as action_msgs/msg/GoalStatus."""

    STATUS_UNKNOWN = 0
    STATUS_ACCEPTED = 1
    STATUS_EXECUTING = 2
    STATUS_CANCELING = 3
    STATUS_SUCCEEDED = 4
    STATUS_CANCELED = 5
    STATUS_ABORTED = 6

    @property
    def is_terminal(self) -> bool:
        return self >= GoalStatus.STATUS_SUCCEEDED


def part(action_name: str, name: str) -> str:
    """Name one of an action's parts: `a/_action/send_goal`."""
    return f"{action_name}/_action/{name}"
