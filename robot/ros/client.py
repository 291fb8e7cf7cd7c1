"""Call services."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from robot.ros.cdr import CdrError
from robot.ros.entity import Entity
from robot.ros.graph import CLIENT
from robot.ros.qos import QoSProfile
from robot.ros.task import Future
from robot.ros.transport.frame import REQUEST, Buffer, Frame

if TYPE_CHECKING:
    from robot.ros.callback_groups import CallbackGroup
    from robot.ros.node import Node

log = logging.getLogger(__name__)


class Client(Entity):
    """A client, made by `Node.create_client`.

    There is no blocking `call`: inside a callback it would wait for ever. Await `call_async` instead.
    """

    kind = CLIENT

    def __init__(
        self,
        node: Node,
        srv_type: Any,
        srv_name: str,
        qos_profile: QoSProfile,
        callback_group: CallbackGroup | None = None,
    ) -> None:
        super().__init__(node, srv_type, srv_name, qos_profile, callback_group)
        self.srv_type = srv_type
        self._sequence = 0
        self._pending: dict[int, Future[Any]] = {}

    @property
    def srv_name(self) -> str:
        return self.endpoint.name

    @property
    def service_name(self) -> str:
        return self.endpoint.name

    def call_async(self, request: Any) -> Future[Any]:
        """Send a request; the future gets the response. As in ROS it stays open when nobody serves."""
        self.check()
        if not isinstance(request, self.srv_type.Request):
            raise TypeError(f"{self.srv_name}: expected a request of {self.endpoint.type_name}, got {request!r}")
        self._sequence += 1
        sequence = self._sequence
        future: Future[Any] = Future(executor=self.node)
        self._pending[sequence] = future
        stamp = self.node.scheduler.now()
        frame = Frame(kind=REQUEST, gid=self.endpoint.gid, sequence=sequence, stamp=stamp)
        if not self.bus.request(self.endpoint, frame, request._encode(request)):
            log.warning("%s: request %d went nowhere: no service yet", self.srv_name, sequence)
        return future

    def remove_pending_request(self, future: Future[Any]) -> None:
        for sequence, pending in list(self._pending.items()):
            if pending is future:
                del self._pending[sequence]

    def deliver(self, frame: Frame, payload: Buffer, peer: str) -> None:
        future = self._pending.pop(frame.sequence, None)
        if future is None or future.cancelled():
            return
        try:
            response = self.srv_type.Response._decode(payload)
        except CdrError as error:
            log.warning("%s: dropped reply %d: %s", self.srv_name, frame.sequence, error)
            return
        self.node.post(lambda: future.set_result(response))

    def service_is_ready(self) -> bool:
        self.check()
        return self.bus.service(self.endpoint) is not None

    def wait_for_service(self, timeout_sec: float | None = None) -> bool:
        """Wait for a service without running callbacks; in a context driven from outside, only look."""
        return self.node.wait_until(self.service_is_ready, timeout_sec)
