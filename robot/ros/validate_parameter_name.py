"""Check names of parameters."""

from __future__ import annotations

from robot.ros.exceptions import InvalidParameterException


def validate_parameter_name(name: str) -> bool:
    """Return True, or raise InvalidParameterException for an empty name."""
    if not name:
        raise InvalidParameterException(name)
    return True
