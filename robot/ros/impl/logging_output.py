"""Levels of loggers by name, and where log lines go: Python's logging, standard error, `/rosout`."""

from __future__ import annotations

import logging
import os
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from robot.ros.duration import NANOSECONDS
from robot.ros.impl.logging_severity import LoggingSeverity

SEPARATOR = "."
DEFAULT_FORMAT = "[{severity}] [{time}] [{name}]: {message}"
COLOURS = {10: "\033[32m", 20: "\033[0m", 30: "\033[33m", 40: "\033[31m", 50: "\033[31m"}
RESET = "\033[0m"
ESCAPES = {"a": "\a", "b": "\b", "n": "\n", "r": "\r", "t": "\t"}
TOKEN = re.compile(r"\{(\w+)\}|\\([abnrt])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One log message and the place in the source it came from."""

    name: str
    severity: LoggingSeverity
    message: str
    function: str
    file: str
    line: int


Sink = Callable[[Line], None]


class Levels:
    """Severities by logger name. A name without one takes that of the name before its last dot, at last the default.

    UNSET as the default lets everything pass.
    """

    def __init__(self) -> None:
        self._default = LoggingSeverity.INFO
        self._by_name: dict[str, LoggingSeverity] = {}

    def set(self, name: str, level: LoggingSeverity) -> None:
        if not name:
            self._default = level
        elif level:
            self._by_name[name] = level
        else:
            self._by_name.pop(name, None)
        if name:
            logging.getLogger(name).setLevel(int(level))

    def get(self, name: str) -> LoggingSeverity:
        """Return what was set for this very name, UNSET when nothing was."""
        return self._by_name.get(name, LoggingSeverity.UNSET) if name else self._default

    def effective(self, name: str) -> LoggingSeverity:
        while name:
            if name in self._by_name:
                return self._by_name[name]
            name = name.rpartition(SEPARATOR)[0]
        return self._default

    def clear(self) -> None:
        for name in self._by_name:
            logging.getLogger(name).setLevel(logging.NOTSET)
        self._by_name.clear()
        self._default = LoggingSeverity.INFO


class Output:
    """Everything a process logs through its loggers."""

    def __init__(self) -> None:
        self.levels = Levels()
        self.console = True
        self.always_console = False  # also where Python's logging has handlers
        self._sinks: dict[str, list[Sink]] = {}
        self._children: dict[str, int] = {}

    # --- /rosout

    def add_sink(self, name: str, sink: Sink) -> None:
        """Hand all lines of the logger `name` to `sink` too."""
        self._sinks.setdefault(name, []).append(sink)

    def remove_sink(self, name: str, sink: Sink) -> None:
        for key in [key for key in self._sinks if key == name or key.startswith(name + SEPARATOR)]:
            sinks = self._sinks[key]
            if sink in sinks:
                sinks.remove(sink)
            if not sinks:
                del self._sinks[key]

    def add_child(self, parent: str, child: str) -> bool:
        """Let a child logger's lines go where its parent's go; False when those go nowhere in particular."""
        if parent not in self._sinks:
            return False
        if not self._children.get(child):
            self._sinks[child] = list(self._sinks[parent])
        self._children[child] = self._children.get(child, 0) + 1
        return True

    def remove_child(self, child: str) -> None:
        left = self._children.get(child, 0) - 1
        if left > 0:
            self._children[child] = left
        else:
            self._children.pop(child, None)
            self._sinks.pop(child, None)

    # --- lines

    def emit(self, line: Line) -> None:
        for sink in tuple(self._sinks.get(line.name, ())):
            sink(line)
        python = logging.getLogger(line.name) if line.name else logging.getLogger()
        if python.hasHandlers():
            if python.isEnabledFor(line.severity):
                python.handle(
                    python.makeRecord(
                        line.name, line.severity, line.file, line.line, line.message, (), None, line.function
                    )
                )
            if not self.always_console:
                return
        if self.console:
            stream = sys.stdout if os.environ.get("RCUTILS_LOGGING_USE_STDOUT") == "1" else sys.stderr
            stream.write(format_line(line, time.time_ns(), colours=_colours(stream.isatty())) + "\n")
            stream.flush()


def _colours(tty: bool) -> bool:
    asked = os.environ.get("RCUTILS_COLORIZED_OUTPUT")
    return asked == "1" if asked in ("0", "1") else tty


def _date(now: int) -> str:
    seconds, nanoseconds = divmod(now, NANOSECONDS)
    return f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(seconds))}.{nanoseconds // 10**6:03d}"


def format_line(line: Line, now: int, *, colours: bool = False) -> str:
    """Format as RCUTILS_CONSOLE_OUTPUT_FORMAT says; `now` in nanoseconds since the epoch."""
    seconds, nanoseconds = divmod(now, NANOSECONDS)
    text, severity = os.environ.get("RCUTILS_CONSOLE_OUTPUT_FORMAT", DEFAULT_FORMAT), line.severity.name
    values = {
        "severity": severity,
        "severity_with_color": severity if colours else f"{COLOURS[line.severity]}{severity}{RESET}",
        "name": line.name,
        "time": f"{seconds}.{nanoseconds:09d}",
        "date_time_with_ms": _date(now) if "{date_time_with_ms}" in text else "",
        "time_as_nanoseconds": str(now),
        "file_name": line.file,
        "short_file_name": line.file.rpartition("/")[2],
        "line_number": str(line.line),
        "function_name": line.function,
        "message": line.message,
    }

    def fill(found: re.Match[str]) -> str:
        return ESCAPES[found[2]] if found[2] else values.get(found[1], found[0])

    text = TOKEN.sub(fill, text)
    return f"{COLOURS[line.severity]}{text}{RESET}" if colours else text


output = Output()
