"""The table of alarm limits: which value of which metric, for how long, is which fault. Adding one adds a row."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from telemetry.store import Quality


class Side(StrEnum):
    """On which side of its limit a value is bad; `RISE` and `FALL` look at the change within `window`."""

    LOW = "low"
    HIGH = "high"
    RISE = "rise"
    FALL = "fall"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row. Units are the metric's.

    Attributes:
        hysteresis: a value is good again only this far inside the limit.
        delay: how long it must be bad before the alarm is raised [s].
        release: how long it must be good before the alarm is cleared [s].
        window: over which a change is taken [s].
    """

    fault: str
    metric: str
    side: Side
    limit: float
    hysteresis: float
    delay: float
    release: float = 300.0
    window: float = 0.0

    def judge(self, value: float) -> bool | None:
        """Tell whether a value (or a change) is bad; None within the hysteresis, where it stays what it was."""
        distance = value - self.limit if self.side in (Side.HIGH, Side.RISE) else self.limit - value
        if self.side is Side.FALL:
            distance = -value - self.limit
        if distance > 0.0:
            return True
        return False if distance <= -self.hysteresis else None

    @property
    def is_rate(self) -> bool:
        return self.side in (Side.RISE, Side.FALL)

    @property
    def memory(self) -> float:
        """How far back values matter to it [s]."""
        return max(self.delay, self.release) + self.window


LIMITS: tuple[Rule, ...] = (
    # Fruit is damaged below 2, flowers suffer below 5 degC; pollen above 35 (extension services of Zhejiang).
    Rule(fault="air_frost", metric="air_temperature", side=Side.LOW, limit=2.0, hysteresis=1.0, delay=300.0),
    Rule(fault="air_cold", metric="air_temperature", side=Side.LOW, limit=5.0, hysteresis=1.0, delay=900.0),
    Rule(fault="air_hot", metric="air_temperature", side=Side.HIGH, limit=35.0, hysteresis=2.0, delay=900.0),
    # More than 12 h above 90 % in bloom: grey mould (Wilcox and Seem 1994).
    Rule(fault="air_humid", metric="relative_humidity", side=Side.HIGH, limit=90.0, hysteresis=5.0, delay=43200.0),
    Rule(fault="air_dry", metric="vpd", side=Side.HIGH, limit=1.6, hysteresis=0.3, delay=3600.0),
    Rule(fault="co2_low", metric="co2", side=Side.LOW, limit=300.0, hysteresis=30.0, delay=1800.0),
    Rule(fault="substrate_dry", metric="substrate_moisture", side=Side.LOW, limit=25.0, hysteresis=5.0, delay=900.0),
    Rule(fault="substrate_salty", metric="substrate_ec", side=Side.HIGH, limit=2.0, hysteresis=0.2, delay=1800.0),
    Rule(fault="ph_high", metric="ph", side=Side.HIGH, limit=7.0, hysteresis=0.2, delay=1800.0),
    Rule(fault="ph_low", metric="ph", side=Side.LOW, limit=5.0, hysteresis=0.2, delay=1800.0),
    Rule(fault="battery_low", metric="battery", side=Side.LOW, limit=20.0, hysteresis=10.0, delay=60.0),
    Rule(
        fault="air_falls",
        metric="air_temperature",
        side=Side.FALL,
        limit=8.0,
        hysteresis=3.0,
        delay=0.0,
        window=1800.0,
    ),
    Rule(
        fault="dead_letters_many",
        metric="dead_letters",
        side=Side.RISE,
        limit=20.0,
        hysteresis=15.0,
        delay=0.0,
        window=600.0,
    ),
    Rule(
        fault="messages_lost",
        metric="messages_lost",
        side=Side.RISE,
        limit=20.0,
        hysteresis=15.0,
        delay=0.0,
        window=600.0,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagRule:
    """A quality flag of ingest that is an alarm of its own: raised at once, cleared after `release` without it [s]."""

    fault: str
    flag: Quality
    release: float


FLAGS: tuple[FlagRule, ...] = (
    FlagRule(fault="value_out_of_range", flag=Quality.RANGE, release=300.0),
    FlagRule(fault="value_jumps", flag=Quality.RATE, release=900.0),
    FlagRule(fault="value_stuck", flag=Quality.STUCK, release=0.0),
    FlagRule(fault="device_clock", flag=Quality.SKEW, release=300.0),
)

SILENT_INTERVALS = 3.0
"""A device that should report and has not for this many of its intervals is silent."""


@dataclass(slots=True)
class Latch:
    """Whether one condition is an alarm: bad for `delay`, then good for `release`; unknown leaves it as it is."""

    active: bool = False
    turning_at: float = math.inf

    def step(self, bad: bool | None, at: float, *, delay: float, release: float) -> bool:
        """Take in one verdict of the instant `at` [s] and return whether the alarm stands."""
        if bad is None:
            return self.active
        if bad == self.active:
            self.turning_at = math.inf
            return self.active
        self.turning_at = min(self.turning_at, at)
        if at - self.turning_at >= (delay if bad else release):
            self.active, self.turning_at = bad, math.inf
        return self.active
