"""Read `farm.toml` strictly: an unknown key, a wrong type or a dangling reference is an error that says where."""

from __future__ import annotations

import difflib
import math
import re
import tomllib
import types
import typing
from collections import Counter
from collections.abc import Sequence
from dataclasses import MISSING, Field, fields, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from telemetry.farm.settings import (
    ALL,
    ORIGIN,
    Bed,
    Device,
    Farm,
    Market,
    Mqtt,
    Program,
    Robot,
    Site,
    StoreSettings,
    Zone,
)

SINGLE: dict[str, type] = {"site": Site, "program": Program, "mqtt": Mqtt, "store": StoreSettings}
LISTS: dict[str, type] = {"zones": Zone, "beds": Bed, "devices": Device, "robots": Robot, "markets": Market}
TYPE_NAMES = {str: "a string", float: "a number", int: "a whole number"}


class FarmError(ValueError):
    """The farm file is wrong; the text says what was expected, what was found and where."""

    code = "farm_file"


def load_farm(path: str | Path) -> Farm:
    """Read the farm file at `path`.

    Raises:
        FarmError: the file is missing, is not TOML, or breaks a rule.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise FarmError(f"{path}: {error.strerror}; `berrybrain init` writes a farm file") from error
    except UnicodeDecodeError as error:
        raise FarmError(f"{path}: expected UTF-8 text, got byte {error.start} that is not") from error
    return parse_farm(text, name=str(path))


def parse_farm(text: str, *, name: str = "farm.toml") -> Farm:
    """Parse the text of a farm file; `name` is what errors call it.

    Raises:
        FarmError: the text is not TOML or breaks a rule.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FarmError(f"{name}: not valid TOML: {error}") from error
    reader = _Reader(name=name, text=text)
    for key in document:
        if key not in SINGLE and key not in LISTS:
            raise reader.unknown(key, [*SINGLE, *LISTS], table="", index=0)
    if "site" not in document:
        raise FarmError(f"{name}: table [site] is missing")
    singles: dict[str, Any] = {key: reader.single(key, kind, document.get(key, {})) for key, kind in SINGLE.items()}
    lists: dict[str, Any] = {key: reader.several(key, kind, document.get(key, [])) for key, kind in LISTS.items()}
    farm = Farm(**singles, **lists)
    _check(farm, reader)
    wanted = [market for market in farm.markets if market.id == farm.program.market]
    for market in wanted:
        window = replace(farm.program, ripeness_min=market.ripeness_min, ripeness_max=market.ripeness_max)
        farm = replace(farm, program=window)
    return farm


