"""States and transitions as messages of lifecycle_msgs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robot.ros.interfaces import registry

if TYPE_CHECKING:
    from robot.ros.clock import BaseClock
    from robot.ros.lifecycle.states import LifecycleState, Transition


def service_type(name: str) -> Any:
    return registry.service(f"lifecycle_msgs/srv/{name}")


def message_type(name: str) -> Any:
    return registry.message(f"lifecycle_msgs/msg/{name}")


def state_message(state: LifecycleState) -> Any:
    return message_type("State")(id=state.state_id, label=state.label)


def _ends(transition: Transition) -> dict[str, Any]:
    return {
        "transition": message_type("Transition")(id=transition.transition_id, label=transition.label),
        "start_state": state_message(transition.start),
        "goal_state": state_message(transition.goal),
    }


def description_message(transition: Transition) -> Any:
    return message_type("TransitionDescription")(**_ends(transition))


def event_message(transition: Transition, clock: BaseClock) -> Any:
    """Tell that a transition has happened now."""
    return message_type("TransitionEvent")(timestamp=max(0, clock.now().nanoseconds), **_ends(transition))
