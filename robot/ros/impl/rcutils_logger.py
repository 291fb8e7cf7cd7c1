"""Loggers with `once`, `skip_first` and `throttle_duration_sec`, which count per place in the source."""

from __future__ import annotations

import sys
import time
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any, NamedTuple

from robot.ros.duration import NANOSECONDS
from robot.ros.impl.logging_output import SEPARATOR, Line, output
from robot.ros.impl.logging_severity import LoggingSeverity

THROTTLE, CLOCK = "throttle_duration_sec", "throttle_time_source_type"
OPTIONS = (THROTTLE, CLOCK, "skip_first", "once")


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


class _Place:
    """What a logger remembers of one place that logs."""

    def __init__(self, name: str, severity: LoggingSeverity, options: dict[str, Any]) -> None:
        self.name, self.severity, self.options = name, severity, options
        self._seen = False
        self._skipped = False
        self._last: float | None = None

    def check(self, name: str, severity: LoggingSeverity, options: dict[str, Any]) -> None:
        if severity != self.severity:
            raise ValueError("Logger severity cannot be changed between calls.")
        if name != self.name:
            raise ValueError("Logger name cannot be changed between calls.")
        if options.keys() != self.options.keys():
            raise ValueError("Requested logging filters cannot be changed between calls.")
        if options != self.options:
            raise ValueError("Logging filter parameters cannot be changed between calls.")

    def lets_pass(self, now: Callable[[], float]) -> bool:
        """Apply throttle, skip_first and once, in this order."""
        if THROTTLE in self.options:
            instant = now()
            if self._last is not None and instant < self._last + self.options[THROTTLE]:
                return False
            self._last = instant
        if self.options.get("skip_first") and not self._skipped:
            self._skipped = True
            return False
        if self.options.get("once"):
            seen, self._seen = self._seen, True
            return not seen
        return True


def _checked(options: dict[str, Any]) -> dict[str, Any]:
    for name in options:
        if name not in OPTIONS:
            raise TypeError(f'parameter "{name}" is not one of the recognized logging options "{list(OPTIONS)}"')
    asked = {name: value for name, value in options.items() if value}
    if CLOCK in asked:
        if THROTTLE not in asked:
            raise TypeError(f'required parameter "{THROTTLE}" not specified but is required for the throttle filter')
        if not hasattr(asked[CLOCK], "now"):
            raise ValueError(f'Received {CLOCK} of "{asked[CLOCK]}" is not a clock instance')
    return asked


class RcutilsLogger:
    """A logger.

    Args:
        name: parts separated by dots; "" is above all others.
        monotonic: clock of the throttle [s]; None = the system's.
    """

    def __init__(self, name: str = "", monotonic: Callable[[], float] | None = None) -> None:
        self.name = name
        self._monotonic = monotonic
        self._places: dict[CallerId, _Place] = {}

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
        asked = _checked(options)
        caller = CallerId()
        place = self._places.get(caller)
        if place is None:
            place = self._places[caller] = _Place(name, severity, asked)
        else:
            place.check(name, severity, asked)
        if asked and not place.lets_pass(self._clock(asked.get(CLOCK))):
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

    def _clock(self, clock: Any) -> Callable[[], float]:
        if clock is not None:
            return lambda: float(clock.now().nanoseconds / NANOSECONDS)
        return self._monotonic or time.monotonic

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
