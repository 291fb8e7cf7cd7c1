"""Faults at random times in a harvest: the robot ends safe, says why, goes on after a reset and counts right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dashboard.cli import main
from robot.arms import load_arm
from sim.fast.campaign import complaints, figures, rows, rows_in
from sim.fast.faults import KINDS, Kind, Planned
from sim.fast.harvest import FastHarvest, FastSettings
from sim.scene.settings import Mix, SceneSettings
from telemetry.messages.tables import faults

SHORT = FastSettings(scene=SceneSettings(length=0.6, mix=Mix(isolated=1, unripe=1), berries=2))
ARM = load_arm("ur3e")


@pytest.mark.parametrize("seed", range(4000, 4020, 4))
def test_twenty_rows_with_random_faults_are_safe_explained_and_counted_right(seed: int) -> None:
    found = figures(rows(4, seed, settings=SHORT, span=4.0), seed)  # four at a time: each test has its time to itself
    assert found["unsafe_runs"] == []
    assert found["wrong_runs"] == []
    assert sum(found["faults"].values()) >= 4
    assert found["counted"] > 0


ROW = {
    "seed": 1,
    "faults": ["wire cut", "door open", "door open"],
    "stops": ["hardware_lost"],
    "unsafe": [],
    "problems": [],
    "explained": True,
    "resumed": True,
    "counted_right": True,
    "ripe": 3,
    "counted": 3,
    "placed": 3,
    "lost": 0,
    "commands": 9,
    "travel": 0.1,
    "tool_speed": 0.4,
    "force": 1.0,
    "seconds": 20.0,
    "cpu": 0.5,
}


def test_a_row_counts_once_for_each_fault_that_came_in_it() -> None:
    bad = {**ROW, "seed": 2, "faults": ["door open"], "unsafe": ["it moves"], "resumed": False, "counted_right": False,
           "explained": False, "problems": ["?"]}  # fmt: skip
    quiet = {**ROW, "seed": 3, "faults": ["eyes killed"], "stops": []}
    found = figures([ROW, bad, quiet], 1)
    assert found["unsafe"] == found["not_explained_or_not_resumed_or_miscounted"] == 1
    assert found["by_fault"]["door open"] == {
        "rows": 2, "safe": 1, "wrong_counts": 1, "stopped": 2, "resumed": 1, "texts_zh_en": 1,
    }  # fmt: skip
    assert found["by_fault"]["wire cut"]["rows"] == 1
    assert found["by_fault"]["eyes killed"]["resumed"] == 0  # it never stopped
    assert set(found["by_fault"]) == {kind.name for kind in KINDS}


def test_a_campaign_that_was_broken_off_goes_on_after_the_rows_it_has(tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    out.write_text(json.dumps(ROW) + "\n" + json.dumps({**ROW, "seed": 7, "counted": 2}) + "\n", encoding="utf-8")
    told: list[int] = []
    assert rows(1, 7, told=told.append, out=out) == [{**ROW, "seed": 7, "counted": 2}]
    assert told == [7]
    first = rows(1, 3, settings=SHORT, span=4.0, out=out)
    assert [json.loads(line)["seed"] for line in out.read_text(encoding="utf-8").splitlines()] == [1, 7, 3]
    assert rows(1, 3, settings=SHORT, span=4.0, out=out) == first


def test_a_row_that_was_not_written_whole_is_harvested_again(tmp_path: Path) -> None:
    out, line = tmp_path / "rows.jsonl", json.dumps(ROW)
    for torn in ("", "{", line[:60], line):
        out.write_text(line + "\n" + torn, encoding="utf-8")
        assert rows_in(out) == [ROW]
        assert out.read_text(encoding="utf-8") == line + "\n"


@pytest.mark.parametrize("text", ["name,value\n1,2\n", "notes", "[1]\n", '{"seed": 1}\n', "\n\n"])
def test_a_file_that_holds_something_else_is_refused_and_left_as_it_is(tmp_path: Path, text: str) -> None:
    out = tmp_path / "mine.txt"
    out.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"mine\.txt.*expected"):
        rows(1, 1, out=out)
    assert out.read_text(encoding="utf-8") == text


def test_a_place_that_cannot_be_written_is_said_before_anything_is_harvested(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bench", "faults", "--rows", "1", "--out", str(tmp_path / "none" / "rows.jsonl")])
    assert ended.value.code == 2
    assert "No such file or directory" in capsys.readouterr().err


MUST_STOP = [kind for kind in KINDS if kind.stands is not None and "pauses" not in kind.name]


@pytest.mark.parametrize("kind", MUST_STOP, ids=lambda kind: kind.name)
def test_a_fault_in_the_middle_of_a_move_stops_the_arm_where_it_must(kind: Kind) -> None:
    harvest = FastHarvest(SHORT, 3, [Planned(kind=kind, at=1.0, lasts=kind.lasts[0], joint=1)])
    ended = harvest.run()
    assert ended.findings.unsafe == []
    assert list(complaints(ended, faults())) == []
    assert len(ended.stops) >= 1
    assert ended.findings.travel > 0.0


def test_a_joint_that_runs_away_from_an_arm_that_stands_is_not_laid_at_the_stops_door() -> None:
    door, away = (next(kind for kind in KINDS if kind.name == name) for name in ("door open", "joint runs away"))
    planned = [Planned(kind=door, at=1.0, lasts=3.0, joint=0), Planned(kind=away, at=2.2, lasts=1.0, joint=1)]
    harvest = FastHarvest(SHORT, 3, planned)
    ended = harvest.run()
    assert ended.findings.unsafe == []
    assert ended.findings.travel > 0.0
    assert list(complaints(ended, faults())) == []


def test_a_joint_that_runs_away_excuses_only_what_it_moves() -> None:
    harvest = FastHarvest(SHORT, 1, [])
    harvest.monitor.expect_rest("first", at=0.1, travel=0.2)
    harvest.monitor.expect_rest("second", at=0.3, travel=0.2)
    harvest.monitor.runs_away(0.2, 0.3)
    harvest.machine.v = ARM.velocity * 0.1
    harvest.monitor.look(0.25)
    assert harvest.monitor.findings.unsafe == []
    harvest.monitor.look(0.35)
    assert "second" in " ".join(harvest.monitor.findings.unsafe)
    assert "first" not in " ".join(harvest.monitor.findings.unsafe)


def test_the_monitor_sees_what_must_not_happen() -> None:
    harvest = FastHarvest(SHORT, 1, [])
    harvest.monitor.forbid_motion("although it must not")
    harvest.machine.v = ARM.velocity * 2.0
    harvest.machine.q = harvest.machine.q.copy()
    harvest.machine.q[0] = 9.0
    harvest.monitor.look(0.004)
    told = " ".join(harvest.monitor.findings.unsafe)
    assert "beyond its limit" in told
    assert "too fast" in told
    assert "although it must not" in told
