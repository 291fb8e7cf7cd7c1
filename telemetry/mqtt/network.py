"""The MQTT client of real processes: paho, driven by its owner's thread; QoS 1 outlives a broker that goes away.

Each connection has a `Link` of its own, so nothing of a broken one is left: what was not acknowledged waits in our
queue, and acknowledging a message that an older connection brought does nothing (its packet id may mean another one by
now; the broker redelivers).
"""

from __future__ import annotations

import logging
import select
import ssl
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from telemetry.mqtt import Handler, MakeWill
from telemetry.mqtt.connection import Link, LinkSettings, OpenLink, Outgoing, Received
from telemetry.mqtt.filters import check_filter, check_size, check_topic, matches
from telemetry.mqtt.link import PahoLink
from telemetry.mqtt.probe import Probe
from telemetry.mqtt.retry import Retry
from telemetry.mqtt.unheard import Unheard

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """How a client connects and what it keeps.

    Attributes:
        queue_limit: QoS 1 messages kept while the broker is away; the oldest gives way.
        window: QoS 1 messages on their way at once; a broker that allows fewer is obeyed.
        keepalive_s: the broker is asked for a sign of life after so long a silence; longer than `replay_s`, so that
            one such sign tells that what was acknowledged last is safe.
        replay_s: messages are sent again after a lost connection unless the broker was alive so long after it had
            acknowledged them: a killed mosquitto has acknowledged what it has not written yet, and may be dead for
            long before that is noticed. Receivers drop what they know. Five times its autosave interval.
        retry_min_s, retry_max_s: pause between attempts to connect, doubling [s].
        session_s: how long the broker keeps the session of a client that is away [s].
        username, password: of this client; empty = none.
        tls: of a secure connection; None = plain TCP, for this machine or a network of one's own.
    """

    keepalive_s: int = 12
    connect_s: float = 5.0
    queue_limit: int = 100_000
    window: int = 200
    replay_s: float = 10.0
    retry_min_s: float = 0.1
    retry_max_s: float = 5.0
    session_s: int = 14 * 86400
    username: str = ""
    password: str = field(default="", repr=False)
    tls: ssl.SSLContext | None = None


