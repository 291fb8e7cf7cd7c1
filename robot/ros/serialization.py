"""Messages to bytes and back."""

from __future__ import annotations

from typing import Any

from robot.ros.cdr import CdrError
from robot.ros.exceptions import RCLError
from robot.ros.type_support import check_for_type_support


def serialize_message(message: Any) -> bytes:
    """Return a message as XCDR1, little endian, with its header of 4 bytes."""
    check_for_type_support(type(message))
    return bytes(type(message)._encode(message))


def deserialize_message(serialized_message: bytes, message_type: Any) -> Any:
    """Return the message of a type; raises RCLError for bytes that are none."""
    check_for_type_support(message_type)
    try:
        return message_type._decode(serialized_message)
    except CdrError as error:
        raise RCLError(f"failed to deserialize ROS message: {error}") from error
