"""What the farm looks like now, from what devices say over MQTT: plain values with their times; nothing is guessed."""

from __future__ import annotations

import json
import logging
import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from telemetry.clock import Clock
from telemetry.farm import Farm
from telemetry.messages import Birth, Data, Event, Kind, State
from telemetry.messages.wire import MessageError, decode, parse_topic
from telemetry.mqtt import Client, Message

log = logging.getLogger(__name__)

STORED = (Kind.BIRTH, Kind.DATA, Kind.STATE, Kind.EVENT)
LIVE_BYTES = 64 * 1024
VIDEO_BYTES = 2 * 1024 * 1024
SILENT_S = 1.5
"""A robot that is watched says something five times a second; after this long without a word it is silent [s]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotNow:
    """One robot as it last described itself. `status` is `unknown` until it has; `heard_at`: monotonic [s]."""

    id: str
    zone: str
    at: float | None = None
    status: str = "unknown"
    fault: str = ""
    safety: str = "unknown"
    causes: tuple[str, ...] = ()
    due: tuple[str, ...] = ()
    needs_reset: bool = False
    task: str = ""
    order_id: str = ""
    bed: str = ""
    side: str = ""
    segment: int = -1
    queued: int = 0
    picked: int | None = None
    placed: int | None = None
    attempted: int | None = None
    heard_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """The newest value of one metric. `at`: the device's time, `heard_at`: monotonic, both [s]."""

    zone: str
    device: str
    metric: str
    at: float
    value: float
    unit: str
    interval: float
    heard_at: float


@dataclass(slots=True, kw_only=True)
class Live:
    """The newest of what a robot sends only while somebody watches."""

    content: dict[str, Any] = field(default_factory=dict)
    heard_at: float | None = None
    jpeg: bytes = b""
    jpeg_at: float | None = None
    version: int = 0
    frame: int = 0


