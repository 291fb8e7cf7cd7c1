"""Guard conditions: run a callback whenever any thread says so."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from robot.ros.handle import Handle
from robot.ros.type_names import GuardConditionCallbackType  # noqa: F401

if TYPE_CHECKING:
    from robot.ros.callback_groups import CallbackGroup
    from robot.ros.context import Context
    from robot.ros.node import Node
    from robot.ros.task import Task


class GuardCondition:
    """A guard condition, made by `Node.create_guard_condition`. Triggers before the callback runs count once."""

    def __init__(
        self,
        callback: Callable[[], Any] | None,
        callback_group: CallbackGroup | None,
        context: Context | None = None,
        *,
        node: Node | None = None,
    ) -> None:
        self.callback = callback
        self.callback_group = callback_group
        self._context = context
        self._node = node
        self._lock = threading.RLock()  # a signal handler may trigger it in the middle of a trigger
        self._triggered = False
        self._handle = Handle("a guard condition", self._release)
        if callback_group is not None:
            callback_group.add_entity(self)

    @property
    def pointer(self) -> int:
        return self._handle.pointer

    @property
    def handle(self) -> Handle:
        return self._handle

    def trigger(self) -> None:
        """Let the callback run; raises InvalidHandle after `destroy`."""
        with self._handle:
            with self._lock:
                again, self._triggered = self._triggered, True
            if not again and self._node is not None:
                self._node._ros_dispatch(self, self._take)
            elif self._node is None and self._context is not None and self._context.ok():
                self._context.bus.pump.wake_all()

    def take(self) -> bool:
        """Tell whether it was triggered, and forget it."""
        with self._lock:
            triggered, self._triggered = self._triggered, False
        return triggered

    def _take(self) -> Task[Any] | None:
        if not self.take() or self._handle.destroyed or self.callback is None or self._node is None:
            return None
        return self._node._ros_run(self.callback)

    def destroy(self) -> None:
        if not self._handle.destroyed:
            self._handle.destroy_when_not_in_use()

    def _release(self) -> None:
        if self._node is not None:
            self._node._ros_forget(self)
