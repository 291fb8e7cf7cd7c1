"""Run the callbacks of nodes: on the thread that spins, or on several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robot.ros.borrowed import finder
from robot.ros.executing.base import Executor
from robot.ros.executing.multi import MultiThreadedExecutor
from robot.ros.executing.reasons import (
    ConditionReachedException,
    ExternalShutdownException,
    ShutdownException,
    TimeoutException,
    TimeoutObject,
)
from robot.ros.executing.single import SOME_MAX, SingleThreadedExecutor
from robot.ros.executing.work import WorkTracker as _WorkTracker
from robot.ros.task import Task, await_or_execute
from robot.ros.timer import TimerInfo
from robot.ros.type_names import YieldedCallback

BaseExecutor = AbstractExecutor = Executor  # rolling's names

__all__ = [
    "SOME_MAX",
    "AbstractExecutor",
    "BaseExecutor",
    "ConditionReachedException",
    "Executor",
    "ExternalShutdownException",
    "MultiThreadedExecutor",
    "ShutdownException",
    "SingleThreadedExecutor",
    "Task",
    "TimeoutException",
    "TimeoutObject",
    "TimerInfo",
    "YieldedCallback",
    "_WorkTracker",
    "await_or_execute",
]

if not TYPE_CHECKING:
    __getattr__ = finder(__name__)
