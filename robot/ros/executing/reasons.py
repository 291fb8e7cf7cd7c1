"""Why a wait for callbacks ended without one, and how long it may last."""

from __future__ import annotations

# ruff: noqa: N818 (the names are rclpy's)


class TimeoutObject:
    """A timeout that changes while it runs, as rclpy passes one."""

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout


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
