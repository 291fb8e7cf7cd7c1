"""Sensor boxes add their noise and suffer exactly the faults they were told to."""

from __future__ import annotations

import statistics
from collections.abc import Mapping

import pytest

from sim.sensors import SENSORS, Fault, FaultKind, SensorBox, draw_faults
from telemetry.messages.tables import metrics as known_metrics

TRUTH = {"air_temperature": 20.0, "co2": 600.0}


class Wire:
    """Keeps what a box sends."""

    def __init__(self) -> None:
        self.sent: list[dict[str, float]] = []

    def data(self, metrics: Mapping[str, float], /) -> None:
        self.sent.append(dict(metrics))


def run(*faults: Fault, samples: int = 200, seed: int = 1, device: str = "d") -> Wire:
    wire = Wire()
    box = SensorBox(device=device, metrics=tuple(TRUTH), publisher=wire, seed=seed, faults=faults)
    for n in range(samples):
        box.sample(TRUTH, n * 60.0)
    return wire


def fault(kind: FaultKind, metric: str = "air_temperature", magnitude: float = 0.0, device: str = "d") -> Fault:
    return Fault(kind=kind, device=device, metric=metric, start_at=3000.0, duration_s=6000.0, magnitude=magnitude)


def column(wire: Wire, metric: str = "air_temperature") -> list[float]:
    return [sent[metric] for sent in wire.sent]


def test_noise_has_the_width_of_the_table_and_no_offset() -> None:
    values = column(run(samples=2000))
    assert statistics.fmean(values) == pytest.approx(20.0, abs=0.03)
    assert statistics.stdev(values) == pytest.approx(SENSORS["air_temperature"].sigma, rel=0.1)


def test_values_come_in_steps_of_the_resolution() -> None:
    assert all(round(value * 10.0) == pytest.approx(value * 10.0, abs=1e-9) for value in column(run()))


def test_same_seed_repeats_every_value_and_devices_differ() -> None:
    assert run().sent == run().sent
    assert run().sent != run(seed=2).sent
    assert run().sent != run(device="e").sent


def test_stuck_metric_repeats_one_value_while_the_others_go_on() -> None:
    wire = run(fault(FaultKind.STUCK))
    assert len(set(column(wire)[50:150])) == 1
    assert len(set(column(wire, "co2")[50:150])) > 20
    assert len(set(column(wire)[150:])) > 1


def test_bias_shifts_only_while_it_lasts() -> None:
    values = column(run(fault(FaultKind.BIAS, magnitude=5.0)))
    assert statistics.fmean(values[50:150]) == pytest.approx(25.0, abs=0.1)
    assert statistics.fmean(values[150:]) == pytest.approx(20.0, abs=0.1)


def test_drift_grows_with_time() -> None:
    values = column(run(fault(FaultKind.DRIFT, magnitude=86.4)))
    assert values[149] - values[50] == pytest.approx(99 * 60.0 * 86.4 / 86400.0, abs=1.0)


def test_spikes_hit_some_values_and_leave_the_others() -> None:
    values = column(run(fault(FaultKind.SPIKE, magnitude=30.0)))[50:150]
    assert 2 <= sum(value > 40.0 for value in values) <= 25
    assert sum(value < 21.0 for value in values) >= 75


def test_value_that_is_not_a_number_is_left_out_and_the_rest_sent() -> None:
    wire = run(fault(FaultKind.NAN))
    assert all("air_temperature" not in sent and "co2" in sent for sent in wire.sent[50:150])
    assert all("air_temperature" in sent for sent in wire.sent[150:])


def test_gap_silences_the_box_and_burst_loss_takes_its_share() -> None:
    assert len(run(fault(FaultKind.GAP, metric="")).sent) == 100
    lost = 200 - len(run(fault(FaultKind.BURST_LOSS, metric="", magnitude=0.7)).sent)
    assert 55 <= lost <= 85


def test_faults_of_another_device_do_not_matter() -> None:
    assert run(fault(FaultKind.GAP, device="e")).sent == run().sent


def test_drawn_faults_are_seeded_and_name_real_places() -> None:
    devices = {"d": ("air_temperature", "co2"), "e": ("ppfd",)}
    drawn = draw_faults(devices, seed=4, start_at=1000.0, duration_s=10 * 86400.0, per_day=2.0)
    assert drawn == draw_faults(devices, seed=4, start_at=1000.0, duration_s=10 * 86400.0, per_day=2.0)
    assert 20 <= len(drawn) <= 65
    assert {f.kind for f in drawn} == set(FaultKind)
    assert all(f.metric in (*devices[f.device], "") and 1000.0 <= f.start_at <= 865000.0 for f in drawn)


def test_unknown_metric_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="no simulated sensor for \\['ph'\\]; known: air_temperature"):
        SensorBox(device="d", metrics=["ph"], publisher=Wire(), seed=1)


def test_every_simulated_sensor_is_in_the_farms_metric_table() -> None:
    assert set(SENSORS) <= set(known_metrics())
