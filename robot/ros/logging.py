"""Loggers over the standard library's, with rclpy's methods and its `once`, `skip_first`, `throttle_duration_sec`."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from enum import IntEnum


class LoggingSeverity(IntEnum):
    UNSET = 0
    DEBUG = 10
    INFO = 20
    WARN = 30
    ERROR = 40
    FATAL = 50


class RcutilsLogger:
    """A logger of one node.

    Args:
        name: parts separated by dots.
        monotonic: clock of the throttle [s].
    """

    def __init__(self, name: str, monotonic: Callable[[], float]) -> None:
        self.name = name
        self._log = logging.getLogger(name)
        self._monotonic = monotonic
        self._last: dict[tuple[str, int], float] = {}

    def get_child(self, name: str) -> RcutilsLogger:
        return RcutilsLogger(f"{self.name}.{name}", self._monotonic)

    def set_level(self, level: int) -> None:
        self._log.setLevel(int(level))

    def get_effective_level(self) -> LoggingSeverity:
        return LoggingSeverity(self._log.getEffectiveLevel() // 10 * 10)

    def is_enabled_for(self, level: int) -> bool:
        return self._log.isEnabledFor(int(level))

    def log(
        self,
        message: str,
        severity: int,
        *,
        once: bool = False,
        skip_first: bool = False,
        throttle_duration_sec: float = 0.0,
        _depth: int = 1,
    ) -> bool:
        """Log a message; the conditions count per calling line.

        Returns:
            True when the message was logged.
        """
        if once or skip_first or throttle_duration_sec:
            caller = sys._getframe(_depth)
            key = (caller.f_code.co_filename, caller.f_lineno)
            now, before = self._monotonic(), self._last.get(key)
            held = before is not None and (once or now - before < throttle_duration_sec)
            if not held:
                self._last[key] = now
            if held or (skip_first and before is None):
                return False
        self._log.log(int(severity), message, stacklevel=_depth + 1)
        return True

    def debug(
        self, message: str, *, once: bool = False, skip_first: bool = False, throttle_duration_sec: float = 0.0
    ) -> bool:
        return self.log(
            message, 10, once=once, skip_first=skip_first, throttle_duration_sec=throttle_duration_sec, _depth=2
        )

    def info(
        self, message: str, *, once: bool = False, skip_first: bool = False, throttle_duration_sec: float = 0.0
    ) -> bool:
        return self.log(
            message, 20, once=once, skip_first=skip_first, throttle_duration_sec=throttle_duration_sec, _depth=2
        )

    def warning(
        self, message: str, *, once: bool = False, skip_first: bool = False, throttle_duration_sec: float = 0.0
    ) -> bool:
        return self.log(
            message, 30, once=once, skip_first=skip_first, throttle_duration_sec=throttle_duration_sec, _depth=2
        )

    def error(
        self, message: str, *, once: bool = False, skip_first: bool = False, throttle_duration_sec: float = 0.0
    ) -> bool:
        return self.log(
            message, 40, once=once, skip_first=skip_first, throttle_duration_sec=throttle_duration_sec, _depth=2
        )

    def fatal(
        self, message: str, *, once: bool = False, skip_first: bool = False, throttle_duration_sec: float = 0.0
    ) -> bool:
        return self.log(
            message, 50, once=once, skip_first=skip_first, throttle_duration_sec=throttle_duration_sec, _depth=2
        )

    warn = warning
