"""Services that pass between this domain and Zenoh, both ways: requests are queries there."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

from robot.ros.bridge.door import Door
from robot.ros.bridge.proxies import Proxy, twin
from robot.ros.bridge.seldom import Seldom
from robot.ros.bridge.zenoh_names import Attachment, ForeignError, key, read_attachment
from robot.ros.bus import HERE
from robot.ros.duration import NANOSECONDS
from robot.ros.graph import CLIENT, SERVICE, Endpoint
from robot.ros.transport.frame import REPLY, REQUEST, Buffer, Frame

log = logging.getLogger(__name__)

ANSWER_S = 600.0  # [s] that a service elsewhere may take
ASKED_MAX = 1000  # queries to one service that wait for an answer


class Services:
    """The services of one bridge.

    Args:
        zenoh: the module, and an open session.
    """

    def __init__(self, zenoh: Any, session: Any, domain: int, door: Door) -> None:
        self._zenoh, self._session, self._domain, self._door = zenoh, session, domain, door
        self._far: dict[str, Proxy] = {}  # by token
        self._offered: dict[bytes, tuple[Proxy, Any]] = {}
        self._given_up = Seldom()
        self._queries: dict[bytes, dict[int, tuple[Any, str, Attachment]]] = {}  # unanswered, by client and number

    # --- there, asked from here

    def meet(self, text: str, endpoint: Endpoint, *, here: bool) -> None:
        """A service or client elsewhere has come or gone; `text` is its token."""
        if here and text not in self._far:
            proxy = Proxy(twin(endpoint, self._door.new_gid()), self._caller(endpoint))
            self._far[text] = proxy
            self._door.add(proxy)
        elif not here and text in self._far:
            self._door.remove(self._far.pop(text))

    def _caller(self, endpoint: Endpoint) -> Callable[[Frame, Buffer, str], None]:
        where = key(self._domain, endpoint)

        def call(frame: Frame, payload: Buffer, peer: str) -> None:
            if endpoint.kind != SERVICE or peer == HERE:
                return

            def answer(reply: Any) -> None:
                if reply.ok is None:
                    log.warning("%s: a service there says %r", endpoint.name, reply.err.payload.to_string())
                    return
                octets = reply.ok.payload.to_bytes()
                back = frame._replace(kind=REPLY, stamp=time.time())
                self._door.post(lambda: self._door.bus.reply(peer, back, octets))

            stamp = round(frame.stamp * NANOSECONDS)
            self._session.get(
                where,
                answer,
                target=self._zenoh.QueryTarget.ALL_COMPLETE,
                consolidation=self._zenoh.ConsolidationMode.NONE,
                timeout=ANSWER_S,
                payload=bytes(payload),
                attachment=Attachment(sequence=frame.sequence, stamp_ns=stamp, gid=frame.gid).encode(),
                allowed_destination=self._zenoh.Locality.REMOTE,
            )

        return call

    # --- here, asked from there

    def offer(self, owner: str, service: Endpoint) -> None:
        """Answer queries with what a service of this domain answers; a client of ours asks in their place."""
        where = key(self._domain, service)
        client = replace(service, kind=CLIENT, gid=self._door.new_gid(), node="/_zenoh")
        proxy = Proxy(client, self._replier(client.gid))
        self._door.add(proxy)
        take = self._taker(owner, service, client.gid, where)
        made = self._session.declare_queryable(where, take, complete=True, allowed_origin=self._zenoh.Locality.REMOTE)
        self._offered[service.gid] = proxy, made

    def withdraw(self, gid: bytes) -> None:
        """A service of this domain has gone."""
        if gid in self._offered:
            proxy, made = self._offered.pop(gid)
            made.undeclare()
            self._door.remove(proxy)
            for query, _, _ in self._queries.pop(proxy.endpoint.gid, {}).values():
                query.drop()  # who asked need not wait until the time is over

    def _taker(self, owner: str, service: Endpoint, client: bytes, where: str) -> Callable[[Any], None]:
        numbers = count(1)

        def take(query: Any) -> None:
            attached = b"" if query.attachment is None else query.attachment.to_bytes()
            payload = b"" if query.payload is None else query.payload.to_bytes()
            self._door.post(lambda: ask(query, payload, attached))

        def ask(query: Any, payload: bytes, attached: bytes) -> None:
            try:
                attachment = read_attachment(attached)
            except ForeignError as error:
                log.warning("dropped a request to %s: %s", service.name, error)
                return
            if service.gid not in self._offered:
                query.drop()  # it has gone since
                return
            number, waiting = next(numbers), self._queries.setdefault(client, {})
            waiting[number] = query, where, attachment
            if len(waiting) > ASKED_MAX:
                oldest = next(iter(waiting))
                waiting.pop(oldest)[0].drop()
                if self._given_up.again():
                    log.warning(
                        "%s: gave up a request without an answer, %d so far", service.name, self._given_up.count
                    )
            frame = Frame(REQUEST, client, number, attachment.stamp_ns / NANOSECONDS)
            self._door.transport.send([owner], frame, payload)

        return take

    def _replier(self, client: bytes) -> Callable[[Frame, Buffer, str], None]:
        def reply(frame: Frame, payload: Buffer, peer: str) -> None:
            query, where, attachment = self._queries.get(client, {}).pop(frame.sequence, (None, "", None))
            if query is None or attachment is None:
                return
            stamped = replace(attachment, stamp_ns=round(frame.stamp * NANOSECONDS))
            query.reply(where, bytes(payload), attachment=stamped.encode())
            query.drop()

        return reply
