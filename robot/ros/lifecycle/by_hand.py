"""A state machine whose services are answered by hand, as rclpy's compiled part makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robot.ros.by_hand import make_service
from robot.ros.handle import Handle
from robot.ros.lifecycle.messages import event_message, message_type, service_type
from robot.ros.lifecycle.states import StateMachine, Transition
from robot.ros.qos import QoSProfile, qos_profile_services_default

if TYPE_CHECKING:
    from robot.ros.clock import ClockHandle
    from robot.ros.entity_handles import ServiceHandle
    from robot.ros.node_parts.handle import NodeHandle


class RawStateMachine(StateMachine, Handle):
    """A state machine.

    Args:
        node: whose states they are; None = only a machine.
        arguments: the handle of a clock, where it stamps what it tells; and whether it has services and tells of
            transitions.
    """

    def __init__(self, node: NodeHandle | None = None, *arguments: Any) -> None:
        Handle.__init__(self, "a state machine", self._close)
        StateMachine.__init__(self)
        self._node = node
        self._services: dict[str, ServiceHandle] = {}
        self._events: Any = None
        self._clock: ClockHandle | None = arguments[0] if len(arguments) > 1 else None
        if node is not None and arguments and arguments[-1]:
            for name in ("change_state", "get_state", "get_available_states", "get_available_transitions"):
                self._services[name] = self._service(name, name)
            self._services["get_transition_graph"] = self._service("get_transition_graph", "get_available_transitions")
            self._events = node.node.create_publisher(
                message_type("TransitionEvent"), "~/transition_event", QoSProfile(depth=10)
            )

    def _service(self, name: str, kind: str) -> ServiceHandle:
        assert self._node is not None
        short = "".join(map(str.capitalize, kind.split("_")))
        type_ = service_type(short)
        return make_service(self._node, type_, f"~/{name}", qos_profile_services_default)

    @property
    def service_change_state(self) -> ServiceHandle:
        return self._services["change_state"]

    @property
    def service_get_state(self) -> ServiceHandle:
        return self._services["get_state"]

    @property
    def service_get_available_states(self) -> ServiceHandle:
        return self._services["get_available_states"]

    @property
    def service_get_available_transitions(self) -> ServiceHandle:
        return self._services["get_available_transitions"]

    @property
    def service_get_transition_graph(self) -> ServiceHandle:
        return self._services["get_transition_graph"]

    def trigger_transition_by_id(self, transition_id: int, publish_update: bool = False) -> None:
        self._step(self.by_id(transition_id), tell=publish_update)

    def trigger_transition_by_label(self, label: str, publish_update: bool = False) -> None:
        self._step(self.by_label(label), tell=publish_update)

    def _step(self, transition: Transition, *, tell: bool) -> None:
        self.go(transition)
        if tell and self._events is not None:
            assert self._node is not None
            clock = self._node.node.get_clock() if self._clock is None else self._clock.clock
            self._events.publish(event_message(transition, clock))

    def _close(self) -> None:
        for service in self._services.values():
            if not service.destroyed:
                service.destroy_when_not_in_use()
        if self._events is not None:
            self._events.destroy()
