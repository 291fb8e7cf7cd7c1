"""A node with a lifecycle: it is configured, activated, deactivated, cleaned up and shut down from outside."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from robot.ros.borrowed import finder
from robot.ros.exceptions import RCLError
from robot.ros.lifecycle.managed_entity import ManagedEntity
from robot.ros.lifecycle.messages import description_message, event_message, message_type, service_type, state_message
from robot.ros.lifecycle.publisher import LifecyclePublisher
from robot.ros.lifecycle.states import (
    ACTIVATING,
    CLEANINGUP,
    CONFIGURING,
    DEACTIVATING,
    ERRORPROCESSING,
    SHUTTINGDOWN,
    STATES,
    TRANSITIONS,
    LifecycleState,
    StateMachine,
    Transition,
    TransitionCallbackReturn,
)
from robot.ros.node import Node
from robot.ros.qos import QoSProfile

if TYPE_CHECKING:
    from robot.ros.callback_groups import CallbackGroup

__all__ = ["LifecycleNode", "LifecycleNodeMixin", "LifecycleState", "TransitionCallbackReturn"]


class LifecycleNodeMixin(ManagedEntity):
    """The lifecycle of a node; used together with `Node`.

    Args:
        enable_communication_interface: let others ask for and change the state, and tell of transitions.
        callback_group: of the services; None = the node's default.
    """

    def __init__(
        self, *, enable_communication_interface: bool = True, callback_group: CallbackGroup | None = None
    ) -> None:
        self._callbacks: dict[LifecycleState, Callable[[LifecycleState], TransitionCallbackReturn]] = {
            CONFIGURING: self.on_configure,
            CLEANINGUP: self.on_cleanup,
            SHUTTINGDOWN: self.on_shutdown,
            ACTIVATING: self.on_activate,
            DEACTIVATING: self.on_deactivate,
            ERRORPROCESSING: self.on_error,
        }
        self._managed_entities: dict[ManagedEntity, None] = {}
        self._state_machine = StateMachine()
        self._ros_transition_events: Any = None
        if enable_communication_interface:
            self._ros_offer(callback_group)

    def _ros_offer(self, group: CallbackGroup | None) -> None:
        node: Any = self
        for name, kind, answer in (
            ("change_state", "ChangeState", self._ros_on_change_state),
            ("get_state", "GetState", self._ros_on_get_state),
            ("get_available_states", "GetAvailableStates", self._ros_on_get_available_states),
            ("get_available_transitions", "GetAvailableTransitions", self._ros_on_get_available_transitions),
            ("get_transition_graph", "GetAvailableTransitions", self._ros_on_get_transition_graph),
        ):
            node.create_service(service_type(kind), f"~/{name}", answer, callback_group=group)
        self._ros_transition_events = node.create_publisher(
            message_type("TransitionEvent"), "~/transition_event", QoSProfile(depth=10)
        )

    # --- transitions

    def trigger_configure(self) -> TransitionCallbackReturn:
        return self._ros_trigger("configure")

    def trigger_cleanup(self) -> TransitionCallbackReturn:
        return self._ros_trigger("cleanup")

    def trigger_activate(self) -> TransitionCallbackReturn:
        return self._ros_trigger("activate")

    def trigger_deactivate(self) -> TransitionCallbackReturn:
        return self._ros_trigger("deactivate")

    def trigger_shutdown(self) -> TransitionCallbackReturn:
        """Go to `finalized`, from wherever that is possible; raises RCLError elsewhere."""
        return self._ros_change_state(self._state_machine.by_label("shutdown"))

    def _ros_trigger(self, label: str) -> TransitionCallbackReturn:
        """Go a way by its name; ERROR, and a line in the log, where this state has none of that name."""
        try:
            transition = self._state_machine.by_label(label)
        except RCLError as error:
            node: Any = self
            node.get_logger().error(f"Unable to start transition {label}: {error}")
            return TransitionCallbackReturn.ERROR
        return self._ros_change_state(transition)

    def _ros_change_state(self, transition: Transition) -> TransitionCallbackReturn:
        before = self._state_machine.state
        self._ros_go(transition)
        outcome = self._ros_call(before)
        self._ros_go(self._state_machine.by_label(outcome.to_label()))
        if outcome == TransitionCallbackReturn.ERROR and self._state_machine.state == ERRORPROCESSING:
            self._ros_go(self._state_machine.by_label(self._ros_call(before).to_label()))
        return outcome

    def _ros_go(self, transition: Transition) -> None:
        self._state_machine.go(transition)
        if self._ros_transition_events is not None:
            node: Any = self
            self._ros_transition_events.publish(event_message(transition, node.get_clock()))

    def _ros_call(self, before: LifecycleState) -> TransitionCallbackReturn:
        try:
            return TransitionCallbackReturn(self._callbacks[self._state_machine.state](before))
        except Exception as error:  # noqa: BLE001 (the state machine has a state for it)
            node: Any = self
            node.get_logger().error(f"a callback of state {self._state_machine.state.label} raised: {error}")
            traceback.print_exc()
            return TransitionCallbackReturn.ERROR

    # --- what managed entities do; a node overrides these and calls them

    def _ros_call_all(self, name: str, state: LifecycleState) -> TransitionCallbackReturn:
        for entity in tuple(self._managed_entities):
            outcome: TransitionCallbackReturn = getattr(entity, name)(state)
            if outcome != TransitionCallbackReturn.SUCCESS:
                return outcome
        return TransitionCallbackReturn.SUCCESS

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._ros_call_all("on_configure", state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._ros_call_all("on_cleanup", state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._ros_call_all("on_shutdown", state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._ros_call_all("on_activate", state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._ros_call_all("on_deactivate", state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._ros_call_all("on_error", state)

    def add_managed_entity(self, entity: ManagedEntity) -> None:
        """Take an entity along on transitions from here on, after those added before."""
        if not isinstance(entity, ManagedEntity):
            raise TypeError("Expected a rclpy.lifecycle.ManagedEntity instance.")
        self._managed_entities[entity] = None

    def create_lifecycle_publisher(self, *args: Any, **kwargs: Any) -> LifecyclePublisher:
        """Create a publisher that is silent while the node is not active; takes what `create_publisher` takes."""
        if "publisher_class" in kwargs:
            raise TypeError("create_publisher() got an unexpected keyword argument 'publisher_class'")
        made: Any = Node.create_publisher(
            self,  # type: ignore[arg-type]
            *args,
            **kwargs,
            publisher_class=LifecyclePublisher,
        )
        publisher: LifecyclePublisher = made
        self._managed_entities[publisher] = None
        return publisher

    def destroy_lifecycle_publisher(self, publisher: LifecyclePublisher) -> bool:
        self._managed_entities.pop(publisher, None)
        return Node.destroy_publisher(self, publisher)  # type: ignore[arg-type]

    # --- services

    def _ros_on_change_state(self, request: Any, response: Any) -> Any:
        wanted = request.transition
        try:
            transition = (
                self._state_machine.by_label(wanted.label) if wanted.label else self._state_machine.by_id(wanted.id)
            )
        except RCLError as error:
            node: Any = self
            node.get_logger().warning(str(error))
            response.success = False
            return response
        response.success = self._ros_change_state(transition) == TransitionCallbackReturn.SUCCESS
        return response

    def _ros_on_get_state(self, _: Any, response: Any) -> Any:
        response.current_state = state_message(self._state_machine.state)
        return response

    def _ros_on_get_available_states(self, _: Any, response: Any) -> Any:
        response.available_states = [state_message(state) for state in STATES]
        return response

    def _ros_on_get_available_transitions(self, _: Any, response: Any) -> Any:
        response.available_transitions = [description_message(one) for one in self._state_machine.available()]
        return response

    def _ros_on_get_transition_graph(self, _: Any, response: Any) -> Any:
        response.available_transitions = [description_message(one) for one in TRANSITIONS]
        return response


class LifecycleNode(LifecycleNodeMixin, Node):
    """A managed node; takes what `Node` takes, and `enable_communication_interface`."""

    def __init__(self, node_name: str, *, enable_communication_interface: bool = True, **kwargs: Any) -> None:
        Node.__init__(self, node_name, **kwargs)
        LifecycleNodeMixin.__init__(self, enable_communication_interface=enable_communication_interface)


if not TYPE_CHECKING:
    __getattr__ = finder(__name__)
