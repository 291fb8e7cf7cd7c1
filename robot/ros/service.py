"""Answer requests."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from robot.ros.borrowed import finder
from robot.ros.cdr import CdrError
from robot.ros.entity import Entity
from robot.ros.entity_handles import ServiceHandle, ServiceHeader
from robot.ros.graph import SERVICE
from robot.ros.qos import QoSProfile
from robot.ros.service_introspection import (
    REQUEST_RECEIVED,
    RESPONSE_SENT,
    Introspection,
    ServiceIntrospectionState,
)
from robot.ros.transport.frame import REPLY, Buffer, Frame
from robot.ros.type_names import ServiceCallbackUnion, SrvType, SrvTypeRequest, SrvTypeResponse  # noqa: F401

if TYPE_CHECKING:
    from robot.ros.callback_groups import CallbackGroup
    from robot.ros.clock import Clock
    from robot.ros.node import Node
    from robot.ros.task import Task

log = logging.getLogger(__name__)


class Service(Entity):
    """A service, made by `Node.create_service`; the callback takes (request, response) and returns the response."""

    kind = SERVICE
    handle_class = ServiceHandle

    def __init__(  # noqa: PLR0917
        self,
        service_impl: Node | ServiceHandle,
        srv_type: Any,
        srv_name: str,
        callback: Callable[[Any, Any], Any],
        callback_group: CallbackGroup | None,
        qos_profile: QoSProfile,
    ) -> None:
        if isinstance(service_impl, ServiceHandle):
            self.callback = callback
            self._adopt(callback_group)
            return
        super().__init__(service_impl, srv_type, srv_name, qos_profile, callback_group)
        self.srv_type = srv_type
        self.srv_name = srv_name
        self.callback = callback
        self._requests: deque[tuple[Any, ServiceHeader]] = deque()
        self._introspection = Introspection(self, srv_type)

    @property
    def service_name(self) -> str:
        with self.handle:
            return self.endpoint.name

    def deliver(self, frame: Frame, payload: Buffer, peer: str) -> None:
        try:
            request = self.srv_type.Request._decode(payload)
        except CdrError as error:
            log.warning("%s: dropped request %d: %s", self.endpoint.name, frame.sequence, error)
            return
        self._requests.append((request, ServiceHeader.of(frame, self.node._ros_scheduler.now(), peer)))
        if self.by_hand:
            self.came(1)
        else:
            if self.on_new is not None:
                self.on_new(1)
            self.node._ros_dispatch(self, self._take)

    def _take(self) -> Task[Any] | None:
        taken = None if self.destroyed else self.take_request()
        return None if taken is None else self.node._ros_run(self.answer, *taken)

    def has_request(self) -> bool:
        return bool(self._requests)

    def waiting(self) -> int:
        return len(self._requests)

    def take_request(self) -> tuple[Any, ServiceHeader] | None:
        """Take the next request, which the callback does not get then; None when there is none."""
        try:
            request, header = self._requests.popleft()
        except IndexError:
            return None
        asked = header.request_id
        gid, sequence = bytes(asked.writer_guid), asked.sequence_number
        self._introspection.tell(REQUEST_RECEIVED, client_gid=gid, sequence=sequence, request=request)
        return request, header

    def send_response(self, response: Any, header: ServiceHeader) -> None:
        """Answer a request; raises TypeError for what is no response of this service."""
        if not isinstance(response, self.srv_type.Response):
            raise TypeError(f"{self.endpoint.name}: expected a response of {self.endpoint.type_name}, got {response!r}")
        asked = header.request_id
        gid, sequence = bytes(asked.writer_guid), asked.sequence_number
        reply = Frame(kind=REPLY, gid=gid, sequence=sequence, stamp=self.node._ros_scheduler.now())
        self.bus.reply(header.peer, reply, response._encode(response))
        self._introspection.tell(RESPONSE_SENT, client_gid=gid, sequence=sequence, response=response)

    def configure_introspection(
        self, clock: Clock, service_event_qos_profile: QoSProfile, introspection_state: ServiceIntrospectionState
    ) -> None:
        """Publish the requests it gets and the responses it sends on `<service>/_service_event`, or stop it."""
        self.check()
        self._introspection.configure(clock, service_event_qos_profile, introspection_state)

    def destroy(self) -> None:
        self._introspection.close()
        super().destroy()

    async def answer(self, request: Any, header: ServiceHeader) -> None:
        """Call the callback, and send what it returns."""
        response = self.callback(request, self.srv_type.Response())
        if hasattr(response, "__await__"):
            response = await response
        if not self.destroyed:
            self.send_response(response, header)


BaseService = Service

if not TYPE_CHECKING:
    __getattr__ = finder(__name__)
