"""Message classes by their slot types."""

from __future__ import annotations

from typing import Any

from robot.ros.interfaces import get_message
from robot.ros.packages.rosidl_parser.definition import NamespacedType


def import_message_from_namespaced_type(message_type: NamespacedType) -> Any:
    """Return the class of the message that a field of this type holds."""
    return get_message("/".join(message_type.namespaced_name()))
