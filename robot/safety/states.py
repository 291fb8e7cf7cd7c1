"""The state machine of mode and safety: nine states, eleven events, one table."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class State(StrEnum):
    """IDLE: powered, drives off. READY: drives hold. RUN: automatic. HOLD: waits. The last four need a person."""

    OFF = "OFF"
    IDLE = "IDLE"
    READY = "READY"
    RUN = "RUN"
    HOLD = "HOLD"
    MANUAL_REDUCED = "MANUAL_REDUCED"
    PSTOP = "PSTOP"
    ESTOP = "ESTOP"
    FAULT = "FAULT"


class Event(StrEnum):
    """What a person asks for, then what a cause demands. `ESTOP` reports the hard-wired input; software has none."""

    POWER_ON = "power_on"
    POWER_OFF = "power_off"
    ENABLE = "enable"
    DISABLE = "disable"
    START = "start"
    MANUAL = "manual"
    RESET = "reset"
    HOLD = "hold"
    PSTOP = "pstop"
    ESTOP = "estop"
    FAULT = "fault"


MOVING = frozenset({State.RUN, State.MANUAL_REDUCED})
LATCHED = frozenset({State.PSTOP, State.ESTOP, State.FAULT})
POWERED = frozenset({State.READY, State.RUN, State.HOLD, State.MANUAL_REDUCED, State.PSTOP})

# One row per state; an event that is not in a state's row leaves it unchanged.
TRANSITIONS: Mapping[State, Mapping[Event, State]] = MappingProxyType(
    {
        State.OFF: MappingProxyType({Event.POWER_ON: State.IDLE, Event.ESTOP: State.ESTOP, Event.FAULT: State.FAULT}),
        State.IDLE: MappingProxyType(
            {
                Event.POWER_OFF: State.OFF,
                Event.ENABLE: State.READY,
                Event.PSTOP: State.PSTOP,
                Event.ESTOP: State.ESTOP,
                Event.FAULT: State.FAULT,
            }
        ),
        State.READY: MappingProxyType(
            {
                Event.POWER_OFF: State.OFF,
                Event.DISABLE: State.IDLE,
                Event.START: State.RUN,
                Event.MANUAL: State.MANUAL_REDUCED,
                Event.PSTOP: State.PSTOP,
                Event.ESTOP: State.ESTOP,
                Event.FAULT: State.FAULT,
            }
        ),
        State.RUN: MappingProxyType(
            {
                Event.POWER_OFF: State.OFF,
                Event.HOLD: State.HOLD,
                Event.PSTOP: State.PSTOP,
                Event.ESTOP: State.ESTOP,
                Event.FAULT: State.FAULT,
            }
        ),
        State.HOLD: MappingProxyType(
            {
                Event.POWER_OFF: State.OFF,
                Event.DISABLE: State.IDLE,
                Event.START: State.RUN,
                Event.PSTOP: State.PSTOP,
                Event.ESTOP: State.ESTOP,
                Event.FAULT: State.FAULT,
            }
        ),
        State.MANUAL_REDUCED: MappingProxyType(
            {
                Event.POWER_OFF: State.OFF,
                Event.DISABLE: State.IDLE,
                Event.HOLD: State.HOLD,
                Event.PSTOP: State.PSTOP,
                Event.ESTOP: State.ESTOP,
                Event.FAULT: State.FAULT,
            }
        ),
        State.PSTOP: MappingProxyType({Event.RESET: State.READY, Event.ESTOP: State.ESTOP, Event.FAULT: State.FAULT}),
        State.FAULT: MappingProxyType({Event.RESET: State.IDLE, Event.ESTOP: State.ESTOP}),
        State.ESTOP: MappingProxyType({Event.RESET: State.IDLE}),
    }
)


def step(state: State, event: Event) -> State:
    """Return the state after an event; anything unknown ends in FAULT. Guards are the supervisor's."""
    row = TRANSITIONS.get(state)
    if row is None or not isinstance(event, Event):
        return State.FAULT
    return row.get(event, state)
