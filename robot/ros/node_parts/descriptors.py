"""Whether a parameter's descriptor allows a value, and in which words it is refused."""

from __future__ import annotations

import math
from typing import Any

from robot.ros.parameter import Parameter, Type

RELATIVE_TOLERANCE = 1e-6  # of the ends and steps of ranges of doubles
WRONG_TYPE = "Wrong parameter type"


def refusal(parameter: Parameter, descriptor: Any, *, declared: bool, check_read_only: bool) -> str:
    """Say why a value is refused, "" when it is not; the descriptor of a dynamically typed one takes its type."""
    if check_read_only and descriptor.read_only:
        return f"Trying to set a read-only parameter: {parameter.name}."
    if descriptor.dynamic_typing:
        descriptor.type = int(parameter.type_)
    elif parameter.type_ is Type.NOT_SET:
        if declared:
            return "Static parameter cannot be undeclared"
    elif parameter.type_ != descriptor.type:
        return f"{WRONG_TYPE}, expected '{Type(descriptor.type)}' got '{parameter.type_}'"
    if parameter.type_ is Type.INTEGER and descriptor.integer_range:
        return integer_refusal(parameter, descriptor.integer_range[0])
    if parameter.type_ is Type.DOUBLE and descriptor.floating_point_range:
        return float_refusal(parameter, descriptor.floating_point_range[0])
    return ""


def integer_refusal(parameter: Parameter, bounds: Any) -> str:
    low, high = sorted((bounds.from_value, bounds.to_value))
    value = parameter.value
    if value in (low, high):
        return ""
    if not low < value < high:
        return f"Parameter {parameter.name} out of range. Min: {low}, Max: {high}, value: {value}"
    if bounds.step and (value - low) % bounds.step:
        return (
            f"The parameter value for {parameter.name} is not a valid step. "
            f"Min: {low}, max: {high}, value: {value}, step: {bounds.step}"
        )
    return ""


def float_refusal(parameter: Parameter, bounds: Any) -> str:
    low, high = sorted((bounds.from_value, bounds.to_value))
    value = parameter.value
    if any(math.isclose(value, end, rel_tol=RELATIVE_TOLERANCE) for end in (low, high)):
        return ""
    if not low < value < high:
        return f"Parameter {parameter.name} out of range Min: {low}, Max: {high}, value: {value}"
    if bounds.step:
        nearest = low + round((value - low) / bounds.step) * bounds.step
        if not math.isclose(nearest, value, rel_tol=RELATIVE_TOLERANCE):
            return (
                f"The parameter value for {parameter.name} is not close enough to a valid step. "
                f"Min: {low}, max: {high}, value: {value}, step: {bounds.step}"
            )
    return ""
