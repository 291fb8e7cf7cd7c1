"""`berrybrain demo --headless` harvests a bed: real processes, real sockets, a real broker, physics and pixels."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

import lockstep_harvest
from dashboard import rundir

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

Until = Callable[..., None]
Start = Callable[..., Any]
KEYS = {
    "ripe_present", "attempted", "picked", "placed", "damaged", "unripe_picked", "seconds_per_berry", "mqtt_published",
    "points_stored", "points_lost", "dead_letters", "lots", "rtf", "wall_s",
}  # fmt: skip
SEED = 2
"""A bed without a grip on the edge of holding: runners are compared here, not grips."""
EVERYONE = {"broker", "ingest", "brain", "keeper", "greenhouse", "cell", "eyes", "picker", "mission", "gateway"}


@pytest.fixture(scope="module")
def harvested(demos: Start) -> Any:
    """A demo that has harvested its one segment undisturbed."""
    run = demos("--seed", str(SEED))
    assert run.wait() == 0, run.story()
    return run


def test_a_bed_side_is_harvested_and_all_is_reported(harvested: Any) -> None:
    report = harvested.report()
    assert report.keys() >= KEYS
    assert report["ripe_present"] >= 3
    assert 1 <= report["placed"] <= report["picked"] <= report["ripe_present"], harvested.story()
    assert report["attempted"] >= report["picked"]
    assert report["placed"] >= 0.5 * report["ripe_present"], harvested.story()
    assert report["unripe_picked"] == 0
    assert report["restarts"] == 0
    assert report["rtf"] > 0.0
    assert 0.0 < report["seconds_per_berry"] < 60.0


def test_every_point_that_is_published_is_stored(harvested: Any) -> None:
    report = harvested.report()
    assert report["points_stored"] == report["points_published"] > 20
    assert report["points_lost"] == 0
    assert report["dead_letters"] == 0
    assert report["mqtt_published"] > report["attempted"]


def test_a_finished_demo_leaves_nothing_behind(harvested: Any) -> None:
    assert harvested.left() == [], "sockets, shared memory or the clock were left behind"


def test_both_runners_come_to_the_same_harvest(harvested: Any) -> None:
    """Processes, sockets and a broker on one side, one thread and virtual time on the other; same bed, same nodes."""
    from dashboard.cli.cell_role import cell_settings
    from dashboard.cli.settings import RunSettings
    from sim.truth import score
    from telemetry.farm import load_farm

    farm = load_farm(harvested.farm)
    settings = RunSettings(
        run="", data="", farm=str(harvested.farm), robot="berry-1", host="", port=0, seed=SEED, epoch=1.8e9, rate=0.0,
        scenario="short",
    )  # fmt: skip
    _, rig = lockstep_harvest.harvest(cell_settings(settings, farm.bed("bed-1")), SEED)
    truth = score(rig.cell)
    rig.close()
    report = harvested.report()
    assert report["ripe_present"] == truth.ripe_present
    assert report["unripe_picked"] == truth.unripe_picked == 0
    # Messages between processes take real time, so one berry may fall on the other side of a decision.
    assert abs(report["placed"] - truth.placed) <= 1


def test_each_placed_berry_is_in_a_lot_that_names_row_and_hour(harvested: Any) -> None:
    assert harvested.report()["lots"] >= 1
    assert_on_record(harvested, harvested.report()["placed"])


def assert_on_record(run: Any, placed: int) -> None:
    """Each placed berry is in a lot that names row and hour, and the farm log is whole."""
    from telemetry.records.records import Records
    from telemetry.store.embedded import open_store

    archive = open_store(run.data / "store", read_only=True)
    records = Records(archive, run.data / "records", timezone="Asia/Shanghai")
    lots = records.lots()
    assert records.verify() > 0
    traced = [records.trace(lot.id) for lot in lots]
    records.close()
    archive.close()
    berries = sum(lot.berries for lot in lots)
    # What the robot believes to have placed and what lies in the punnet may differ by a berry that fell.
    assert abs(berries - placed) <= 1
    for trace in traced:
        assert trace["first_pick"]
        assert [row["bed"] for row in trace["rows"]] == ["bed-1"]


def test_killed_eyes_and_a_killed_broker_cost_time_and_nothing_else(demo: Start, until: Until) -> None:
    run = demo("--seed", "2")
    until(lambda: run.said(": berry ") or run.process.poll() is not None, within=120.0, what="the first pick")
    os.kill(run.pids()["eyes"], signal.SIGKILL)
    until(lambda: run.said("eyes has died"), within=30.0, what="the notice")
    until(lambda: run.said("the robot waits: eyes_lost"), within=30.0, what="the hold with its reason")
    until(lambda: run.said("the robot goes on"), within=60.0, what="the end of the hold")
    os.killpg(run.pids()["broker"], signal.SIGKILL)
    until(lambda: run.said("broker has died"), within=30.0, what="the notice")
    assert run.wait() == 0, run.story()
    report = run.report()
    assert report["restarts"] == 2
    assert report["points_lost"] == 0
    assert report["dead_letters"] == 0
    assert report["placed"] >= 1, run.story()
    assert run.left() == []


def test_kill_9_of_the_demo_leaves_no_process_and_no_file_within_5_s(demo: Start, until: Until) -> None:
    run = demo()
    until(lambda: run.pids().keys() == EVERYONE, within=60.0, what="all processes")
    pids = list(run.pids().values())
    run.kill()
    until(lambda: all(rundir.birth_of(pid) is None for pid in pids), within=5.0, what="the end of all processes")
    until(lambda: run.left() == [], within=5.0, what="the end of the run directory")


def test_the_death_of_the_cell_ends_the_demo_with_exit_code_1(demo: Start, until: Until) -> None:
    run = demo()
    until(lambda: run.pids().keys() == EVERYONE, within=60.0, what="all processes")
    pids = run.pids()
    os.kill(pids["cell"], signal.SIGKILL)
    assert run.wait() == 1
    assert run.said("cell was killed by SIGKILL")
    assert run.out == ""
    assert all(rundir.birth_of(pid) is None for pid in pids.values())
    assert run.left() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_ends_everything(demo: Start, until: Until, number: signal.Signals) -> None:
    run = demo()
    until(lambda: run.pids().keys() == EVERYONE, within=60.0, what="all processes")
    pids = run.pids()
    run.process.send_signal(number)
    assert run.wait() == 130
    assert all(rundir.birth_of(pid) is None for pid in pids.values())
    assert run.left() == []


def test_a_run_that_is_not_done_in_time_says_so_and_exits_1(demo: Start) -> None:
    run = demo("--timeout", "8")
    assert run.wait() == 1
    assert run.said("not done within 8 s")
    assert run.report()["finished"] is False
    assert run.left() == []
