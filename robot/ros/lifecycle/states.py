"""The states of a lifecycle node and the transitions between them, numbered as lifecycle_msgs."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple

from robot.ros.exceptions import RCLError


class TransitionCallbackReturn(IntEnum):
    """What a transition's callback answers, numbered as the transitions that follow."""

    SUCCESS = 97
    FAILURE = 98
    ERROR = 99

    def to_label(self) -> str:
        return f"transition_{self.name.lower()}"


class LifecycleState(NamedTuple):
    """A state, as callbacks get the one before."""

    label: str
    state_id: int


class Transition(NamedTuple):
    """One way from a state to another."""

    label: str
    transition_id: int
    start: LifecycleState
    goal: LifecycleState

    def numbered(self) -> tuple[int, str, int, str, int, str]:
        """Return number and label of the transition, of where it starts and of where it goes."""
        start, goal = self.start, self.goal
        return self.transition_id, self.label, start.state_id, start.label, goal.state_id, goal.label


UNKNOWN = LifecycleState("unknown", 0)
UNCONFIGURED = LifecycleState("unconfigured", 1)
INACTIVE = LifecycleState("inactive", 2)
ACTIVE = LifecycleState("active", 3)
FINALIZED = LifecycleState("finalized", 4)
CONFIGURING = LifecycleState("configuring", 10)
CLEANINGUP = LifecycleState("cleaningup", 11)
SHUTTINGDOWN = LifecycleState("shuttingdown", 12)
ACTIVATING = LifecycleState("activating", 13)
DEACTIVATING = LifecycleState("deactivating", 14)
ERRORPROCESSING = LifecycleState("errorprocessing", 15)

STATES = (
    UNKNOWN,
    UNCONFIGURED,
    INACTIVE,
    ACTIVE,
    FINALIZED,
    CONFIGURING,
    CLEANINGUP,
    SHUTTINGDOWN,
    ACTIVATING,
    DEACTIVATING,
    ERRORPROCESSING,
)

# label, number, from, to; then what follows success, failure and error, with their numbers
_ASKED = (
    ("configure", 1, UNCONFIGURED, CONFIGURING),
    ("cleanup", 2, INACTIVE, CLEANINGUP),
    ("shutdown", 5, UNCONFIGURED, SHUTTINGDOWN),
    ("shutdown", 6, INACTIVE, SHUTTINGDOWN),
    ("shutdown", 7, ACTIVE, SHUTTINGDOWN),
    ("activate", 3, INACTIVE, ACTIVATING),
    ("deactivate", 4, ACTIVE, DEACTIVATING),
)
_FOLLOWING = (
    (CONFIGURING, 10, INACTIVE, UNCONFIGURED, ERRORPROCESSING),
    (CLEANINGUP, 20, UNCONFIGURED, INACTIVE, ERRORPROCESSING),
    (ACTIVATING, 30, ACTIVE, INACTIVE, ERRORPROCESSING),
    (DEACTIVATING, 40, INACTIVE, ACTIVE, ERRORPROCESSING),
    (SHUTTINGDOWN, 50, FINALIZED, FINALIZED, ERRORPROCESSING),
    (ERRORPROCESSING, 60, UNCONFIGURED, FINALIZED, FINALIZED),
)
TRANSITIONS = (
    *(Transition(*row) for row in _ASKED),
    *(
        Transition(outcome.to_label(), number + offset, start, goal)
        for start, number, *goals in _FOLLOWING
        for offset, (outcome, goal) in enumerate(zip(TransitionCallbackReturn, goals, strict=True))
    ),
)


class StateMachine:
    """Where a node is, and where it can go."""

    def __init__(self) -> None:
        self.state = UNCONFIGURED

    @property
    def initialized(self) -> bool:
        return True

    @property
    def current_state(self) -> tuple[int, str]:
        return self.state.state_id, self.state.label

    @property
    def available_states(self) -> list[tuple[int, str]]:
        return [(state.state_id, state.label) for state in STATES]

    @property
    def available_transitions(self) -> list[tuple[int, str, int, str, int, str]]:
        return [transition.numbered() for transition in self.available()]

    @property
    def transition_graph(self) -> list[tuple[int, str, int, str, int, str]]:
        return [transition.numbered() for transition in TRANSITIONS]

    def get_transition_by_label(self, label: str) -> int:
        return self.by_label(label).transition_id

    def trigger_transition_by_id(self, transition_id: int, publish_update: bool = False) -> None:
        self.go(self.by_id(transition_id))

    def trigger_transition_by_label(self, label: str, publish_update: bool = False) -> None:
        self.go(self.by_label(label))

    def available(self) -> list[Transition]:
        return [transition for transition in TRANSITIONS if transition.start == self.state]

    def by_id(self, transition_id: int) -> Transition:
        """Return the transition from this state; raises RCLError when there is none."""
        return self._one(lambda transition: transition.transition_id == transition_id, f"with id {transition_id}")

    def by_label(self, label: str) -> Transition:
        return self._one(lambda transition: transition.label == label, repr(label))

    def _one(self, fits: Callable[[Transition], bool], text: str) -> Transition:
        for transition in self.available():
            if fits(transition):
                return transition
        possible = [f"{transition.label} ({transition.transition_id})" for transition in self.available()]
        raise RCLError(f"no transition {text} in state {self.state.label}; there are {possible}")

    def go(self, transition: Transition) -> None:
        self.state = transition.goal