class _Reader:
    """Turns TOML tables into settings and says where an error is."""

    def __init__(self, *, name: str, text: str) -> None:
        self._name = name
        self._lines = text.splitlines()

    def error(self, message: str, *, table: str, index: int, key: str = "") -> FarmError:
        line = self._line(table, index, key)
        where = f"{self._name}:{line}" if line else self._name
        label = f"[[{table}]] no. {index + 1}" if table in LISTS else f"[{table}]" if table else "top level"
        return FarmError(f"{where}: {label}: {message}")

    def unknown(self, key: str, known: Sequence[str], *, table: str, index: int) -> FarmError:
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.0)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return self.error(f"unknown key {key!r}{hint} (known: {', '.join(known)})", table=table, index=index, key=key)

    def single(self, table: str, kind: type, value: object) -> Any:
        if not isinstance(value, dict):
            raise self.error(f"expected a table [{table}], got {value!r}", table="", index=0, key=table)
        return self._build(table, kind, value, 0)

    def several(self, table: str, kind: type, value: object) -> tuple[Any, ...]:
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.error(f"expected [[{table}]] tables, got {value!r}", table="", index=0, key=table)
        return tuple(self._build(table, kind, item, index) for index, item in enumerate(value))

    def _build(self, table: str, kind: type, values: dict[str, Any], index: int) -> Any:
        known = {f.name: f for f in fields(kind)}
        for key in values:
            if key not in known:
                raise self.unknown(key, list(known), table=table, index=index)
        hints = typing.get_type_hints(kind)
        built = {}
        for key, rule in known.items():
            if key in values:
                built[key] = self._value(values[key], hints[key], rule, table, index)
            elif rule.default is MISSING:
                raise self.error(f"key {key!r} is missing", table=table, index=index)
        return kind(**built)

    def _value(self, value: object, hint: Any, rule: Field[Any], table: str, index: int) -> Any:
        if isinstance(hint, types.UnionType):  # may be left out, and is not None when it is there
            hint = typing.get_args(hint)[0]
        if typing.get_origin(hint) is not tuple:
            return self._scalar(value, hint, rule, table, index)
        size = rule.metadata["size"]
        if not isinstance(value, list) or not value or (size is not None and len(value) != size):
            count = f"{size} values" if size else "one value or more"
            message = f"{rule.name}: expected a list of {count}, got {value!r}"
            raise self.error(message, table=table, index=index, key=rule.name)
        items = tuple(self._scalar(item, typing.get_args(hint)[0], rule, table, index) for item in value)
        if size is None and len(set(items)) != len(items):
            raise self.error(f"{rule.name}: values repeat: {value!r}", table=table, index=index, key=rule.name)
        return items

    def _scalar(self, value: object, hint: type, rule: Field[Any], table: str, index: int) -> Any:
        def wrong(expected: str) -> FarmError:
            message = f"{rule.name}: expected {expected}, got {value!r}"
            return self.error(message, table=table, index=index, key=rule.name)

        accepted = (int, float) if hint is float else (hint,)
        if isinstance(value, bool) or not isinstance(value, accepted):
            raise wrong(TYPE_NAMES[hint])
        limits = rule.metadata
        if isinstance(value, int | float):
            low, high = limits["minimum"], limits["maximum"]
            if not math.isfinite(value) or (low is not None and value < low) or (high is not None and value > high):
                raise wrong(f"a value from {low} to {high}")
            return hint(value)
        if limits["choices"] and value not in limits["choices"]:
            raise wrong(f"one of {', '.join(map(repr, limits['choices']))}")
        if limits["pattern"] and not re.fullmatch(limits["pattern"], str(value)):
            raise wrong(f"text like {limits['pattern']}")
        return value

    def _line(self, table: str, index: int, key: str) -> int:
        """Return the line (1 = first) of a key or of its table; 0 when the file writes it another way."""
        current, seen, header = "", Counter[str](), 0
        assignment = re.compile(rf'\s*"?{re.escape(key)}"?\s*=')
        for number, line in enumerate(self._lines, start=1):
            opened = re.match(r"\s*\[{1,2}\s*([A-Za-z0-9_.\"-]+)\s*\]", line)
            if opened:
                current = opened[1].strip('"')
                seen[current] += 1
                if (current == table and seen[current] == index + 1) or (not table and current == key):
                    header = number
            elif current == table and (not table or seen[table] == index + 1) and assignment.match(line):
                return number
        return header


