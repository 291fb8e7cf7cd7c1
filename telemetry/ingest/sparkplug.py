"""Sparkplug B nodes and their devices become devices of the farm: aliases, births, deaths and numbers of each node.

`spBv1.0/<group>/<type>/<node>[/<device>]` is zone `group` and device `node` or `node.device`. In names, what our
contract does not allow becomes `_`, and `/` in a metric's name becomes `.`; two names that become one are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from telemetry.messages import Birth, Data, Kind, Payload, State, Topic
from telemetry.messages.fields import EARLIEST_MS, LATEST_MS, MessageError, Reason, as_number
from telemetry.messages.sparkplug import SparkplugMetric, SparkplugPayload, read_payload, rebirth
from telemetry.messages.wire import KEY, LEVEL, MAX_BYTES, UNNUMBERED
from telemetry.store.journal import Stamp

PREFIX = "spBv1.0/"
SESSION = "bdSeq"
CONTROL = "Node Control/"
MOST_NAMES = 10_000
"""Groups, nodes and devices; a program that makes up names must not fill the memory."""
ASK_AGAIN_S = 30.0
"""A node is asked for its births at most this often [s]."""
_DOTTED = re.compile(r"[/\\]")
_FOREIGN_KEY = re.compile(r"[^A-Za-z0-9_.\-]")
_FOREIGN_LEVEL = re.compile(r"[^\w.\-]")

Aliases = dict[int, tuple[str, int]]
"""Name and data type by alias, as the birth said."""


@dataclass(slots=True)
class _Device:
    """What the birth of a node itself, or of one of its devices, said."""

    topic: Topic
    names: dict[str, int] = field(default_factory=dict)
    aliases: Aliases = field(default_factory=dict)


@dataclass(slots=True)
class _Node:
    """One node since its birth; `count` goes on where `seq` begins again at 0."""

    session: int | None
    boot: str
    count: int
    devices: dict[str, _Device] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one message said."""

    messages: list[tuple[Topic, Payload]]
    stamps: list[Stamp]


