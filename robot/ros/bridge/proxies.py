"""Stand-ins on this domain's bus for endpoints that live elsewhere."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

from robot.ros.bus import Bus
from robot.ros.graph import SUBSCRIPTION, Endpoint
from robot.ros.qos import DurabilityPolicy, HistoryPolicy, QoSPolicyKind, QoSProfile, ReliabilityPolicy
from robot.ros.transport.frame import DATA, HISTORY, PRESENT, Buffer, Frame, unpack

Deliver = Callable[[Frame, Buffer, str], None]
Give = Callable[[Frame, Buffer], None]
DEPTH = 1000  # messages kept for late subscriptions, at most


class Proxy:
    """An endpoint whose messages somebody else takes.

    Args:
        deliver: takes frame, payload and the peer each came from.
    """

    def __init__(self, endpoint: Endpoint, deliver: Deliver) -> None:
        self.endpoint = endpoint
        self.deliver = deliver

    def replay(self, subscription: bytes, give: Give) -> None:
        """Give a late subscription what was kept for it, which is nothing."""

    def arrive(self, frames: Sequence[bytes]) -> None:
        """Take whole frames of DATA."""
        for data in frames:
            frame, _, payload = unpack(data)
            self.deliver(frame, payload, frame.gid[:8].hex())

    def on_matched(self, other: Endpoint, here: bool) -> None:
        """An endpoint that fits has come, or gone."""

    def on_incompatible(self, other: Endpoint, policy: QoSPolicyKind | None) -> None:
        """One has come that does not fit."""

    def on_asserted(self, gid: bytes) -> None:
        """A publisher said that it is alive."""

    def on_taken(self, subscription: bytes, sequence: int) -> None:
        """A subscription that keeps all messages has taken them up to this one."""


class Listener(Proxy):
    """A subscription that passes on what it hears, and that publishers say they are alive."""

    def __init__(self, endpoint: Endpoint, deliver: Deliver, asserted: Callable[[bytes], None]) -> None:
        super().__init__(endpoint, deliver)
        self._asserted = asserted

    def on_asserted(self, gid: bytes) -> None:
        self._asserted(gid)


class FarPublisher(Proxy):
    """Publishes here what a publisher elsewhere has published, and keeps what a late subscription is to get."""

    def __init__(self, endpoint: Endpoint, bus: Bus) -> None:
        super().__init__(endpoint, _nothing)
        self._bus = bus
        self._lock = threading.RLock()
        self._sequence, self._stamp = 0, 0.0
        self._kept: deque[tuple[Frame, Buffer]] = deque(maxlen=min(endpoint.qos.limit or DEPTH, DEPTH))

    def replay(self, subscription: bytes, give: Give) -> None:
        gid = self.endpoint.gid
        with self._lock:  # nothing is published in between
            for frame, payload in self._kept:
                give(Frame(HISTORY, gid, frame.sequence, frame.stamp, subscription), payload)
            give(Frame(PRESENT, gid, self._sequence, self._stamp, subscription), b"")

    def publish(self, sequence: int, stamp: float, payload: Buffer) -> None:
        """Publish a message with the number and the instant [epoch s] it had, unless that or a newer one was."""
        frame = Frame(kind=DATA, gid=self.endpoint.gid, sequence=sequence, stamp=stamp)
        with self._lock:
            if sequence <= self._sequence:
                return
            self._sequence, self._stamp = sequence, stamp
            if self.endpoint.qos.latched:
                self._kept.append((frame, payload))
            self._bus.publish(self.endpoint.gid, frame, payload)

    def publish_next(self, stamp: float, payload: Buffer) -> None:
        """Publish a message with the number that follows; called by one thread at a time."""
        self.publish(self._sequence + 1, stamp, payload)


def _nothing(frame: Frame, payload: Buffer, peer: str) -> None:
    """Stand for what a publisher would get."""


def listening_profile(*, latched: bool) -> QoSProfile:
    """Return a profile that matches every publisher, or with `latched` those that keep their messages."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_ALL,
        reliability=ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def listener(like: Endpoint, gid: bytes, node: str, *, latched: bool) -> Endpoint:
    """Return a subscription to the topic of another endpoint, of its type."""
    return Endpoint(
        kind=SUBSCRIPTION,
        gid=gid,
        name=like.name,
        type_name=like.type_name,
        type_hash=like.type_hash,
        node=node,
        qos=listening_profile(latched=latched),
    )


def twin(like: Endpoint, gid: bytes) -> Endpoint:
    """Return an endpoint like another, with a gid of this domain."""
    return Endpoint(
        kind=like.kind,
        gid=gid,
        name=like.name,
        type_name=like.type_name,
        type_hash=like.type_hash,
        node=like.node,
        qos=like.qos,
    )
