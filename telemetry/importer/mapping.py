"""Say what each column is: a metric of the farm, its unit, how sure; shown to a person, saved, used again."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from telemetry.importer import ImportFileError
from telemetry.importer.numbers import parse_number
from telemetry.importer.units import UNITS, has_foreign_unit, unit_of
from telemetry.messages.tables import Metric

SURE = 0.5
"""A column is taken when its confidence is at least this."""
VAPOUR = "vapour_pressure"
"""Humidity as Pa of vapour: becomes relative humidity with the air temperature of the same row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a name tells. `weight`: 0.6 where it can mean nothing else, 0.4 where the unit must agree."""

    metric: str
    name: str
    weight: float = 0.6


OUT = r"out|weather|station|buiten|室外|outdoor|outside|external|ambient"
SOIL = r"soil|substra|root|slab|gutter|基质|土壤|0013a20041a24464"
# The first rule whose words all stand in the name wins; `~` before a pattern: it must not.
RULES: tuple[Rule, ...] = (
    Rule(metric="", name=r"_vip$|setpoint|set point|\bsp\b|verwarmingstemp|ventilatietemp|设定|probab|forecast"),
    Rule(metric="", name=r"deficit|humdef|absolute|abshum|absolute diff|饱和差(?!压)|pressure &~vapou?r &~vpd"),
    Rule(metric="", name=r"sky|pyrgeo|netrad|winddir|wind dir|direction|rain|radsum|daily|dayrad|sum\b|elevation"),
    Rule(metric="", name=r"dissolved|atmospheric|saturation|efficiency|^.*- f0|fmax|stomata|transp|co2reg"),
    Rule(metric="vpd", name=r"vpd|vapou?r pressure deficit|水汽压差"),
    Rule(metric="outside_humidity", name=rf"(vpout|vapou?r pressure) &({OUT})"),
    Rule(metric="dew_point", name=rf"dew ?point|露点 &~({OUT})"),
    Rule(metric="", name=r"dew ?point|露点"),
    Rule(metric="leaf_temperature", name=r"(leaf|surface|canopy|tleaf|叶).*(temp|温)?|tleaf &~wet|wet"),
    Rule(metric="leaf_wetness", name=r"leaf ?wet|wetness|叶.*湿"),
    Rule(metric="soil_temperature", name=rf"({SOIL}|tso).*(temp|温|t\b|tsoout)? &temp|t ?soil|tso|基质温|土温"),
    Rule(metric="substrate_moisture", name=rf"vwc|moisture|含水|({SOIL}).*(water|wet|湿度|水分)"),
    Rule(metric="", name=r"\becb\b"),
    Rule(metric="drain_ec", name=r"drain.*\bec\b|排液.*(ec|电导)"),
    Rule(metric="substrate_ec", name=r"\becw?\b|电导"),
    Rule(metric="drain_volume", name=r"drain|排液"),
    Rule(metric="irrigation_volume", name=r"irrigat|灌溉|drip|supply volume"),
    Rule(metric="ph", name=r"\bph\b|酸碱"),
    Rule(metric="outside_temperature", name=rf"({OUT}) &(temp|气温|温度|tout|\bt\b)"),
    Rule(metric="outside_humidity", name=rf"({OUT}) &(hum|rh|湿度|相对湿)"),
    Rule(metric="", name=rf"({OUT}) &(co2|par|light)"),
    Rule(metric="co2", name=r"co2|co₂|carbon dioxide|二氧化碳"),
    Rule(metric="ppfd", name=r"ppfd|\bpar|par(in|out)?\b|quantum|光合"),
    Rule(metric="global_radiation", name=r"glob|iglob|radiation|pyrano|solar|^r[gs]$|辐射"),
    Rule(metric="wind_speed", name=r"wind ?(speed|sp)|^wind$|windsp|风速"),
    Rule(metric="heating_temperature", name=r"pipe|heating temp|tpipe|buis|管温"),
    Rule(metric="vent_opening", name=r"vent|raamstand|window|风口|天窗"),
    Rule(metric="battery_voltage", name=r"batter.*|电池.*", weight=0.4),
    Rule(metric="signal_strength", name=r"rssi|signal"),
    Rule(metric="relative_humidity", name=r"\brh|rh\b|\brv\b|rhair|\bhum\b|humid|vochtigheid|feuchte|相对湿度|湿度"),
    Rule(metric="air_temperature", name=r"tair|^ta$|air ?temp|kastemp|lufttemp|temperature.*air|气温|室温"),
    Rule(metric="air_temperature", name=r"temp|\bt\b|温度", weight=0.4),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What becomes of one column. `metric` "" = nothing; `partner`: the column that its conversion needs too."""

    name: str
    metric: str = ""
    unit: str = ""
    device: str = ""
    confidence: float = 0.0
    use: bool = False
    partner: str = ""
    why: str = ""

    def convert(self, value: float, partner: float = math.nan) -> float:
        """Return a value in the metric's own unit; NaN where the partner is not known."""
        if self.unit == VAPOUR:
            from telemetry.agronomy.humidity import relative_humidity

            return math.nan if math.isnan(partner) else relative_humidity(partner, value / 1000.0)
        return UNITS[self.unit].convert(value)


