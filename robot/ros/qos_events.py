"""The events of one publisher or subscription: it is told what happens and calls the handlers that want to know."""

from __future__ import annotations

import threading
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from robot.ros.duration import NANOSECONDS
from robot.ros.event_handle import EventHandle
from robot.ros.event_handler import (
    EventHandler,
    PublisherEventCallbacks,
    QoSPublisherEventType,
    QoSSubscriptionEventType,
    SubscriptionEventCallbacks,
)
from robot.ros.exceptions import UnsupportedEventTypeError
from robot.ros.qos import LivelinessPolicy, QoSPolicyKind, limit_ns
from robot.ros.qos_watch import Watch

if TYPE_CHECKING:
    from robot.ros.entity import Entity
    from robot.ros.graph import Endpoint
    from robot.ros.scheduler import Scheduler
    from robot.ros.transport.frame import Frame

_PUBLISHER, _SUBSCRIPTION = QoSPublisherEventType, QoSSubscriptionEventType
_LOST = _SUBSCRIPTION.RCL_SUBSCRIPTION_MESSAGE_LOST
_MISSED = _SUBSCRIPTION.RCL_SUBSCRIPTION_REQUESTED_DEADLINE_MISSED
_LIVELINESS = _SUBSCRIPTION.RCL_SUBSCRIPTION_LIVELINESS_CHANGED


def is_manual(endpoint: Endpoint) -> bool:
    """Tell whether a publisher has to say itself that it is alive, within its lease."""
    profile = endpoint.qos
    lease = limit_ns(profile.liveliness_lease_duration)
    return profile.liveliness == LivelinessPolicy.MANUAL_BY_TOPIC and lease is not None


class Kinds:
    """The handles that want to know, by kind of event."""

    def __init__(self) -> None:
        self._handles: dict[IntEnum, list[EventHandle]] = {}

    def add(self, handle: EventHandle) -> bool:
        """Add a handle; True when it is the first of its kind."""
        handles = self._handles.setdefault(handle.event_type, [])
        handles.append(handle)
        return len(handles) == 1

    def has(self, kind: IntEnum) -> bool:
        return kind in self._handles

    def tell(self, kind: IntEnum, **changes: int) -> None:
        for handle in self._handles.get(kind, ()):
            if not handle.destroyed:
                handle.tell(**changes)


class PublisherEvents:
    """Watches a publisher.

    Attributes:
        handlers: one for each callback.
        watching: `published` wants to be called.
    """

    def __init__(self, entity: Entity) -> None:
        self._entity = entity
        self._kinds = Kinds()
        self._watches: list[Watch] = []
        self._lease: Watch | None = None
        self.handlers: list[EventHandler[Any]] = []
        self.watching = False

    def call_back(self, callbacks: PublisherEventCallbacks) -> None:
        """Make a handler for each callback."""
        entity = self._entity
        self.handlers = callbacks.create_event_handlers(entity.callback_group, entity, entity.endpoint.name)

    def watch(self, handle: EventHandle) -> None:
        """Tell a handle from here on; raises UnsupportedEventTypeError when it wants events of subscriptions."""
        if not isinstance(handle.event_type, _PUBLISHER):
            raise UnsupportedEventTypeError(f"a publisher has no event {handle.event_type.name}")
        if not self._kinds.add(handle):
            return
        entity, kind, tell = self._entity, handle.event_type, self._kinds.tell
        profile = entity.endpoint.qos
        deadline, lease = limit_ns(profile.deadline), limit_ns(profile.liveliness_lease_duration)
        if kind == _PUBLISHER.RCL_PUBLISHER_OFFERED_DEADLINE_MISSED and deadline is not None:
            self._watches.append(Watch(entity.node, deadline, lambda: tell(kind, total_count=1)))
        elif kind == _PUBLISHER.RCL_PUBLISHER_LIVELINESS_LOST and lease is not None and is_manual(entity.endpoint):
            self._lease = Watch(entity.node, lease, lambda: tell(kind, total_count=1), once=True)
            self._lease.feed()
            self._watches.append(self._lease)
        self.watching = bool(self._watches)

    def published(self) -> None:
        for watch in self._watches:
            watch.feed()

    def asserted(self) -> None:
        if self._lease is not None:
            self._lease.feed()

    def on_matched(self, *, here: bool) -> None:
        changes = {"total_count": 1, "current_count": 1} if here else {"current_count": -1}
        self._kinds.tell(_PUBLISHER.RCL_PUBLISHER_MATCHED, **changes)

    def on_incompatible(self, policy: QoSPolicyKind | None) -> None:
        if policy is None:
            self._kinds.tell(_PUBLISHER.RCL_PUBLISHER_INCOMPATIBLE_TYPE, total_count=1)
        else:
            kind = _PUBLISHER.RCL_PUBLISHER_OFFERED_INCOMPATIBLE_QOS
            self._kinds.tell(kind, total_count=1, last_policy_kind=policy)

    def close(self) -> None:
        for watch in self._watches:
            watch.close()
        for handler in self.handlers:
            handler.destroy()


