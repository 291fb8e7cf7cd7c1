"""Data health: which devices speak on time, which are late, which are silent. No news is never good news."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from telemetry.farm import Farm
from telemetry.store import Quality, Store

LATE_INTERVALS = 3.0
SILENT_INTERVALS = 10.0


class Health(StrEnum):
    OK = "ok"
    STALE = "stale"
    SILENT = "silent"
    NEVER = "never"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceHealth:
    """How a device is doing. `last_at`: its newest point [UTC epoch s], 0 when it never sent one.

    `missing`: metrics it should measure and that are not as fresh as the rest; `flagged`: metrics whose newest value
    carries a quality flag.
    """

    device: str
    zone: str
    health: Health
    last_at: float
    missing: tuple[str, ...] = ()
    flagged: tuple[str, ...] = ()
    reason_zh: str = ""
    reason_en: str = ""


def unknown_health(farm: Farm, zh: str, en: str) -> list[DeviceHealth]:
    """Return every device as one of which nothing is known, with the reason."""
    return [
        DeviceHealth(device=device.id, zone=device.zone, health=Health.UNKNOWN, last_at=0.0, reason_zh=zh, reason_en=en)
        for device in farm.devices
    ]


def farm_health(store: Store, farm: Farm, now: float) -> list[DeviceHealth]:
    """Judge every device of the farm by the age of its newest points at `now` [UTC epoch s]."""
    last = store.last()
    newest = {
        (series.zone, series.device, series.metric): point
        for series, point in last.items()
        if series.site == farm.site.id
    }
    results = []
    for device in farm.devices:
        points = {m: newest[device.zone, device.id, m] for m in device.metrics if (device.zone, device.id, m) in newest}
        last_at = max((point.at for point in points.values()), default=0.0)
        age = now - last_at
        limit = LATE_INTERVALS * device.interval
        if not points:
            health, zh, en = Health.NEVER, "从未收到数据", "has never sent data"
        elif age > SILENT_INTERVALS * device.interval:
            health, zh, en = Health.SILENT, f"已沉默 {age:.0f} 秒", f"silent for {age:.0f} s"
        elif age > limit:
            health, zh, en = Health.STALE, f"数据晚了 {age:.0f} 秒", f"last data {age:.0f} s ago"
        else:
            health, zh, en = Health.OK, "", ""
        missing = tuple(m for m in device.metrics if m not in points or now - points[m].at > limit)
        if health is Health.OK and missing:
            health = Health.STALE
            zh, en = f"缺少 {'、'.join(missing)}", f"no fresh {', '.join(missing)}"
        results.append(
            DeviceHealth(
                device=device.id,
                zone=device.zone,
                health=health,
                last_at=last_at,
                missing=missing,
                flagged=tuple(m for m, point in points.items() if point.quality != Quality.GOOD),
                reason_zh=zh,
                reason_en=en,
            )
        )
    return results
