"""A past laid down before a run: stored as other data is, once, whole or not at all, and not taken for today."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dashboard.cli.past import affordable, lay_down
from dashboard.harvest import HarvestLog
from sim.lockstep import Lockstep
from telemetry.brain.node import Brain, BrainSettings
from telemetry.farm import default_farm_text, parse_farm
from telemetry.mqtt.memory import MemoryBroker
from telemetry.records.records import Records
from telemetry.store import Series
from telemetry.store.embedded import open_store

FARM = parse_farm(default_farm_text())
END = 1_793_505_600.0 + 10 * 3600.0 + 17.0
DAYS = 2


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("farm")
    laid = lay_down(folder, FARM, seed=1, end_at=END, days=DAYS)
    assert laid is not None
    assert laid.points == DAYS * (1440 * 5 + 288 * 3 + 720 * 4)
    assert laid.lots > 0
    return folder


def test_a_large_farm_gets_a_shorter_past_and_one_without_devices_any() -> None:
    assert affordable(FARM, 40) == 40
    many = replace(FARM, devices=tuple(replace(FARM.devices[0], id=f"c{n}", interval=10.0) for n in range(20)))
    assert affordable(many, 40) == 1
    assert affordable(replace(FARM, devices=()), 40) == 40


def test_a_farm_with_other_devices_beds_and_zones_has_a_past_too(tmp_path: Path) -> None:
    text = (
        default_farm_text()
        + """
[[zones]]
id = "house-2"
kind = "glasshouse"
[[devices]]
id = "meter-1"
zone = "house-2"
metrics = ["battery"]
[[devices]]
id = "climate-2"
zone = "house-2"
interval = 600.0
metrics = ["air_temperature", "relative_humidity", "ppfd"]
"""
    )
    farm = parse_farm(text)
    laid = lay_down(tmp_path, farm, seed=1, end_at=END, days=1)
    assert laid is not None
    store = open_store(tmp_path / "store", read_only=True)
    devices = {(series.zone, series.device) for series in store.series()}
    store.close()
    assert devices >= {("house-2", "climate-2"), ("house-2", "brain"), ("tunnel-1", "brain")}
    assert ("house-2", "meter-1") not in devices


def test_a_second_past_is_never_laid_over_data(data: Path) -> None:
    assert lay_down(data, FARM, seed=2, end_at=END, days=DAYS) is None
    assert not (data / "past.part").exists()


def test_an_interrupted_past_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: Records) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(Records, "update", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lay_down(tmp_path, FARM, seed=1, end_at=END, days=1)
    assert list(tmp_path.iterdir()) == []


def test_figures_of_the_past_are_the_brains(data: Path) -> None:
    store = open_store(data / "store", read_only=True)
    zone = FARM.zones[0].id
    vpd = store.read(Series(FARM.site.id, zone, "brain", "vpd"), 0.0, END)
    dli = store.read(Series(FARM.site.id, zone, "brain", "dli"), 0.0, END)
    store.close()
    assert vpd.value.min() >= 0.0 and 0.2 < vpd.value.max() < 4.0
    assert np.diff(vpd.at).max() <= 120.0
    falls = np.flatnonzero(np.diff(dli.value) < 0.0)
    local = (dli.at[falls + 1] + 8 * 3600.0) % 86400.0
    assert len(falls) == DAYS and local.max() < 180.0, "it begins anew at midnight, and only then"
    assert 1.0 < dli.value.max() < 40.0


def test_lots_of_the_past_can_be_traced_with_their_climate(data: Path) -> None:
    store = open_store(data / "store", read_only=True)
    records = Records(store, data / "records", timezone=FARM.site.timezone)
    lot = records.lots()[0]
    trace = records.trace(lot.id)
    assert lot.closed and lot.berries == len(trace["picks"])
    assert trace["climate"][0]["kpis"]["air_temperature"]["known"]
    assert records.verify() > 0
    records.close()
    store.close()


def test_a_brain_that_begins_with_the_run_plans_as_if_nobody_had_been_there(data: Path) -> None:
    time = Lockstep(END)
    store = open_store(data / "store", read_only=True)
    broker = MemoryBroker(time)
    settings = BrainSettings(farm=FARM, boot="b1", since=END)
    brain = Brain(broker.client("brain"), store, time, time, settings)
    brain.update()
    plan = brain.plans["berry-1"]
    assert {entry.reason_en for entry in plan.entries} == {"never visited"}
    assert [order.command.issuer for order in brain.orders] == ["brain"], "only the one it has just sent"
    log = HarvestLog(FARM.site.id)
    log.update(store)
    assert log.newest(1) and log.newest(1)[0].at < END - 12 * 3600.0, "what people see goes back further"
    store.close()
