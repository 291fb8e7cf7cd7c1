"""Managed nodes: transitions, their callbacks, entities and services, in virtual time."""

from __future__ import annotations

from typing import Any

import pytest

from robot.ros.context import Context
from robot.ros.exceptions import RCLError
from robot.ros.interfaces import lifecycle_msgs, std_msgs
from robot.ros.lifecycle import LifecycleNode, LifecycleState, SimpleManagedEntity, TransitionCallbackReturn
from robot.ros.node import Node
from robot.ros.transport.inprocess import InProcess
from sim.lockstep import Lockstep

SUCCESS, FAILURE, ERROR = TransitionCallbackReturn


class Managed(LifecycleNode):
    """Notes its callbacks and answers what it is told to."""

    def __init__(self, context: Context) -> None:
        super().__init__("managed", context=context)
        self.calls: list[tuple[str, str]] = []
        self.answers: dict[str, Any] = {}

    def _answer(self, name: str, state: LifecycleState) -> TransitionCallbackReturn:
        self.calls.append((name, state.label))
        answer = self.answers.get(name, SUCCESS)
        if isinstance(answer, Exception):
            raise answer
        return TransitionCallbackReturn(answer)

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._answer("configure", state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._answer("activate", state) and super().on_activate(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        return self._answer("error", state)

    @property
    def state(self) -> str:
        return self._state_machine.state.label


@pytest.fixture
def time() -> Lockstep:
    return Lockstep(epoch=1_750_000_000.0)


@pytest.fixture
def node(time: Lockstep) -> Managed:
    return Managed(Context(transport=InProcess(time)))


def test_a_node_goes_through_its_life(node: Managed) -> None:
    seen = [node.state]
    for step in ("configure", "activate", "deactivate", "cleanup", "shutdown"):
        assert getattr(node, f"trigger_{step}")() == SUCCESS
        seen.append(node.state)
    assert seen == ["unconfigured", "inactive", "active", "inactive", "unconfigured", "finalized"]
    assert node.calls == [("configure", "unconfigured"), ("activate", "inactive")]
    with pytest.raises(RCLError, match="finalized"):
        node.trigger_shutdown()


@pytest.mark.parametrize("step", ["activate", "deactivate", "cleanup"])
def test_a_step_that_a_state_does_not_have_is_told_and_changes_nothing(node: Managed, step: str) -> None:
    assert getattr(node, f"trigger_{step}")() == ERROR
    assert (node.state, node.calls) == ("unconfigured", [])


@pytest.mark.parametrize(
    ("configure", "error", "end"),
    [
        (FAILURE, SUCCESS, "unconfigured"),
        (ERROR, SUCCESS, "unconfigured"),
        (ERROR, FAILURE, "finalized"),
        (RuntimeError("broken"), ERROR, "finalized"),
    ],
)
def test_a_failure_goes_back_and_an_error_is_processed(node: Managed, configure: Any, error: Any, end: str) -> None:
    node.answers = {"configure": configure, "error": error}
    assert node.trigger_configure() == (FAILURE if configure is FAILURE else ERROR)
    assert node.state == end


def test_a_managed_publisher_is_silent_while_its_node_is_not_active(time: Lockstep, node: Managed) -> None:
    heard: list[str] = []
    publisher = node.create_lifecycle_publisher(std_msgs.msg.String, "chat", 10)
    node.create_subscription(std_msgs.msg.String, "chat", lambda m: heard.append(m.data), 10)
    publisher.publish(std_msgs.msg.String(data="too early"))
    node.trigger_configure()
    node.trigger_activate()
    assert publisher.is_activated
    publisher.publish(std_msgs.msg.String(data="now"))
    node.trigger_deactivate()
    publisher.publish(std_msgs.msg.String(data="too late"))
    time.run()
    assert heard == ["now"]
    assert node.destroy_lifecycle_publisher(publisher)


def test_a_method_may_say_what_happens_while_it_is_not_enabled() -> None:
    said: list[str] = []

    class Lamp(SimpleManagedEntity):
        @SimpleManagedEntity.when_enabled(when_not_enabled=lambda: said.append("off"))
        def shine(self) -> None:
            said.append("on")

    lamp = Lamp()
    lamp.shine()
    lamp.on_activate(LifecycleState("inactive", 2))
    lamp.shine()
    assert said == ["off", "on"]


def test_others_ask_for_the_state_change_it_and_hear_of_transitions(time: Lockstep, node: Managed) -> None:
    other, events = Node("other", context=node.context), []
    kinds = lifecycle_msgs.srv
    other.create_subscription(
        lifecycle_msgs.msg.TransitionEvent, "/managed/transition_event", lambda e: events.append(e.goal_state.label), 10
    )

    def call(kind: Any, name: str, **request: Any) -> Any:
        future = other.create_client(kind, f"/managed/{name}").call_async(kind.Request(**request))
        time.run(until=future.done, seconds=1.0)
        return future.result()

    transition = lifecycle_msgs.msg.Transition
    assert call(kinds.ChangeState, "change_state", transition=transition(label="configure")).success
    assert call(kinds.ChangeState, "change_state", transition=transition(id=transition.TRANSITION_ACTIVATE)).success
    assert not call(kinds.ChangeState, "change_state", transition=transition(label="configure")).success
    state = call(kinds.GetState, "get_state").current_state
    assert (state.id, state.label) == (lifecycle_msgs.msg.State.PRIMARY_STATE_ACTIVE, "active")
    assert len(call(kinds.GetAvailableStates, "get_available_states").available_states) == 11
    possible = call(kinds.GetAvailableTransitions, "get_available_transitions").available_transitions
    assert {one.transition.label for one in possible} == {"deactivate", "shutdown"}
    assert len(call(kinds.GetAvailableTransitions, "get_transition_graph").available_transitions) == 25
    assert events == ["configuring", "inactive", "activating", "active"]
