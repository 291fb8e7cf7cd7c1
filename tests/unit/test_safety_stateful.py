"""Causes, requests, motions and faults in any order: what the requirements forbid never comes (R1-R5, R7, R11)."""

from __future__ import annotations

import numpy as np
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from robot.arms import load_arm
from robot.hardware.fake import FakeHardware, Faults
from robot.loop import ControlLoop, LoopError, LoopSettings, Motion
from robot.motion import joint_move
from robot.safety import State, Supervisor
from robot.safety.states import LATCHED, MOVING, POWERED
from telemetry.messages.tables import faults

ARM = load_arm("ur3e")
DT = 0.004
HOME = np.array([0.4, -1.5, -2.0, 1.5, 0.5, 1.5, 0.0])
TABLE = faults()
HOLDS = ("eyes_lost", "operator_hold")
STOPS = {
    "tracking_error": State.PSTOP,
    "runaway": State.FAULT,
    "nobody_knows_it": State.FAULT,
    "estop_input": State.ESTOP,
}
RANK = {State.PSTOP: 1, State.FAULT: 2, State.ESTOP: 3}
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # a failure is told as it came: making it smaller takes minutes
causes = st.sampled_from([*HOLDS, *STOPS])


class Supervised(RuleBasedStateMachine):
    """The supervisor beside what a person would keep on paper: which conditions last, which stops nobody answered."""

    def __init__(self) -> None:
        super().__init__()
        self.supervisor = Supervisor()
        self.lasts: set[str] = set()
        self.unanswered: set[str] = set()
        self.held: set[str] = set()
        self.before, self.asked, self.pressed = State.OFF, "", True

    def ask(self, name: str, done: bool) -> None:
        self.asked = name
        if name in ("start", "manual") and done:
            self.held.clear()
        if name == "reset" and not any(key in STOPS for key in self.lasts):
            self.unanswered.clear()

    @rule(key=causes)
    def begins(self, key: str) -> None:
        self.asked = ""
        self.supervisor.raise_cause(key)
        self.lasts.add(key)
        self.unanswered |= {key} & set(STOPS)

    @rule(key=causes)
    def ends(self, key: str) -> None:
        self.asked = ""
        self.supervisor.clear(key)
        self.lasts.discard(key)

    @rule(key=causes)
    def happens(self, key: str) -> None:
        self.asked = ""
        self.supervisor.momentary(key)
        if key in STOPS:
            self.unanswered.add(key)
        elif key not in self.lasts:
            self.held.add(key)

    @rule(name=st.sampled_from(["power_on", "power_off", "enable", "disable", "start", "manual", "reset"]))
    def request(self, name: str) -> None:
        self.ask(name, getattr(self.supervisor, name)())

    @rule(name=st.sampled_from(["start", "manual"]))
    def bring_up(self, name: str) -> None:
        """All that leads to motion in a row, so that it is often in motion when the next thing happens."""
        for key in tuple(self.lasts):
            self.ends(key)
        for each in ("reset", "power_on", "enable", name):
            self.request(each)
            self.it_moves_only_when_asked_and_with_nothing_open()

    @rule(key=st.sampled_from(HOLDS))
    def moves_with_a_hold_that_lasts(self, key: str) -> None:
        self.bring_up("start")
        self.begins(key)
        self.it_moves_only_when_asked_and_with_nothing_open()
        self.request("start")

    @rule(key=st.sampled_from([*STOPS]))
    def stops_with_the_button_held_down(self, key: str) -> None:
        self.bring_up("start")
        self.button(True)
        self.it_moves_only_when_asked_and_with_nothing_open()
        self.happens(key)
        self.it_moves_only_when_asked_and_with_nothing_open()
        self.button(True)

    @rule(pressed=st.booleans())
    def button(self, pressed: bool) -> None:
        edge, self.pressed = pressed and not self.pressed, pressed
        self.ask("reset" if edge else "", self.supervisor.reset_input(pressed))

    @invariant()
    def what_is_on_paper_is_what_it_says(self) -> None:
        assert set(self.supervisor.causes) == self.lasts | self.unanswered | self.held
        assert self.supervisor.needs_reset == any(key in STOPS for key in self.lasts | self.unanswered)

    @invariant()
    def it_moves_only_when_asked_and_with_nothing_open(self) -> None:
        state, before = self.supervisor.state, self.before
        if state in MOVING:
            assert not self.supervisor.causes
            assert before is state or self.asked == {State.RUN: "start", State.MANUAL_REDUCED: "manual"}[state]
        if before in LATCHED and state not in LATCHED:
            assert self.asked == "reset"
        if before in LATCHED and state in LATCHED:
            assert RANK[state] >= RANK[before]
        self.before = state

    @invariant()
    def an_open_stop_is_a_stop(self) -> None:
        state, worst = self.supervisor.state, [RANK[STOPS[key]] for key in self.unanswered]
        if worst and state not in (State.OFF, State.IDLE):
            assert RANK.get(state, 0) >= 1


