"""Check names of nodes."""

from __future__ import annotations

from robot.ros.exceptions import InvalidNodeNameException
from robot.ros.names import Fault, check_text, is_word

LENGTH_MAX = 255  # characters


def find_fault(name: str) -> Fault | None:
    """Return what is wrong with a name and where, None when nothing is."""
    if not name:
        return "node name must not be empty string", 0
    for at, character in enumerate(name):
        if not is_word(character):
            return "node name must not contain characters other than alphanumerics or '_'", at
    if name[0].isdigit():
        return "node name must not start with a number", 0
    if len(name) > LENGTH_MAX:
        return f"node name length should not exceed '{LENGTH_MAX}'", LENGTH_MAX - 1
    return None


def validate_node_name(node_name: str) -> bool:
    """Return True, or raise InvalidNodeNameException saying what is wrong and where."""
    check_text(node_name)
    fault = find_fault(node_name)
    if fault is not None:
        raise InvalidNodeNameException(node_name, *fault)
    return True
