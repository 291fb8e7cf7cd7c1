"""Every state against every event, and every order of causes and requests that leads anywhere new."""

from collections import deque
from collections.abc import Callable
from itertools import product

import pytest

from robot.safety import CAUSES, TRANSITIONS, Effect, Event, State, Supervisor, step
from robot.safety.causes import EVENT_OF
from robot.safety.states import LATCHED, MOVING
from robot.safety.supervisor import effect_of
from telemetry.messages.tables import faults

STOPS = (Event.HOLD, Event.PSTOP, Event.FAULT, Event.ESTOP)
RANK = {State.HOLD: 1, State.PSTOP: 2, State.FAULT: 3, State.ESTOP: 4}
PAIRS = list(product(State, Event))

# The whole machine, written a second time as a person would read it off the requirement list.
EXPECTED = """
                power_on power_off enable disable start manual         reset hold pstop estop fault
OFF             IDLE     .         .      .       .     .              .     .    .     ESTOP FAULT
IDLE            .        OFF       READY  .       .     .              .     .    PSTOP ESTOP FAULT
READY           .        OFF       .      IDLE    RUN   MANUAL_REDUCED .     .    PSTOP ESTOP FAULT
RUN             .        OFF       .      .       .     .              .     HOLD PSTOP ESTOP FAULT
HOLD            .        OFF       .      IDLE    RUN   .              .     .    PSTOP ESTOP FAULT
MANUAL_REDUCED  .        OFF       .      IDLE    .     .              .     HOLD PSTOP ESTOP FAULT
PSTOP           .        .         .      .       .     .              READY .    .     ESTOP FAULT
FAULT           .        .         .      .       .     .              IDLE  .    .     ESTOP .
ESTOP           .        .         .      .       .     .              IDLE  .    .     .     .
"""


def expected() -> dict[tuple[State, Event], State]:
    header, *rows = [line.split() for line in EXPECTED.strip().splitlines()]
    table = {}
    for name, *cells in rows:
        for event, cell in zip(header, cells, strict=True):
            table[State(name), Event(event)] = State(name) if cell == "." else State(cell)
    return table


@pytest.mark.parametrize(("state", "event"), PAIRS)
def test_every_state_answers_every_event_as_written(state: State, event: Event) -> None:
    assert step(state, event) is expected()[state, event]


@pytest.mark.parametrize(("state", "event"), PAIRS)
def test_invariants_hold_for_every_state_and_event(state: State, event: Event) -> None:
    after = step(state, event)
    if after is State.RUN:
        assert state is State.RUN or (event is Event.START and state in (State.READY, State.HOLD))
    if event in STOPS:
        assert after not in MOVING
        assert RANK.get(after, 0) >= RANK.get(state, 0)
    if event is Event.RESET:
        assert after not in MOVING or after is state
    if state in LATCHED:
        assert after is state or event is Event.RESET or RANK[after] > RANK[state]
    if event in (Event.POWER_ON, Event.ENABLE):
        assert after not in MOVING or after is state


def test_something_unknown_ends_in_fault() -> None:
    assert step("DANCING", Event.START) is State.FAULT  # type: ignore[arg-type]
    assert step(State.RUN, "jump") is State.FAULT  # type: ignore[arg-type]


def test_the_table_covers_every_state_and_cannot_be_changed() -> None:
    assert set(TRANSITIONS) == set(State)
    with pytest.raises(TypeError):
        TRANSITIONS[State.OFF][Event.START] = State.RUN  # type: ignore[index]


KEYS = ("eyes_lost", "tracking_error", "hardware_lost", "estop_input")  # one condition per effect
ACTIONS: dict[str, Callable[[Supervisor], object]] = {
    **{f"raise {key}": lambda s, key=key: s.raise_cause(key) for key in KEYS},
    **{f"clear {key}": lambda s, key=key: s.clear(key) for key in KEYS},
    "hold": lambda s: s.momentary("operator_hold"),
    "stop": lambda s: s.momentary("operator_stop"),
    "power_on": Supervisor.power_on,
    "power_off": Supervisor.power_off,
    "enable": Supervisor.enable,
    "disable": Supervisor.disable,
    "start": Supervisor.start,
    "manual": Supervisor.manual,
    "reset": Supervisor.reset,
}
Snapshot = tuple[State, frozenset[str], frozenset[str]]


def snapshot(s: Supervisor) -> Snapshot:
    return s.state, frozenset(s._active), frozenset(s._latched)


def restore(values: Snapshot) -> Supervisor:
    s = Supervisor()
    s._state, s._active, s._latched = values[0], set(values[1]), set(values[2])
    return s


