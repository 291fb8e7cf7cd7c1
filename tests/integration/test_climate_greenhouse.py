"""The simulated greenhouse samples its boxes on time and knows what perfect sensors would read."""

from __future__ import annotations

from collections.abc import Mapping

from sim.greenhouse import Greenhouse, GreenhouseSettings
from sim.lockstep import Lockstep
from telemetry.farm import default_farm_text, parse_farm

EPOCH = 1775088000.0  # 2026-04-02 08:00 in Hangzhou


class Wire:
    def __init__(self) -> None:
        self.sent: list[dict[str, float]] = []

    def data(self, metrics: Mapping[str, float], /) -> None:
        self.sent.append(dict(metrics))


def grow(seconds: float, seed: int = 1) -> tuple[Greenhouse, dict[str, Wire]]:
    farm = parse_farm(default_farm_text())
    lockstep = Lockstep(EPOCH)
    wires = {device.id: Wire() for device in farm.devices}
    greenhouse = Greenhouse(wires, lockstep, lockstep, GreenhouseSettings(farm=farm, seed=seed))
    lockstep.run(seconds=seconds)
    return greenhouse, wires


def test_each_box_samples_at_its_own_interval() -> None:
    _, wires = grow(3600.0)
    assert len(wires["climate-1"].sent) == 61
    assert len(wires["substrate-1"].sent) == 13


def test_a_spring_day_looks_like_one() -> None:
    _, wires = grow(86400.0)
    sent = wires["climate-1"].sent
    temperature = [s["air_temperature"] for s in sent]
    assert max(s["ppfd"] for s in sent) > 100.0
    assert min(s["ppfd"] for s in sent) < 5.0
    assert 4.0 < max(temperature) - min(temperature) < 30.0
    assert all(20.0 <= s["relative_humidity"] <= 100.0 for s in sent)


def test_readings_lie_around_the_truth() -> None:
    greenhouse, wires = grow(600.0)
    truth = greenhouse.truth("tunnel-1")
    assert abs(wires["climate-1"].sent[-1]["air_temperature"] - truth["air_temperature"]) < 1.5


def test_seed_decides_everything() -> None:
    assert grow(1800.0)[1]["climate-1"].sent == grow(1800.0)[1]["climate-1"].sent
    assert grow(1800.0)[1]["climate-1"].sent != grow(1800.0, seed=2)[1]["climate-1"].sent