class NetworkClient:
    """A `Client` over TCP: MQTT 5, or 3.1.1 where the broker knows no better.

    Args:
        client_id: stable over restarts; the broker keeps the session under it.
        will: published by the broker when this client is gone without a word.
        clean: begin and end without a session: nothing is kept while away.
        manual_ack: redeliver until the handler's message is acknowledged; otherwise it is when the handlers returned.
        open_link: makes each connection; ingest receives over one of its own.
    """

    def __init__(
        self,
        host: str,
        port: int,
        client_id: str,
        *,
        will: MakeWill | None = None,
        clean: bool = False,
        manual_ack: bool = False,
        settings: NetworkSettings | None = None,
        open_link: OpenLink = PahoLink,
    ) -> None:
        self._open_link = open_link
        self._settings = settings or NetworkSettings()
        self._link_settings = LinkSettings(
            host=host,
            port=port,
            client_id=client_id,
            will=will,
            clean=clean,
            keepalive_s=self._settings.keepalive_s,
            session_s=self._settings.session_s,
            username=self._settings.username,
            password=self._settings.password,
            tls=self._settings.tls,
        )
        self._manual_ack = manual_ack
        self._handlers: dict[str, tuple[int, Handler]] = {}
        self._left: list[str] = []
        self._routes: dict[str, list[Handler]] = {}
        self._on_connect: list[Callable[[], None]] = []
        self._queue: deque[Outgoing] = deque()
        self._acknowledged: deque[tuple[float, Outgoing]] = deque()
        self._unheard = Unheard()
        self._probe: Probe | None = None
        self._link: Link | None = None
        self._ready = False
        self._retry = Retry(self._settings.retry_min_s, self._settings.retry_max_s)
        self._answer_s = 1.0
        self._dropped = 0
        self._settled = False
        self._told_away = False
        self._closed = False
        self._turning = False

    @property
    def connected(self) -> bool:
        return self._ready

    @property
    def dropped(self) -> int:
        return self._dropped

    @property
    def protocol(self) -> str:
        """Return the protocol in use: `5` or `3.1.1`."""
        return "5" if self._link_settings.version5 else "3.1.1"

    def fileno(self) -> int:
        """Return the socket that wakes `loop`, for a poller; -1 while there is none."""
        return self._link.fileno() if self._link is not None else -1

    def subscribe(self, topic_filter: str, handler: Handler, *, qos: int = 1) -> None:
        check_filter(topic_filter)
        self._handlers[topic_filter] = (qos, handler)
        self._left = [left for left in self._left if left != topic_filter]
        self._routes.clear()
        if self._ready and self._link is not None:
            self._link.subscribe([(topic_filter, qos)])

    def unsubscribe(self, topic_filter: str) -> None:
        check_filter(topic_filter)
        self._handlers.pop(topic_filter, None)
        self._routes.clear()
        self._left.append(topic_filter)
        if self._ready and self._link is not None:
            self._link.unsubscribe([topic_filter])

    def on_connect(self, callback: Callable[[], None]) -> None:
        self._on_connect.append(callback)
        if self._ready:
            callback()

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 0,
        retain: bool = False,
        done: Callable[[], None] | None = None,
        refused: Callable[[], None] | None = None,
    ) -> None:
        check_topic(topic)
        check_size(payload)
        message = Outgoing(topic=topic, payload=payload, retain=retain, done=done, refused=refused)
        if qos == 0:
            if self._ready and self._link is not None:
                self._link.publish_once(message)
                self._send_now(self._link)
            return
        if self.unacknowledged() >= self._settings.queue_limit and self._queue:
            self._queue.popleft()
            self._dropped += 1
            if self._dropped == 1:
                log.warning("queue of %d messages is full: the oldest give way", self._settings.queue_limit)
        self._queue.append(message)
        self._pump()
        if self._link is not None:
            self._send_now(self._link)

    def _send_now(self, link: Link) -> None:
        """Let nothing wait for the next turn, unless this is one: what handlers publish leaves together at its end."""
        if not self._turning:
            link.flush()

    def unacknowledged(self) -> int:
        return len(self._unheard) + self._moving()

    def _moving(self) -> int:
        """Return how many messages the broker has not answered."""
        return len(self._queue) + (len(self._link.sent) if self._link is not None else 0)

    def loop(self, timeout: float) -> int:
        """Connect when due, wait at most `timeout` [s] for the network, call handlers; return how many came."""
        link = self._link
        if link is None:
            self._connect(timeout)
            return 0
        self._turning = True
        try:
            return self._turn(link, timeout)
        finally:
            self._turning = False

    def _turn(self, link: Link, timeout: float) -> int:
        link.turn(timeout)
        if link.accepted and not self._ready:
            self._begin(link)
        if self._ready:
            self._note_acknowledged(link)
            self._queue.extendleft(reversed(self._unheard.take_due(time.monotonic())))
            self._pump()
        count = self._dispatch(link)
        link.flush()
        if link.broken and self._link is link:
            self._lose(link)
        return count

    def close(self, *, timeout: float = 1.0) -> None:
        """Send what waits, for at most `timeout` [s], and disconnect with a word: no will is published.

        What was acknowledged a moment ago is not `done`: nobody sends it again if the broker is killed now.
        """
        deadline = time.monotonic() + timeout
        while self._ready and self._moving() and time.monotonic() < deadline:
            self.loop(0.02)
        self._closed = True
        self._acknowledged.clear()
        if self._probe is not None:
            self._probe.close()
            self._probe = None
        if self._link is not None:
            self._link.close()
        self._link = None
        self._ready = False

    def _connect(self, timeout: float) -> None:
        now = time.monotonic()
        pause = timeout if self._closed else min(timeout, self._retry.left(now))
        if self._closed or self._retry.left(now) > 0.0:
            select.select([], [], [], max(0.0, pause))
            return
        if self._probe is None:
            self._probe = Probe(self._link_settings.host, self._link_settings.port, now + self._settings.connect_s)
        reachable = self._probe.wait(timeout)
        if reachable is None:
            return
        probe, self._probe = self._probe, None
        if not reachable:
            probe.close()
            self._retry.failed(time.monotonic())
            self._tell_away(probe.why or "no answer")
            return
        answer_s = self._settings.connect_s if self._settled else min(self._settings.connect_s, self._answer_s)
        self._link = self._open_link(self._link_settings, probe.take(), answer_s)

    def _tell_away(self, why: str) -> None:
        """Say once that there is no broker; the next time after one was there."""
        settings = self._link_settings
        if not self._told_away:
            log.warning("no broker at %s:%d (%s): trying until one answers", settings.host, settings.port, why)
        self._told_away = True

    def _begin(self, link: Link) -> None:
        self._told_away = False
        self._ready = True
        self._settled = True
        self._retry.begun(time.monotonic())
        if self._left:
            link.unsubscribe(self._left)
        if self._handlers:
            link.subscribe([(topic_filter, qos) for topic_filter, (qos, _) in self._handlers.items()])
        log.info("%s connected to %s:%d", link.settings.client_id, link.settings.host, link.settings.port)
        for callback in list(self._on_connect):
            callback()

    def _lose(self, link: Link) -> None:
        self._note_acknowledged(link)
        again = [message for _, message in self._acknowledged]
        self._acknowledged.clear()
        self._queue.extendleft(reversed([*again, *self._unheard.take_all(), *link.sent.values()]))
        if self._ready:
            log.warning("%s lost its connection, %d messages wait", link.settings.client_id, len(self._queue))
        elif link.refused_version and not self._settled:
            # A broker that knows only 3.1.1 may keep silent: be quick at first, patient for slow networks later.
            self._answer_s *= 1.0 if self._link_settings.version5 else 2.0
            self._link_settings = replace(self._link_settings, version5=not self._link_settings.version5)
            log.info("%s: no answer, trying MQTT %s", link.settings.client_id, self.protocol)
        if self._ready:
            self._retry.ended(time.monotonic())
            if self._retry.short_lives == 3:
                log.error("%s: connections break soon; has another program this client id?", link.settings.client_id)
        else:
            self._retry.failed(time.monotonic())
        self._ready = False
        self._link = None
        link.drop()

    def _pump(self) -> None:
        link = self._link
        if link is None or not self._ready:
            return
        room = min(self._settings.window, link.window) - len(link.sent)
        while room > 0 and self._queue and link.send(self._queue[0]):
            self._queue.popleft()
            room -= 1

    def _note_acknowledged(self, link: Link) -> None:
        now = time.monotonic()
        if any(message.done is not None for message in link.acknowledged):
            self._unheard.heard()
        if link.unheard:
            self._unheard.add(link.unheard, now)
            link.unheard.clear()
        while link.acknowledged:
            self._acknowledged.append((now, link.acknowledged.popleft()))
        while link.refused:
            message = link.refused.popleft()
            if message.refused is not None:
                message.refused()
        kept = self._acknowledged
        while kept and (link.alive_at - kept[0][0] > self._settings.replay_s or len(kept) > self._settings.queue_limit):
            _, message = kept.popleft()
            if message.done is not None:
                message.done()

    def _dispatch(self, link: Link) -> int:
        count = 0
        while link.received and self._link is link:
            message = link.received.popleft()
            count += 1
            self._handle(message)
        return count

    def _handle(self, message: Received) -> None:
        handlers = self._routes.get(message.topic)
        if handlers is None:
            handlers = [handler for wanted, (_, handler) in self._handlers.items() if matches(wanted, message.topic)]
            if len(self._routes) >= 4096:
                self._routes.clear()
            self._routes[message.topic] = handlers
        for handler in handlers:
            handler(message)
        if not self._manual_ack or not handlers:
            message.ack()
