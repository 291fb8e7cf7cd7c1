"""Whatever a person asks of the loop in vain is answered with a key that the fault table explains in zh and en."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from robot.arms import load_arm
from robot.hardware import HardwareError
from robot.hardware.fake import FakeHardware
from robot.loop import ControlLoop, LoopSettings
from robot.motion import joint_move
from robot.nodes.gateway_texts import reason_key
from robot.safety import State
from telemetry.messages.tables import faults

ARM = load_arm("ur3e")
DT = 0.004
HOME = np.array([0.4, -1.5, -2.0, 1.5, 0.5, 1.5, 0.0])


class Weak(FakeHardware):
    """Drives that cannot be powered while `weak`."""

    weak = False

    def activate(self) -> None:
        if self.weak:
            raise HardwareError("hardware_lost", "the brakes do not open")
        super().activate()


class Rig:
    """A loop in RUN on the stand-in, in virtual time."""

    def __init__(self, *, local_reset: bool = False) -> None:
        self.time = 0.0
        self.hardware = Weak(ARM, self.monotonic, position=HOME)
        self.loop = ControlLoop(self.hardware, ARM, self, LoopSettings(local_reset=local_reset))
        self.loop.bring_up()
        assert self.loop.start() == ""

    def now(self) -> float:
        return 1_780_000_000.0 + self.time

    def monotonic(self) -> float:
        return self.time

    def run(self, seconds: float) -> Rig:
        for _ in range(round(seconds / DT)):
            self.time += DT
            self.loop.tick()
        return self

    def move(self) -> Rig:
        goal = HOME.copy()
        goal[0] += 0.4
        self.loop.follow(joint_move(ARM, HOME, goal))
        return self.run(0.4)

    def report(self, *codes: str) -> Rig:
        self.hardware.faults.codes = codes
        return self.run(0.1)

    def stop(self) -> Rig:
        self.loop.stop()
        return self.run(2 * DT)

    def hold(self) -> Rig:
        self.loop.hold()
        return self.run(2 * DT)


def weak() -> Rig:
    rig = Rig().report("over_current")
    rig.hardware.weak = True
    return rig.report()


RESETS: dict[str, tuple[Callable[[], Rig], str]] = {
    "nobody is at the machine": (lambda: Rig(local_reset=True).stop(), "reset_at_machine"),
    "the arm moves": (lambda: Rig().move().stop(), "coming_to_rest"),
    "the door is open": (lambda: Rig().report("door_open"), "door_open"),
    "the stop circuit is open": (lambda: Rig().report("estop_input"), "estop_input"),
    "a drive reports": (lambda: Rig().report("over_current"), "hardware_fault"),
    "nothing has stopped it": (lambda: Rig().run(0.1), "nothing_to_reset"),
    "the drives cannot be powered": (weak, "hardware_lost"),
}
STARTS: dict[str, tuple[Callable[[], Rig], str]] = {
    "it runs": (lambda: Rig().run(0.1), "not_ready"),
    "somebody has just held it": (lambda: Rig().hold(), "hold_just_asked"),
    "the arm moves": (lambda: Rig().move().hold().run(0.25), "coming_to_rest"),
    "it was stopped": (lambda: Rig().stop(), "operator_stop"),
}


def explained(answer: str, key: str) -> bool:
    """Tell whether an answer is given as this key, with words for people in both languages."""
    table = faults()
    assert reason_key(answer, table) == key
    fault = table[key]
    return bool(fault.zh and fault.do_zh and fault.en and fault.do_en and fault.zh != fault.en)


@pytest.mark.parametrize("case", RESETS)
def test_a_reset_in_vain_is_explained_in_both_languages(case: str) -> None:
    make, key = RESETS[case]
    rig = make()
    state = rig.loop.supervisor.state
    try:
        answer = rig.loop.reset()
    except HardwareError as error:
        answer = str(error)
    assert explained(answer, key)
    assert rig.loop.supervisor.state in (state, State.FAULT)


@pytest.mark.parametrize("case", STARTS)
def test_a_start_in_vain_is_explained_in_both_languages(case: str) -> None:
    make, key = STARTS[case]
    assert explained(make().loop.start(), key)


def test_words_that_begin_with_no_key_are_passed_on_as_they_are() -> None:
    assert reason_key("the valve: stuck", faults()) == "the valve: stuck"
