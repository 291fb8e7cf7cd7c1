"""Hold back callbacks whose group does not let them run now, and let them run when it does, oldest first."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
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

    def holds(self) -> bool:
        return bool(self.held)

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

    def forget(self, node: Any) -> list[Item]:
        """Give out, oldest first, what is held back for a node."""
        given: list[Item] = []
        with self._lock:
            for group, items in list(self.held.items()):
                given += (item for item in items if item[0] is node)
                kept = deque(item for item in items if item[0] is not node)
                if kept:
                    self.held[group] = kept
                else:
                    del self.held[group]
        return given

    def pass_through(self, item: Item, on_end: Callable[[], object], again: Callable[[Item], bool]) -> None:
        """Enter, run and end one callback; when its group refuses, keep it for later.

        Args:
            again: says whether the same is to be run once more before the group is left.
        """
        entity = item[1]
        group = None if entity is None else entity.callback_group
        if group is None:
            item[2]()
        elif not self.held and group.__class__ is MutuallyExclusiveCallbackGroup and group.beginning_execution(entity):
            self.run(entity, lambda: self._repeat(item, again), on_end)
        elif self.enter(*item):
            self.run(entity, item[2], on_end)

    def _repeat(self, item: Item, again: Callable[[Item], bool]) -> Task[Any] | None:
        """Run a callback for as long as it is to be run again, has ended each time, and nothing waits for its group."""
        run: Callable[[], Task[Any] | None] = item[2]
        while (task := run()) is None and not self.held and again(item):
            pass
        return task

    def run(self, entity: Any, run: Callable[[], Task[Any] | None], on_end: Callable[[], object]) -> Task[Any] | None:
        """Run what has entered, and end it in its group when it is over, for a coroutine when that has ended."""
        group = None if entity is None else entity.callback_group
        task: Task[Any] | None = None
        if group is not None:
            group.running_on = get_ident()
        try:
            task = run()
        finally:
            if group is not None:
                group.running_on = 0
            if group is not None and task is None:
                group.ending_execution(entity)
                if self.held:
                    on_end()
        if group is not None and task is not None:

            def end() -> None:
                group.ending_execution(entity)
                on_end()

            task.observe(end)
        return task
