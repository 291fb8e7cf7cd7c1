"""Hold back callbacks whose group does not let them run now, and let them run when it does, oldest first.

The gate is for contexts that are driven from outside; an executor holds back by its `executing.agenda`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection
from threading import get_ident
from typing import TYPE_CHECKING, Any

from robot.ros.callback_groups import CallbackGroup, MutuallyExclusiveCallbackGroup

if TYPE_CHECKING:
    from robot.ros.task import Task

Item = tuple[Any, Any, Callable[[], Any]]
"""A node (None = any), an entity with a `callback_group` (None = held back by nothing) and what to run."""


class Gate:
    """What waits for its callback group.

    Attributes:
        held: by group; empty most of the time.
    """

    def __init__(self) -> None:
        self.held: dict[CallbackGroup, deque[Item]] = {}
        self._lock = threading.Lock()

    def enter(self, node: Any, entity: Any, run: Callable[[], Task[Any] | None]) -> bool:
        """Begin an execution; when the group refuses, keep it for later and return False."""
        group = None if entity is None else entity.callback_group
        if group is None:
            return True
        if group not in self.held:
            plain = group.__class__ is MutuallyExclusiveCallbackGroup  # it says the same when asked before
            if (plain or group.can_execute(entity)) and group.beginning_execution(entity):
                return True
        with self._lock:
            waiting = self.held.setdefault(group, deque())
            if not waiting and group.can_execute(entity) and group.beginning_execution(entity):
                del self.held[group]  # it ended meanwhile on another thread, which saw nothing wait that it could wake
                return True
            waiting.append((node, entity, run))
        return False

    def next_held(self) -> Item | None:
        """Begin and return one that was held back and may run now."""
        if not self.held:
            return None
        with self._lock:
            for group, items in self.held.items():
                entity = items[0][1]
                if group.can_execute(entity) and group.beginning_execution(entity):
                    item = items.popleft()
                    if not items:
                        del self.held[group]
                    return item
        return None

    def run(self, entity: Any, run: Callable[[], Task[Any] | None], on_end: Callable[[], object]) -> Task[Any] | None:
        return run_entered(entity, run, self.held, on_end)


def run_entered(
    entity: Any, run: Callable[[], Task[Any] | None], held: Collection[Any], on_end: Callable[[], object]
) -> Task[Any] | None:
    """Run what has entered its group, and end it there when it is over, for a coroutine when that has ended.

    Args:
        held: what waits for a group; where there is any, `on_end` is called when this one is free.
    """
    group = None if entity is None else entity.callback_group
    if group is None:
        return run()
    task: Task[Any] | None = None
    group.running_on = get_ident()
    try:
        task = run()
    finally:
        group.running_on = 0
        if task is None:
            if group.__class__ is MutuallyExclusiveCallbackGroup:  # as `ending_execution` does, with a call less
                group._active_entity = None
                group._active.release()
                if group._refused:
                    group._wake_refused()
            else:
                group.ending_execution(entity)
            if held:
                on_end()
    if task is not None:

        def end() -> None:
            group.ending_execution(entity)
            on_end()

        task.observe(end)
    return task
