"""Check topic and service names as users write them, with `~` and `{substitutions}` not yet expanded.

The rules are those of https://design.ros2.org/articles/topic_and_service_names.html.
"""

from __future__ import annotations

from robot.ros.exceptions import InvalidServiceNameException, InvalidTopicNameException
from robot.ros.names import Fault, check_text, is_word, number_at_token

TOPIC_SEPARATOR_STRING = "/"


def find_fault(name: str) -> Fault | None:
    """Return what is wrong with a name and where, None when nothing is."""
    if not name:
        return "topic name must not be empty string", 0
    if name.endswith("/"):
        return "topic name must not end with a forward slash", len(name) - 1
    for at, character in enumerate(name):
        if not (is_word(character) or character in "/~{}"):
            return "topic name must not contain characters other than alphanumerics, '_', '~', '{', or '}'", at
        if character == "~" and at > 0:
            return "topic name must not have tilde '~' unless it is the first character", at
    return _braces(name) or _tilde(name) or number_at_token(name, "topic name token must not start with a number")


def _tilde(name: str) -> Fault | None:
    if name[0] == "~" and len(name) > 1 and name[1] != "/":
        return "topic name must not have a tilde '~' that is not followed by a forward slash '/'", 1
    return None


def _braces(name: str) -> Fault | None:
    unmatched = "topic name must not have unmatched (unbalanced) curly braces '{}'"
    start = -1
    for at, character in enumerate(name):
        if character == "{":
            if start >= 0:
                return unmatched, at
            start = at
        elif character == "}":
            if start < 0:
                return unmatched, at
            start = -1
        elif start >= 0 and not is_word(character):
            return "substitution name must not contain characters other than alphanumerics or '_'", at
        elif start >= 0 and at == start + 1 and character.isdigit():
            return "substitution name must not start with a number", at
    return (unmatched, start) if start >= 0 else None


def validate_topic_name(name: str, *, is_service: bool = False) -> bool:
    """Return True.

    Raises:
        InvalidTopicNameException, InvalidServiceNameException: saying what is wrong and where.
    """
    check_text(name)
    fault = find_fault(name)
    if fault is not None:
        text, at = fault
        if is_service:
            raise InvalidServiceNameException(name, text.replace("topic name", "service name"), at)
        raise InvalidTopicNameException(name, text, at)
    return True
