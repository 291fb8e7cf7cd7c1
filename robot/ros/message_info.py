"""What is known of a message beside itself, and which callbacks want to know it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from enum import Enum
from typing import Any, TypedDict

from robot.ros.duration import NANOSECONDS
from robot.ros.transport.frame import Frame
from robot.ros.utilities import IDENTIFIER


class PublisherGID(TypedDict):
    implementation_identifier: str
    data: bytes


class MessageInfo(TypedDict):
    """What is known of a message; instants in nanoseconds since the epoch, None = not counted."""

    source_timestamp: int
    received_timestamp: int
    publication_sequence_number: int | None
    reception_sequence_number: int | None
    publisher_gid: PublisherGID | None


def wants_info(callback: Callable[..., Any]) -> bool:
    """Tell whether a callback takes the message's information as a second argument.

    Raises:
        RuntimeError: it takes neither one argument nor two, or is no callback.
    """
    try:
        bind = inspect.signature(callback).bind if callable(callback) else None
    except ValueError:
        return False
    for count in (1, 2) if bind is not None else ():
        try:
            bind(*range(count))
        except TypeError:
            continue
        return count == 2
    raise RuntimeError(
        "Subscription.__init__(): callback should be either be callable with one argument (to get only the message) "
        "or two (to get message and message info)"
    )


class CallbackType(Enum):
    """What a subscription's callback takes."""

    MessageOnly = 0
    WithMessageInfo = 1


def info_of(frame: Frame, received_at: float) -> MessageInfo:
    """Return what is known of a message that came in a frame [epoch s]."""
    return {
        "source_timestamp": round(frame.stamp * NANOSECONDS),
        "received_timestamp": round(received_at * NANOSECONDS),
        "publication_sequence_number": frame.sequence,
        "reception_sequence_number": None,
        "publisher_gid": {"implementation_identifier": IDENTIFIER, "data": frame.gid},
    }
