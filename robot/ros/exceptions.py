"""Errors of the client library, by rclpy's names where rclpy has one."""

from __future__ import annotations


class ROSError(RuntimeError):
    """Anything the client library refuses at run time."""


class NotInitializedException(ROSError):  # noqa: N818 (rclpy's name)
    """The context is not initialised or already shut down."""


class InvalidHandle(ROSError):  # noqa: N818 (rclpy's name)
    """An entity was used after it was destroyed."""


class ParameterNotDeclaredException(ROSError):  # noqa: N818 (rclpy's name)
    """A parameter was read or set before it was declared."""


class ParameterAlreadyDeclaredException(ROSError):  # noqa: N818 (rclpy's name)
    """A parameter was declared twice."""


class InvalidParameterTypeException(ROSError):  # noqa: N818 (rclpy's name)
    """A value of another type than the declared one."""


class InvalidParameterValueException(ROSError):  # noqa: N818 (rclpy's name)
    """A value that a callback of the node refused."""
