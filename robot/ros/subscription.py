"""Receive the messages of a topic."""

from __future__ import annotations

import inspect
import logging
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from robot.ros.callback_groups import ReentrantCallbackGroup
from robot.ros.cdr import CdrError
from robot.ros.duration import NANOSECONDS
from robot.ros.entity import Entity
from robot.ros.graph import SUBSCRIPTION
from robot.ros.qos import QoSProfile
from robot.ros.transport.frame import Buffer, Frame

if TYPE_CHECKING:
    from robot.ros.callback_groups import CallbackGroup
    from robot.ros.node import Node
    from robot.ros.task import Future, Task

log = logging.getLogger(__name__)


def wants_info(callback: Callable[..., Any]) -> bool:
    """Tell whether a callback takes the message's information as a second argument."""
    try:
        parameters = inspect.signature(callback).parameters.values()
    except ValueError:
        return False
    needed = [p for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return len(needed) >= 2


class Subscription(Entity):
    """A subscription, made by `Node.create_subscription`.

    Messages wait in a queue of the profile's depth; when it is full the oldest is lost. While a coroutine of the last
    message still awaits something the next one waits too, unless the callback group is reentrant. With `raw` the
    callback gets the encoded bytes.
    """

    kind = SUBSCRIPTION

    def __init__(  # noqa: PLR0917
        self,
        node: Node,
        msg_type: Any,
        topic: str,
        callback: Callable[..., Any],
        qos_profile: QoSProfile,
        callback_group: CallbackGroup | None = None,
        *,
        raw: bool = False,
    ) -> None:
        super().__init__(node, msg_type, topic, qos_profile, callback_group)
        self.msg_type = msg_type
        self.callback = callback
        self.raw = raw
        self.lost = 0
        self._wants_info = wants_info(callback)
        self._queue: deque[tuple[Frame, Buffer]] = deque()
        self._limit = qos_profile.limit
        self._latched = qos_profile.latched
        self._seen: dict[bytes, int] = {}
        self._task: Task[Any] | None = None

    @property
    def topic_name(self) -> str:
        return self.endpoint.name

    def deliver(self, frame: Frame, payload: Buffer, peer: str) -> None:
        if self._latched:
            if frame.sequence <= self._seen.get(frame.gid, 0):
                return
            self._seen[frame.gid] = frame.sequence
        if self._limit is not None and len(self._queue) >= self._limit:
            self._queue.popleft()
            self._queue.append((frame, payload))
            self.lost += 1
            return
        self._queue.append((frame, payload))
        self.node.post(self._take)

    def _take(self) -> None:
        if self.destroyed or not self._queue or self._task is not None:
            return
        frame, payload = self._queue.popleft()
        if self.raw:
            message: Any = bytes(payload)
        else:
            try:
                message = self.msg_type._decode(payload)
            except CdrError as error:
                log.warning("%s: dropped message %d: %s", self.topic_name, frame.sequence, error)
                return
        del payload
        arguments = (message, self._info(frame)) if self._wants_info else (message,)
        task = self.node.run(self.callback, *arguments)
        if task is not None and not isinstance(self.callback_group, ReentrantCallbackGroup):
            self._task = task
            task.add_done_callback(self._go_on)

    def _go_on(self, ended: Future[Any]) -> None:
        self._task = None
        for _ in range(len(self._queue)):
            self.node.post(self._take)
        if not ended.cancelled():
            ended.result()  # an exception of the callback comes out here

    def _info(self, frame: Frame) -> dict[str, int | None]:
        return {
            "source_timestamp": round(frame.stamp * NANOSECONDS),
            "received_timestamp": round(self.node.scheduler.now() * NANOSECONDS),
            "publication_sequence_number": frame.sequence,
            "reception_sequence_number": None,
        }

    def get_publisher_count(self) -> int:
        self.check()
        return self.bus.matched(self.endpoint)
