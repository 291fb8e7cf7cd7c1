"""What may be published and asked for: topics, sizes, and filters (`+` is one level, a final `#` all below)."""

from __future__ import annotations

SHARE = "$share"
MAX_PAYLOAD = 1024 * 1024
"""Largest payload of any kind [byte]: on a larger one mosquitto hangs up, and again when it is sent again."""


def matches(topic_filter: str, topic: str) -> bool:
    """Tell whether `topic` is meant by `topic_filter` (MQTT 5, 4.7); `$` topics match no leading wildcard.

    Of `$share/<group>/<filter>`, a subscription of which each message goes to one member, the filter decides.
    """
    wanted = topic_filter.split("/")
    if wanted[0] == SHARE:
        wanted = wanted[2:]
    levels = topic.split("/")
    if topic.startswith("$") and wanted[0] in {"+", "#"}:
        return False
    for i, level in enumerate(wanted):
        if level == "#":
            return True
        if i >= len(levels) or level not in {"+", levels[i]}:
            return False
    return len(wanted) == len(levels)


def check_filter(topic_filter: str) -> None:
    """Raise ValueError unless wildcards fill whole levels and `#` is the last."""
    levels = topic_filter.split("/")
    if levels[0] == SHARE and (len(levels) < 3 or not levels[1] or levels[1] in {"+", "#"}):
        raise ValueError(f"expected $share/<group>/<filter>, got {topic_filter!r}")
    for i, level in enumerate(levels):
        misplaced = level == "#" and i != len(levels) - 1
        if misplaced or (len(level) > 1 and ("+" in level or "#" in level)) or not topic_filter:
            raise ValueError(f"expected a topic filter like gh/1/+/+/+/data, got {topic_filter!r}")


def check_topic(topic: str) -> None:
    """Raise ValueError unless a message can be published there."""
    if not topic or "+" in topic or "#" in topic or "\0" in topic:
        raise ValueError(f"expected a topic without wildcards, got {topic!r}")


def check_size(payload: bytes) -> None:
    """Raise ValueError unless brokers take a payload of this size."""
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"expected a payload of at most {MAX_PAYLOAD} byte, got {len(payload)}")