class Sparkplug:
    """Knows the nodes that were born since it began; of any other it wants the births again.

    Args:
        site: of all that is told.
    """

    def __init__(self, site: str) -> None:
        self._site = site
        self._nodes: dict[tuple[str, str], _Node] = {}
        self._levels: dict[str, str] = {}
        self._asked: dict[tuple[str, str], float] = {}
        self._wanted: list[tuple[str, str]] = []

    def read(self, name: str, payload: bytes, now: float) -> Told:
        """Read a message that came `now` [UTC epoch s].

        Raises:
            MessageError: it breaks the contract, or its node has not said its births yet.
        """
        levels = name.split("/")
        if len(levels) not in (4, 5) or levels[2] not in _READERS or (len(levels) == 5) != (levels[2][0] == "D"):
            raise MessageError(Reason.BAD_TOPIC, f"expected one of {', '.join(filters('+'))}, got {name[:200]!r}")
        if len(payload) > MAX_BYTES:
            raise MessageError(Reason.TOO_LARGE, f"expected at most {MAX_BYTES} byte, got {len(payload)}")
        key, device = (levels[1], levels[3]), levels[4] if len(levels) == 5 else ""
        return _READERS[levels[2]](self, key, device, read_payload(payload), now)

    def wanted(self, now: float) -> list[tuple[str, bytes]]:
        """Return the commands (topic, payload) that ask nodes for their births, each once."""
        wanted, self._wanted = self._wanted, []
        return [(f"{PREFIX}{group}/NCMD/{node}", rebirth(round(now * 1000.0))) for group, node in wanted]

    def _birth(self, key: tuple[str, str], device: str, payload: SparkplugPayload, now: float) -> Told:
        at = _instant(payload.ms)
        topic = self._topic(key, device)
        if not device:
            session = next((metric.value for metric in payload.metrics if metric.name == SESSION), None)
            session = session if isinstance(session, int) else None
            self._nodes[key] = _Node(session, f"{session}-{payload.ms}", payload.seq or 0)
        node = self._known(key, now)
        born = node.devices[device] = _Device(topic)
        known: dict[str, str] = {}
        for metric in payload.metrics:
            if metric.name == SESSION or metric.name.startswith(CONTROL) or metric.datatype is None:
                continue
            name = _key(metric.name)
            if known.setdefault(name, metric.name) != metric.name:
                raise MessageError(Reason.BAD_KEY, f"{metric.name!r} and {known[name]!r} both become {name}")
            born.names[name] = metric.datatype
            if metric.alias is not None:
                born.aliases[metric.alias] = (name, metric.datatype)
        description = {"sparkplug": {name: original for name, original in known.items() if name != original}}
        birth = Birth(at=at, boot=node.boot, model="sparkplug", firmware="", metrics={}, description=description)
        told: list[tuple[Topic, Payload]] = [
            (_of(topic, Kind.BIRTH), birth),
            (_of(topic, Kind.STATE), State(at=at, status="online")),
        ]
        return Told(messages=told + self._values(born, payload, key, now), stamps=self._stamp(key, node, payload))

    def _data(self, key: tuple[str, str], device: str, payload: SparkplugPayload, now: float) -> Told:
        node = self._known(key, now)
        born = node.devices.get(device)
        if born is None:
            raise self._unborn(key, now, "of this device")
        stamps = self._stamp(key, node, payload)
        return Told(messages=self._values(born, payload, key, now), stamps=stamps)

    def _death(self, key: tuple[str, str], device: str, payload: SparkplugPayload, now: float) -> Told:
        node = self._nodes.get(key)
        state = State(at=now if payload.ms is None else _instant(payload.ms), status="offline", fault="device_offline")
        if device:
            stamps = [] if node is None else self._stamp(key, node, payload)
            return Told(messages=[(_of(self._topic(key, device), Kind.STATE), state)], stamps=stamps)
        session = next((metric.value for metric in payload.metrics if metric.name == SESSION), None)
        if node is not None and node.session != session:
            return Told(messages=[], stamps=[])  # the will of a connection before this one
        gone = {self._topic(key, ""), *(born.topic for born in (node.devices.values() if node else ()))}
        self._nodes.pop(key, None)
        return Told(
            messages=[(_of(topic, Kind.STATE), state) for topic in sorted(gone, key=lambda topic: topic.device)],
            stamps=[],
        )

    def _values(
        self, born: _Device, payload: SparkplugPayload, key: tuple[str, str], now: float
    ) -> list[tuple[Topic, Payload]]:
        """Return measurements, those of one instant together."""
        groups: dict[tuple[int | None, bool], dict[str, float]] = {}
        for metric in payload.metrics:
            if metric.transient or metric.name == SESSION or metric.name.startswith(CONTROL):
                continue
            name, datatype = self._meant(born, metric, key, now)
            value = metric.number(datatype)
            if value is not None:
                ms = payload.ms if metric.ms is None else metric.ms
                groups.setdefault((ms, metric.historical), {})[name] = as_number(value, name)
        return [
            (born.topic, Data(at=_instant(ms), seq=0, boot=UNNUMBERED, metrics=metrics, historical=historical))
            for (ms, historical), metrics in groups.items()
        ]

    def _meant(self, born: _Device, metric: SparkplugMetric, key: tuple[str, str], now: float) -> tuple[str, int]:
        if metric.name:
            name = _key(metric.name)
            datatype = born.names.get(name) if metric.datatype is None else metric.datatype
            if datatype is not None:
                return name, datatype
        elif metric.alias in born.aliases:
            return born.aliases[metric.alias]
        raise self._unborn(key, now, f"of {metric.name or f'alias {metric.alias}'}")

    def _stamp(self, key: tuple[str, str], node: _Node, payload: SparkplugPayload) -> list[Stamp]:
        """Number the message. A gap of 256 or more cannot be told from a smaller one."""
        if payload.seq is None:
            return []
        node.count += (payload.seq - node.count) % 256
        return [Stamp(topic=self._topic(key, ""), boot=node.boot, seq=node.count)]

    def _known(self, key: tuple[str, str], now: float) -> _Node:
        node = self._nodes.get(key)
        if node is None:
            raise self._unborn(key, now, "of this node")
        return node

    def _unborn(self, key: tuple[str, str], now: float, what: str) -> MessageError:
        if now - self._asked.get(key, float("-inf")) >= ASK_AGAIN_S:
            if len(self._asked) >= MOST_NAMES:
                self._asked.clear()
            self._asked[key] = now
            self._wanted.append(key)
        return MessageError(Reason.MISSING_KEY, f"no birth {what} was heard; the node is asked for it")

    def _topic(self, key: tuple[str, str], device: str) -> Topic:
        name = f"{key[1]}.{device}" if device else key[1]
        return Topic(site=self._site, zone=self._level(key[0]), device=self._level(name), kind=Kind.DATA)

    def _level(self, name: str) -> str:
        level = _FOREIGN_LEVEL.sub("_", name)
        if not LEVEL.fullmatch(level):
            raise MessageError(Reason.BAD_TOPIC, f"expected a letter or digit, then at most 63 more, got {name[:80]!r}")
        if level not in self._levels and len(self._levels) >= MOST_NAMES:
            raise MessageError(Reason.TOO_MANY_SERIES, f"expected at most {MOST_NAMES} groups, nodes and devices")
        if self._levels.setdefault(level, name) != name:
            raise MessageError(Reason.BAD_TOPIC, f"{name[:80]!r} and {self._levels[level]!r} both become {level}")
        return level


_READERS = {
    "NBIRTH": Sparkplug._birth,
    "DBIRTH": Sparkplug._birth,
    "NDATA": Sparkplug._data,
    "DDATA": Sparkplug._data,
    "NDEATH": Sparkplug._death,
    "DDEATH": Sparkplug._death,
}


def filters(group: str) -> list[str]:
    """Return what to listen to: no commands (ours among them) and no states of hosts. `+` is every group."""
    return [f"{PREFIX}{group}/{kind}/+" + ("/+" if kind[0] == "D" else "") for kind in _READERS]


def _of(topic: Topic, kind: Kind) -> Topic:
    return Topic(site=topic.site, zone=topic.zone, device=topic.device, kind=kind)


def _key(name: str) -> str:
    key = _FOREIGN_KEY.sub("_", _DOTTED.sub(".", name))
    if not KEY.fullmatch(key):
        raise MessageError(Reason.BAD_KEY, f"expected a letter, then at most 63 more, got {name[:80]!r}")
    return key


def _instant(ms: int | None) -> float:
    if ms is None or not EARLIEST_MS <= ms <= LATEST_MS:
        raise MessageError(Reason.BAD_TIMESTAMP, f"expected milliseconds since 1970, got {ms}")
    return ms / 1000.0
