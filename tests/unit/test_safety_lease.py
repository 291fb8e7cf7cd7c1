"""One motion authority at a time: the lease itself, and the loop that honours it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from robot.arms import load_arm
from robot.hardware.fake import FakeHardware
from robot.loop import ControlLoop, LoopError, LoopSettings
from robot.motion import joint_move
from robot.safety import MotionLease, State

ARM = load_arm("ur3e")
DT = 0.004
HOME = np.array([0.4, -1.5, -2.0, 1.5, 0.5, 1.5, 0.0])
GOAL = HOME + np.array([0.5, 0, 0, 0, 0, 0, 0])


class Rig:
    def __init__(self) -> None:
        self.time = 0.0
        self.loop = ControlLoop(FakeHardware(ARM, self.monotonic, position=HOME), ARM, self, LoopSettings())
        self.loop.bring_up()
        self.run(0.02)
        assert self.loop.start() == ""

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def run(self, seconds: float, token: int = 0) -> None:
        for _ in range(round(seconds / DT)):
            self.time += DT
            if token:
                assert self.loop.renew(token)
            self.loop.tick()

    @property
    def state(self) -> State:
        return self.loop.supervisor.state


@pytest.mark.parametrize("age", [0.0, -1.0, float("nan"), float("inf")])
def test_a_lease_needs_an_age(age: float) -> None:
    with pytest.raises(ValueError, match="age > 0 s"):
        MotionLease(age)


def test_only_one_holder_and_old_tokens_open_nothing() -> None:
    lease = MotionLease(0.2)
    first = lease.acquire("tablet", 1.0)
    assert first > 0
    assert lease.holder == "tablet"
    assert lease.acquire("desk", 1.0) == 0
    assert lease.acquire("", 1.0) == 0
    second = lease.acquire("tablet", 1.1)  # the same one again, after its program began anew
    assert second > first
    assert "passed" in lease.refuses(first, 1.1)
    assert lease.refuses(second, 1.1) == ""
    assert not lease.renew(first, 1.1)
    assert not lease.release(first)
    assert lease.release(second)
    assert lease.holder == ""
    assert not lease.renew(second, 1.2)
    assert "passed" in lease.refuses(second, 1.2)


def test_a_lease_runs_out_when_it_is_not_renewed() -> None:
    lease = MotionLease(0.2)
    assert not lease.lost(99.0)
    token = lease.acquire("tablet", 1.0)
    assert not lease.lost(1.2)
    assert lease.lost(1.21)
    assert lease.lost(float("nan"))
    assert "run out" in lease.refuses(token, 1.21)
    assert lease.renew(token, 1.3)
    assert not lease.lost(1.5)
    lease.drop()
    assert lease.holder == ""
    assert lease.refuses(0, 9.0) == ""


def test_the_robots_own_programs_wait_while_somebody_else_holds_the_lease() -> None:
    rig = Rig()
    motion = rig.loop.follow(joint_move(ARM, HOME, GOAL))
    rig.run(0.3)
    token = rig.loop.acquire("tablet")
    rig.run(1.0, token)
    assert (motion.code, rig.state) == ("canceled", State.RUN)
    here = rig.loop.set_point
    for request in (
        lambda: rig.loop.follow(joint_move(ARM, here, GOAL)),
        lambda: rig.loop.grip(0.02, 1.0),
    ):
        with pytest.raises(LoopError, match="tablet holds the motion lease"):
            request()
    mine = rig.loop.follow(joint_move(ARM, here, GOAL), token=token)
    assert rig.loop.grip(0.02, 1.0, token=token).opening == 0.02
    rig.run(2.5, token)
    assert (mine.done, mine.code) == (True, "")
    assert rig.loop.release(token)
    assert not rig.loop.release(token)
    rig.loop.follow(joint_move(ARM, GOAL, HOME))


def test_a_remote_holder_who_falls_silent_makes_the_robot_hold() -> None:
    rig = Rig()
    token = rig.loop.acquire("tablet")
    motion = rig.loop.follow(joint_move(ARM, HOME, GOAL), token=token)
    rig.run(0.3, token)
    rig.run(0.196)
    assert rig.state is State.RUN
    rig.run(0.012)
    assert rig.state is State.HOLD
    assert rig.loop.supervisor.causes == ("lease_lost",)
    rig.run(1.0)
    assert motion.code == "lease_lost"
    assert not rig.loop.renew(token)
    assert rig.loop.start() == ""  # a person's word; the robot's own programs go on
    with pytest.raises(LoopError, match="lease"):
        rig.loop.follow(joint_move(ARM, rig.loop.set_point, HOME), token=token)
    rig.loop.follow(joint_move(ARM, rig.loop.set_point, HOME))


def test_a_trajectory_that_comes_too_late_does_not_begin() -> None:
    rig = Rig()
    with pytest.raises(LoopError, match="command_expired"):
        rig.loop.follow(joint_move(ARM, HOME, GOAL), valid_until=rig.time - 0.001)
    with pytest.raises(LoopError, match="command_expired"):
        rig.loop.follow(joint_move(ARM, HOME, GOAL), valid_until=float("nan"))
    assert rig.loop.follow(joint_move(ARM, HOME, GOAL), valid_until=rig.time).code == ""


class Leases(RuleBasedStateMachine):
    """Whoever asks in whatever order: nobody moves the robot but the one holder, or the robot when there is none."""

    def __init__(self) -> None:
        super().__init__()
        self.lease = MotionLease(0.2)
        self.now = 0.0
        self.tokens: dict[str, int] = {}
        self.renewed = 0.0

    @rule(by=st.sampled_from([0.05, 0.1, 0.3]))
    def wait(self, by: float) -> None:
        self.now += by

    @rule(who=st.sampled_from(["a", "b"]))
    def acquire(self, who: str) -> None:
        holder = self.lease.holder
        token = self.lease.acquire(who, self.now)
        assert bool(token) == (holder in ("", who))
        if token:
            assert token not in self.tokens.values()
            self.tokens[who], self.renewed = token, self.now

    @rule(who=st.sampled_from(["a", "b"]))
    def renew(self, who: str) -> None:
        if self.lease.renew(self.tokens.get(who, -1), self.now):
            assert self.lease.holder == who
            self.renewed = self.now

    @rule(who=st.sampled_from(["a", "b"]))
    def release(self, who: str) -> None:
        held = self.lease.holder == who
        assert self.lease.release(self.tokens.get(who, -1)) == held

    @rule()
    def watch(self) -> None:
        if self.lease.lost(self.now):
            self.lease.drop()

    @invariant()
    def one_authority(self) -> None:
        admitted = [who for who, token in self.tokens.items() if not self.lease.refuses(token, self.now)]
        own = not self.lease.refuses(0, self.now)
        assert len(admitted) + own <= 1
        assert own == (self.lease.holder == "")
        if admitted:
            assert self.now - self.renewed <= 0.2


TestLeases = Leases.TestCase
TestLeases.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