def _check(farm: Farm, reader: _Reader) -> None:
    """Hold what one table says against the others."""
    for table in LISTS:
        _unique([item.id for item in getattr(farm, table)], table, reader)
    devices: list[str] = [device.id for device in farm.devices]
    robots: list[str] = [robot.id for robot in farm.robots]
    _unique([*devices, *robots], "robots", reader, offset=len(farm.devices))
    zones, beds = [z.id for z in farm.zones], [b.id for b in farm.beds]
    for table in ("beds", "devices", "robots"):
        for index, item in enumerate(getattr(farm, table)):
            if item.zone not in zones:
                raise reader.error(_dangling("zone", item.zone, zones), table=table, index=index, key="zone")
    for index, robot in enumerate(farm.robots):
        if robot.bed not in beds:
            raise reader.error(_dangling("bed", robot.bed, beds), table="robots", index=index, key="bed")
        if robot.side not in farm.bed(robot.bed).sides:
            sides = ", ".join(farm.bed(robot.bed).sides)
            message = f"side {robot.side!r}: bed {robot.bed!r} has no such side (it has: {sides})"
            raise reader.error(message, table="robots", index=index, key="side")
        if farm.bed(robot.bed).zone != robot.zone:
            message = f"zone {robot.zone!r} is not the zone of its bed {robot.bed!r}, {farm.bed(robot.bed).zone!r}"
            raise reader.error(message, table="robots", index=index, key="zone")
        if not robot.battery_critical <= robot.battery_low < robot.battery_enough:
            levels = f"{robot.battery_critical}, {robot.battery_low} and {robot.battery_enough}"
            message = f"expected battery_critical <= battery_low < battery_enough, got {levels}"
            raise reader.error(message, table="robots", index=index, key="battery_low")
    for index, bed in enumerate(farm.beds):
        if bed.segment_length > bed.length:
            message = f"segment_length {bed.segment_length} m is longer than the bed, {bed.length} m"
            raise reader.error(message, table="beds", index=index, key="segment_length")
    program = farm.program
    if program.ripeness_min >= program.ripeness_max:
        message = f"ripeness_min {program.ripeness_min} must be below ripeness_max {program.ripeness_max}"
        raise reader.error(message, table="program", index=0, key="ripeness_min")
    _check_program(farm, reader)
    if program.work_from == program.work_until:
        message = f"work_from and work_until are both {program.work_from!r}; for the whole day use 00:00 and 24:00"
        raise reader.error(message, table="program", index=0, key="work_until")
    if farm.store.kind == "influx" and not (farm.store.url and farm.store.org and farm.store.bucket):
        raise reader.error("kind 'influx' needs url, org and bucket", table="store", index=0, key="kind")
    if farm.mqtt.share and not farm.mqtt.url:
        message = "share needs a url: several ingesters share the messages of a broker that all of them can reach"
        raise reader.error(message, table="mqtt", index=0, key="share")
    if farm.site.address and not re.fullmatch(ORIGIN, farm.site.address):
        wanted = "http:// or https:// and a host, with :PORT where it needs one and nothing behind it"
        message = f"address: expected {wanted}, like 'https://berries.example.org', got {farm.site.address!r}"
        raise reader.error(message, table="site", index=0, key="address")
    try:
        ZoneInfo(farm.site.timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        message = f"timezone: expected a name like 'Asia/Shanghai', got {farm.site.timezone!r}"
        raise reader.error(message, table="site", index=0, key="timezone") from error


def _check_program(farm: Farm, reader: _Reader) -> None:
    """Hold the picking program against markets, beds and cultivars that there are."""
    program, beds = farm.program, [bed.id for bed in farm.beds]
    for index, market in enumerate(farm.markets):
        if market.ripeness_min >= market.ripeness_max:
            message = f"ripeness_min {market.ripeness_min} must be below ripeness_max {market.ripeness_max}"
            raise reader.error(message, table="markets", index=index, key="ripeness_min")
    markets = [market.id for market in farm.markets]
    if markets and program.market not in markets:
        raise reader.error(_dangling("market", program.market, markets), table="program", index=0, key="market")
    for key, named, known in (
        ("beds", program.beds, beds),
        ("cultivars", program.cultivars, sorted({bed.cultivar for bed in farm.beds})),
    ):
        for name in named:
            if name != ALL and name not in known:
                raise reader.error(_dangling(key, name, [ALL, *known]), table="program", index=0, key=key)


def _unique(ids: Sequence[str], table: str, reader: _Reader, *, offset: int = 0) -> None:
    for index, item in enumerate(ids):
        first = ids.index(item)
        if first != index:
            message = f"id {item!r} is used twice; devices and robots share one set of ids"
            raise reader.error(message, table=table, index=index - offset, key="id")


def _dangling(key: str, name: str, known: Sequence[str]) -> str:
    return f"{key} {name!r} does not exist (known: {', '.join(known) or 'none'})"
