"""Publish messages on a topic."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from robot.ros.entity import Entity
from robot.ros.graph import PUBLISHER
from robot.ros.qos import QoSProfile
from robot.ros.transport.frame import DATA, Buffer, Frame, Split, whole

if TYPE_CHECKING:
    from robot.ros.callback_groups import CallbackGroup
    from robot.ros.node import Node

SPLIT_FROM = 32 * 1024  # bytes of the last field; below, one piece is faster


class Publisher(Entity):
    """A publisher, made by `Node.create_publisher`. A transient-local one keeps its last `depth` messages."""

    kind = PUBLISHER

    def __init__(
        self,
        node: Node,
        msg_type: Any,
        topic: str,
        qos_profile: QoSProfile,
        callback_group: CallbackGroup | None = None,
    ) -> None:
        super().__init__(node, msg_type, topic, qos_profile, callback_group)
        self.msg_type = msg_type
        self.topic = topic
        self._sequence = 0
        self._lock = threading.RLock()
        self._tail: str = msg_type._TAIL
        self._kept: deque[tuple[Frame, Buffer]] | None = (
            deque(maxlen=qos_profile.limit) if qos_profile.latched else None
        )

    @property
    def topic_name(self) -> str:
        return self.endpoint.name

    @property
    def history(self) -> Sequence[tuple[Frame, Buffer]]:
        return () if self._kept is None else tuple(self._kept)

    def publish(self, msg: Any) -> None:
        """Send a message, or `bytes` that are one already encoded."""
        self.check()
        if isinstance(msg, self.msg_type):
            payload = self._encode(msg)
        elif isinstance(msg, bytes):
            payload = msg
        else:
            raise TypeError(f"{self.topic_name}: expected {self.msg_type._TYPE_NAME}, got {type(msg).__name__}")
        gid = self.endpoint.gid
        with self._lock:  # sequence numbers go out in their order
            self._sequence += 1
            frame = Frame(kind=DATA, gid=gid, sequence=self._sequence, stamp=self.node.scheduler.now())
            if self._kept is not None:
                self._kept.append((frame, whole(payload)))
            self.bus.publish(gid, frame, payload)

    def _encode(self, msg: Any) -> Buffer | Split:
        tail = self._tail
        if tail and len(octets := getattr(msg, tail)) >= SPLIT_FROM:
            return Split(self.msg_type._encode_head(msg), octets)
        encoded: bytearray = self.msg_type._encode(msg)
        return encoded

    def get_subscription_count(self) -> int:
        self.check()
        return self.bus.matched(self.endpoint)