class FarmView:
    """Keeps the newest of everything; tells listeners what kind of message came from which device.

    Args:
        client: MQTT, without manual acknowledgement; what is missed is in the store.
        clock: its monotonic time is the wall's, so that silence shows even while a simulation stands still.
    """

    def __init__(self, client: Client, farm: Farm, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._site = farm.site.id
        self.robots: dict[str, RobotNow] = {r.id: RobotNow(id=r.id, zone=r.zone) for r in farm.robots}
        self.values: dict[tuple[str, str], Value] = {}
        self.births: dict[tuple[str, str], Birth] = {}
        self.states: dict[tuple[str, str], State] = {}
        self.live: dict[str, Live] = {r.id: Live() for r in farm.robots}
        self.version = 0
        self._listeners: list[Callable[[str, Kind], None]] = []
        for kind in (*STORED, Kind.LIVE, Kind.VIDEO):
            client.subscribe(f"gh/1/{self._site}/+/+/{kind}", self._on_message, qos=1 if kind in STORED else 0)

    @property
    def broker_connected(self) -> bool:
        return self._client.connected

    def listen(self, listener: Callable[[str, Kind], None]) -> None:
        """Call `listener(device, kind)` after each message that was understood."""
        self._listeners.append(listener)

    def link(self, robot: str, *, watched: bool) -> str:
        """Return `ok`, `silent` (watched, but no word), `lost` (no broker or robot) or `unknown`."""
        now, live = self.robots[robot], self.live[robot]
        if not self.broker_connected or now.status == "offline":
            return "lost"
        if now.status == "unknown":
            return "unknown"
        if watched and (live.heard_at is None or self._clock.monotonic() - live.heard_at > SILENT_S):
            return "silent"
        return "ok"

    def _on_message(self, message: Message) -> None:
        try:
            topic = parse_topic(message.topic)
            if topic.kind in STORED:
                for payload in decode(topic.kind, message.payload):
                    self._apply(topic.zone, topic.device, payload)
            elif not self._apply_live(topic.zone, topic.device, topic.kind, message.payload):
                return
        except MessageError:
            return  # ingest keeps it as a dead letter
        self.version += 1
        for listener in self._listeners:
            listener(topic.device, topic.kind)

    def _is_robot(self, zone: str, device: str) -> bool:
        known = self.robots.get(device)
        return known is not None and known.zone == zone

    def _apply(self, zone: str, device: str, payload: object) -> None:
        match payload:
            case Birth():
                self.births[zone, device] = payload
            case State():
                self.states[zone, device] = payload
                if self._is_robot(zone, device):
                    self._apply_state(device, payload)
            case Data():
                self._apply_data(zone, device, payload)
            case Event():
                if self._is_robot(zone, device):
                    self.robots[device] = replace(self.robots[device], heard_at=self._clock.monotonic())

    def _apply_state(self, robot: str, state: State) -> None:
        detail, known = state.detail, self.robots[robot]
        if known.at is not None and state.at < known.at:
            return
        self.robots[robot] = replace(
            known,
            at=state.at,
            heard_at=self._clock.monotonic(),
            status=state.status,
            fault=state.fault,
            safety=_text(detail, "safety", known.safety if state.status == "offline" else "unknown"),
            causes=_texts(detail.get("causes")),
            due=_texts(detail.get("due")),
            needs_reset=detail.get("needs_reset") is True,
            order_id=_text(detail, "order_id", ""),
            bed=_text(detail, "bed", ""),
            side=_text(detail, "side", ""),
            segment=_whole(detail, "segment", -1),
            queued=_whole(detail, "queued", 0),
        )

    def _apply_data(self, zone: str, device: str, data: Data) -> None:
        birth, heard_at = self.births.get((zone, device)), self._clock.monotonic()
        for metric, number in data.metrics.items():
            known = self.values.get((device, metric))
            if known is not None and data.at < known.at:
                continue  # history that is sent late
            info = birth.metrics.get(metric) if birth is not None else None
            self.values[device, metric] = Value(
                zone=zone,
                device=device,
                metric=metric,
                at=data.at,
                value=number,
                unit=info.unit if info is not None else "",
                interval=info.interval if info is not None else 0.0,
                heard_at=heard_at,
            )
        if self._is_robot(zone, device):
            now = self.robots[device]
            picked, placed, attempted = (
                int(data.metrics.get(f"{name}_total", -1.0)) for name in ("picked", "placed", "attempted")
            )
            self.robots[device] = replace(
                now,
                heard_at=heard_at,
                picked=picked if picked >= 0 else now.picked,
                placed=placed if placed >= 0 else now.placed,
                attempted=attempted if attempted >= 0 else now.attempted,
            )

    def _apply_live(self, zone: str, robot: str, kind: Kind, payload: bytes) -> bool:
        if not self._is_robot(zone, robot):
            return False
        live = self.live[robot]
        if kind is Kind.VIDEO:
            return self._apply_video(live, payload)
        content = _object(payload)
        if content is None:
            return False
        live.content, live.heard_at, live.version = content, self._clock.monotonic(), live.version + 1
        known = self.robots[robot]
        picked, placed, attempted = (_whole(content, name, -1) for name in ("picked", "placed", "attempted"))
        self.robots[robot] = replace(
            known,
            safety=_text(content, "safety", known.safety),
            task=_text(content, "task", known.task),
            picked=picked if picked >= 0 else known.picked,
            placed=placed if placed >= 0 else known.placed,
            attempted=attempted if attempted >= 0 else known.attempted,
            heard_at=live.heard_at,
        )
        return True

    def _apply_video(self, live: Live, payload: bytes) -> bool:
        """Take a picture: its time (8 bytes, big-endian float64, UTC epoch [s]), then the JPEG."""
        if not 12 < len(payload) <= VIDEO_BYTES or payload[8:10] != b"\xff\xd8":
            return False
        (live.jpeg_at,) = struct.unpack_from(">d", payload)
        live.jpeg, live.frame = payload[8:], live.frame + 1
        return True


def _object(payload: bytes) -> dict[str, Any] | None:
    if len(payload) > LIVE_BYTES:
        return None
    try:
        content = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _text(values: dict[str, Any], key: str, default: str) -> str:
    value = values.get(key)
    return value if isinstance(value, str) else default


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _whole(values: dict[str, Any], key: str, default: int) -> int:
    value = values.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else default
