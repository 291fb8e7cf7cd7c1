"""Why a wait for callbacks ended without one."""

from __future__ import annotations

# ruff: noqa: N818 (the names are rclpy's)


class TimeoutException(Exception):
    """The time was over."""


class ShutdownException(Exception):
    """The executor was shut down."""


class ExternalShutdownException(Exception):
    """The context was shut down, or interrupted by a signal."""

    def __init__(self, message: str = "the context was shut down") -> None:
        super().__init__(message)


class ConditionReachedException(Exception):
    """What was waited for besides holds."""
