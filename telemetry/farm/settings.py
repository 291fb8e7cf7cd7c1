"""The farm as frozen settings: site, zones, beds, devices, robots, the picking program, MQTT and the store.

Each class is one table of `farm.toml`; a field's type, default and limits are the parser's rules (see `parse`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

NAME = r"[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?"
ALL = "all"
ORIGIN = r"https?://(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
HOUR = r"(?:[01]\d|2[0-3]):[0-5]\d|24:00"


def setting(
    default: Any = ...,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    pattern: str | None = None,
    choices: tuple[str, ...] = (),
    size: int | None = None,
) -> Any:
    """Declare one key of a table: required without `default`; limits are inclusive and hold for each list item."""
    rules = {"minimum": minimum, "maximum": maximum, "pattern": pattern, "choices": choices, "size": size}
    return field(metadata=rules) if default is ... else field(default=default, metadata=rules)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where the farm is; the first part of every MQTT topic.

    `address`: where a phone reaches the dashboard, as printed on labels; empty = the address the page was opened at.
    """

    id: str = setting(pattern=NAME)
    name: str = setting("")
    latitude: float = setting(minimum=-90.0, maximum=90.0)
    longitude: float = setting(minimum=-180.0, maximum=180.0)
    timezone: str = setting("Asia/Shanghai")
    address: str = setting("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """One climate: a tunnel or a glasshouse compartment."""

    id: str = setting(pattern=NAME)
    name: str = setting("")
    kind: str = setting("tunnel", choices=("tunnel", "glasshouse"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bed:
    """One gutter of plants, cut into segments that are counted and harvested one by one.

    `origin` is where the bed begins in the robot's world frame: x of segment 0, y of the gutter's front edge on side a,
    z of its top [m]; `length` and `segment_length` [m]; `plants_per_m` per side [1/m].
    """

    id: str = setting(pattern=NAME)
    zone: str = setting(pattern=NAME)
    origin: tuple[float, ...] = setting((0.2, 0.62, 1.15), minimum=-1000.0, maximum=1000.0, size=3)
    length: float = setting(minimum=0.1, maximum=500.0)
    sides: tuple[str, ...] = setting(("a",), choices=("a", "b"))
    segment_length: float = setting(0.6, minimum=0.1, maximum=50.0)
    plants_per_m: float = setting(4.2, minimum=0.5, maximum=20.0)
    cultivar: str = setting("hongyan")

    @property
    def segments(self) -> int:
        """Number of segments; the last one may be shorter."""
        return max(1, math.ceil(self.length / self.segment_length - 1e-9))

    @property
    def plants_per_side(self) -> int:
        return max(1, round(self.length * self.plants_per_m))

    def bounds(self, segment: int) -> tuple[float, float]:
        """Return where `segment` (0 = first) starts and ends along the bed [m from its start].

        Raises:
            ValueError: the bed has no such segment.
        """
        if not 0 <= segment < self.segments:
            raise ValueError(f"bed {self.id!r} has segments 0 to {self.segments - 1}, got {segment}")
        start = segment * self.segment_length
        return start, min(self.length, start + self.segment_length)


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A sensor box: what it measures (keys of the metric table) and how often [s]."""

    id: str = setting(pattern=NAME)
    zone: str = setting(pattern=NAME)
    model: str = setting("simulated")
    interval: float = setting(60.0, minimum=1.0, maximum=86400.0)
    metrics: tuple[str, ...] = setting(pattern=r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Robot:
    """A robot, its rail's bed and the side it faces. `capacity`: berries it carries; times for planning [s].

    `dock`: where its carriage is charged, on the rail [m]; None = it waits for charge where it is. Of a battery's
    charge, as shares: below `battery_low` no segment is begun, below `battery_critical` the one under way is broken
    off, from `battery_enough` it goes on. It asks for cleaning and for a new blade after so many berries cut.
    """

    id: str = setting(pattern=NAME)
    zone: str = setting(pattern=NAME)
    arm: str = setting("ur3e", choices=("ur3e",))
    bed: str = setting(pattern=NAME)
    side: str = setting("a", choices=("a", "b"))
    eyes: str = setting("network", choices=("baseline", "network"))
    capacity: int = setting(240, minimum=1, maximum=100000)
    seconds_per_berry: float = setting(8.0, minimum=0.5, maximum=600.0)
    seconds_per_segment: float = setting(20.0, minimum=0.0, maximum=3600.0)
    dock: float | None = setting(None, minimum=-10.0, maximum=500.0)
    battery_low: float = setting(0.20, minimum=0.0, maximum=1.0)
    battery_critical: float = setting(0.10, minimum=0.0, maximum=1.0)
    battery_enough: float = setting(0.80, minimum=0.0, maximum=1.0)
    clean_every: int = setting(3000, minimum=1, maximum=10_000_000)
    blade_every: int = setting(20_000, minimum=1, maximum=10_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """Ripeness that one market wants, both ends included: fruit that travels is picked paler."""

    id: str = setting(pattern=NAME)
    ripeness_min: float = setting(0.80, minimum=0.0, maximum=1.0)
    ripeness_max: float = setting(1.0, minimum=0.0, maximum=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to pick and how. `quota` 0 = no limit; `speed` is a share of the allowed speed; `force` [N].

    The window of the market, where the farm lists one, stands in for `ripeness_min` and `ripeness_max`. `beds` and
    `cultivars` may say "all"; `order`: segments along the bed, or those with the most to pick first.
    """

    market: str = setting("direct", pattern=NAME)
    beds: tuple[str, ...] = setting((ALL,), pattern=NAME)
    cultivars: tuple[str, ...] = setting((ALL,))
    order: str = setting("along", choices=("along", "value"))
    ripeness_min: float = setting(0.80, minimum=0.0, maximum=1.0)
    ripeness_max: float = setting(1.0, minimum=0.0, maximum=1.0)
    quota: int = setting(0, minimum=0, maximum=100000)
    speed: float = setting(1.0, minimum=0.05, maximum=1.0)
    force: float = setting(1.0, minimum=0.2, maximum=3.0)
    work_from: str = setting("00:00", pattern=HOUR)
    work_until: str = setting("24:00", pattern=HOUR)
    revisit_hours: float = setting(24.0, minimum=0.1, maximum=720.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mqtt:
    """The broker. Empty `url`: the farm starts its own on `port`. The password is read from an environment variable.

    `ca_file`: authority of an `mqtts` broker, empty = those the system trusts. `discovery`: prefix of topics by which
    Home Assistant finds the sensors, empty = it is not told. `sparkplug`: group of Sparkplug B nodes that are stored
    too, `+` = every group, empty = none. `share`: group of the ingesters that share the measurements, empty = one
    ingester takes all.
    """

    url: str = setting("", pattern=r"(?:mqtts?://[^\s/:]+(?::\d{1,5})?)?")
    port: int = setting(1883, minimum=0, maximum=65535)
    username: str = setting("")
    password_env: str = setting("", pattern=r"(?:[A-Za-z_][A-Za-z0-9_]*)?")
    ca_file: str = setting("")
    discovery: str = setting("homeassistant", pattern=r"(?:[A-Za-z0-9_-]+)?")
    sparkplug: str = setting("", pattern=r"(?:\+|[^/+#]+)?")
    share: str = setting("", pattern=rf"(?:{NAME})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """Where measurements are kept: here, or in InfluxDB or VictoriaMetrics at `url`; the token is in the environment.

    `query`: how the server is read, `influxql` (InfluxDB 1.8, 2, 3) or `promql` (VictoriaMetrics).

    The embedded store lets go points older than `raw_days`, means of minutes older than `minute_days` (0 = never), and
    the oldest points when its sealed files exceed `disk_gb` (0 = no limit). Means of hours and days are always kept.
    """

    kind: str = setting("embedded", choices=("embedded", "influx"))
    raw_days: int = setting(0, minimum=0, maximum=36500)
    minute_days: int = setting(0, minimum=0, maximum=36500)
    disk_gb: float = setting(20.0, minimum=0.0, maximum=100000.0)
    url: str = setting("", pattern=r"(?:https?://\S+)?")
    query: str = setting("influxql", choices=("influxql", "promql"))
    org: str = setting("")
    bucket: str = setting("")
    token_env: str = setting("INFLUX_TOKEN", pattern=r"(?:[A-Za-z_][A-Za-z0-9_]*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Farm:
    """Everything `farm.toml` says."""

    site: Site
    zones: tuple[Zone, ...]
    beds: tuple[Bed, ...]
    devices: tuple[Device, ...]
    robots: tuple[Robot, ...]
    program: Program
    markets: tuple[Market, ...]
    mqtt: Mqtt
    store: StoreSettings

    def bed(self, bed_id: str) -> Bed:
        """Return the bed of that id. Raises `KeyError` naming the known ones."""
        for bed in self.beds:
            if bed.id == bed_id:
                return bed
        raise KeyError(f"no bed {bed_id!r}; beds: {', '.join(b.id for b in self.beds)}")

    def robot(self, robot_id: str) -> Robot:
        """Return the robot of that id. Raises `KeyError` naming the known ones."""
        for robot in self.robots:
            if robot.id == robot_id:
                return robot
        raise KeyError(f"no robot {robot_id!r}; robots: {', '.join(r.id for r in self.robots)}")
