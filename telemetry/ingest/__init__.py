"""MQTT into the store: nothing is acknowledged before it is kept, and what is refused is kept with its reason."""

from __future__ import annotations

from telemetry.ingest.node import Ingest, IngestSettings

__all__ = ["Ingest", "IngestSettings"]
