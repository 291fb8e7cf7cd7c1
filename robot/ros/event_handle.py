"""The handle of one kind of event of one publisher or subscription: counts what happens until it is taken."""

from __future__ import annotations

import threading
from collections.abc import Callable
from copy import copy
from dataclasses import fields
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from robot.ros.entity_handles import EntityHandle
from robot.ros.event_infos import info_class
from robot.ros.handle import Handle

if TYPE_CHECKING:
    from robot.ros.entity import Entity


class EventHandle(Handle):
    """Sums up events of a kind.

    Args:
        parent: the publisher or subscription, or its handle.
        event_type: one of `QoSPublisherEventType` or `QoSSubscriptionEventType`.

    Raises:
        UnsupportedEventTypeError: the parent has no such events.
        InvalidHandle: the parent was destroyed.
    """

    def __init__(self, parent: Entity | EntityHandle, event_type: IntEnum) -> None:
        self.entity: Entity = parent.entity if isinstance(parent, EntityHandle) else parent
        super().__init__(f"the event {event_type.name} of {self.entity.endpoint.name}")
        self.event_type = event_type
        self.on_event: Callable[[], object] | None = None  # called when there is something to take again
        self._info = info_class(event_type)()
        self._info_lock = threading.Lock()
        self._pending = False
        with self.entity.handle:
            self.entity.watch_event(self)

    def tell(self, **changes: int) -> None:
        """Change counts: `total_count=1` adds one; a `last_…` is set."""
        with self._info_lock:
            for name, change in changes.items():
                if name.startswith("last_"):
                    setattr(self._info, name, change)
                    continue
                setattr(self._info, name, getattr(self._info, name) + change)
                setattr(self._info, f"{name}_change", getattr(self._info, f"{name}_change") + change)
            pending, self._pending = self._pending, True
        if pending:
            return
        if self.on_event is not None:
            self.on_event()
        else:
            self.entity.bus.pump.wake_all()

    def is_ready(self) -> bool:
        """Tell whether something happened since the last `take_event`."""
        return self._pending

    def take_event(self) -> Any:
        """Return the counts, and count changes from here on anew."""
        with self._info_lock:
            self._pending = False
            info = copy(self._info)
            for field in fields(self._info):
                if field.name.endswith("_change"):
                    setattr(self._info, field.name, 0)
        return info
