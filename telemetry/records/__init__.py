"""The farm log: every harvest event once, chained by hashes, and the lots that follow from it."""

from __future__ import annotations

from telemetry.records.chain import TamperError
from telemetry.records.records import Lot, Records, RecordsError

__all__ = ["Lot", "Records", "RecordsError", "TamperError"]
