"""Handles: what holds an entity alive while it is used, and says when it is gone."""

from __future__ import annotations

import threading
from collections.abc import Callable

from robot.ros.exceptions import InvalidHandle


class Handle:
    """Enter it to use an entity; a destruction asked for meanwhile waits until the last one has left.

    Args:
        name: of the entity, for messages.
        on_destroy: releases what the entity holds.
    """

    def __init__(self, name: str, on_destroy: Callable[[], None] | None = None) -> None:
        self.name = name
        self._on_destroy = on_destroy
        self._lock = threading.RLock()
        self._users = 0
        self._destroyed = False
        self._released = False

    @property
    def pointer(self) -> int:
        return id(self)

    @property
    def destroyed(self) -> bool:
        return self._destroyed

    def check(self) -> None:
        """Raise InvalidHandle when it is gone."""
        if self._released:
            raise InvalidHandle(f"cannot use {self.name}: it was destroyed")

    def __enter__(self) -> Handle:
        with self._lock:
            self.check()
            self._users += 1
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._users -= 1
        self._release()

    def destroy_when_not_in_use(self) -> None:
        """Destroy now, or when the last user has left; raises InvalidHandle when that was asked for before."""
        with self._lock:
            if self._destroyed:
                raise InvalidHandle(f"cannot destroy {self.name}: it was destroyed already")
            self._destroyed = True
        self._release()

    def _release(self) -> None:
        with self._lock:
            if not self._destroyed or self._users or self._released:
                return
            self._released = True
        if self._on_destroy is not None:
            self._on_destroy()
