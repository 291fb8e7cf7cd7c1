"""Payloads to bytes and back: JSON as the farm contract says; what breaks it is refused with a reason."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NoReturn

import orjson

from telemetry.messages import Ack, AckStatus, Birth, Command, Data, Event, Kind, MetricInfo, Payload, State, Topic
from telemetry.messages.fields import (
    MessageError,
    Reason,
    as_number,
    as_object,
    free_object,
    get,
    instant,
    sequence,
    text,
    word,
)

__all__ = [
    "MAX_BYTES",
    "MessageError",
    "Reason",
    "decode",
    "encode",
    "encode_array",
    "from_text",
    "parse_topic",
    "to_text",
]

MAX_BYTES = 256 * 1024
"""Largest payload of a stored kind [byte]; a flush after an outage is cut into arrays below it."""
UNNUMBERED = ""
"""The boot of measurements that carry no number."""
LEVEL = re.compile(r"\w[\w.\-]{0,63}")
KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]{0,63}")


@lru_cache(maxsize=4096)
def parse_topic(topic: str) -> Topic:
    """Split `gh/1/<site>/<zone>/<device>/<kind>`.

    Raises:
        MessageError: `bad_topic` or `unknown_kind`.
    """
    levels = topic.split("/")
    if len(levels) != 6 or levels[:2] != ["gh", "1"]:
        raise MessageError(Reason.BAD_TOPIC, f"expected gh/1/<site>/<zone>/<device>/<kind>, got {topic[:200]!r}")
    for level in levels[2:5]:
        if not LEVEL.fullmatch(level):
            raise MessageError(Reason.BAD_TOPIC, f"expected letters, digits, _ . -, at most 64, got {level[:80]!r}")
    try:
        kind = Kind(levels[5])
    except ValueError:
        kinds = ", ".join(Kind)
        raise MessageError(Reason.UNKNOWN_KIND, f"expected one of {kinds}, got {levels[5][:80]!r}") from None
    return Topic(site=levels[2], zone=levels[3], device=levels[4], kind=kind)


def encode(payload: Payload) -> bytes:
    """Return the JSON of one payload.

    Raises:
        MessageError: a number is not finite or the result is larger than `MAX_BYTES`.
    """
    return _dump(_to_json(payload))


def encode_array(payloads: Sequence[Data]) -> bytes:
    """Return several measurements as one array, as sent after an outage."""
    return _dump([_to_json(payload) for payload in payloads])


def to_text(payload: Payload) -> str:
    """Return one payload's JSON of any length, as it is stored."""
    return json.dumps(_to_json(payload), separators=(",", ":"), allow_nan=False)


def from_text(kind: Kind, text: str) -> Payload:
    """Return the payload of a stored JSON."""
    return _READERS[kind](as_object(json.loads(text), "payload"))


def decode(kind: Kind, payload: bytes) -> list[Payload]:
    """Return the payloads in one message; only `data` may carry several. Unknown keys are ignored.

    Raises:
        MessageError: the message breaks the contract; nothing of it may be used.
    """
    reader = _READERS.get(kind)
    if reader is None:
        raise ValueError(f"expected a stored kind ({', '.join(_READERS)}), got {kind}")
    content = load(payload)
    if kind is not Kind.DATA or not isinstance(content, list):
        return [reader(as_object(content, "payload"))]
    if not content:
        raise MessageError(Reason.EMPTY, "an array without measurements")
    return [reader(as_object(item, f"payload[{i}]")) for i, item in enumerate(content)]


def _refuse_constant(name: str) -> NoReturn:
    raise MessageError(Reason.NOT_FINITE, f"expected a finite number, got {name}")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def load(payload: bytes) -> Any:
    """Return the content of a payload. Raises `MessageError` when it is empty, too large or no JSON."""
    if not payload:
        raise MessageError(Reason.EMPTY, "no payload")
    if len(payload) > MAX_BYTES:
        raise MessageError(Reason.TOO_LARGE, f"expected at most {MAX_BYTES} byte, got {len(payload)}")
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        return _load_slowly(payload)


def _load_slowly(payload: bytes) -> Any:
    """Find out what is wrong with a payload; NaN has a reason of its own."""
    try:
        content = payload.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MessageError(Reason.NOT_UTF8, f"byte {error.start}") from None
    try:
        return _DECODER.decode(content)
    except (ValueError, RecursionError) as error:
        raise MessageError(Reason.BAD_JSON, str(error)[:200]) from None


def _dump(content: Any) -> bytes:
    try:
        encoded = json.dumps(content, separators=(",", ":"), allow_nan=False).encode()
    except ValueError as error:
        raise MessageError(Reason.NOT_FINITE, str(error)) from None
    if len(encoded) > MAX_BYTES:
        raise MessageError(Reason.TOO_LARGE, f"expected at most {MAX_BYTES} byte, got {len(encoded)}")
    return encoded


def _ms(at: float) -> int:
    if not math.isfinite(at):
        raise MessageError(Reason.NOT_FINITE, f"time {at}")
    return round(at * 1000.0)


