"""Callback groups say which callbacks may run at the same time: on several threads, or while one of them awaits."""

from __future__ import annotations

import weakref
from contextlib import suppress
from threading import Lock
from typing import Any


class CallbackGroup:
    """The base of callback groups, as `rclpy.callback_groups.CallbackGroup`. Subclasses decide what may run."""

    running_on = 0  # the thread on which a callback of the group runs, not while it awaits

    def __init__(self) -> None:
        super().__init__()
        self.entities: set[weakref.ReferenceType[Any]] = set()

    def add_entity(self, entity: Any) -> None:
        """Add a subscription, timer, client, service, guard condition or waitable."""
        self.entities.add(weakref.ref(entity, self.entities.discard))

    def has_entity(self, entity: Any) -> bool:
        return weakref.ref(entity) in self.entities

    def can_execute(self, entity: Any) -> bool:
        """Tell whether a callback of `entity` may start now."""
        raise NotImplementedError

    def beginning_execution(self, entity: Any) -> bool:
        """Start a callback of `entity`; after True, `ending_execution` follows when it has ended."""
        raise NotImplementedError

    def ending_execution(self, entity: Any) -> None:
        raise NotImplementedError


class ReentrantCallbackGroup(CallbackGroup):
    """Any number of callbacks at a time."""

    def can_execute(self, entity: Any) -> bool:
        return True

    def beginning_execution(self, entity: Any) -> bool:
        return True

    def ending_execution(self, entity: Any) -> None:
        pass


class MutuallyExclusiveCallbackGroup(CallbackGroup):
    """One callback at a time; an `async def` one counts until it has ended, also while it awaits."""

    def __init__(self) -> None:
        super().__init__()
        self._active_entity: Any = None
        self._active = Lock()  # held while one is
        self._refused: dict[weakref.ReferenceType[Any], None] = {}  # executors that wait while one of another runs

    def can_execute(self, entity: Any) -> bool:
        if self._active_entity is None:
            return True
        return self._wakes(entity) and self._active_entity is None

    def beginning_execution(self, entity: Any) -> bool:
        if not self._active.acquire(blocking=False) and not (
            self._wakes(entity) and self._active.acquire(blocking=False)
        ):
            return False
        self._active_entity = entity
        return True

    def _wakes(self, entity: Any) -> bool:
        """Have the entity's executor woken at the end of what runs now; False when that runs in the same one."""
        executor = _executor_of(entity)
        if executor is None or executor is _executor_of(self._active_entity):
            return False
        self._refused[weakref.ref(executor)] = None
        return True

    def ending_execution(self, entity: Any) -> None:
        active = self._active_entity
        assert active is None or active == entity, f"expected the end of {active!r}, which runs, got that of {entity!r}"
        self._active_entity = None
        try:
            self._active.release()
        except RuntimeError:  # none had begun
            return
        self._wake_refused()

    def _wake_refused(self) -> None:
        """Wake the executors that were refused while what has ended now ran."""
        while self._refused:
            with suppress(KeyError):  # another thread took it
                executor = self._refused.popitem()[0]()
                if executor is not None:
                    executor.wake()


def _executor_of(entity: Any) -> Any:
    return getattr(getattr(entity, "node", None), "executor", None)
