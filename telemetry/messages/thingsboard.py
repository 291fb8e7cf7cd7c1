"""ThingsBoard's gateway message: `{"device": [{"ts": ms, "values": {…}}, …], …}` on one topic for many devices."""

from __future__ import annotations

from telemetry.messages import Data, Kind, Topic
from telemetry.messages.fields import MessageError, Reason, as_object
from telemetry.messages.wire import LEVEL, load, read_values

GATEWAY = "v1/gateway/telemetry"


def read_gateway(payload: bytes, *, site: str, zone: str) -> list[tuple[Topic, Data]]:
    """Return the measurements of each device; they stand in `zone`, because the message does not say where.

    Raises:
        MessageError: it breaks the shape; nothing of it may be used.
    """
    found = []
    for device, items in as_object(load(payload), "payload").items():
        if not LEVEL.fullmatch(device):
            raise MessageError(Reason.BAD_TOPIC, f"expected a device's name as in a topic, got {device[:80]!r}")
        if not isinstance(items, list) or not items:
            raise MessageError(
                Reason.BAD_TYPE, f"{device}: expected a list of measurements, got {type(items).__name__}"
            )
        topic = Topic(site=site, zone=zone, device=device, kind=Kind.DATA)
        found += [(topic, read_values(as_object(item, device))) for item in items]
    if not found:
        raise MessageError(Reason.EMPTY, "no device")
    return found
