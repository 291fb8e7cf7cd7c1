"""Loggers with `once`, `skip_first` and `throttle_duration_sec`, which count per place in the source."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any, NamedTuple

from robot.ros.impl.logging_filters import (
    Context,
    LoggingFilter,
    Once,
    SkipFirst,
    Throttle,
    get_filters_from_kwargs,
    supported_filters,
)
from robot.ros.impl.logging_output import SEPARATOR, Line, output
from robot.ros.impl.logging_severity import LoggingSeverity

__all__ = [
    "CallerId",
    "LoggingFilter",
    "Once",
    "RcutilsLogger",
    "SkipFirst",
    "Throttle",
    "get_filters_from_kwargs",
    "supported_filters",
]


class _Caller(NamedTuple):
    function_name: str
    file_path: str
    line_number: int
    last_index: int


class CallerId(_Caller):
    """A place in the source; `last_index` tells two calls in one line apart.

    Args:
        frame: where; None = the nearest frame outside the logging modules.
    """

    __slots__ = ()

    def __new__(cls, frame: FrameType | None = None) -> CallerId:
        frame = frame or _find_caller(sys._getframe(1))
        return super().__new__(cls, frame.f_code.co_name, frame.f_code.co_filename, frame.f_lineno, frame.f_lasti)


def _inside(frame: FrameType) -> bool:
    return frame.f_globals.get("__name__") in (__name__, "robot.ros.logging")


def _find_caller(frame: FrameType) -> FrameType:
    """Return the nearest frame outside the logging modules."""
    while _inside(frame) and frame.f_back is not None:
        frame = frame.f_back
    return frame


def _check(before: Context, name: str, severity: LoggingSeverity, filters: list[str], options: Context) -> None:
    """Refuse a call that differs from the last one of its place."""
    if severity != before["severity"]:
        raise ValueError("Logger severity cannot be changed between calls.")
    if name != before["name"]:
        raise ValueError("Logger name cannot be changed between calls.")
    if filters != before["filters"]:
        raise ValueError("Requested logging filters cannot be changed between calls.")
    for kind in filters:
        for option, default in supported_filters[kind].params.items():
            if before[option] != options.get(option, default):
                raise ValueError("Logging filter parameters cannot be changed between calls.")


class RcutilsLogger:
    """A logger.

    Args:
        name: parts separated by dots; "" is above all others.
        monotonic: clock of the throttle [s]; None = the system's.
    """

    def __init__(self, name: str = "", monotonic: Callable[[], float] | None = None) -> None:
        self.name = name
        self._monotonic = monotonic
        self.contexts: dict[CallerId, Context] = {}

    def get_child(self, name: str) -> RcutilsLogger:
        """Return the logger `<this one>.<name>`; its lines reach `/rosout` while it lives, if this one's do."""
        if not name:
            raise ValueError("Child logger name must not be empty.")
        full = f"{self.name}{SEPARATOR}{name}" if self.name else name
        child = RcutilsLogger(full, self._monotonic)
        if self.name and output.add_child(self.name, full):
            weakref.finalize(child, output.remove_child, full).atexit = False
        return child

    def set_level(self, level: int) -> None:
        output.levels.set(self.name, LoggingSeverity(level))

    def get_effective_level(self) -> LoggingSeverity:
        return output.levels.effective(self.name)

    def is_enabled_for(self, severity: int) -> bool:
        return LoggingSeverity(severity) >= output.levels.effective(self.name)

    def log(self, message: str, severity: int, **options: Any) -> bool:
        """Log a message.

        Args:
            options: `throttle_duration_sec` [s] (with `throttle_time_source_type`, a clock), `skip_first`, `once`, and
                `name` of another logger.

        Returns:
            False when the level or an option held the message back.

        Raises:
            TypeError: an unknown option.
            ValueError: severity, name or options differ from those of the last call at this place.
        """
        if not self.is_enabled_for(severity):
            return False
        severity = LoggingSeverity(severity)
        name = options.pop("name", self.name)
        filters = get_filters_from_kwargs(**options)
        caller = CallerId()
        context = self.contexts.get(caller)
        if context is None:
            context = {"name": name, "severity": severity, "filters": filters, "monotonic": self._monotonic}
            for kind in filters:
                supported_filters[kind].initialize_context(context, **options)
            self.contexts[caller] = context
        else:
            _check(context, name, severity, filters, options)
        if not all(supported_filters[kind].should_log(context) for kind in filters):
            return False
        output.emit(
            Line(
                name=name,
                severity=severity,
                message=str(message),
                function=caller.function_name,
                file=caller.file_path,
                line=caller.line_number,
            )
        )
        return True

    def debug(self, message: str, **options: Any) -> bool:
        return self.log(message, LoggingSeverity.DEBUG, **options)

    def info(self, message: str, **options: Any) -> bool:
        return self.log(message, LoggingSeverity.INFO, **options)

    def warning(self, message: str, **options: Any) -> bool:
        return self.log(message, LoggingSeverity.WARN, **options)

    def warn(self, message: str, **options: Any) -> bool:
        return self.log(message, LoggingSeverity.WARN, **options)

    def error(self, message: str, **options: Any) -> bool:
        return self.log(message, LoggingSeverity.ERROR, **options)

    def fatal(self, message: str, **options: Any) -> bool:
        return self.log(message, LoggingSeverity.FATAL, **options)
