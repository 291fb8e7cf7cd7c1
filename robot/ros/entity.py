"""What publishers, subscriptions, services and clients share: an endpoint on the bus that can be destroyed once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import GenericAlias
from typing import TYPE_CHECKING, Any, ClassVar, Self

from robot.ros.entity_handles import EntityHandle
from robot.ros.exceptions import InvalidHandle, UnsupportedEventTypeError
from robot.ros.graph import CLIENT, SERVICE, Endpoint
from robot.ros.interfaces import registry
from robot.ros.qos import QoSPolicyKind, QoSProfile
from robot.ros.transport.frame import Buffer, Frame

if TYPE_CHECKING:
    from robot.ros.callback_groups import CallbackGroup
    from robot.ros.event_handle import EventHandle
    from robot.ros.node import Node


class Entity:
    """An endpoint of a node."""

    __class_getitem__: ClassVar[Any] = classmethod(GenericAlias)  # rclpy's is generic

    kind: str
    handle_class: ClassVar[type[EntityHandle]] = EntityHandle
    by_hand = False  # what comes is not handed to a callback: somebody takes it
    on_new: Callable[[int], object] | None = None  # told how many came, see `EntityHandle`

    def __new__(cls, *arguments: Any, **options: Any) -> Self:
        """Make an endpoint; given a handle that was made by hand, return the endpoint of that."""
        for given in (*arguments[:2], *options.values()):
            if isinstance(given, EntityHandle):
                if type(given.entity) is not cls:
                    raise TypeError(
                        f"expected the handle of a {cls.__name__}, got that of a {type(given.entity).__name__}"
                    )
                return given.entity
        return super().__new__(cls)

    def __init__(self, node: Node, type_: Any, name: str, qos: QoSProfile, group: CallbackGroup | None = None) -> None:
        self.node = node
        self.callback_group = node.default_callback_group if group is None else group
        self.callback_group.add_entity(self)
        self.destroyed = False
        self.bus = node.context.bus
        is_service = self.kind in (SERVICE, CLIENT)
        self.endpoint = Endpoint(
            kind=self.kind,
            gid=node.context.new_id(),
            name=node.resolve_service_name(name) if is_service else node.resolve_topic_name(name),
            type_name=type_._TYPE_NAME,
            type_hash=registry.hash(type_._TYPE_NAME),
            node=node.get_fully_qualified_name(),
            qos=qos,
        )
        self._handle = self.handle_class(self, f"the {self.kind} of {self.endpoint.name}", self._release)

    def _adopt(self, group: CallbackGroup | None) -> None:
        """Hand what comes to the callback from here on: a wrapper was made around the handle."""
        self.by_hand = False
        if group is not None:
            self.callback_group = group
            group.add_entity(self)

    @property
    def handle(self) -> Any:
        return self._handle

    def waiting(self) -> int:
        """Count what has come and was not taken."""
        return 0

    def came(self, count: int) -> None:
        """Say that there is something to take by hand."""
        if self.on_new is not None:
            self.on_new(count)
        self.node._wake_executor()

    def replay(self, subscription: bytes, give: Callable[[Frame, Buffer], None]) -> None:
        """Give a late subscription what is kept for it."""

    @property
    def qos_profile(self) -> QoSProfile:
        return self.endpoint.qos

    def deliver(self, frame: Frame, payload: Buffer, peer: str) -> None:
        raise NotImplementedError

    def arrive(self, frames: Sequence[bytes]) -> None:
        """Take whole frames of DATA, all of one publisher."""

    def on_matched(self, other: Endpoint, here: bool) -> None:
        """An endpoint that fits has come, or gone."""

    def on_incompatible(self, other: Endpoint, policy: QoSPolicyKind | None) -> None:
        """An endpoint has come whose quality of service does not fit, or whose type is another (policy None)."""

    def watch_event(self, handle: EventHandle) -> None:
        """Tell `handle` of the events of its kind."""
        raise UnsupportedEventTypeError(f"a {self.kind} has no events")

    def on_taken(self, subscription: bytes, sequence: int) -> None:
        """A subscription that keeps all messages has taken them up to this one."""

    def on_asserted(self, gid: bytes) -> None:
        """A publisher said that it is alive."""

    @property
    def logger_name(self) -> str:
        with self._handle:
            return self.node.handle.logger_name()

    def get_logger_name(self) -> str:
        return self.logger_name

    def check(self) -> None:
        if self.destroyed:
            raise InvalidHandle(f"the {self.endpoint.kind} of {self.endpoint.name} was destroyed")

    def destroy(self) -> None:
        """Go; what uses the handle just now may finish."""
        if not self.destroyed:
            self.destroyed = True
            self.node._ros_forget(self)
            self._handle.destroy_when_not_in_use()

    def _release(self) -> None:
        self.destroyed = True
        self.node._ros_forget(self)
        self.bus.remove(self.endpoint.gid)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.destroy()