def _to_json(payload: Payload) -> dict[str, Any]:
    match payload:
        case Data():
            data: dict[str, Any] = {"ts": _ms(payload.at), "seq": payload.seq, "boot": payload.boot}
            data["m"] = payload.metrics
            return data | {"hist": True} if payload.historical else data
        case Birth():
            metrics = {
                name: {"unit": m.unit, "min": m.minimum, "max": m.maximum, "interval": m.interval}
                for name, m in payload.metrics.items()
            }
            head = {"ts": _ms(payload.at), "boot": payload.boot, "model": payload.model}
            head |= {"fw": payload.firmware, "metrics": metrics}
            return head | {"description": payload.description} if payload.description else head
        case State():
            head = {"ts": _ms(payload.at), "status": payload.status}
            return head | {"fault": payload.fault, "detail": payload.detail}
        case Event():
            head = {"ts": _ms(payload.at), "seq": payload.seq, "boot": payload.boot}
            return head | {"type": payload.type, "data": payload.data}
        case Command():
            head = {"id": payload.id, "issuer": payload.issuer, "expires_at": _ms(payload.expires_at)}
            return head | {"command": payload.command, "args": payload.arguments}
        case Ack():
            head = {"id": payload.id, "ts": _ms(payload.at), "status": payload.status.value}
            return head | {"reason": payload.reason}


@lru_cache(maxsize=4096)
def _is_key(name: str) -> bool:
    return KEY.fullmatch(name) is not None


def read_values(content: dict[str, Any]) -> Data:
    """Read what ThingsBoard's devices send, `{"ts": ms, "values": {…}}`: no boot and no number, so no gap can be seen.

    Truth values become 1 and 0; texts and objects are left out: they are no measurements.
    """
    metrics: dict[str, float] = {}
    for name, value in as_object(get(content, "values"), "values").items():
        if isinstance(value, str | dict | list) or value is None:
            continue
        if not _is_key(name):
            raise MessageError(Reason.BAD_KEY, f"values: expected a metric's name, got {name[:80]!r}")
        metrics[name] = float(value) if isinstance(value, bool) else as_number(value, name)
    if not metrics:
        raise MessageError(Reason.EMPTY, "values: no number")
    return Data(at=instant(content, "ts"), seq=0, boot=UNNUMBERED, metrics=metrics)


def _read_data(content: dict[str, Any]) -> Data:
    if "m" not in content and "values" in content:
        return read_values(content)
    values = as_object(get(content, "m"), "m")
    metrics: dict[str, float] = {}
    for name, value in values.items():
        if not _is_key(name):
            raise MessageError(Reason.BAD_KEY, f"m: expected a metric's name, got {name[:80]!r}")
        if type(value) is float and -math.inf < value < math.inf:
            metrics[name] = value
        elif value is not None:  # null: the device does not know; there is nothing to store
            metrics[name] = as_number(value, name)
    if not metrics:
        raise MessageError(Reason.EMPTY, "m: no measured value")
    historical = content.get("hist", False)
    if not isinstance(historical, bool):
        raise MessageError(Reason.BAD_TYPE, f"hist: expected true or false, got {type(historical).__name__}")
    at = instant(content, "ts")
    return Data(at=at, seq=sequence(content), boot=word(content, "boot"), metrics=metrics, historical=historical)


def _read_birth(content: dict[str, Any]) -> Birth:
    metrics: dict[str, MetricInfo] = {}
    for name, value in as_object(get(content, "metrics"), "metrics").items():
        if not KEY.fullmatch(name):
            raise MessageError(Reason.BAD_KEY, f"metrics: expected a metric's name, got {name[:80]!r}")
        row = as_object(value, name)
        low, high, interval = (as_number(get(row, key), f"{name}.{key}") for key in ("min", "max", "interval"))
        if low > high or interval < 0.0:
            raise MessageError(Reason.BAD_VALUE, f"{name}: expected min <= max and interval >= 0")
        metrics[name] = MetricInfo(unit=text(row, "unit"), minimum=low, maximum=high, interval=interval)
    return Birth(
        at=instant(content, "ts"),
        boot=word(content, "boot"),
        model=text(content, "model"),
        firmware=text(content, "fw", ""),
        metrics=metrics,
        description=free_object(content.get("description", {}), "description"),
    )


def _read_state(content: dict[str, Any]) -> State:
    detail = free_object(content.get("detail", {}), "detail")
    return State(
        at=instant(content, "ts"), status=word(content, "status"), fault=text(content, "fault", ""), detail=detail
    )


def _read_event(content: dict[str, Any]) -> Event:
    return Event(
        at=instant(content, "ts"),
        seq=sequence(content),
        boot=word(content, "boot"),
        type=word(content, "type"),
        data=free_object(get(content, "data"), "data"),
    )


def _read_command(content: dict[str, Any]) -> Command:
    return Command(
        id=word(content, "id"),
        issuer=text(content, "issuer"),
        expires_at=instant(content, "expires_at"),
        command=word(content, "command"),
        arguments=free_object(content.get("args", {}), "args"),
    )


def _read_ack(content: dict[str, Any]) -> Ack:
    status = text(content, "status")
    if status not in set(AckStatus):
        raise MessageError(Reason.BAD_VALUE, f"status: expected one of {', '.join(AckStatus)}, got {status[:80]!r}")
    return Ack(
        id=word(content, "id"), at=instant(content, "ts"), status=AckStatus(status), reason=text(content, "reason", "")
    )


_READERS: dict[Kind, Callable[[dict[str, Any]], Payload]] = {
    Kind.BIRTH: _read_birth,
    Kind.DATA: _read_data,
    Kind.STATE: _read_state,
    Kind.EVENT: _read_event,
    Kind.CMD: _read_command,
    Kind.ACK: _read_ack,
}
