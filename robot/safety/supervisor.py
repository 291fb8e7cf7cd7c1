"""The supervisor: one state, the causes behind it, and the rules for leaving it."""

from __future__ import annotations

from robot.safety.causes import CAUSES, EVENT_OF, UNKNOWN, Effect
from robot.safety.states import MOVING, Event, State, step


class Supervisor:
    """Holds the state machine and its causes. Starts OFF; nothing but `start` leads to RUN.

    A cause is *active* while its condition lasts and *latched* until a person has answered it: with `start` for a
    momentary HOLD, with `reset` for everything above.
    """

    def __init__(self) -> None:
        self._state = State.OFF
        self._active: set[str] = set()
        self._latched: set[str] = set()
        self._reset_pressed = True  # a button held down since before power-up is not a reset
        self._changes = self._stops = 0

    @property
    def state(self) -> State:
        return self._state

    @property
    def changes(self) -> int:
        """Count of changes of state or causes; compare to know when to publish."""
        return self._changes

    @property
    def stops(self) -> int:
        """Count of times motion was no longer allowed; whoever looks only now and then misses none."""
        return self._stops

    @property
    def causes(self) -> tuple[str, ...]:
        """Keys that hold the robot now, the most dominant first."""
        return tuple(sorted(self._active | self._latched, key=lambda key: (-effect_of(key), key)))

    @property
    def motion_allowed(self) -> bool:
        return self._state in MOVING

    @property
    def needs_reset(self) -> bool:
        return any(effect_of(key) > Effect.HOLD for key in self._active | self._latched)

    def raise_cause(self, key: str) -> None:
        """Report that a condition holds now; takes effect at once, whatever else is under way."""
        if key in self._active:
            return
        self._active.add(key)
        self._changes += 1
        self.momentary(key)

    def momentary(self, key: str) -> None:
        """Report something that happened, such as a button press or one rejected command."""
        effect = effect_of(key)
        if key not in self._active or effect > Effect.HOLD:
            if key not in self._latched:
                self._changes += 1
            self._latched.add(key)
        self._apply(EVENT_OF[effect])

    def clear(self, key: str) -> None:
        """Report that a condition no longer holds. A latched cause stays until it is answered."""
        if key in self._active:
            self._active.discard(key)
            self._changes += 1

    def power_on(self) -> bool:
        return self._request(Event.POWER_ON)

    def power_off(self) -> bool:
        return self._request(Event.POWER_OFF)

    def enable(self) -> bool:
        """Ask for READY; refused while anything above HOLD is unanswered."""
        return not self.needs_reset and self._request(Event.ENABLE)

    def disable(self) -> bool:
        return self._request(Event.DISABLE)

    def start(self) -> bool:
        """Ask for RUN; refused while any condition lasts or a reset is due. Answers momentary HOLDs."""
        return self._begin(Event.START)

    def manual(self) -> bool:
        """Ask for MANUAL_REDUCED; refused like `start`."""
        return self._begin(Event.MANUAL)

    def reset(self) -> bool:
        """Answer latched causes; refused while one of their conditions lasts. Never starts motion."""
        if any(effect_of(key) > Effect.HOLD for key in self._active):
            return False
        answered = {key for key in self._latched if effect_of(key) > Effect.HOLD}
        if answered:
            self._latched -= answered
            self._changes += 1
        return self._request(Event.RESET) or bool(answered)

    def reset_input(self, pressed: bool) -> bool:
        """Feed a reset button's level; only its rising edge resets."""
        return self.reset_edge(pressed) and self.reset()

    def reset_edge(self, pressed: bool) -> bool:
        """Feed a reset button's level; tell whether it has just been pressed."""
        edge = pressed and not self._reset_pressed
        self._reset_pressed = pressed
        return edge

    def _begin(self, event: Event) -> bool:
        if self._active or self.needs_reset:
            return False
        latched, self._latched = self._latched, set()
        if self._request(event):
            return True
        self._latched = latched
        return False

    def _request(self, event: Event) -> bool:
        before = self._state
        self._apply(event)
        return self._state is not before

    def _apply(self, event: Event) -> None:
        after = step(self._state, event)
        if after is not self._state:
            self._stops += self._state in MOVING and after not in MOVING
            self._state = after
            self._changes += 1


def effect_of(key: str) -> Effect:
    """Return what a cause demands; an unknown key is a FAULT."""
    return CAUSES.get(key, UNKNOWN)