def propose(
    names: Sequence[str],
    units: Sequence[str],
    column: Callable[[int], list[str]],
    metrics: Mapping[str, Metric],
    *,
    device: str,
    comma: bool,
    skip: Sequence[int],
) -> tuple[Column, ...]:
    """Propose what each column is, from its name, its unit and its values.

    Args:
        column: gives cells of a column, spread over the file.
        device: under which the file's measurements go; a second column of one metric goes to DEVICE-2, and so on.
        skip: columns that hold times.
    """
    found = []
    for i, name in enumerate(names):
        if i in skip:
            continue
        cell = units[i] if i < len(units) else ""
        found.append(_judge(name, cell, column(i), metrics, comma=comma))
    return _apart(_partnered(found), device)


def _judge(name: str, cell: str, cells: list[str], metrics: Mapping[str, Metric], *, comma: bool) -> Column:
    rule = next((r for r in RULES if _matches(r.name, name)), None)
    if rule is None or not rule.metric:
        return Column(name=name, why="no such metric" if rule is None else "not a measurement the farm keeps")
    metric = metrics[rule.metric]
    unit = unit_of(name, cell)
    values = _numbers(cells, comma=comma)
    if not values:
        return Column(name=name, metric=metric.key, why="no numbers in it")
    if unit == "Pa" and metric.key == "outside_humidity":
        return Column(name=name, metric=metric.key, unit=VAPOUR, confidence=0.8, why="vapour pressure")
    if unit and UNITS[unit].to != metric.unit:
        return Column(name=name, metric=metric.key, why=f"its unit {unit} is none of {metric.key}")
    if not unit and has_foreign_unit(name, cell):
        return Column(name=name, metric=metric.key, why=f"unknown unit {cell.strip() or 'in its name'}")
    told = bool(unit)
    unit, inside = (unit, _inside(values, metric, unit)) if told else _guess(values, metric)
    confidence = round((rule.weight + (0.4 if told else 0.15)) * inside, 2)
    why = "" if told else "unit not given: the usual one"
    if inside < 0.8:
        why = f"only {inside:.0%} of the values are possible"
    return Column(name=name, metric=metric.key, unit=unit, confidence=confidence, use=confidence >= SURE, why=why)


def _matches(pattern: str, name: str) -> bool:
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower().replace("_", " ").strip()
    spellings = (text, name.lower().strip())
    first, *rest = pattern.split(" &")

    def found(part: str) -> bool:
        return any(re.search(part, spelling) for spelling in spellings)

    return found(first) and all(found(part.lstrip("~")) != part.startswith("~") for part in rest)


def _numbers(cells: list[str], *, comma: bool) -> list[float]:
    values = []
    for cell in cells:
        try:
            value = parse_number(cell, comma=comma)
        except ValueError:
            continue
        if not math.isnan(value):
            values.append(value)
    return values


