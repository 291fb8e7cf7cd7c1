"""The broker that a farm file names: where it is, and what a client needs to be let in."""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dashboard.cli.errors import Misuse

if TYPE_CHECKING:
    from telemetry.farm.settings import Mqtt
    from telemetry.mqtt.network import NetworkSettings

PORTS = {"mqtt": 1883, "mqtts": 8883}


def address(mqtt: Mqtt) -> tuple[str, int]:
    """Return host and port of a broker of the farm's own; `mqtt.url` is not empty."""
    parts = urlsplit(mqtt.url)
    return parts.hostname or "127.0.0.1", parts.port or PORTS[parts.scheme]


def credentials(mqtt: Mqtt) -> NetworkSettings:
    """Return the settings of a client: user, password from the environment, and TLS where the address says so.

    Raises:
        Misuse: the variable with the password is not set, or the authority's file cannot be read.
    """
    from telemetry.mqtt.network import NetworkSettings

    password = ""
    if mqtt.password_env:
        try:
            password = os.environ[mqtt.password_env]
        except KeyError:
            raise Misuse(
                f"[mqtt] password_env: the environment variable {mqtt.password_env} is not set; export it first"
            ) from None
    tls = None
    if mqtt.url.startswith("mqtts:"):
        try:
            tls = ssl.create_default_context(cafile=mqtt.ca_file or None)
        except OSError as error:
            raise Misuse(f"[mqtt] ca_file: {mqtt.ca_file}: {error.strerror or error}") from error
    return NetworkSettings(username=mqtt.username, password=password, tls=tls)
