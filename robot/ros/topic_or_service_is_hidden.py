"""Tell which topics and services tools leave out unless asked."""

from __future__ import annotations

from robot.ros.validate_topic_name import TOPIC_SEPARATOR_STRING

HIDDEN_TOPIC_PREFIX = "_"


def topic_or_service_is_hidden(name: str) -> bool:
    """Return whether any token of the name starts with an underscore."""
    return any(token.startswith(HIDDEN_TOPIC_PREFIX) for token in name.split(TOPIC_SEPARATOR_STRING))
