"""Topics that pass between this domain and Zenoh, both ways."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from robot.ros.bridge.door import Door
from robot.ros.bridge.instants import is_possible
from robot.ros.bridge.proxies import FarPublisher, Proxy, listener, twin
from robot.ros.bridge.zenoh_names import Attachment, ForeignError, key, read_attachment
from robot.ros.bus import HERE
from robot.ros.duration import NANOSECONDS
from robot.ros.graph import SUBSCRIPTION, Endpoint
from robot.ros.latecomer import Latecomer
from robot.ros.transport.frame import Buffer, Frame

log = logging.getLogger(__name__)

SOURCES_MAX = 256  # publishers elsewhere that are told apart on one topic
Topic = tuple[str, str, str]  # name, type, hash


def topic_of(endpoint: Endpoint) -> Topic:
    return endpoint.name, endpoint.type_name, endpoint.type_hash


class _Topic:
    """One topic that has publishers or subscriptions elsewhere."""

    def __init__(self) -> None:
        self.publishers: dict[str, FarPublisher] = {}  # by token
        self.sources: dict[bytes, FarPublisher] = {}  # by identifier
        self.wanted: dict[str, Endpoint] = {}  # subscriptions, by token

    def source(self, gid: bytes) -> FarPublisher | None:
        """Return who stands for a publisher; which of several it is, tokens do not tell: they are taken in turn."""
        found = self.sources.get(gid)
        if found is None and self.publishers:
            taken = set(map(id, self.sources.values()))
            every = list(self.publishers.values())
            found = next((one for one in every if id(one) not in taken), every[0])
            if len(self.sources) < SOURCES_MAX:
                self.sources[gid] = found
        return found


class Topics:
    """The topics of one bridge.

    Args:
        zenoh: the module, and an open session.
        refresh: takes note of endpoints of this domain that came just now.
        lock: held by whoever changes something.
    """

    def __init__(
        self, zenoh: Any, session: Any, domain: int, door: Door, *, refresh: Callable[[], None], lock: threading.RLock
    ) -> None:
        self._zenoh, self._session, self._domain, self._door = zenoh, session, domain, door
        self._refresh, self._lock = refresh, lock
        self._topics: dict[Topic, _Topic] = {}
        self._publishers: dict[bytes, tuple[Endpoint, Any]] = {}  # ours, at Zenoh
        self._listeners: dict[tuple[Topic, bool], Proxy] = {}
        self._subscribers: dict[Topic, Any] = {}

    # --- from here to there

    def offer(self, endpoint: Endpoint) -> None:
        """Publish at Zenoh what a publisher of this domain publishes."""
        where = key(self._domain, endpoint)
        if endpoint.qos.latched:
            made = self._zenoh.ext.declare_advanced_publisher(
                self._session,
                where,
                cache=self._zenoh.ext.CacheConfig(max_samples=endpoint.qos.limit or 1),
                publisher_detection=True,
            )
        else:
            made = self._session.declare_publisher(where)
        self._publishers[endpoint.gid] = endpoint, made

    def withdraw(self, gid: bytes) -> None:
        """A publisher of this domain has gone."""
        if gid in self._publishers:
            self._publishers.pop(gid)[1].undeclare()

    def _listen(self, name: Topic) -> None:
        """Hear on the bus what is wanted elsewhere."""
        topic = self._topics[name]
        for latched in (False, True):
            wanted = any(not latched or endpoint.qos.latched for endpoint in topic.wanted.values())
            known = self._listeners.get((name, latched))
            if wanted and known is None:
                like = next(iter(topic.wanted.values()))
                here = listener(like, self._door.new_gid(), "/_zenoh", latched=latched)
                self._listeners[name, latched] = proxy = Proxy(here, self._putter(name, latched=latched))
                self._door.add(proxy)
            elif known is not None and not wanted:
                self._door.remove(self._listeners.pop((name, latched)))

    def _putter(self, name: Topic, *, latched: bool) -> Callable[[Frame, Buffer, str], None]:
        latecomer = Latecomer(time.monotonic) if latched else None

        def put(frame: Frame, payload: Buffer, peer: str) -> None:
            if peer == HERE or not is_possible(frame.stamp):
                return  # it came from there, or cannot be written
            with self._lock:
                if frame.gid not in self._publishers:
                    self._refresh()
                if frame.gid not in self._publishers:
                    return
                publisher, _ = self._publishers[frame.gid]
                if not latched and publisher.qos.latched and (name, True) in self._listeners:
                    return  # the listener for what is kept hears it too
                admitted = [(frame, payload)]
                if latecomer is not None:
                    admitted = [*latecomer.overdue(), *latecomer.admit(frame, payload)]
                for one, octets in admitted:
                    if one.gid not in self._publishers:
                        continue  # it has gone meanwhile
                    stamp = round(one.stamp * NANOSECONDS)
                    attached = Attachment(sequence=one.sequence, stamp_ns=stamp, gid=one.gid).encode()
                    self._publishers[one.gid][1].put(bytes(octets), attachment=attached)

        return put

    # --- from there to here

    def subscribe(self, near: Iterable[Endpoint]) -> None:
        """Let Zenoh send what is wanted here and published there."""
        wanted = {topic_of(endpoint): endpoint for endpoint in near if endpoint.kind == SUBSCRIPTION}
        for name in self._subscribers.keys() - wanted.keys():
            self._subscribers.pop(name).undeclare()
        for name, endpoint in wanted.items():
            if name not in self._subscribers:
                self._subscribers[name] = self._zenoh.ext.declare_advanced_subscriber(
                    self._session,
                    key(self._domain, endpoint),
                    self._taker(name),
                    history=self._zenoh.ext.HistoryConfig(detect_late_publishers=True),
                    allowed_origin=self._zenoh.Locality.REMOTE,
                )

    def _taker(self, name: Topic) -> Callable[[Any], None]:
        def take(sample: Any) -> None:
            payload = sample.payload.to_bytes()
            attached = b"" if sample.attachment is None else sample.attachment.to_bytes()
            self._door.post(lambda: self._publish(name, payload, attached))

        return take

    def _publish(self, name: Topic, payload: bytes, attached: bytes) -> None:
        try:
            attachment = read_attachment(attached)
        except ForeignError as error:
            log.warning("dropped a message on %s: %s", name[0], error)
            return
        topic = self._topics.get(name)
        source = None if topic is None else topic.source(attachment.gid)
        if topic is None or source is None:
            log.warning("dropped a message on %s: nobody said that he publishes there", name[0])
            return
        source.publish_next(attachment.stamp_ns / NANOSECONDS, payload)

    def meet(self, text: str, endpoint: Endpoint, *, here: bool) -> None:
        """A publisher or subscription elsewhere has come or gone; `text` is its token."""
        topic = self._topics.setdefault(topic_of(endpoint), _Topic())
        if endpoint.kind == SUBSCRIPTION:
            if here:
                topic.wanted[text] = endpoint
            else:
                topic.wanted.pop(text, None)
            self._listen(topic_of(endpoint))
        elif here and text not in topic.publishers:
            topic.publishers[text] = proxy = FarPublisher(twin(endpoint, self._door.new_gid()), self._door.bus)
            self._door.add(proxy)
        elif not here and text in topic.publishers:
            gone = topic.publishers.pop(text)
            topic.sources = {gid: proxy for gid, proxy in topic.sources.items() if proxy is not gone}
            self._door.remove(gone)
