"""Simulated time across processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dashboard import shared_clock
from dashboard.shared_clock import LeadingClock, SharedClock, create

Until = Callable[..., None]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    create(tmp_path / "clock", epoch=1_800_000_000.0)
    return tmp_path / "clock"


def test_another_process_reads_the_time_that_the_cell_sets(file: Path) -> None:
    leader = LeadingClock(file)
    leader.advance(12.5)
    code = (
        "import sys; from pathlib import Path; from dashboard.shared_clock import SharedClock;"
        "clock = SharedClock(Path(sys.argv[1])); print(clock.now(), clock.monotonic())"
    )
    out = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True).stdout
    assert out.split() == ["1800000012.5", "12.5"]
    leader.close()


def test_the_lag_is_that_of_the_slowest_follower_that_answers(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wall = [100.0]
    monkeypatch.setattr(shared_clock.time, "monotonic", lambda: wall[0])
    leader, eyes, brain = LeadingClock(file), SharedClock(file, slot=0), SharedClock(file, slot=31)
    assert leader.lag() == 0.0
    leader.advance(1.0)
    eyes.follow(eyes.monotonic())
    leader.advance(1.5)
    brain.follow(brain.monotonic())
    assert leader.lag() == pytest.approx(0.5)
    wall[0] += 0.9 * shared_clock.STALL_S
    brain.follow(brain.monotonic())
    wall[0] += 0.2 * shared_clock.STALL_S
    assert leader.lag() == 0.0, "eyes have not answered for longer than the stall time"
    eyes.follow(eyes.monotonic())
    leader.advance(1.6)
    assert leader.lag() == pytest.approx(0.1)


def test_a_dead_follower_is_not_waited_for_and_a_busy_one_is(file: Path, until: Until) -> None:
    code = (
        "import sys, signal; from pathlib import Path; from dashboard.shared_clock import SharedClock;"
        "SharedClock(Path(sys.argv[1]), slot=3).follow(0.0); print('up', flush=True); signal.pause()"
    )
    leader = LeadingClock(file)
    eyes = subprocess.Popen([sys.executable, "-c", code, str(file)], stdout=subprocess.PIPE)
    assert eyes.stdout is not None
    eyes.stdout.readline()
    leader.advance(1.0)
    until(lambda: leader.lag() == pytest.approx(1.0), what="the lag of the busy follower")
    eyes.kill()
    until(lambda: leader.lag() == 0.0, within=8.0, what="the end of waiting for the dead follower")
    eyes.wait()
    eyes.stdout.close()


def test_time_never_goes_back(file: Path) -> None:
    leader = LeadingClock(file)
    leader.advance(1.0)
    with pytest.raises(ValueError, match=r"expected a time of 1\.0 s or later, got 0\.9"):
        leader.advance(0.9)


def test_a_slot_that_does_not_exist_is_refused(file: Path) -> None:
    with pytest.raises(ValueError, match="expected a slot from 0 to 31, got 32"):
        SharedClock(file, slot=32)
