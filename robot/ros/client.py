"""Call services."""

from __future__ import annotations

import logging
from itertools import count
from threading import get_ident
from typing import TYPE_CHECKING, Any

from robot.ros.borrowed import finder
from robot.ros.bus import HERE
from robot.ros.callback_groups import MutuallyExclusiveCallbackGroup
from robot.ros.cdr import CdrError
from robot.ros.entity import Entity
from robot.ros.entity_handles import ClientHandle, ServiceHeader
from robot.ros.exceptions import ROSInterruptException
from robot.ros.graph import CLIENT
from robot.ros.qos import QoSProfile
from robot.ros.service_introspection import (
    REQUEST_SENT,
    RESPONSE_RECEIVED,
    Introspection,
    ServiceIntrospectionState,
)
from robot.ros.task import Future
from robot.ros.transport.frame import REQUEST, Buffer, Frame
from robot.ros.type_names import SrvType, SrvTypeRequest, SrvTypeResponse  # noqa: F401

if TYPE_CHECKING:
    from robot.ros.callback_groups import CallbackGroup
    from robot.ros.clock import Clock
    from robot.ros.context import Context
    from robot.ros.node import Node

log = logging.getLogger(__name__)


class Client(Entity):
    """A client, made by `Node.create_client`, or around a handle made by hand.

    Its callback group does not hold replies back.
    """

    kind = CLIENT
    handle_class = ClientHandle

    def __init__(  # noqa: PLR0917 (rclpy's order)
        self,
        context: Context,
        client_impl: Node | ClientHandle,
        srv_type: Any,
        srv_name: str,
        qos_profile: QoSProfile,
        callback_group: CallbackGroup | None = None,
    ) -> None:
        if isinstance(client_impl, ClientHandle):
            self._adopt(callback_group)
            return
        super().__init__(client_impl, srv_type, srv_name, qos_profile, callback_group)
        self.srv_type = srv_type
        self.srv_name = srv_name
        self._sequence = count(1)
        self._pending_requests: dict[int, Future[Any]] = {}
        self._replies: dict[int, tuple[ServiceHeader, Any]] = {}
        self._introspection = Introspection(self, srv_type)

    @property
    def context(self) -> Context:
        return self.node.context

    @property
    def service_name(self) -> str:
        with self.handle:
            return self.endpoint.name

    def call_async(self, request: Any) -> Future[Any]:
        """Send a request; the future gets the response. As in ROS it stays open when nobody serves."""
        return self.send_request(request)[1]

    def send_request(self, request: Any) -> tuple[int, Future[Any]]:
        """Send a request; return its number and what `call_async` gives."""
        self.check()
        if not isinstance(request, self.srv_type.Request):
            raise TypeError(f"{self.endpoint.name}: expected a request of {self.endpoint.type_name}, got {request!r}")
        sequence = next(self._sequence)
        future: Future[Any] = Future(executor=self.node._ros_tasks)
        self._pending_requests[sequence] = future
        stamp = self.node._ros_scheduler.now()
        frame = Frame(kind=REQUEST, gid=self.endpoint.gid, sequence=sequence, stamp=stamp)
        if not self.bus.request(self.endpoint, frame, request._encode(request)):
            log.warning("%s: request %d went nowhere: no service yet", self.endpoint.name, sequence)
        self._introspection.tell(REQUEST_SENT, client_gid=self.endpoint.gid, sequence=sequence, request=request)
        return sequence, future

    def call(self, request: Any, timeout_sec: float | None = None) -> Any:
        """Send a request and wait for the response, on any thread.

        In a callback, other callbacks of the executor run meanwhile, as far as their groups let them.

        Args:
            timeout_sec: None = no limit.

        Raises:
            TimeoutError: no response in time.
            RuntimeError: it would wait for ever, because the service's callback waits for this one to end.
            ROSInterruptException: the context was shut down meanwhile.
        """
        return self.wait_for(self.call_async(request), timeout_sec)

    def wait_for(self, future: Future[Any], timeout_sec: float | None = None) -> Any:
        """Wait for a future that a response to this client completes; see `call`."""
        if self.node.context.transport.external:
            raise RuntimeError("a context driven from outside cannot wait: use call_async")

        def answered() -> bool:
            for sequence in tuple(self._replies):
                self._take(sequence)
            if not future.done() and self._is_stuck():
                raise RuntimeError(
                    f"{self.endpoint.name}: this call would never return, because the service's callback is in a "
                    "callback group that waits for this one to end: use another group, a reentrant one, or await "
                    "call_async"
                )
            return future.done() or future.cancelled()

        future.wake(self.bus.pump.tell_watchers)
        waiting_for, me = self.bus.pump.waiting_for, get_ident()
        outer = waiting_for.get(me)
        if (group := self._local_group()) is not None:
            waiting_for[me] = group
        try:
            if not self.node._ros_wait_working(answered, timeout_sec):
                if not self.node.context.ok():
                    raise ROSInterruptException
                raise TimeoutError(f"{self.endpoint.name}: no response within {timeout_sec} s")
        finally:
            waiting_for.pop(me, None)
            if outer is not None:
                waiting_for[me] = outer
            self.remove_pending_request(future)
        return future.result()

    def _local_group(self) -> CallbackGroup | None:
        """Return the callback group of the service that answers, when it is in this context."""
        found = self.bus.service(self.endpoint)
        service = self.bus.local(found[1]) if found is not None and found[0] == HERE else None
        return service.callback_group if isinstance(service, Entity) else None

    def _is_stuck(self) -> bool:
        """Tell whether threads of this process wait for each other in a circle, each holding a callback group."""
        group, me = self._local_group(), get_ident()
        for _ in range(len(self.bus.pump.waiting_for) + 1):
            if group is None or not isinstance(group, MutuallyExclusiveCallbackGroup) or not group.running_on:
                return False
            if group.running_on == me:
                return True
            group = self.bus.pump.waiting_for.get(group.running_on)
        return False

    def get_pending_request(self, sequence_number: int) -> Future[Any]:
        """Return the future of a request; raises KeyError when it is answered or forgotten."""
        return self._pending_requests[sequence_number]

    def remove_pending_request(self, future: Future[Any]) -> None:
        for sequence, pending in list(self._pending_requests.items()):
            if pending is future:
                self._pending_requests.pop(sequence, None)
                self._replies.pop(sequence, None)

    def deliver(self, frame: Frame, payload: Buffer, peer: str) -> None:
        if frame.sequence not in self._pending_requests:
            return
        try:
            response = self.srv_type.Response._decode(payload)
        except CdrError as error:
            log.warning("%s: dropped reply %d: %s", self.endpoint.name, frame.sequence, error)
            return
        self._replies[frame.sequence] = ServiceHeader.of(frame, self.node._ros_scheduler.now()), response
        if self.by_hand:
            self.came(1)
        else:
            if self.on_new is not None:
                self.on_new(1)
            self.node._ros_post(lambda: self._take(frame.sequence))

    def has_response(self) -> bool:
        return bool(self._replies)

    def waiting(self) -> int:
        return len(self._replies)

    def take_response(self) -> tuple[ServiceHeader, Any] | None:
        """Take the next response, whose future stays open then; None when there is none."""
        taken = self._pop(next(iter(self._replies), None))
        return None if taken is None else taken[1:]

    def take_answer(self) -> tuple[Future[Any], Any] | None:
        """Take the next response with the future that is to get it; None when there is none that waits for one."""
        taken = self._pop(next(iter(self._replies), None))
        return None if taken is None or taken[0] is None else (taken[0], taken[2])

    def _pop(self, sequence: int | None) -> tuple[Future[Any] | None, ServiceHeader, Any] | None:
        taken = None if sequence is None else self._replies.pop(sequence, None)
        if sequence is None or taken is None:
            return None
        header, response = taken
        told = {"sequence": sequence, "response": response}
        self._introspection.tell(RESPONSE_RECEIVED, client_gid=self.endpoint.gid, **told)
        return self._pending_requests.pop(sequence, None), header, response

    def _take(self, sequence: int) -> None:
        taken = self._pop(sequence)
        if taken is not None and taken[0] is not None and not taken[0].cancelled():
            taken[0].set_result(taken[2])

    def configure_introspection(
        self, clock: Clock, service_event_qos_profile: QoSProfile, introspection_state: ServiceIntrospectionState
    ) -> None:
        """Publish the requests it sends and the responses it gets on `<service>/_service_event`, or stop it."""
        self.check()
        self._introspection.configure(clock, service_event_qos_profile, introspection_state)

    def destroy(self) -> None:
        self._introspection.close()
        super().destroy()

    def service_is_ready(self) -> bool:
        self.check()
        return self.bus.service(self.endpoint) is not None

    def wait_for_service(self, timeout_sec: float | None = None) -> bool:
        """Wait for a service without running callbacks; in a context driven from outside, only look.

        Raises:
            ROSInterruptException: the context was shut down meanwhile.
        """
        return self.node._ros_wait_for_others(self.service_is_ready, timeout_sec)


BaseClient = Client

if not TYPE_CHECKING:
    __getattr__ = finder(__name__)