class SubscriptionEvents:
    """Watches what a subscription gets.

    Attributes:
        handlers: one for each callback.
        watching: `received` wants to be called.
        lifespans: how long messages are good for [s], by the publishers that say so.
    """

    def __init__(self, entity: Entity) -> None:
        self._entity = entity
        self._kinds = Kinds()
        self._deadline: Watch | None = None
        self._lock = threading.RLock()
        self._last: dict[bytes, int] = {}
        self._leases: dict[bytes, Watch] = {}
        self._alive: dict[bytes, bool] = {}
        self.lifespans: dict[bytes, float] = {}
        self.handlers: list[EventHandler[Any]] = []
        self._counts_lost = self._follows_life = False
        self.watching = False

    def call_back(self, callbacks: SubscriptionEventCallbacks) -> None:
        """Make a handler for each callback."""
        entity = self._entity
        self.handlers = callbacks.create_event_handlers(entity.callback_group, entity, entity.endpoint.name)

    def watch(self, handle: EventHandle) -> None:
        """Tell a handle from here on; raises UnsupportedEventTypeError when it wants events of publishers."""
        if not isinstance(handle.event_type, _SUBSCRIPTION):
            raise UnsupportedEventTypeError(f"a subscription has no event {handle.event_type.name}")
        if not self._kinds.add(handle):
            return
        kind, deadline = handle.event_type, limit_ns(self._entity.endpoint.qos.deadline)
        if kind == _MISSED and deadline is not None:
            self._deadline = Watch(self._entity.node, deadline, lambda: self._kinds.tell(_MISSED, total_count=1))
        self._counts_lost |= kind == _LOST
        self._follows_life |= kind == _LIVELINESS
        self.watching = self.watching or self._counts_lost or self._deadline is not None

    def received(self, frame: Frame) -> None:
        """A message has come, in the order of its publisher."""
        if self._deadline is not None:
            self._deadline.feed()
        if self._counts_lost:
            before = self._last.get(frame.gid)
            self._last[frame.gid] = frame.sequence
            if before is not None and frame.sequence > before + 1:
                self._kinds.tell(_LOST, total_count=frame.sequence - before - 1)
        if self._leases:
            self.asserted(frame.gid)

    def lost(self) -> None:
        """A message was pushed out of the queue."""
        self._kinds.tell(_LOST, total_count=1)

    def is_expired(self, frame: Frame, scheduler: Scheduler) -> bool:
        """Tell whether a message is older than its publisher wants it to get."""
        lifespan = self.lifespans.get(frame.gid) if self.lifespans else None
        return lifespan is not None and scheduler.now() - frame.stamp > lifespan

    def asserted(self, gid: bytes) -> None:
        """A publisher said that it is alive."""
        lease = self._leases.get(gid)
        if lease is not None:
            lease.feed()
            self._set_alive(gid, True)

    def on_matched(self, other: Endpoint, *, here: bool) -> None:
        changes = {"total_count": 1, "current_count": 1} if here else {"current_count": -1}
        self._kinds.tell(_SUBSCRIPTION.RCL_SUBSCRIPTION_MATCHED, **changes)
        lifespan = limit_ns(other.qos.lifespan)
        if here and lifespan is not None:
            self.lifespans[other.gid] = lifespan / NANOSECONDS
        if not here:
            self._forget(other.gid)
            if self._deadline is not None and not self._entity.bus.matched(self._entity.endpoint):
                self._deadline.pause()
        elif self._follows_life:
            if is_manual(other):
                lease = limit_ns(other.qos.liveliness_lease_duration) or 0
                watch = Watch(self._entity.node, lease, lambda: self._set_alive(other.gid, False), once=True)
                self._leases[other.gid] = watch
                self.watching = True
                watch.feed()
            with self._lock:
                self._alive[other.gid] = True
            self._kinds.tell(_LIVELINESS, alive_count=1)

    def _forget(self, gid: bytes) -> None:
        self.lifespans.pop(gid, None)
        self._last.pop(gid, None)
        watch = self._leases.pop(gid, None)
        if watch is not None:
            watch.close()
        with self._lock:
            alive = self._alive.pop(gid, None)
        if alive is not None:
            self._kinds.tell(_LIVELINESS, **{"alive_count" if alive else "not_alive_count": -1})

    def _set_alive(self, gid: bytes, alive: bool) -> None:
        with self._lock:
            if self._alive.get(gid, alive) == alive:
                return
            self._alive[gid] = alive
        change = 1 if alive else -1
        self._kinds.tell(_LIVELINESS, alive_count=change, not_alive_count=-change)

    def on_incompatible(self, policy: QoSPolicyKind | None) -> None:
        if policy is None:
            self._kinds.tell(_SUBSCRIPTION.RCL_SUBSCRIPTION_INCOMPATIBLE_TYPE, total_count=1)
        else:
            kind = _SUBSCRIPTION.RCL_SUBSCRIPTION_REQUESTED_INCOMPATIBLE_QOS
            self._kinds.tell(kind, total_count=1, last_policy_kind=policy)

    def close(self) -> None:
        if self._deadline is not None:
            self._deadline.close()
        for watch in self._leases.values():
            watch.close()
        for handler in self.handlers:
            handler.destroy()
