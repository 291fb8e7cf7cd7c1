"""What lamp and buzzer show in each state (R10; after ISO 18497's visual and audible indication)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from robot.safety.states import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Lamp colours by IEC 60204-1: green normal, yellow abnormal, red danger, blue wants a person, white anything."""

    lamp: str
    flashing: bool = False
    buzzer: bool = False


SIGNALS: Mapping[State, Signal] = MappingProxyType(
    {
        State.OFF: Signal(lamp="off"),
        State.IDLE: Signal(lamp="white"),
        State.READY: Signal(lamp="blue"),
        State.RUN: Signal(lamp="green"),
        State.HOLD: Signal(lamp="yellow"),
        State.MANUAL_REDUCED: Signal(lamp="green", flashing=True),
        State.PSTOP: Signal(lamp="yellow", flashing=True, buzzer=True),
        State.FAULT: Signal(lamp="red", buzzer=True),
        State.ESTOP: Signal(lamp="red", flashing=True, buzzer=True),
    }
)
