"""Errors of the client library, by rclpy's names where rclpy has one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from robot.ros.executing.reasons import ExternalShutdownException

if TYPE_CHECKING:
    from robot.ros.parameter import Parameter

# ruff: noqa: N818 (the names are rclpy's)


class ROSError(RuntimeError):
    """Anything the client library refuses at run time."""


class RCLError(ROSError):
    """What rclpy reports from the C library below it."""


class RCLInvalidROSArgsError(RCLError):
    """Arguments after `--ros-args` that cannot be read."""


class UnknownROSArgsError(ROSError):
    """Arguments after `--ros-args` that mean nothing."""


class NodeNameNonExistentError(RCLError):
    """A query names a node that is not in the graph."""


class UnsupportedEventTypeError(RCLError):
    """An event that this transport cannot tell of."""


class TimerCancelledError(RCLError):
    """A cancelled timer was asked for its next call."""


class NotInitializedException(ROSError):
    """The context is not initialised or already shut down."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(f"rclpy.init() has not been called{': ' + message if message else ''}")


class InvalidHandle(ROSError):
    """An entity was used after it was destroyed."""


class NoTypeSupportImportedException(ROSError):
    """A message type without type support."""

    def __init__(self) -> None:
        super().__init__("no type_support imported")


class ROSInterruptException(ROSError, ExternalShutdownException):
    """Waiting was ended by a shutdown, which is what scripts that catch ExternalShutdownException expect."""

    def __init__(self) -> None:
        super().__init__("rclpy.shutdown() has been called")


class NameValidationException(ValueError):
    """A name that the rules of ROS forbid.

    Args:
        name_type: what it names, for example "topic name".
        invalid_index: position of the first character that does not fit.
    """

    def __init__(self, name_type: str, name: str, error_msg: str, invalid_index: int) -> None:
        super().__init__(f"Invalid {name_type}: {error_msg}:\n  '{name}'\n   {' ' * invalid_index}^")
        self.name = name
        self.invalid_index = invalid_index


class InvalidNamespaceException(NameValidationException):
    def __init__(self, name: str, error_msg: str, invalid_index: int) -> None:
        super().__init__("namespace", name, error_msg, invalid_index)


class InvalidNodeNameException(NameValidationException):
    def __init__(self, name: str, error_msg: str, invalid_index: int) -> None:
        super().__init__("node name", name, error_msg, invalid_index)


class InvalidTopicNameException(NameValidationException):
    def __init__(self, name: str, error_msg: str, invalid_index: int) -> None:
        super().__init__("topic name", name, error_msg, invalid_index)


class InvalidServiceNameException(NameValidationException):
    def __init__(self, name: str, error_msg: str, invalid_index: int) -> None:
        super().__init__("service name", name, error_msg, invalid_index)


class TimeSourceChangedError(ROSError):
    """Simulated time was switched on or off while somebody slept."""

    def __init__(self, message: str = "ROS time was activated or deactivated during the sleep") -> None:
        super().__init__(message)


class ParameterException(ROSError):
    """Anything refused about parameters; `parameters` is a name or several."""

    def __init__(self, error_msg: str, parameters: str | Sequence[str]) -> None:
        super().__init__(f"{error_msg}: {parameters}")


class ParameterNotDeclaredException(ParameterException):
    """A parameter was read or set before it was declared."""

    def __init__(self, parameters: str | Sequence[str]) -> None:
        super().__init__("Invalid access to undeclared parameter(s)", parameters)


class ParameterAlreadyDeclaredException(ParameterException):
    """A parameter was declared twice."""

    def __init__(self, parameters: str | Sequence[str]) -> None:
        super().__init__("Parameter(s) already declared", parameters)


class InvalidParameterException(ParameterException):
    """A parameter's name is empty."""

    def __init__(self, parameter_name: str) -> None:
        super().__init__("Invalid parameter name", parameter_name)


class InvalidParameterTypeException(ParameterException):
    """A value of another type than the declared one."""

    def __init__(self, desired_parameter: Parameter, expected_type: str) -> None:
        wanted = desired_parameter
        super().__init__(
            f"Trying to set parameter '{wanted.name}' to '{wanted.value}' of type '{wanted.type_.name}', "
            f"expecting type '{expected_type}'",
            wanted.name,
        )


class InvalidParameterValueException(ParameterException):
    """A value that a descriptor or a callback of the node refused."""

    def __init__(self, parameter: str, value: Any, reason: str) -> None:
        super().__init__(f"Invalid parameter value ({value}) for parameter. Reason: {reason}", parameter)


class ParameterImmutableException(ParameterException):
    """A read-only parameter was to be changed."""

    def __init__(self, parameter_name: str) -> None:
        super().__init__("Attempted to modify read-only parameter", parameter_name)


class ParameterUninitializedException(ParameterException):
    """A parameter with a type but no value yet was read."""

    def __init__(self, parameter_name: str) -> None:
        super().__init__(f"The parameter '{parameter_name}' is not initialized", parameter_name)
