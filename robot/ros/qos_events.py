"""The events of one publisher or subscription: it is told what happens and calls the handlers that want to know."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from robot.ros.duration import NANOSECONDS
from robot.ros.event_handler import (
    EventHandler,
    PublisherEventCallbacks,
    QoSPublisherEventType,
    QoSSubscriptionEventType,
    SubscriptionEventCallbacks,
)
from robot.ros.qos import LivelinessPolicy, QoSPolicyKind, limit_ns
from robot.ros.qos_watch import Watch

if TYPE_CHECKING:
    from robot.ros.entity import Entity
    from robot.ros.graph import Endpoint
    from robot.ros.scheduler import Scheduler
    from robot.ros.transport.frame import Frame

_PUBLISHER, _SUBSCRIPTION = QoSPublisherEventType, QoSSubscriptionEventType


def is_manual(endpoint: Endpoint) -> bool:
    """Tell whether a publisher has to say itself that it is alive, within its lease."""
    profile = endpoint.qos
    lease = limit_ns(profile.liveliness_lease_duration)
    return profile.liveliness == LivelinessPolicy.MANUAL_BY_TOPIC and lease is not None


class PublisherEvents:
    """Watches a publisher.

    Attributes:
        handlers: one for each callback.
        watching: `published` wants to be called.
    """

    def __init__(self, entity: Entity, callbacks: PublisherEventCallbacks) -> None:
        self.handlers = callbacks.create_event_handlers(entity.callback_group, entity, entity.endpoint.name)
        self._by_kind = {handler.event_type: handler for handler in self.handlers}
        self._watches: list[Watch] = []
        profile = entity.endpoint.qos
        deadline, lease = limit_ns(profile.deadline), limit_ns(profile.liveliness_lease_duration)
        missed = self._by_kind.get(_PUBLISHER.RCL_PUBLISHER_OFFERED_DEADLINE_MISSED)
        if deadline is not None and missed is not None:
            self._watches.append(Watch(entity.node, deadline, lambda: missed.tell(total_count=1)))
        lost = self._by_kind.get(_PUBLISHER.RCL_PUBLISHER_LIVELINESS_LOST)
        self._lease: Watch | None = None
        if lease is not None and lost is not None and is_manual(entity.endpoint):
            self._lease = Watch(entity.node, lease, lambda: lost.tell(total_count=1), once=True)
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
        handler = self._by_kind.get(_PUBLISHER.RCL_PUBLISHER_MATCHED)
        if handler is not None:
            handler.tell(**({"total_count": 1, "current_count": 1} if here else {"current_count": -1}))

    def on_incompatible(self, policy: QoSPolicyKind | None) -> None:
        qos = self._by_kind.get(_PUBLISHER.RCL_PUBLISHER_OFFERED_INCOMPATIBLE_QOS)
        _tell_incompatible(qos, self._by_kind.get(_PUBLISHER.RCL_PUBLISHER_INCOMPATIBLE_TYPE), policy)

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
    """

    def __init__(self, entity: Entity, callbacks: SubscriptionEventCallbacks) -> None:
        self._entity = entity
        self.handlers = callbacks.create_event_handlers(entity.callback_group, entity, entity.endpoint.name)
        self._by_kind = {handler.event_type: handler for handler in self.handlers}
        self._lost = self._by_kind.get(_SUBSCRIPTION.RCL_SUBSCRIPTION_MESSAGE_LOST)
        self._liveliness = self._by_kind.get(_SUBSCRIPTION.RCL_SUBSCRIPTION_LIVELINESS_CHANGED)
        missed = self._by_kind.get(_SUBSCRIPTION.RCL_SUBSCRIPTION_REQUESTED_DEADLINE_MISSED)
        deadline = limit_ns(entity.endpoint.qos.deadline)
        self._deadline: Watch | None = None
        if deadline is not None and missed is not None:
            self._deadline = Watch(entity.node, deadline, lambda: missed.tell(total_count=1))
        self._lock = threading.RLock()
        self._last: dict[bytes, int] = {}
        self._leases: dict[bytes, Watch] = {}
        self._alive: dict[bytes, bool] = {}
        self._lifespans: dict[bytes, float] = {}
        self.watching = bool(self._lost or self._deadline)

    def received(self, frame: Frame) -> None:
        """A message has come, in the order of its publisher."""
        if self._deadline is not None:
            self._deadline.feed()
        if self._lost is not None:
            before = self._last.get(frame.gid)
            self._last[frame.gid] = frame.sequence
            if before is not None and frame.sequence > before + 1:
                self._lost.tell(total_count=frame.sequence - before - 1)
        if self._leases:
            self.asserted(frame.gid)

    def lost(self) -> None:
        """A message was pushed out of the queue."""
        if self._lost is not None:
            self._lost.tell(total_count=1)

    def is_expired(self, frame: Frame, scheduler: Scheduler) -> bool:
        """Tell whether a message is older than its publisher wants it to get."""
        lifespan = self._lifespans.get(frame.gid) if self._lifespans else None
        return lifespan is not None and scheduler.now() - frame.stamp > lifespan

    def asserted(self, gid: bytes) -> None:
        """A publisher said that it is alive."""
        lease = self._leases.get(gid)
        if lease is not None:
            lease.feed()
            self._set_alive(gid, True)

    def on_matched(self, other: Endpoint, *, here: bool) -> None:
        handler = self._by_kind.get(_SUBSCRIPTION.RCL_SUBSCRIPTION_MATCHED)
        if handler is not None:
            handler.tell(**({"total_count": 1, "current_count": 1} if here else {"current_count": -1}))
        lifespan = limit_ns(other.qos.lifespan)
        if here and lifespan is not None:
            self._lifespans[other.gid] = lifespan / NANOSECONDS
        if not here:
            self._forget(other.gid)
            if self._deadline is not None and not self._entity.bus.matched(self._entity.endpoint):
                self._deadline.pause()
        elif self._liveliness is not None:
            if is_manual(other):
                lease = limit_ns(other.qos.liveliness_lease_duration) or 0
                watch = Watch(self._entity.node, lease, lambda: self._set_alive(other.gid, False), once=True)
                self._leases[other.gid] = watch
                self.watching = True
                watch.feed()
            with self._lock:
                self._alive[other.gid] = True
            self._liveliness.tell(alive_count=1)

    def _forget(self, gid: bytes) -> None:
        self._lifespans.pop(gid, None)
        self._last.pop(gid, None)
        watch = self._leases.pop(gid, None)
        if watch is not None:
            watch.close()
        with self._lock:
            alive = self._alive.pop(gid, None)
        if alive is not None and self._liveliness is not None:
            self._liveliness.tell(**({"alive_count": -1} if alive else {"not_alive_count": -1}))

    def _set_alive(self, gid: bytes, alive: bool) -> None:
        with self._lock:
            if self._alive.get(gid, alive) == alive:
                return
            self._alive[gid] = alive
        if self._liveliness is not None:
            change = 1 if alive else -1
            self._liveliness.tell(alive_count=change, not_alive_count=-change)

    def on_incompatible(self, policy: QoSPolicyKind | None) -> None:
        qos = self._by_kind.get(_SUBSCRIPTION.RCL_SUBSCRIPTION_REQUESTED_INCOMPATIBLE_QOS)
        _tell_incompatible(qos, self._by_kind.get(_SUBSCRIPTION.RCL_SUBSCRIPTION_INCOMPATIBLE_TYPE), policy)

    def close(self) -> None:
        if self._deadline is not None:
            self._deadline.close()
        for watch in self._leases.values():
            watch.close()
        for handler in self.handlers:
            handler.destroy()


def _tell_incompatible(qos: EventHandler | None, kind: EventHandler | None, policy: QoSPolicyKind | None) -> None:
    """Tell of a policy that does not fit, or of a type when there is none."""
    if policy is None:
        if kind is not None:
            kind.tell(total_count=1)
    elif qos is not None:
        qos.tell(total_count=1, last_policy_kind=policy)
