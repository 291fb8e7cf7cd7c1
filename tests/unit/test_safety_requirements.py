"""The requirements R1-R15 and their tests: the table is complete, what it names exists, and a few are tested here."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from robot.arms import load_arm
from robot.loop import BlackBox, limits_hash
from robot.safety import CAUSES, SIGNALS, Effect, State, Supervisor
from robot.safety.states import LATCHED, MOVING

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "robot" / "safety"
ARM = load_arm("ur3e")


def table() -> dict[str, list[str]]:
    text = (PACKAGE / "README.md").read_text(encoding="utf-8")
    rows = re.search(r"<!-- requirements -->(.*)<!-- /requirements -->", text, re.DOTALL)
    assert rows is not None
    cells = [line.split("|") for line in rows.group(1).splitlines() if line.startswith("| R")]
    return {row[1].strip(): re.findall(r"`(test_\w+)`", row[3]) for row in cells}


def test_every_requirement_has_tests_and_every_test_exists() -> None:
    found = table()
    assert list(found) == [f"R{n}" for n in range(1, 16)]
    tests = " ".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    for requirement, names in found.items():
        assert names, requirement
        for name in names:
            assert f"def {name}(" in tests, f"{requirement}: {name} does not exist"


def test_every_state_has_a_signal_and_what_needs_a_person_is_heard() -> None:
    assert set(SIGNALS) == set(State)
    for state, signal in SIGNALS.items():
        assert signal.buzzer == (state in LATCHED)
        assert (signal.lamp == "green") == (state in MOVING)
    shown = [(s.lamp, s.flashing) for s in SIGNALS.values()]
    assert len(set(shown)) == len(shown)


@pytest.mark.parametrize("key", ["door_open", "collision"])
def test_a_door_and_a_touch_stop_the_arm(key: str) -> None:
    assert CAUSES[key] is Effect.PSTOP
    supervisor = Supervisor()
    supervisor.power_on()
    supervisor.enable()
    supervisor.start()
    supervisor.raise_cause(key)
    assert supervisor.state is State.PSTOP
    assert not supervisor.reset()
    supervisor.clear(key)
    assert supervisor.reset()
    assert not supervisor.motion_allowed


def test_a_record_tells_its_limits_and_its_clock(tmp_path: Path) -> None:
    box = BlackBox(4)
    box.row()[:] = 1.0
    box.changes.append((1.0, "HOLD", ("eyes_lost",)))
    box.save(tmp_path / "box.npz", limits=limits_hash(ARM), wall_offset=1_780_000_000.0)
    with np.load(tmp_path / "box.npz") as record:
        assert str(record["limits"]) == limits_hash(ARM)
        assert float(record["wall_offset"] + record["time"][0, 0]) == 1_780_000_001.0
        assert record["change"].tolist() == ["HOLD eyes_lost"]
    wider = replace(ARM, safety=replace(ARM.safety, tool_speed_auto=0.6))
    assert limits_hash(wider) != limits_hash(ARM) == limits_hash(load_arm("ur3e"))


def test_this_packages_words_promise_nothing_it_cannot_keep() -> None:
    for path in [*PACKAGE.glob("*.py"), *PACKAGE.glob("*.md"), *(ROOT / "robot" / "loop").glob("*.py")]:
        words = path.read_text(encoding="utf-8").lower()
        claim = re.search(r"emergency stop|e-stop|safety-rated|fail-safe|collaborative|\bpl [a-e]\b|compliant", words)
        assert claim is None, f"{path.name}: {claim.group(0) if claim else ''}"
