"""What publishers, subscriptions, services and clients share: an endpoint on the bus that can be destroyed once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from robot.ros.exceptions import InvalidHandle
from robot.ros.graph import Endpoint
from robot.ros.interfaces import registry
from robot.ros.qos import QoSProfile
from robot.ros.transport.frame import Buffer, Frame

if TYPE_CHECKING:
    from robot.ros.callback_groups import CallbackGroup
    from robot.ros.node import Node


class Entity:
    """An endpoint of a node."""

    kind: str

    def __init__(self, node: Node, type_: Any, name: str, qos: QoSProfile, group: CallbackGroup | None = None) -> None:
        self.node = node
        self.callback_group = group
        self.destroyed = False
        self.bus = node.context.bus
        self.endpoint = Endpoint(
            kind=self.kind,
            gid=node.context.new_id(),
            name=node.resolve_topic_name(name),
            type_name=type_._TYPE_NAME,
            type_hash=registry.hash(type_._TYPE_NAME),
            node=node.get_fully_qualified_name(),
            qos=qos,
        )

    @property
    def history(self) -> Sequence[tuple[Frame, Buffer]]:
        return ()

    @property
    def qos_profile(self) -> QoSProfile:
        return self.endpoint.qos

    def deliver(self, frame: Frame, payload: Buffer, peer: str) -> None:
        raise NotImplementedError

    def check(self) -> None:
        if self.destroyed:
            raise InvalidHandle(f"the {self.endpoint.kind} of {self.endpoint.name} was destroyed")

    def destroy(self) -> None:
        if not self.destroyed:
            self.destroyed = True
            self.bus.remove(self.endpoint.gid)
            self.node.forget(self)
