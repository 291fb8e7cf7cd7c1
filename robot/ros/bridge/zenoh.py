"""A peer for robots whose ROS 2 runs on rmw_zenoh: topics and services pass both ways, as the bytes they are.

Needs `pip install 'berrybrain[zenoh]'`. Zenoh calls back on threads of its own; they hand over to the door's.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Sequence
from itertools import count
from typing import Any

from robot.ros.bridge.door import Door
from robot.ros.bridge.zenoh_names import ForeignError, every_token, node_token, read_token, token
from robot.ros.bridge.zenoh_services import Services
from robot.ros.bridge.zenoh_topics import Topics
from robot.ros.exceptions import ROSError
from robot.ros.graph import PUBLISHER, SERVICE, SUBSCRIPTION, Endpoint
from robot.ros.transport.directory import domain

log = logging.getLogger(__name__)

ROUTER = "tcp/localhost:7447"


def zenoh_module() -> Any:
    try:
        import zenoh
        import zenoh.ext
    except ModuleNotFoundError as error:
        raise ROSError("Zenoh is not installed: pip install 'berrybrain[zenoh]'") from error
    return zenoh


class ZenohBridge:
    """The bridge of one domain.

    Args:
        connect: Zenoh's endpoints to go to; rmw_zenoh's router listens at `tcp/localhost:7447`.
        listen: endpoints to be reached at.
        domain_id: None = ROS_DOMAIN_ID, else 0; the same on both sides.

    Raises:
        ROSError: Zenoh is not installed, cannot be opened, or there is such a bridge in this domain already.
    """

    def __init__(
        self, *, connect: Sequence[str] = (ROUTER,), listen: Sequence[str] = (), domain_id: int | None = None
    ) -> None:
        self._zenoh = zenoh_module()
        self._domain = domain(domain_id)
        self._lock = threading.RLock()
        self._near: dict[bytes, tuple[str, Endpoint]] = {}
        self._tokens: dict[bytes, Any] = {}
        self._nodes: dict[str, tuple[int, Any]] = {}
        self._ids = count(1)
        self._session = self._open(list(connect), list(listen))
        self._id = str(self._session.zid())
        try:
            self.door = Door("zenoh", self._export, domain_id=domain_id)
        except BaseException:
            self._session.close()
            raise
        parts = self._zenoh, self._session, self._domain, self.door
        self._topics = Topics(*parts, refresh=self._export, lock=self._lock)
        self._services = Services(*parts)
        self._watch = self._session.liveliness().declare_subscriber(
            every_token(self._domain), self._on_token, history=True
        )

    def _open(self, connect: list[str], listen: list[str]) -> Any:
        config = self._zenoh.Config()
        for name, value in {
            "mode": "peer",
            "connect/endpoints": connect,
            "listen/endpoints": listen or ["tcp/localhost:0"],
            "scouting/multicast/enabled": False,
            "timestamping/enabled": True,  # kept messages need it
        }.items():
            config.insert_json5(name, json.dumps(value))
        try:
            return self._zenoh.open(config)
        except self._zenoh.ZError as error:
            raise ROSError(f"Zenoh does not open ({connect or 'nobody'} to go to): {error}") from error

    def run(self) -> None:
        """Go on until `end`."""
        self.door.run()

    def end(self) -> None:
        self.door.end()

    def close(self) -> None:
        self._session.close()
        self.door.close()

    # --- what this domain has, for Zenoh

    def _export(self) -> None:
        with self._lock:
            self._near = self.door.near()
            for gid in self._tokens.keys() - self._near.keys():
                self._topics.withdraw(gid)
                self._services.withdraw(gid)
                self._tokens.pop(gid).undeclare()
            nodes = {endpoint.node for _, endpoint in self._near.values()}
            for name in self._nodes.keys() - nodes:
                self._nodes.pop(name)[1].undeclare()
            for gid, (owner, endpoint) in self._near.items():
                if gid not in self._tokens:
                    self._declare(owner, endpoint)
            self._topics.subscribe(endpoint for _, endpoint in self._near.values())

    def _declare(self, owner: str, endpoint: Endpoint) -> None:
        liveliness = self._session.liveliness()
        if endpoint.node not in self._nodes:
            number = next(self._ids)
            name = node_token(self._domain, self._id, number, endpoint.node)
            self._nodes[endpoint.node] = number, liveliness.declare_token(name)
        if endpoint.kind == PUBLISHER:
            self._topics.offer(endpoint)
        elif endpoint.kind == SERVICE:
            self._services.offer(owner, endpoint)
        number = self._nodes[endpoint.node][0]
        name = token(self._domain, self._id, number, next(self._ids), endpoint)
        self._tokens[endpoint.gid] = liveliness.declare_token(name)

    # --- what others have

    def _on_token(self, sample: Any) -> None:
        text, here = str(sample.key_expr), sample.kind == self._zenoh.SampleKind.PUT
        if not text.isprintable():
            return  # no name of ROS, and not fit for a log
        self.door.post(lambda: self._meet(text, here=here))

    def _meet(self, text: str, *, here: bool) -> None:
        try:
            met = read_token(text)
        except ForeignError as error:
            log.warning("ignored a token: %s", error)
            return
        if met.session == self._id or met.endpoint is None:
            return
        with self._lock:
            is_topic = met.endpoint.kind in (PUBLISHER, SUBSCRIPTION)
            (self._topics if is_topic else self._services).meet(text, met.endpoint, here=here)
