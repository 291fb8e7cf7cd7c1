"""Home Assistant's MQTT discovery: from a device's birth to the retained configurations that make its sensors appear.

Format: https://www.home-assistant.io/integrations/mqtt/#discovery-messages and .../sensor.mqtt.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping

from telemetry.messages import Birth, Kind, Topic
from telemetry.messages.tables import Metric

UNITS = {
    "Cel": "°C",
    "[degF]": "°F",
    "K": "K",
    "%": "%",
    "[ppm]": "ppm",
    "Pa": "Pa",
    "kPa": "kPa",
    "hPa": "hPa",
    "lx": "lx",
    "W/m2": "W/m²",
    "mS/cm": "mS/cm",
    "uS/cm": "µS/cm",
    "dS/m": "mS/cm",
    "dB[mW]": "dBm",
    "umol/(m2.s)": "µmol/(m²·s)",
    "mol/m2": "mol/m²",
    "[pH]": "",
    "m/s": "m/s",
    "m": "m",
    "mm": "mm",
    "kg": "kg",
    "g": "g",
    "s": "s",
    "min": "min",
    "h": "h",
    "V": "V",
    "L": "L",
    "1": "",
}
"""Home Assistant's words for UCUM codes; others are shown as they are."""

CLASSES = (
    (r"temperature|dew_point", ("°C", "°F", "K"), "temperature"),
    (r"humidity", ("%",), "humidity"),
    (r"moisture", ("%",), "moisture"),
    (r"co2", ("ppm",), "carbon_dioxide"),
    (r"pressure|vpd", ("Pa", "kPa", "hPa"), "pressure"),
    (r"illuminance", ("lx",), "illuminance"),
    (r"radiation|irradiance", ("W/m²",), "irradiance"),
    (r"wind_speed|speed", ("m/s",), "speed"),
    (r"ec$|conductivity", ("mS/cm", "µS/cm"), "conductivity"),
    (r"ph$", ("",), "ph"),
    (r"voltage", ("V",), "voltage"),
    (r"rssi|signal", ("dBm",), "signal_strength"),
    (r"weight|mass", ("kg", "g"), "weight"),
)
"""Metric, its units, and the class that gives it an icon; a class with another unit would be refused there."""

STATE = "{{ 'offline' if value_json.status == 'offline' else 'online' }}"
# What was sent late is not the state now; what a message leaves out has not changed.
VALUE = (
    "{{{{ value_json.m['{key}'] if value_json is mapping and '{key}' in value_json.m"
    " and not value_json.hist | default(false) else this.state }}}}"
)


def discovery(topic: Topic, birth: Birth, table: Mapping[str, Metric], *, prefix: str) -> dict[str, bytes]:
    """Return the configuration of each metric by its topic, to be published retained.

    Args:
        topic: any topic of the device.
        table: the farm's metrics, for names people read.
        prefix: of Home Assistant's discovery topics.
    """
    identity = _word(f"{topic.site}_{topic.zone}_{topic.device}")
    device = {
        "identifiers": [identity],
        "name": topic.device,
        "model": birth.model,
        "manufacturer": "BerryBrain",
        "suggested_area": topic.zone,
    } | ({"sw_version": birth.firmware} if birth.firmware else {})
    found = {}
    for key, info in birth.metrics.items():
        unit = UNITS.get(info.unit, info.unit)
        config: dict[str, object] = {
            "name": table[key].en if key in table else key.replace("_", " "),
            "unique_id": f"{identity}_{_word(key)}",
            "state_topic": str(_of(topic, Kind.DATA)),
            "value_template": VALUE.format(key=key),
            "state_class": "measurement",
            "availability_topic": str(_of(topic, Kind.STATE)),
            "availability_template": STATE,
            "device": device,
            "origin": {"name": "BerryBrain"},
        }
        config |= {"unit_of_measurement": unit} if unit else {}
        config |= {"expire_after": round(3.0 * info.interval)} if info.interval >= 1.0 else {}
        for pattern, units, kind in CLASSES:
            if re.search(pattern, key) and unit in units:
                config["device_class"] = kind
                break
        found[f"{prefix}/sensor/{identity}/{_word(key)}/config"] = json.dumps(config, ensure_ascii=False).encode()
    return found


def _of(topic: Topic, kind: Kind) -> Topic:
    return Topic(site=topic.site, zone=topic.zone, device=topic.device, kind=kind)


def _word(text: str) -> str:
    """Return a name as a discovery topic takes it: letters, digits, _ and -; others keep apart what they kept apart."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", text)
    return plain if plain == text else f"{plain}_{zlib.crc32(text.encode()):08x}"
