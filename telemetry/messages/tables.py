"""Read the two tables of the contract: metrics (unit, limits, labels) and faults (texts, severity, effect)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from typing import Any


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Effect(StrEnum):
    """What a fault does to the robot: nothing, it waits while the fault lasts, or a person must reset it."""

    NONE = "none"
    HOLDS = "holds"
    STOPS = "stops"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One row of metrics.toml.

    Attributes:
        unit: UCUM code; `1` is a plain number.
        minimum, maximum: valid range of the sensor, in `unit`.
        rate: largest plausible change per minute, in `unit`; infinite when any change is plausible.
        stuck: the value is suspicious after this time without any change [s]; infinite when it may rest.
    """

    key: str
    unit: str
    minimum: float
    maximum: float
    rate: float
    stuck: float
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One row of faults.toml: what it means and what to do first, for the person who acts."""

    key: str
    severity: Severity
    effect: Effect
    zh: str
    en: str
    do_zh: str
    do_en: str


def metrics() -> dict[str, Metric]:
    """Return the farm's known metrics by key."""
    return {
        key: Metric(
            key=key,
            unit=row["unit"],
            minimum=float(row["min"]),
            maximum=float(row["max"]),
            rate=float(row.get("rate", "inf")),
            stuck=float(row.get("stuck", "inf")),
            zh=row["zh"],
            en=row["en"],
        )
        for key, row in _rows("metrics.toml").items()
    }


def faults() -> dict[str, Fault]:
    """Return every fault the farm knows by key."""
    return {
        key: Fault(
            key=key,
            severity=Severity(row["severity"]),
            effect=Effect(row["effect"]),
            zh=row["zh"],
            en=row["en"],
            do_zh=row["do_zh"],
            do_en=row["do_en"],
        )
        for key, row in _rows("faults.toml").items()
    }


def _rows(name: str) -> dict[str, dict[str, Any]]:
    return tomllib.loads(resources.files("telemetry.messages").joinpath(name).read_text(encoding="utf-8"))
