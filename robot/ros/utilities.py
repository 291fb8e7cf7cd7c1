"""The default context, and small helpers by rclpy's names."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from robot.ros.arguments import split
from robot.ros.context import Context
from robot.ros.duration import NANOSECONDS

IDENTIFIER = "rmw_berrybrain"

_default: list[Context] = []


def get_default_context(*, shutting_down: bool = False) -> Context:
    """Return the context of those who name none; `shutting_down` lets the next caller have a new one."""
    if not _default:
        _default.append(Context())
    return _default.pop() if shutting_down else _default[0]


def ok(*, context: Context | None = None) -> bool:
    return (context or get_default_context()).ok()


def shutdown(*, context: Context | None = None) -> None:
    (context or get_default_context(shutting_down=True)).shutdown()


def try_shutdown(*, context: Context | None = None) -> None:
    (context or get_default_context(shutting_down=True)).try_shutdown()


def remove_ros_args(args: Sequence[str] | None = None) -> list[str]:
    """Return a command line (None = the program's) without what is between `--ros-args` and `--`."""
    return split(sys.argv if args is None else args)[0]


def get_rmw_implementation_identifier() -> str:
    return IDENTIFIER


def get_available_rmw_implementations() -> set[str]:
    """Return the one there is; raises RuntimeError when RMW_IMPLEMENTATIONS asks for others."""
    asked = set(filter(None, os.environ.get("RMW_IMPLEMENTATIONS", "").split(os.pathsep)))
    if missing := asked - {IDENTIFIER}:
        raise RuntimeError(f"RMW_IMPLEMENTATIONS names {sorted(missing)}, there is only {IDENTIFIER}")
    return {IDENTIFIER}


def timeout_sec_to_nsec(timeout_sec: float | None) -> int:
    """Convert a timeout; -1 stands for ever, which None and negative ones mean."""
    return -1 if timeout_sec is None or timeout_sec < 0 else int(timeout_sec * NANOSECONDS)