TestSupervised = Supervised.TestCase
TestSupervised.settings = settings(max_examples=60, stateful_step_count=40, deadline=None, phases=PHASES)

CODES = ("door_open", "over_current", "estop_input")


class Driven(RuleBasedStateMachine):
    """The loop on the stand-in while people, programs and faults come as they like; each tick is looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 0.0
        self.hardware = FakeHardware(ARM, self.monotonic, position=HOME)
        self.loop = ControlLoop(self.hardware, ARM, self, LoopSettings(local_reset=False, required=("picker",)))
        self.loop.bring_up()
        self.q, self.v = self.loop.set_point.copy(), np.zeros(7)
        self.state = self.loop.supervisor.state
        self.still_since = 0.0
        self.motions: list[Motion] = []
        self.there = True

    def now(self) -> float:
        return 1_780_000_000.0 + self.time

    def monotonic(self) -> float:
        return self.time

    def tick(self) -> None:
        self.time += DT
        if self.there:
            self.loop.heartbeat("picker")
        self.loop.tick()
        state, q = self.loop.supervisor.state, self.loop.set_point
        assert state not in MOVING or self.state is state, "it moves without a start"
        assert (q >= ARM.position_min - 0.011).all()
        assert (q <= ARM.position_max + 0.011).all()
        v = (q - self.q) / DT
        if v.any() and state in POWERED and self.state in POWERED:
            assert (np.abs(v) <= ARM.velocity * 1.02).all()
            assert (np.abs(v - self.v) / DT <= ARM.acceleration * 1.27).all()
        if state in MOVING or not v.any():
            self.still_since = self.time
        assert self.time - self.still_since < 1.2, f"set points still move in {state}"
        self.q, self.v, self.state = q.copy(), v, state

    @rule(ticks=st.integers(1, 80))
    def wait(self, ticks: int) -> None:
        for _ in range(ticks):
            self.tick()

    @rule(name=st.sampled_from(["start", "reset"]))
    def ask(self, name: str) -> None:
        answer = getattr(self.loop, name)()
        assert (answer == "") or answer.partition(":")[0] in TABLE
        if name == "reset":
            assert self.loop.supervisor.state not in MOVING or self.state in MOVING
        self.answered()

    def answered(self) -> None:
        """A reset may hold the arm where it is from now on; the set point is no longer the one before."""
        self.state = self.loop.supervisor.state
        if not np.array_equal(self.q, self.loop.set_point):
            assert self.state not in MOVING
            self.q, self.v = self.loop.set_point.copy(), np.zeros(7)

    @rule(name=st.sampled_from(["hold", "stop"]))
    def halt(self, name: str) -> None:
        getattr(self.loop, name)()
        self.state = self.loop.supervisor.state
        assert self.state not in MOVING

    @rule(joint=st.integers(0, 6), by=st.floats(-0.6, 0.6))
    def move(self, joint: int, by: float) -> None:
        goal = self.loop.set_point.copy()
        goal[joint] = np.clip(goal[joint] + by, ARM.position_min[joint], ARM.position_max[joint])
        allowed = self.loop.supervisor.state in MOVING and not self.loop.busy
        try:
            self.motions.append(self.loop.follow(joint_move(ARM, self.loop.set_point, goal)))
        except LoopError as error:
            assert not allowed, error
        else:
            assert allowed

    @rule(codes=st.sampled_from([(), *[(code,) for code in CODES]]))
    def report(self, codes: tuple[str, ...]) -> None:
        self.hardware.faults.codes = codes

    @rule(there=st.booleans())
    def beat(self, there: bool) -> None:
        self.there = there

    @rule(cut=st.booleans())
    def wire(self, cut: bool) -> None:
        self.hardware.faults.disconnected = cut

    @rule(joint=st.integers(0, 6), by=st.floats(-0.6, 0.6), ticks=st.integers(1, 150))
    def bring_up_and_move(self, joint: int, by: float, ticks: int) -> None:
        """With everything whole again a person brings it back: so it is often in motion when the next thing happens."""
        self.hardware.faults, self.there = Faults(), True
        self.wait(80)  # longer than an operator's hold is fresh
        while self.loop.moving:
            self.tick()
        for _ in range(2):  # a fault, then perhaps a position that is not the one it was left in
            self.loop.reset()
            self.answered()
            self.wait(5)
        if self.state not in MOVING:
            assert self.loop.start() == ""
        self.answered()
        assert self.state is State.RUN
        self.move(joint, by)
        self.wait(ticks)

    @rule(by=st.sampled_from([-1.2, 1.2]), name=st.sampled_from(["hold", "stop"]))
    def halts_in_a_long_move(self, by: float, name: str) -> None:
        self.bring_up_and_move(0, by, 60)
        self.halt(name)
        self.wait(400)

    def teardown(self) -> None:
        """Nothing that was begun is left without an end."""
        self.bring_up_and_move(0, 0.01, 400)
        assert all(motion.done for motion in self.motions)


TestDriven = Driven.TestCase
TestDriven.settings = settings(max_examples=6, stateful_step_count=16, deadline=None, phases=PHASES)
