"""Publish messages on a topic."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from robot.ros import flow
from robot.ros.borrowed import finder
from robot.ros.cdr import HEADER
from robot.ros.duration import NANOSECONDS, Duration
from robot.ros.entity import Entity
from robot.ros.entity_handles import PublisherHandle
from robot.ros.event_handle import EventHandle
from robot.ros.event_handler import EventHandler, PublisherEventCallbacks
from robot.ros.exceptions import RCLError, ROSInterruptException
from robot.ros.graph import PUBLISHER, Endpoint
from robot.ros.loaned_message import LoanedMessage
from robot.ros.qos import QoSPolicyKind, QoSProfile, limit_ns
from robot.ros.qos_events import PublisherEvents
from robot.ros.transport.frame import DATA, GID_SIZE, HISTORY, PRESENT, SIZE, Buffer, Frame, Split, blank, fill, whole
from robot.ros.transport.shared import THRESHOLD
from robot.ros.type_names import MsgType  # noqa: F401

if TYPE_CHECKING:
    from robot.ros.callback_groups import CallbackGroup
    from robot.ros.node import Node

FOREVER = Duration(nanoseconds=-1)
SPLIT_FROM = 32 * 1024  # bytes of the last field; below, one piece is faster


class Publisher(Entity):
    """A publisher, made by `Node.create_publisher`, or around a handle made by hand.

    A transient-local one keeps its last `depth` messages.
    """

    kind = PUBLISHER
    handle_class = PublisherHandle
    msg_type: Any
    _events: PublisherEvents

    def __init__(  # noqa: PLR0917 (rclpy's order)
        self,
        publisher_impl: Node | PublisherHandle,
        msg_type: Any,
        topic: str,
        qos_profile: QoSProfile,
        event_callbacks: PublisherEventCallbacks | None = None,
        callback_group: CallbackGroup | None = None,
    ) -> None:
        if isinstance(publisher_impl, PublisherHandle):
            self._adopt(callback_group)
            self._events.call_back(event_callbacks or PublisherEventCallbacks(use_default_callbacks=False))
            return
        node = publisher_impl
        super().__init__(node, msg_type, topic, qos_profile, callback_group)
        self.msg_type = msg_type
        self.topic = topic
        self._sequence = 0
        self._gid = self.endpoint.gid
        self._blank = blank(self._gid) + HEADER
        self._lock = threading.RLock()
        self._tail: str = msg_type._TAIL
        self._now = node._ros_scheduler.now
        self._outflow = flow.Outflow() if flow.keeps_all(qos_profile) else None
        self._kept: deque[tuple[Frame, Buffer]] | None = (
            deque(maxlen=qos_profile.limit) if qos_profile.latched else None
        )
        self._lifespan = limit_ns(qos_profile.lifespan)
        self._events = PublisherEvents(self)
        self._events.call_back(event_callbacks or PublisherEventCallbacks())

    @property
    def topic_name(self) -> str:
        with self.handle:
            return self.endpoint.name

    def replay(self, subscription: bytes, give: Callable[[Frame, Buffer], None]) -> None:
        """Give a late subscription what is kept and not older than the profile's lifespan, and say that this is all.

        Args:
            subscription: its gid.
        """
        gid, oldest = self.endpoint.gid, 0.0
        with self._lock:  # nothing is published in between
            if self._lifespan is not None:
                oldest = self.node._ros_scheduler.now() - self._lifespan / NANOSECONDS
            for frame, payload in self._kept or ():
                if frame.stamp >= oldest:
                    give(Frame(HISTORY, gid, frame.sequence, frame.stamp, subscription), payload)
            give(Frame(PRESENT, gid, self._sequence, self.node._ros_scheduler.now(), subscription), b"")

    @property
    def event_handlers(self) -> list[EventHandler[Any]]:
        return self._events.handlers

    def watch_event(self, handle: EventHandle) -> None:
        self._events.watch(handle)

    def on_matched(self, other: Endpoint, here: bool) -> None:
        self._events.on_matched(here=here)
        if self._outflow is not None and not here:
            self._outflow.forget(other.gid)

    def on_incompatible(self, other: Endpoint, policy: QoSPolicyKind | None) -> None:
        self._events.on_incompatible(policy)

    def assert_liveliness(self) -> None:
        """Say that this publisher is alive, where its profile's liveliness is MANUAL_BY_TOPIC."""
        self.check()
        self._events.asserted()
        self.bus.assert_liveliness(self.endpoint.gid)

    def _release(self) -> None:
        self._events.close()
        super()._release()

    def publish(self, msg: Any) -> None:
        """Send a message, a borrowed one, or `bytes` that are one already encoded.

        A reliable publisher that keeps all messages waits while such a subscription is too far behind; in a callback,
        other callbacks run meanwhile, as far as their groups let them.

        Raises:
            RCLError: that took too long; the message is not sent.
            ROSInterruptException: the context was shut down meanwhile.
        """
        if self.destroyed:
            self.check()
        payload: Buffer | Split
        kind = self.msg_type
        if isinstance(msg, kind):
            if not self._tail or len(getattr(msg, self._tail)) < SPLIT_FROM:
                data = bytearray(self._blank)
                kind._encode_into(msg, data)
                if len(data) < THRESHOLD:
                    if self._outflow is not None and not self._has_room():
                        self._wait_for_room()
                    with self._lock:  # sequence numbers go out in their order
                        self._sequence = sequence = self._sequence + 1
                        stamp = self._now()
                        fill(data, GID_SIZE, sequence, stamp)
                        if self._kept is not None:
                            kept = Frame(DATA, self._gid, sequence, stamp), bytes(memoryview(data)[SIZE:])
                            self._kept.append(kept)
                        self.bus.publish_whole(self._gid, data, sequence, stamp)
                    if self._events.watching:
                        self._events.published()
                    return
                payload = memoryview(data)[SIZE:]
            else:
                payload = Split(kind._encode_head(msg), getattr(msg, self._tail))
        elif isinstance(msg, bytes):
            payload = msg
        elif isinstance(msg, LoanedMessage):
            message, loan = msg.hand_over(self)
            payload = Split(kind._encode_head(message), getattr(message, self._tail)) if loan is None else loan
        else:
            raise TypeError(f"{self.endpoint.name}: expected {self.msg_type._TYPE_NAME}, got {type(msg).__name__}")
        self._publish(payload)

    def _publish(self, payload: Buffer | Split) -> None:
        if self._outflow is not None and not self._has_room():
            self._wait_for_room()
        gid = self._gid
        with self._lock:  # sequence numbers go out in their order
            self._sequence += 1
            frame = Frame(DATA, gid, self._sequence, self._now())
            if self._kept is not None:
                self._kept.append((frame, whole(payload)))
            self.bus.publish(gid, frame, payload)
        if self._events.watching:
            self._events.published()

    @property
    def can_loan_messages(self) -> bool:
        """Tell whether messages of this type can be borrowed in shared memory: their last field is `uint8[]`."""
        return bool(self._tail) and not self.node.context.transport.external

    def borrow_loaned_message(self, size: int) -> LoanedMessage:
        """Borrow a message whose last field has `size` octets [B] for the caller to write, so that none are copied.

        They lie in ordinary memory when they are few or the publisher and its subscriptions hold too many already;
        subscriptions in this process and on other machines get copies. What the octets are at first is undefined.

        Raises:
            RCLError: the messages of this type do not end in `uint8[]`.
        """
        self.check()
        if not self._tail:
            raise RCLError(f"{self.msg_type._TYPE_NAME} does not end in uint8[]: publish an ordinary message")
        return LoanedMessage(self, size)

    def on_taken(self, subscription: bytes, sequence: int) -> None:
        if self._outflow is not None:
            self._outflow.on_taken(subscription, sequence)

    def _has_room(self) -> bool:
        keepers = self.bus.keepers(self.endpoint.gid)
        return self._outflow is None or self.destroyed or self._outflow.has_room(self._sequence, keepers)

    def _wait_for_room(self) -> None:
        if self.node.context.transport.external or self.node._ros_wait_working(self._has_room, flow.PATIENCE):
            self.check()
            return
        if not self.node.context.ok():
            raise ROSInterruptException
        raise RCLError(
            f"{self.endpoint.name}: {flow.WINDOW} messages wait at a subscription that keeps all, and it took none "
            f"for {flow.PATIENCE} s"
        )

    @property
    def is_heard(self) -> bool:
        """Tell whether any subscription gets what is published now."""
        return self.bus.is_heard(self.endpoint.gid)

    def wait_for_all_acked(self, timeout: Duration = FOREVER) -> bool:
        """Wait until every message has left for its subscriptions.

        What `publish` has sent is queued at each of them in order, or was counted as lost: there is no wait.

        Args:
            timeout: longest wait; negative = no limit.
        """
        self.check()
        return True

    def get_subscription_count(self) -> int:
        self.check()
        return self.bus.matched(self.endpoint)


BasePublisher = Publisher

if not TYPE_CHECKING:
    __getattr__ = finder(__name__)
