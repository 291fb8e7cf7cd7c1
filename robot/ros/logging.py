"""Loggers and their levels, as `rclpy.logging`."""

from __future__ import annotations

import os
from pathlib import Path

from robot.ros.arguments import Arguments
from robot.ros.impl.logging_output import output
from robot.ros.impl.logging_severity import LoggingSeverity
from robot.ros.impl.rcutils_logger import RcutilsLogger

__all__ = [
    "LoggingSeverity",
    "RcutilsLogger",
    "clear_config",
    "configure",
    "get_logger",
    "get_logger_effective_level",
    "get_logger_level",
    "get_logging_directory",
    "get_logging_severity_from_string",
    "initialize",
    "set_logger_level",
    "shutdown",
]

_root_logger = RcutilsLogger()


def get_logger(name: str) -> RcutilsLogger:
    if not name:
        raise ValueError("Logger name must not be empty.")
    return _root_logger.get_child(name)


def configure(arguments: Arguments) -> None:
    """Apply `--log-level` and `--disable-stdout-logs` of a command line."""
    for name, level in arguments.log_levels.items():
        output.levels.set(name, LoggingSeverity(level))
    output.console = arguments.outputs.get("stdout", output.console)


def initialize() -> None:
    """Do nothing: there is nothing to prepare."""


def shutdown() -> None:
    """Forget all levels."""
    output.levels.clear()
    output.console = True


def clear_config() -> None:
    """Forget all levels."""
    shutdown()


def set_logger_level(name: str, level: int, detailed_error: bool = False) -> None:
    """Set the level of a logger ("" = the default); UNSET lets it follow the loggers above it."""
    output.levels.set(name, LoggingSeverity(level))


def get_logger_level(name: str) -> LoggingSeverity:
    """Return what was set for this logger, UNSET when nothing was."""
    return output.levels.get(name)


def get_logger_effective_level(name: str) -> LoggingSeverity:
    """Return the level that holds for a logger."""
    return output.levels.effective(name)


def get_logging_severity_from_string(log_severity: str) -> LoggingSeverity:
    """Return the severity named; raises RuntimeError for an unknown one."""
    try:
        return LoggingSeverity[log_severity.upper()]
    except KeyError as error:
        names = [severity.name for severity in LoggingSeverity]
        raise RuntimeError(f"expected one of {names}, got {log_severity!r}") from error


def get_logging_directory() -> Path:
    """Return $ROS_LOG_DIR, else $ROS_HOME/log, else ~/.ros/log."""
    if folder := os.environ.get("ROS_LOG_DIR"):
        return Path(folder).expanduser()
    return Path(os.environ.get("ROS_HOME") or "~/.ros").expanduser() / "log"
