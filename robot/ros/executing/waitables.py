"""Ask waitables whether they are ready: unlike what else a node has, they do not say so by themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from robot.ros.waitable import WaitSet


def ask(nodes: Iterable[Any], add: Callable[[tuple[Any, Any, Callable[[], Any], int]], object]) -> bool:
    """Queue the waitables of some nodes that are ready; return whether there are any at all."""
    found = False
    for node in nodes:
        for waitable in tuple(node._ros_waitables) if node._ros_waitables else ():
            found = True
            if waitable._executor_event:
                continue
            wait_set = WaitSet()
            waitable.add_to_wait_set(wait_set)
            if waitable.is_ready(wait_set):
                waitable._executor_event = True
                add((node, waitable, partial(_run, node, waitable), 1))
    return found


def _run(node: Any, waitable: Any) -> Any:
    try:
        data = waitable.take_data()
    finally:
        waitable._executor_event = False
    return node._ros_run(waitable.execute, data)