def test_every_reachable_situation_keeps_the_requirements() -> None:
    """R1-R3 by breadth-first search over all orders of causes and requests."""
    begin = snapshot(Supervisor())
    seen, queue, transitions = {begin}, deque([begin]), 0
    while queue:
        before = queue.popleft()
        for name, act in ACTIONS.items():
            s = restore(before)
            act(s)
            after = snapshot(s)
            transitions += 1
            state, active, latched = after
            severe = {key for key in active | latched if effect_of(key) > Effect.HOLD}
            if state in MOVING:
                assert not active, (before, name)
                assert not latched, (before, name)
                assert before[0] is state or name in ("start", "manual"), (before, name)
            if name == "reset":
                assert state not in MOVING or before[0] is state
            if severe:
                assert s.needs_reset
                assert state in LATCHED or state is State.OFF or state is State.IDLE, (before, name, after)
            if name.startswith("raise") and before[0] not in (State.OFF,):
                wanted = EVENT_OF[effect_of(name.removeprefix("raise "))]
                assert RANK.get(state, 0) >= RANK[step(State.RUN, wanted)] or before[0] in (State.IDLE, State.READY)
            if before[0] in LATCHED and state not in LATCHED:
                assert name == "reset", (before, name)
                assert not any(effect_of(key) > Effect.HOLD for key in before[1])
            assert set(s.causes) == set(active | latched)
            if after not in seen:
                seen.add(after)
                queue.append(after)
    assert {values[0] for values in seen} == set(State)
    assert transitions > 2000


def ready() -> Supervisor:
    s = Supervisor()
    assert s.power_on()
    assert s.enable()
    return s


def running() -> Supervisor:
    s = ready()
    assert s.start()
    return s


def test_powering_up_and_enabling_never_moves() -> None:
    assert ready().state is State.READY


def test_a_hold_that_clears_by_itself_still_needs_a_start() -> None:
    s = running()
    s.raise_cause("eyes_lost")
    assert s.state is State.HOLD
    assert not s.start()
    s.clear("eyes_lost")
    assert s.state is State.HOLD
    assert s.causes == ()
    assert s.start()
    assert s.state is State.RUN


def test_an_operators_hold_is_answered_by_start() -> None:
    s = running()
    s.momentary("operator_hold")
    assert s.causes == ("operator_hold",)
    assert s.start()
    assert s.causes == ()


def test_a_stop_needs_reset_and_then_start() -> None:
    s = running()
    s.momentary("operator_stop")
    assert s.needs_reset
    assert not s.start()
    assert s.reset()
    assert s.state is State.READY
    assert s.start()


def test_reset_is_refused_while_the_condition_lasts() -> None:
    s = running()
    s.raise_cause("estop_input")
    assert not s.reset()
    s.clear("estop_input")
    assert s.state is State.ESTOP
    assert s.reset()
    assert s.state is State.IDLE


def test_a_held_down_reset_button_resets_nothing() -> None:
    s = running()
    assert not s.reset_input(True)  # held since before power-up
    s.momentary("operator_stop")
    assert not s.reset_input(True)
    s.reset_input(False)
    assert s.reset_input(True)
    s.momentary("operator_stop")
    assert not s.reset_input(True)
    assert s.state is State.PSTOP


def test_the_worst_cause_comes_first_and_an_unknown_one_is_a_fault() -> None:
    s = running()
    s.raise_cause("eyes_lost")
    s.raise_cause("tracking_error")
    assert s.causes == ("tracking_error", "eyes_lost")
    s.raise_cause("something_new")
    assert s.state is State.FAULT


def test_changes_are_counted_once_each() -> None:
    s = running()
    before = s.changes
    s.raise_cause("eyes_lost")
    after = s.changes
    assert after > before
    s.raise_cause("eyes_lost")
    s.clear("tracking_error")
    assert s.changes == after


def test_every_cause_is_in_the_fault_table_with_the_same_effect() -> None:
    table = faults()
    for key, effect in CAUSES.items():
        assert key in table, f"add {key} to faults.toml"
        assert str(table[key].effect) == ("holds" if effect is Effect.HOLD else "stops"), key


def test_requests_say_whether_they_did_something() -> None:
    s = Supervisor()
    assert not s.start()
    assert not s.manual()
    assert not s.reset()
    s.momentary("operator_stop")
    assert s.state is State.OFF
    assert s.reset()
    assert s.causes == ()
    s.power_on()
    assert not s.start()
    s.enable()
    assert s.start()
    assert not s.start()
