"""Receive the messages of a topic."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

from robot.ros.borrowed import finder
from robot.ros.cdr import CdrError
from robot.ros.content_filter import Predicate, compile_filter
from robot.ros.entity import Entity
from robot.ros.entity_handles import SubscriptionHandle
from robot.ros.event_handle import EventHandle
from robot.ros.event_handler import EventHandler, SubscriptionEventCallbacks
from robot.ros.exceptions import RCLError
from robot.ros.flow import WINDOW, Inflow, keeps_all
from robot.ros.graph import SUBSCRIPTION, Endpoint
from robot.ros.latecomer import Latecomer
from robot.ros.message_info import CallbackType, MessageInfo, PublisherGID, info_of, wants_info
from robot.ros.qos import QoSPolicyKind, QoSProfile
from robot.ros.qos_events import SubscriptionEvents
from robot.ros.subscription_content_filter_options import ContentFilterOptions
from robot.ros.transport.frame import PREFIX_SIZE, SIZE, Buffer, Frame, unpack
from robot.ros.type_names import (
    AsyncGenericSubscriptionCallback,
    GenericSubscriptionCallback,
    GenericSubscriptionCallbackUnion,
    MsgType,
    SubscriptionCallbackUnion,
)

if TYPE_CHECKING:
    from robot.ros.callback_groups import CallbackGroup
    from robot.ros.node import Node
    from robot.ros.task import Task

__all__ = [
    "KEPT_MAX",
    "AsyncGenericSubscriptionCallback",
    "BaseSubscription",
    "GenericSubscriptionCallback",
    "GenericSubscriptionCallbackUnion",
    "MessageInfo",
    "MsgType",
    "PublisherGID",
    "RCLError",
    "Subscription",
    "SubscriptionCallbackUnion",
    "wants_info",
]

log = logging.getLogger(__name__)

KEPT_MAX = 10_000  # messages that wait with history KEEP_ALL


def _header(frame: Frame | bytes) -> Frame:
    return frame if isinstance(frame, Frame) else unpack(frame)[0]


class Subscription(Entity):
    """A subscription, made by `Node.create_subscription`, or around a handle made by hand.

    Messages wait in a queue of the profile's depth; when it is full the oldest is lost. With `raw` the callback gets
    the encoded bytes.
    """

    CallbackType: ClassVar[type[Enum]] = CallbackType
    kind = SUBSCRIPTION
    handle_class = SubscriptionHandle
    _events: SubscriptionEvents

    def __init__(  # noqa: PLR0917
        self,
        subscription_impl: Node | SubscriptionHandle,
        msg_type: Any,
        topic: str,
        callback: Callable[..., Any],
        callback_group: CallbackGroup | None,
        qos_profile: QoSProfile,
        raw: bool = False,
        event_callbacks: SubscriptionEventCallbacks | None = None,
        *,
        content_filter: ContentFilterOptions | None = None,
    ) -> None:
        if isinstance(subscription_impl, SubscriptionHandle):
            self.callback, self.raw = callback, raw
            self._adopt(callback_group)
            self._events.call_back(event_callbacks or SubscriptionEventCallbacks(use_default_callbacks=False))
            return
        node = subscription_impl
        super().__init__(node, msg_type, topic, qos_profile, callback_group)
        self.msg_type = msg_type
        self.topic = topic
        self.callback = callback
        self.raw = raw
        self.lost = 0
        self._queue: deque[tuple[Frame, Buffer] | bytes] = deque()  # bytes: a whole frame, not read yet
        self._taker = self._take
        self._lock = threading.RLock()
        self._limit = qos_profile.limit or KEPT_MAX
        self._keepers: set[bytes] = set()  # publishers that wait for this subscription
        scheduler, prefix = node._ros_scheduler, self.endpoint.gid[:PREFIX_SIZE]
        self._latecomer = Latecomer(scheduler.monotonic) if qos_profile.latched else None
        self._looks_for_late = False
        self._inflow = (
            Inflow(self._tell_taken, scheduler.monotonic, self._later, prefix) if keeps_all(qos_profile) else None
        )
        self._filter: Predicate | None = None
        self._filter_options = ContentFilterOptions("", [])
        if content_filter is not None:
            self.set_content_filter(*content_filter)
        self._events = SubscriptionEvents(self)
        self._events.call_back(event_callbacks or SubscriptionEventCallbacks())

    @property
    def topic_name(self) -> str:
        with self.handle:
            return self.endpoint.name

    @property
    def callback(self) -> Callable[..., Any]:
        return self._callback

    @callback.setter
    def callback(self, callback: Callable[..., Any]) -> None:
        self._wants_info = wants_info(callback)
        self._callback = callback

    @property
    def _callback_type(self) -> Enum:
        return CallbackType.WithMessageInfo if self._wants_info else CallbackType.MessageOnly

    @property
    def is_cft_enabled(self) -> bool:
        return self._filter is not None

    def set_content_filter(self, filter_expression: str, expression_parameters: Sequence[str]) -> None:
        """Take only messages that pass from here on; an empty expression lets all pass.

        Raises:
            RCLError: the expression cannot be read.
        """
        parameters = list(expression_parameters)
        self._filter = compile_filter(filter_expression, parameters) if filter_expression else None
        self._filter_options = ContentFilterOptions(filter_expression, parameters)

    def get_content_filter(self) -> ContentFilterOptions:
        return self._filter_options

    def _passes(self, payload: Buffer) -> bool:
        """Tell whether the filter lets a message pass; what cannot be decoded is dropped later, with a word."""
        try:
            return self._filter is None or self._filter(self.msg_type._decode(payload))
        except CdrError:
            return True

    @property
    def event_handlers(self) -> list[EventHandler[Any]]:
        return self._events.handlers

    def watch_event(self, handle: EventHandle) -> None:
        self._events.watch(handle)

    def on_matched(self, other: Endpoint, here: bool) -> None:
        if self._latecomer is not None:
            with self._lock:
                self._latecomer.matched(other.gid, here=here)
        if self._inflow is not None:
            if not here:
                self._keepers.discard(other.gid)
                self._inflow.forget(other.gid)
            elif keeps_all(other.qos):
                self._keepers.add(other.gid)
                self._limit = max(self._limit, len(self._keepers) * WINDOW)  # or what they may be ahead were lost
        self._events.on_matched(other, here=here)

    def on_incompatible(self, other: Endpoint, policy: QoSPolicyKind | None) -> None:
        self._events.on_incompatible(policy)

    def on_asserted(self, gid: bytes) -> None:
        self._events.asserted(gid)

    def _release(self) -> None:
        self._events.close()
        if self._inflow is not None:
            self._inflow.close()
        super()._release()

    def deliver(self, frame: Frame, payload: Buffer, peer: str) -> None:
        if self._latecomer is None:
            self._take_in(frame, payload)
            return
        with self._lock:
            for admitted in self._latecomer.admit(frame, payload):
                self._take_in(*admitted)
            self._look_for_late()

    def _look_for_late(self) -> None:
        """See to it that no message waits for ever for one that was dropped on its way."""
        until = None if self._latecomer is None else self._latecomer.waits_until
        if until is not None and not self._looks_for_late:
            self._looks_for_late = True
            self._later(self._pass_overdue, until - self.node._ros_scheduler.monotonic())

    def _pass_overdue(self) -> None:
        with self._lock:
            self._looks_for_late = False
            if self._latecomer is None or self.destroyed:
                return
            for overdue in self._latecomer.overdue():
                self._take_in(*overdue)
            self._look_for_late()

    def _later(self, call: Callable[[], None], delay: float) -> None:
        self.node._ros_scheduler.post(call, delay=max(delay, 1e-6))
        self.bus.pump.news()

    def arrive(self, frames: Sequence[bytes]) -> None:
        if self._latecomer is not None or self._filter is not None or self._events.watching:
            for data in frames:
                frame, _, payload = unpack(data)
                self.deliver(frame, payload, frame.gid[:8].hex())
            return
        self._queue.extend(frames)
        self._tell(len(frames))

    def _tell(self, count: int) -> None:
        """Have the callback run for so many messages that have come, fewer where the queue held too many."""
        over = len(self._queue) - self._limit
        if over > 0:
            count -= self._lose(over)
            if count <= 0:
                return
        if self.by_hand:
            self.came(count)
            return
        if self.on_new is not None:
            self.on_new(count)
        self.node._ros_dispatch(self, self._taker, count)

    def _lose(self, count: int) -> int:
        with self._lock, contextlib.suppress(IndexError):  # somebody may be taking
            for _ in range(count):
                self._queue.popleft()
                self.lost += 1
                self._events.lost()
        return count

    def _take_in(self, frame: Frame, payload: Buffer) -> None:
        if self._events.watching:
            self._events.received(frame)
        if self._filter is not None and not self._passes(payload):
            if self._inflow is not None:
                self._count(self._inflow, frame)
            return
        self._queue.append((frame, payload))
        self._tell(1)

    def _take(self) -> Task[Any] | None:
        """Take a message and run the callback with it."""
        try:
            item = self._queue.popleft()
        except IndexError:
            return None
        if (
            not (self._wants_info or self.raw or self._events.lifespans or self.destroyed) and self._inflow is None
        ):  # nearly always
            try:
                decode = self.msg_type._decode
                message = decode(item, SIZE) if item.__class__ is bytes else decode(item[1])
            except CdrError as error:
                self._refuse(item if isinstance(item, bytes) else item[0], error)
                return None
            outcome = self._callback(message)
            return None if outcome is None else self.node._ros_follow(outcome)
        taken = self._open(item, raw=self.raw)
        if taken is None:
            return None
        if self._wants_info:
            return self.node._ros_run(self._callback, taken[0], self._info(taken[1]))
        return self.node._ros_run(self._callback, taken[0])

    def _refuse(self, frame: Frame | bytes, error: CdrError) -> None:
        log.warning("%s: dropped message %d: %s", self.endpoint.name, _header(frame).sequence, error)

    @staticmethod
    def _count(inflow: Inflow, whole: Frame | bytes) -> None:
        frame = _header(whole)
        inflow.took(frame.gid, frame.sequence)

    def _tell_taken(self, publisher: bytes, sequence: int) -> None:
        self.bus.tell_taken(self.endpoint.gid, publisher, sequence)

    def take(self) -> Any | None:
        """Take the next message, which the callback does not get then; None when there is none."""
        taken = self._pop(raw=self.raw)
        return None if taken is None else taken[0]

    def has_message(self) -> bool:
        return bool(self._queue)

    def waiting(self) -> int:
        return len(self._queue)

    def take_with_info(self, *, raw: bool) -> tuple[Any, MessageInfo] | None:
        """Take the next message, or its bytes, and what is known of it; None when there is none."""
        taken = self._pop(raw=raw)
        return None if taken is None else (taken[0], self._info(taken[1]))

    def _pop(self, *, raw: bool) -> tuple[Any, Frame | bytes] | None:
        """Take the next message and its frame, which is whole when nobody has read it yet."""
        try:
            return self._open(self._queue.popleft(), raw=raw)
        except IndexError:
            return None

    def _open(self, item: tuple[Frame, Buffer] | bytes, *, raw: bool) -> tuple[Any, Frame | bytes] | None:
        """Decode what was taken from the queue; None when it is too old or damaged."""
        if self.destroyed:
            return None
        if self._inflow is not None:
            self._count(self._inflow, item[0] if isinstance(item, tuple) else item)
        frame: Frame | bytes
        payload: Buffer
        if isinstance(item, bytes):
            frame, payload, start = item, item, SIZE
        else:
            frame, payload = item
            start = 0
        if self._events.lifespans and self._events.is_expired(_header(frame), self.node._ros_scheduler):
            return None
        if raw:
            return bytes(payload[start:]), frame
        try:
            return self.msg_type._decode(payload, start), frame
        except CdrError as error:
            self._refuse(frame, error)
            return None

    def _info(self, whole: Frame | bytes) -> MessageInfo:
        return info_of(_header(whole), self.node._ros_scheduler.now())

    def get_publisher_count(self) -> int:
        self.check()
        return self.bus.matched(self.endpoint)


BaseSubscription = Subscription

if not TYPE_CHECKING:
    __getattr__ = finder(__name__)
