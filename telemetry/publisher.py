"""The edge side under its short name: what a device needs to speak on the farm's wire (`telemetry.mqtt.device`)."""

from __future__ import annotations

from telemetry.mqtt.commands import CommandHandler, CommandInbox, Reply
from telemetry.mqtt.device import Address, DevicePublisher, Identity, offline_will

__all__ = [
    "Address",
    "CommandHandler",
    "CommandInbox",
    "DevicePublisher",
    "Identity",
    "Reply",
    "offline_will",
]
