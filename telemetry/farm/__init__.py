"""Reads `farm.toml`, the farm's one strict file of settings."""

from __future__ import annotations

from importlib import resources

from telemetry.farm.parse import FarmError, load_farm, parse_farm
from telemetry.farm.settings import Bed, Device, Farm, Market, Mqtt, Program, Robot, Site, StoreSettings, Zone

__all__ = [
    "Bed",
    "Device",
    "Farm",
    "FarmError",
    "Market",
    "Mqtt",
    "Program",
    "Robot",
    "Site",
    "StoreSettings",
    "Zone",
    "default_farm_text",
    "load_farm",
    "parse_farm",
]


def default_farm_text() -> str:
    """Return the commented farm file that `berrybrain init` writes."""
    return resources.files(__name__).joinpath("default.toml").read_text(encoding="utf-8")
