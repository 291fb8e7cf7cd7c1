"""Check topic and service names that are expanded."""

from __future__ import annotations

from robot.ros.exceptions import InvalidServiceNameException, InvalidTopicNameException
from robot.ros.names import Fault, absolute_fault, check_text

LENGTH_MAX = 247  # characters, RMW_TOPIC_MAX_NAME_LENGTH: 255 without the prefix that DDS adds


def find_fault(name: str) -> Fault | None:
    """Return what is wrong with a name and where, None when nothing is."""
    fault = absolute_fault(name, "topic name", "topic name must not end with a '/'")
    if fault is None and name == "/":
        return "topic name must not end with a '/'", 0
    if fault is None and len(name) > LENGTH_MAX:
        return f"topic length should not exceed '{LENGTH_MAX}'", LENGTH_MAX - 1
    return fault


def validate_full_topic_name(name: str, *, is_service: bool = False) -> bool:
    """Return True.

    Raises:
        InvalidTopicNameException, InvalidServiceNameException: saying what is wrong and where.
    """
    check_text(name)
    fault = find_fault(name)
    if fault is not None:
        raise (InvalidServiceNameException if is_service else InvalidTopicNameException)(name, *fault)
    return True
