"""Sensor boxes: truth plus noise and resolution, and seeded faults that are also the labels they are judged by."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np


class Publisher(Protocol):
    """Where a box's messages go: `telemetry.mqtt.device.DevicePublisher`, which announces the device by itself."""

    def data(self, metrics: Mapping[str, float], /) -> object:
        """Send one set of measurements, taken now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """Noise of one kind of sensor: standard deviation = `sigma` + `relative` x value; then resolution and range."""

    sigma: float
    relative: float = 0.0
    resolution: float
    minimum: float
    maximum: float


SENSORS: dict[str, Sensor] = {
    "air_temperature": Sensor(sigma=0.2, resolution=0.1, minimum=-40.0, maximum=80.0),
    "relative_humidity": Sensor(sigma=2.0, resolution=0.1, minimum=0.0, maximum=100.0),
    "co2": Sensor(sigma=30.0, relative=0.03, resolution=1.0, minimum=200.0, maximum=5000.0),
    "global_radiation": Sensor(sigma=0.5, relative=0.05, resolution=0.1, minimum=0.0, maximum=2000.0),
    "ppfd": Sensor(sigma=0.5, relative=0.05, resolution=1.0, minimum=0.0, maximum=3000.0),
    "soil_temperature": Sensor(sigma=0.1, resolution=0.1, minimum=-20.0, maximum=60.0),
    "substrate_moisture": Sensor(sigma=1.0, resolution=0.1, minimum=0.0, maximum=100.0),
    "substrate_ec": Sensor(sigma=0.05, resolution=0.01, minimum=0.0, maximum=10.0),
    "leaf_temperature": Sensor(sigma=0.3, resolution=0.1, minimum=-20.0, maximum=60.0),
    "leaf_wetness": Sensor(sigma=1.0, resolution=1.0, minimum=0.0, maximum=100.0),
    "outside_temperature": Sensor(sigma=0.2, resolution=0.1, minimum=-40.0, maximum=60.0),
    "outside_humidity": Sensor(sigma=2.0, resolution=0.1, minimum=0.0, maximum=100.0),
    "wind_speed": Sensor(sigma=0.1, resolution=0.1, minimum=0.0, maximum=60.0),
    "vent_opening": Sensor(sigma=0.0, resolution=1.0, minimum=0.0, maximum=100.0),
}


class FaultKind(StrEnum):
    STUCK = "stuck"  # one metric repeats its last value
    SPIKE = "spike"  # single values of one metric jump by `magnitude`, one in ten
    BIAS = "bias"  # one metric is off by `magnitude`
    DRIFT = "drift"  # one metric drifts off by `magnitude` per day
    NAN = "nan"  # one metric is not a number: the box sends it as "not known"
    GAP = "gap"  # the box is silent
    BURST_LOSS = "burst_loss"  # messages get lost, each with probability `magnitude`


OF_DEVICE = frozenset({FaultKind.GAP, FaultKind.BURST_LOSS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong, where and when [UTC epoch s, s]: handed to a box as its orders, kept as the ground truth."""

    kind: FaultKind
    device: str
    metric: str = ""
    start_at: float
    duration_s: float
    magnitude: float = 0.0

    def active(self, at: float) -> bool:
        return self.start_at <= at < self.start_at + self.duration_s


def draw_faults(
    devices: Mapping[str, Sequence[str]], *, seed: int, start_at: float, duration_s: float, per_day: float
) -> tuple[Fault, ...]:
    """Draw faults at random: `per_day` per device, of every kind, from 5 minutes to 3 hours long.

    Args:
        devices: device id to the metrics it measures.
        seed: of kinds, places and times.
        start_at: UTC epoch [s].
        duration_s: [s].
        per_day: mean number per device and day.
    """
    faults = []
    for index, (device, metrics) in enumerate(sorted(devices.items())):
        rng = np.random.default_rng([seed, index])
        for _ in range(int(rng.poisson(per_day * duration_s / 86400.0))):
            kind = FaultKind(rng.choice(list(FaultKind)))
            metric = "" if kind in OF_DEVICE else str(rng.choice(list(metrics)))
            span = SENSORS[metric].sigma * 20.0 + 1.0 if metric else 0.7
            faults.append(
                Fault(
                    kind=kind,
                    device=device,
                    metric=metric,
                    start_at=start_at + float(rng.uniform(0.0, duration_s)),
                    duration_s=float(rng.uniform(300.0, 10800.0)),
                    magnitude=span * (float(rng.choice([-1.0, 1.0])) if metric else 1.0),
                )
            )
    return tuple(sorted(faults, key=lambda fault: fault.start_at))


class SensorBox:
    """One device: measures what it is told to, with noise, and suffers its faults.

    Args:
        device: its id.
        metrics: keys of `SENSORS`.
        publisher: where messages go.
        seed: of noise and losses.
        faults: those of other devices are ignored.

    Raises:
        ValueError: a metric that no sensor here measures.
    """

    def __init__(
        self, *, device: str, metrics: Sequence[str], publisher: Publisher, seed: int, faults: Sequence[Fault] = ()
    ) -> None:
        unknown = [metric for metric in metrics if metric not in SENSORS]
        if unknown:
            raise ValueError(f"device {device!r}: no simulated sensor for {unknown}; known: {', '.join(SENSORS)}")
        self._metrics = tuple(metrics)
        self._publisher = publisher
        self._rng = np.random.default_rng([seed, *device.encode()])
        self._faults = tuple(fault for fault in faults if fault.device == device)
        self._held: dict[str, float] = {}
        self.sent = 0

    def sample(self, truth: Mapping[str, float], at: float) -> None:
        """Measure `truth` (by metric, in the metric's unit) at `at` [UTC epoch s] and send what the faults leave."""
        reading = {metric: self._measure(metric, truth[metric], at) for metric in self._metrics}
        known = {metric: value for metric, value in reading.items() if math.isfinite(value)}
        if self._lost(at) or not known:
            return
        self._publisher.data(known)
        self.sent += 1

    def _measure(self, metric: str, truth: float, at: float) -> float:
        sensor = SENSORS[metric]
        value = truth + float(self._rng.normal()) * (sensor.sigma + sensor.relative * abs(truth))
        for fault in self._faults:
            if fault.metric != metric or not fault.active(at):
                continue
            match fault.kind:
                case FaultKind.STUCK:
                    return self._held.get(metric, _reported(sensor, value))
                case FaultKind.NAN:
                    return math.nan
                case FaultKind.SPIKE:
                    value += fault.magnitude * float(self._rng.uniform() < 0.1)
                case FaultKind.BIAS:
                    value += fault.magnitude
                case FaultKind.DRIFT:
                    value += fault.magnitude * (at - fault.start_at) / 86400.0
        self._held[metric] = _reported(sensor, value)
        return self._held[metric]

    def _lost(self, at: float) -> bool:
        draw = float(self._rng.uniform())
        active = [fault for fault in self._faults if fault.kind in OF_DEVICE and fault.active(at)]
        return any(fault.kind is FaultKind.GAP or draw < fault.magnitude for fault in active)


def _reported(sensor: Sensor, value: float) -> float:
    clipped = min(sensor.maximum, max(sensor.minimum, value))
    return round(round(clipped / sensor.resolution) * sensor.resolution, 6)