def _inside(values: list[float], metric: Metric, unit: str) -> float:
    convert = UNITS[unit].convert
    return sum(metric.minimum <= convert(v) <= metric.maximum for v in values) / len(values)


def _guess(values: list[float], metric: Metric) -> tuple[str, float]:
    """Return the unit under which most values are possible; the metric's own where that is as good."""
    own = next(unit.key for unit in UNITS.values() if unit.to == metric.unit)
    scores = {unit.key: _inside(values, metric, unit.key) for unit in UNITS.values() if unit.to == metric.unit}
    if own == "%" and max(values) <= 1.0 and metric.key in ("relative_humidity", "outside_humidity"):
        return "share", scores["share"]
    best = max(scores, key=lambda key: (round(scores[key], 2), key == own))
    return best, scores[best]


def _partnered(columns: list[Column]) -> list[Column]:
    """Give vapour pressure the air temperature that it needs."""
    air = next((c for c in columns if c.metric == "outside_temperature" and c.use), None)
    return [
        replace(c, partner=air.name if air else "", use=air is not None, why="with the temperature outside")
        if c.unit == VAPOUR
        else c
        for c in columns
    ]


def _apart(columns: list[Column], device: str) -> tuple[Column, ...]:
    """One device has one value of a metric: the surest column is the device's own, others go to a second one."""
    order: dict[str, list[str]] = {}
    for column in sorted((c for c in columns if c.use), key=lambda c: -c.confidence):
        order.setdefault(column.metric, []).append(column.name)
    placed = []
    for column in columns:
        number = order[column.metric].index(column.name) + 1 if column.use else 0
        placed.append(replace(column, device="" if not number else device if number == 1 else f"{device}-{number}"))
    return tuple(placed)


def to_toml(columns: Sequence[Column], *, source: str) -> str:
    """Return the mapping as a file that a person may change."""
    lines = [
        f"# What the columns of {json.dumps(source)} are. `use = false` leaves one out; `unit` is one of:",
        f"# {', '.join([*UNITS, VAPOUR])}",
    ]
    for column in columns:
        lines += ["", "[[columns]]"]
        for key in ("name", "metric", "unit", "device", "partner", "why"):
            if getattr(column, key):
                text = json.dumps(getattr(column, key), ensure_ascii=False).replace("\x7f", "\\u007f")
                lines.append(f"{key} = {text}")
        lines += [f"confidence = {column.confidence}", f"use = {str(column.use).lower()}"]
    return "\n".join(lines) + "\n"


def from_toml(path: Path, names: Sequence[str], metrics: Mapping[str, Metric]) -> tuple[Column, ...]:
    """Read a mapping.

    Raises:
        ImportFileError: it is none, or does not fit the columns `names`.
    """
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8")).get("columns", [])
        columns = tuple(Column(**row) for row in rows)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, TypeError, AttributeError) as error:
        raise ImportFileError(
            f"{path}: expected a mapping with [[columns]] as berrybrain import saves it: {error}"
        ) from None
    for column in columns:
        if column.name not in names:
            raise ImportFileError(f"{path.name}: the file has no column {column.name!r}; it has {', '.join(names)}")
        if not column.use:
            continue
        if column.metric not in metrics:
            raise ImportFileError(f"{path.name}: unknown metric {column.metric!r} of column {column.name!r}")
        if column.unit not in UNITS and column.unit != VAPOUR:
            raise ImportFileError(f"{path.name}: unknown unit {column.unit!r}; known are {', '.join([*UNITS, VAPOUR])}")
        if column.unit in UNITS and UNITS[column.unit].to != metrics[column.metric].unit:
            raise ImportFileError(f"{path.name}: {column.name!r}: {column.unit} is no unit of {column.metric}")
        if column.partner and column.partner not in names:
            raise ImportFileError(f"{path.name}: no column {column.partner!r} is there, which {column.name!r} needs")
    return columns
