"""The farm's MQTT contract: topics, payloads, units and fault texts. `gh/1/<site>/<zone>/<device>/<kind>`.

Encoding and decoding are in `wire`; metric names and units in `metrics.toml`; fault keys in `faults.toml`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """Stored kinds, then those that are never stored."""

    BIRTH = "birth"
    DATA = "data"
    STATE = "state"
    EVENT = "event"
    CMD = "cmd"
    ACK = "ack"
    LIVE = "live"
    VIDEO = "video"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Address of one kind of message of one device. `str(topic)` is the MQTT topic."""

    site: str
    zone: str
    device: str
    kind: Kind

    def __str__(self) -> str:
        return f"gh/1/{self.site}/{self.zone}/{self.device}/{self.kind}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricInfo:
    """One metric a device announces; `unit` is a UCUM code, `interval` [s]."""

    unit: str
    minimum: float
    maximum: float
    interval: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Birth:
    """What a device is and measures (retained). `description`: more of what it is, such as a robot's `urdf`."""

    at: float
    boot: str
    model: str
    firmware: str
    metrics: dict[str, MetricInfo]
    description: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """Measurements of one instant. `at` is the device's UTC epoch [s] (ms on the wire); `boot`+`seq` count gaps."""

    at: float
    seq: int
    boot: str
    metrics: dict[str, float]
    historical: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Device state (retained; `offline` is also the last will). `fault` is a key of faults.toml or empty."""

    at: float
    status: str
    fault: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened once. Types: pick, count, order, fault, punnet."""

    at: float
    seq: int
    boot: str
    type: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A request to a device. Expired or repeated ones are acknowledged without effect."""

    id: str
    issuer: str
    expires_at: float
    command: str
    arguments: dict[str, Any] = field(default_factory=dict)


class AckStatus(StrEnum):
    ACCEPTED = "accepted"
    DONE = "done"
    REJECTED = "rejected"
    EXPIRED = "expired"
    DUPLICATE = "duplicate"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """Answer to a command; `accepted` may be followed by `done` or `failed`."""

    id: str
    at: float
    status: AckStatus
    reason: str = ""


Payload = Birth | Data | State | Event | Command | Ack
