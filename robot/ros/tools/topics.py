"""Look at topics and publish on them: what `ros2 topic` does, in its formats."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import yaml

from robot.ros.clock import ROSClock
from robot.ros.packages.rosidl_runtime_py import (
    message_to_csv,
    message_to_ordereddict,
    message_to_yaml,
    set_message_fields,
)
from robot.ros.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from robot.ros.tools.session import Session, ToolError, full_type, load

UNITS = ((1_000_000.0, "MB"), (1_000.0, "KB"), (1.0, "B"))


def matching_qos(session: Session, topic: str, depth: int = 10) -> QoSProfile:
    """Return a profile that every publisher of a topic can feed, also one that is yet to come when there is none."""
    offered = [info.qos_profile for info in session.node.get_publishers_info_by_topic(topic)]
    reliable = bool(offered) and all(qos.reliability == ReliabilityPolicy.RELIABLE for qos in offered)
    latched = bool(offered) and all(qos.durability == DurabilityPolicy.TRANSIENT_LOCAL for qos in offered)
    return QoSProfile(
        depth=depth,
        history=HistoryPolicy.KEEP_LAST,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def subscribe(session: Session, topic: str, given: str | None, callback: Callable[[Any], None], *, raw: bool) -> str:
    """Subscribe to a topic of the type given, or of the one the graph shows; return the type."""
    name = session.resolve(topic)
    kind = session.type_of("topic", name, lambda: session.topics(hidden=True), given)
    profile = matching_qos(session, name)
    session.node.create_subscription(load(kind), name, callback, profile, raw=raw)
    return kind


def echo(session: Session, topic: str, given: str | None = None, *, raw: bool = False) -> Iterator[Any]:
    """Yield each message of a topic, encoded when `raw`."""
    came: deque[Any] = deque()
    subscribe(session, topic, given, came.append, raw=raw)
    while True:
        session.spin_until(lambda: bool(came))
        while came:
            yield came.popleft()


def field_of(message: Any, path: str) -> Any:
    """Follow a path such as `header.stamp.sec` or `position[2]` into a message."""
    value = message
    for name in path.replace("[", ".").replace("]", "").split("."):
        try:
            value = value[int(name)] if name.isdecimal() else getattr(value, name)
        except (AttributeError, IndexError, TypeError) as error:
            raise ToolError(f"there is no {path!r} in {type(message).__name__}: {error}") from error
    return value


def show(message: Any, style: str, **shortening: Any) -> str:
    """Return a message as text: `yaml`, `flow`, `csv` or `json`."""
    if isinstance(message, bytes):
        return f"{message!r}"
    if not hasattr(message, "get_fields_and_field_types"):
        return str(message.tolist() if hasattr(message, "tolist") else message)
    if style == "csv":
        return message_to_csv(message, **shortening)
    if style == "json":
        import json

        return json.dumps(message_to_ordereddict(message, **shortening), ensure_ascii=False)
    return message_to_yaml(message, flow_style=style == "flow", **shortening).rstrip("\n")


class Rate:
    """Times between messages, the newest `window` of them."""

    def __init__(self, window: int) -> None:
        self.gaps: deque[float] = deque(maxlen=window)
        self._last: float | None = None

    def add(self, now: float) -> None:
        if self._last is not None:
            self.gaps.append(now - self._last)
        self._last = now

    def text(self) -> str:
        if not self.gaps:
            return "no new messages"
        mean = sum(self.gaps) / len(self.gaps)
        deviation = math.sqrt(sum((gap - mean) ** 2 for gap in self.gaps) / len(self.gaps))
        rate = 1.0 / mean if mean > 0.0 else math.inf
        return (
            f"average rate: {rate:.3f}\n\tmin: {min(self.gaps):.3f}s max: {max(self.gaps):.3f}s "
            f"std dev: {deviation:.5f}s window: {len(self.gaps) + 1}"
        )


class Bandwidth:
    """Sizes of messages, the newest `window` of them."""

    def __init__(self, window: int) -> None:
        self.came: deque[tuple[float, int]] = deque(maxlen=window)

    def add(self, now: float, size: int) -> None:
        self.came.append((now, size))

    def text(self, now: float) -> str:
        if len(self.came) < 2:
            return "no new messages"
        sizes = [size for _, size in self.came]
        rate = sum(sizes) / max(now - self.came[0][0], 1e-9)
        mean, low, high = (_bytes(value) for value in (sum(sizes) / len(sizes), min(sizes), max(sizes)))
        return f"{_bytes(rate)}/s from {len(sizes)} messages\n\tMessage size mean: {mean} min: {low} max: {high}"


def _bytes(value: float) -> str:
    factor, unit = next((pair for pair in UNITS if value >= pair[0]), UNITS[-1])
    return f"{value / factor:.2f} {unit}" if factor > 1.0 else f"{value:.0f} {unit}"


def measure(session: Session, topic: str, window: int, *, bandwidth: bool, every_s: float = 1.0) -> Iterator[str]:
    """Yield the rate or the bandwidth of a topic once a second."""
    rate, width = Rate(window), Bandwidth(window)

    def came(data: bytes) -> None:
        now = time.monotonic()
        rate.add(now)
        width.add(now, len(data))

    subscribe(session, topic, None, came, raw=True)
    while True:
        session.spin_until(lambda: False, every_s)
        yield width.text(time.monotonic()) if bandwidth else rate.text()


def read_values(text: str) -> dict[str, Any]:
    """Read the YAML of a message's fields."""
    try:
        values = yaml.safe_load(text) if text.strip() else {}
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise ToolError(f"the values are no YAML, such as '{{data: hello}}': {reason}") from error
    if not isinstance(values, dict):
        raise ToolError(f"expected fields by name, such as '{{data: hello}}', got {text!r}")
    return values


def fill(message: Any, text: str) -> Any:
    """Set a message's fields from YAML; the words `now` and `auto` stand for the time it is."""
    try:
        stamps = set_message_fields(message, read_values(text), expand_header_auto=True, expand_time_now=True)
    except (AttributeError, TypeError, ValueError, AssertionError) as error:
        raise ToolError(str(error)) from error
    now = ROSClock().now().to_msg()
    for stamp in stamps:
        stamp.sec, stamp.nanosec = now.sec, now.nanosec
    return message


def publish(
    session: Session,
    topic: str,
    kind: str,
    values: str,
    *,
    rate: float = 1.0,
    times: int = 0,
    wait_for: int = 0,
    profile: QoSProfile | None = None,
) -> Iterator[Any]:
    """Publish a message again and again; yield each.

    Args:
        rate: how often a second [Hz].
        times: after how many to stop, 0 = never.
        wait_for: how many subscriptions must be there first.
    """
    cls = load(full_type(kind, "topic"))
    fill(cls(), values)
    publisher = session.node.create_publisher(cls, session.resolve(topic), profile or QoSProfile(depth=10))
    session.spin_until(lambda: publisher.get_subscription_count() >= wait_for, None if wait_for else 0.0)
    session.look(lambda: publisher.get_subscription_count() > 0)
    sent = 0
    start = time.monotonic()
    while not times or sent < times:
        message = fill(cls(), values)
        publisher.publish(message)
        sent += 1
        yield message
        if not times or sent < times:
            session.spin_until(lambda: False, max(0.0, start + sent / rate - time.monotonic()))
    session.spin_until(lambda: False, 0.1)
