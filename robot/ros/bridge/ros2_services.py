"""Services that pass between our domain and the ROS 2 of this machine, both ways: those of actions and parameters too.

rclpy has no raw services: requests and responses are decoded and encoded by it.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

from robot.ros.bridge.door import Door
from robot.ros.bridge.proxies import Proxy
from robot.ros.bridge.ros2_types import Rclpy, Types
from robot.ros.bus import HERE
from robot.ros.graph import CLIENT, SERVICE, Endpoint
from robot.ros.idl import InterfaceError
from robot.ros.interfaces import registry
from robot.ros.qos import qos_profile_services_default
from robot.ros.transport.frame import REPLY, REQUEST, Buffer, Frame

log = logging.getLogger(__name__)

WAITING_MAX = 1000  # requests to one service of ours that wait for an answer
Named = tuple[str, str]  # name and type


class Services:
    """The services of one bridge; `look` runs on the thread that spins the node.

    Args:
        node: of the real rclpy.
        name: our node in our own domain.
    """

    def __init__(self, node: Any, rclpy: Rclpy, types: Types, door: Door, name: str) -> None:
        self._node, self._rclpy, self._types, self._door, self._name = node, rclpy, types, door, name
        self._group = rclpy.callback_groups.ReentrantCallbackGroup()
        self._todo: deque[Callable[[], None]] = deque()
        self._guard = node.create_guard_condition(self._work, callback_group=self._group)
        self._there: dict[Named, tuple[Proxy, Any]] = {}  # and the client that asks
        self._here: dict[bytes, tuple[Proxy, Any, dict[int, Any]]] = {}  # the service that answers, who waits

    def _post(self, work: Callable[[], None]) -> None:
        """Let the node's thread do something; callable from any thread."""
        self._todo.append(work)
        self._guard.trigger()

    def _work(self) -> None:
        while self._todo:
            self._todo.popleft()()

    def look(self, near: dict[bytes, tuple[str, Endpoint]]) -> None:
        """Join the services that have come on either side, and leave those that have gone."""
        ours = {gid: (peer, endpoint) for gid, (peer, endpoint) in near.items() if endpoint.kind == SERVICE}
        names = {endpoint.name for _, endpoint in ours.values()}
        theirs = self._served_there()
        for named, node in theirs.items():
            if named not in self._there and named[0] not in names:
                self._meet(named, node)
        for named in [named for named in self._there if named not in theirs or named[0] in names]:
            proxy, client = self._there.pop(named)
            self._door.post(lambda proxy=proxy: self._door.remove(proxy))  # type: ignore[misc]
            self._node.destroy_client(client)
        taken = {name for name, _ in theirs}
        for gid, (peer, endpoint) in ours.items():
            if gid not in self._here and endpoint.name not in taken:
                self._offer(peer, endpoint)
        for gid in [gid for gid in self._here if gid not in ours]:
            proxy, service, waiting = self._here.pop(gid)
            self._door.post(lambda proxy=proxy: self._door.remove(proxy))  # type: ignore[misc]
            self._node.destroy_service(service)
            for future in waiting.values():
                future.cancel()

    def _served_there(self) -> dict[Named, str]:
        """Return the full name of the node that serves, by name and type of the service."""
        found: dict[Named, str] = {}
        me = self._node.get_name(), self._node.get_namespace()
        for name, namespace in set(self._node.get_node_names_and_namespaces()) - {me}:
            try:
                served = self._node.get_service_names_and_types_by_node(name, namespace)
            except RuntimeError:
                continue  # it has gone meanwhile
            for service, types in served:
                found.update({(service, kind): f"{namespace.rstrip('/')}/{name}" for kind in types})
        return found

    # --- there, asked from here

    def _meet(self, named: Named, node: str) -> None:
        name, type_name = named
        kind = self._types.service(type_name)
        try:
            digest = registry.hash(type_name)
        except InterfaceError:
            return  # nobody here could ask
        if kind is None:
            return
        client = self._node.create_client(kind, name, callback_group=self._group)
        endpoint = Endpoint(
            kind=SERVICE,
            gid=self._door.new_gid(),
            name=name,
            type_name=type_name,
            type_hash=digest,
            node=node,
            qos=qos_profile_services_default,
        )
        proxy = Proxy(endpoint, self._caller(kind, client))
        self._there[named] = proxy, client
        self._door.post(lambda: self._door.add(proxy))

    def _caller(self, kind: Any, client: Any) -> Callable[[Frame, Buffer, str], None]:
        codec = self._rclpy.serialization

        def call(frame: Frame, payload: Buffer, peer: str) -> None:
            if peer == HERE:
                return
            octets = bytes(payload)
            self._post(lambda: ask(frame, octets, peer))

        def ask(frame: Frame, octets: bytes, peer: str) -> None:
            try:
                request = codec.deserialize_message(octets, kind.Request)
            except (RuntimeError, ValueError) as error:
                log.warning("dropped a request to %s: %s", client.srv_name, error)
                return
            client.call_async(request).add_done_callback(lambda future: answer(future, frame, peer))

        def answer(future: Any, frame: Frame, peer: str) -> None:
            octets = codec.serialize_message(future.result())
            back = frame._replace(kind=REPLY, stamp=time.time())
            self._door.post(lambda: self._door.bus.reply(peer, back, octets))

        return call

    # --- here, asked from there

    def _offer(self, peer: str, service: Endpoint) -> None:
        kind = self._types.service(service.type_name)
        if kind is None:
            return
        waiting: dict[int, Any] = {}
        asking = replace(service, kind=CLIENT, gid=self._door.new_gid(), node=self._name)
        proxy = Proxy(asking, self._replier(kind, waiting))
        answer = self._asker(peer, asking.gid, waiting)
        made = self._node.create_service(kind, service.name, answer, callback_group=self._group)
        self._here[service.gid] = proxy, made, waiting
        self._door.post(lambda: self._door.add(proxy))

    def _asker(self, peer: str, client: bytes, waiting: dict[int, Any]) -> Callable[[Any, Any], Any]:
        numbers, codec = count(1), self._rclpy.serialization

        async def answer(request: Any, _: Any) -> Any:
            number, future = next(numbers), self._rclpy.task.Future()
            waiting[number] = future
            if len(waiting) > WAITING_MAX:
                waiting.pop(next(iter(waiting))).cancel()
            octets = codec.serialize_message(request)
            frame = Frame(REQUEST, client, number, time.time())
            self._door.post(lambda: self._door.transport.send([peer], frame, octets))
            return await future

        return answer

    def _replier(self, kind: Any, waiting: dict[int, Any]) -> Callable[[Frame, Buffer, str], None]:
        codec = self._rclpy.serialization

        def reply(frame: Frame, payload: Buffer, _: str) -> None:
            octets = bytes(payload)
            self._post(lambda: give(frame.sequence, octets))

        def give(number: int, octets: bytes) -> None:
            future = waiting.pop(number, None)
            if future is None:
                return
            try:
                future.set_result(codec.deserialize_message(octets, kind.Response))
            except (RuntimeError, ValueError) as error:
                log.warning("dropped a response: %s", error)
                future.cancel()

        return reply
