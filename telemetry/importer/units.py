"""Units as they stand in files, and how their values become those of the farm's metrics."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

R_GAS = 8.314462618
"""J/(mol K), CODATA 2018."""
CO2_MOLAR = 44.0095
"""g/mol."""
REFERENCE_K, REFERENCE_PA = 293.15, 101325.0
"""mg/m3 of CO2 depends on temperature and pressure; taken here when the file does not tell (20 °C, sea level)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """`to` is the unit of metrics.toml that `convert` gives."""

    key: str
    to: str
    convert: Callable[[float], float]
    note: str = ""


def _linear(key: str, to: str, factor: float = 1.0, offset: float = 0.0, note: str = "") -> Unit:
    return Unit(key=key, to=to, convert=lambda value: value * factor + offset, note=note)


_CO2 = R_GAS * REFERENCE_K / (CO2_MOLAR * REFERENCE_PA) * 1e3
UNITS: dict[str, Unit] = {
    unit.key: unit
    for unit in (
        _linear("Cel", "Cel"),
        _linear("degF", "Cel", 5.0 / 9.0, -160.0 / 9.0),
        _linear("K", "Cel", 1.0, -273.15),
        _linear("%", "%"),
        _linear("share", "%", 100.0, note="0–1"),
        _linear("ppm", "[ppm]"),
        _linear("mg/m3", "[ppm]", _CO2, note="at 20 °C, 101.3 kPa"),
        _linear("W/m2", "W/m2"),
        _linear("kW/m2", "W/m2", 1000.0),
        _linear("Wh/m2", "W/m2", note="of an hour"),
        _linear("umol", "umol/(m2.s)"),
        _linear("dS/m", "dS/m"),
        _linear("uS/cm", "dS/m", 1e-3),
        _linear("S/m", "dS/m", 10.0),
        _linear("m/s", "m/s"),
        _linear("km/h", "m/s", 1.0 / 3.6),
        _linear("mph", "m/s", 0.44704),
        _linear("kn", "m/s", 0.514444),
        _linear("kPa", "kPa"),
        _linear("hPa", "kPa", 0.1),
        _linear("Pa", "kPa", 1e-3),
        _linear("L", "L"),
        _linear("mL", "L", 1e-3),
        _linear("m3", "L", 1e3),
        _linear("V", "V"),
        _linear("mV", "V", 1e-3),
        _linear("pH", "[pH]"),
        _linear("h", "h"),
        _linear("mol/m2", "mol/m2"),
        _linear("dBm", "dB[mW]"),
    )
}
SPELLINGS = {
    "Cel": ("°c", "c", "degc", "deg c", "celsius", "℃", "grad c", "oc", "�c", "º c", "ºc", "摄氏度", "度"),
    "degF": ("°f", "f", "degf", "deg f", "fahrenheit", "℉", "ºf"),
    "K": ("k", "kelvin"),
    "%": ("%", "percent", "pct", "%rh", "rh%", "% rh", "%vol", "procent", "％"),
    "share": ("0-1", "fraction", "-/1"),
    "ppm": ("ppm", "ppmv", "µmol/mol", "umol/mol"),
    "mg/m3": ("mg/m3", "mg m**-3", "mg/m^3"),
    "W/m2": ("w/m2", "w m-2", "w m**-2", "w/m^2", "w/sqm", "watt/m2"),
    "kW/m2": ("kw/m2", "kw/m^2"),
    "Wh/m2": ("wh/m2",),
    "umol": ("umol/m2/s", "umol/m2s", "umol m-2 s-1", "umol/(m2.s)", "umol/(m2 s)", "umol/s/m2", "umol/m2·s"),
    "dS/m": ("ds/m", "ms/cm", "mmho/cm"),
    "uS/cm": ("us/cm",),
    "S/m": ("s/m",),
    "m/s": ("m/s", "m s**-1", "m s-1", "mps"),
    "km/h": ("km/h", "kmh", "kph"),
    "mph": ("mph", "mi/h"),
    "kn": ("kn", "kt", "knots"),
    "kPa": ("kpa",),
    "hPa": ("hpa", "mbar", "mb"),
    "Pa": ("pa",),
    "L": ("l", "liter", "litre", "liters", "litres", "升"),
    "mL": ("ml",),
    "m3": ("m3", "m^3"),
    "V": ("v", "volt"),
    "mV": ("mv",),
    "pH": ("ph",),
    "h": ("h", "hour", "hours"),
    "mol/m2": ("mol/m2", "mol m-2", "mol/m2/d"),
    "dBm": ("dbm",),
}
BY_SPELLING = {spelling: key for key, spellings in SPELLINGS.items() for spelling in spellings}
IN_BRACKETS = re.compile(r"[(\[（【]\s*([^()\[\]（）【】]{1,24}?)\s*[)\]）】]")
SUFFIX = re.compile(
    r"[_\s-](degc|degf|celsius|fahrenheit|c|f|k|pct|percent|ppm|kpa|wm2|umol|ms|mph|kmh)$", re.IGNORECASE
)
SUFFIXES = {"c": "Cel", "f": "degF", "k": "K", "wm2": "W/m2", "umol": "umol", "ms": "m/s"}


def plain(text: str) -> str:
    """Return a spelling without its ornaments: µ and μ are u, superscripts are digits, minus signs are hyphens."""
    table = str.maketrans({"µ": "u", "μ": "u", "²": "2", "³": "3", "−": "-", "⁻": "-", "¹": "1", "\xa0": " "})
    return " ".join(text.translate(table).strip().lower().split())


def known_unit(text: str) -> bool:
    return plain(text) in BY_SPELLING


def unit_of(name: str, cell: str) -> str:
    """Return the key of a column's unit, from the row of units, else from its name; empty where nothing tells."""
    if plain(cell) in BY_SPELLING:
        return BY_SPELLING[plain(cell)]
    for found in reversed(IN_BRACKETS.findall(name)):
        if plain(found) in BY_SPELLING:
            return BY_SPELLING[plain(found)]
    suffix = SUFFIX.search(name)
    if suffix:
        text = suffix.group(1).lower()
        return SUFFIXES.get(text) or BY_SPELLING.get(text, "")
    return ""


def has_foreign_unit(name: str, cell: str) -> bool:
    """Tell whether a unit stands there that is none of those known here."""
    if cell.strip() not in ("", "-"):
        return plain(cell) not in BY_SPELLING
    found = IN_BRACKETS.findall(name)
    return bool(found) and any("/" in unit for unit in found) and not any(plain(unit) in BY_SPELLING for unit in found)
