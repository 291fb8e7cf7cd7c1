"""A simulated past: what sensors measured and what the robots counted and picked before a run began."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from sim.crop import Crop, Fruit
from sim.greenhouse import Greenhouse, GreenhouseSettings
from sim.lockstep import Lockstep
from sim.sensors import SENSORS
from telemetry.farm import Bed, Device, Farm, Robot
from telemetry.messages import Ack, AckStatus, Command, Data, Event, Kind, Payload, Topic

BOOT = "history"
"""Boot id of everything in the past: by it anyone can tell what was laid down and not lived through."""
DAY = 86400.0
TRAVEL_S = 12.0
"""To the next segment and a look at it [s]."""
PUNNET = 24
"""Berries in a punnet."""
OK_SHARE = 0.88
"""Share of tried berries that end in the punnet."""
FAILURES = ("slipped", "missed_stem", "lost_target", "empty_grasp", "unreachable", "collision_risk")
NOT_TRIED = frozenset({"unreachable", "collision_risk"})
VISIT_HOUR = 6
"""When the robots set out, where the program leaves it open: cool fruit is firm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastSettings:
    """Which farm, from when to when [UTC epoch s]. `seed` as in the run that follows: its weather goes on from here."""

    farm: Farm
    seed: int
    start_at: float
    end_at: float


@dataclass(slots=True, kw_only=True)
class Day:
    """Messages of at most 24 hours, those of each device in the order of time."""

    data: list[tuple[Topic, Data]] = field(default_factory=list)
    entries: list[tuple[Topic, Payload]] = field(default_factory=list)


class Past:
    """Runs weather, climate, sensors and crops through the past, as fast as possible.

    Devices that measure something no simulated sensor does are left out. Robots visit their bed side each morning that
    the program's revisit time asks for, never on the day the run begins: today's figures are those of today's run.
    """

    def __init__(self, settings: PastSettings) -> None:
        self._settings = settings
        farm = settings.farm
        self._time = Lockstep(settings.start_at)
        self._day = Day()
        boxes = {
            device.id: _Box(self, farm, device) for device in farm.devices if SENSORS.keys() >= set(device.metrics)
        }
        self._greenhouse = Greenhouse(boxes, self._time, self._time, GreenhouseSettings(farm=farm, seed=settings.seed))
        self._visitors = [_Visitor(self, settings, robot) for robot in farm.robots]
        self._time.every(3600.0, self._hour)

    def days(self) -> Iterator[Day]:
        """Yield the past day by day; what happens at `end_at` is no longer in it."""
        length = self._settings.end_at - self._settings.start_at
        ends = length - 1e-3
        while (left := ends - self._time.monotonic()) > 0.0:
            self._time.run(seconds=min(DAY, left))
            self._day, day = Day(), self._day
            yield day

    def now(self) -> float:
        return self._time.now()

    def keep(self, topic: Topic, payload: Payload) -> None:
        """Note one message."""
        if isinstance(payload, Data):
            self._day.data.append((topic, payload))
        else:
            self._day.entries.append((topic, payload))

    def _hour(self) -> None:
        for visitor in self._visitors:
            visitor.hour(self._greenhouse.air(visitor.zone).state.air_degc)


class _Box:
    """Where a sensor box's measurements go."""

    def __init__(self, past: Past, farm: Farm, device: Device) -> None:
        self._past = past
        self._topic = Topic(site=farm.site.id, zone=device.zone, device=device.id, kind=Kind.DATA)
        self._seq = 0

    def data(self, metrics: Mapping[str, float], /) -> None:
        at = self._past.now()
        data = Data(at=at, seq=self._seq, boot=BOOT, metrics=dict(metrics), historical=True)
        self._past.keep(self._topic, data)
        self._seq += 1


class _Visitor:
    """One robot and the crop of the bed side it faces."""

    def __init__(self, past: Past, settings: PastSettings, robot: Robot) -> None:
        farm = settings.farm
        self._past, self._farm, self._robot = past, farm, robot
        self._bed: Bed = farm.bed(robot.bed)
        self._crop = Crop(plants=self._bed.plants_per_side, seed=settings.seed)
        for fruit in self._crop.fruit():
            if self._wants(fruit) or fruit.stage == "overripe":
                self._crop.pick(fruit.id)  # the bed was picked before the past begins, too
        self._rng = np.random.default_rng([settings.seed, *robot.id.encode()])
        self._timezone = ZoneInfo(farm.site.timezone)
        self._today = datetime.fromtimestamp(settings.end_at, self._timezone).date()
        self._visited_at = float("-inf")
        self._seq = 0
        self._at = 0.0

    @property
    def zone(self) -> str:
        return self._robot.zone

    def hour(self, fruit_degc: float) -> None:
        """Let fruit ripen for an hour, and visit the bed when it is time."""
        self._crop.advance(fruit_degc, 3600.0)
        local = datetime.fromtimestamp(self._past.now(), self._timezone)
        begins = int(self._farm.program.work_from[:2]) or VISIT_HOUR
        due = self._past.now() - self._visited_at >= self._farm.program.revisit_hours * 3600.0 - 1800.0
        if local.hour == begins and local.date() < self._today and due:
            self._visited_at = self._past.now()
            self._visit(local)

    def _visit(self, local: datetime) -> None:
        """Count and pick segment by segment, as one order."""
        program, bed = self._farm.program, self._bed
        self._at = round(self._past.now(), 3)
        order = f"{self._robot.id}-{local:%Y%m%d}-{BOOT}"
        quota = program.quota or self._robot.capacity
        arguments = {
            "bed": bed.id,
            "side": self._robot.side,
            "segments": list(range(bed.segments)),
            "segment_length": bed.segment_length,
            "ripeness_min": program.ripeness_min,
            "ripeness_max": program.ripeness_max,
            "quota": quota,
            "speed": program.speed,
            "force": program.force,
        }
        command = Command(
            id=order, issuer="brain", expires_at=self._at + 1800.0, command="harvest", arguments=arguments
        )
        self._keep(Kind.CMD, command)
        self._keep(Kind.ACK, Ack(id=order, at=self._at, status=AckStatus.ACCEPTED))
        counts = {"picked": 0, "placed": 0, "attempted": 0}
        self._event("order", {"order_id": order, "status": "started", **counts, "fault": ""})
        punnet: dict[str, Any] = {}
        for segment, fruit in self._by_segment().items():
            self._at += TRAVEL_S
            place = {"order_id": order, "bed": bed.id, "side": self._robot.side, "segment": segment}
            wanted = [f for f in fruit if self._wants(f)]
            self._event("count", place | self._count(fruit, wanted))
            for berry in wanted:
                if counts["picked"] >= quota:
                    break
                punnet = self._try(berry, place, counts, punnet)
        self._close(punnet)
        self._event("order", {"order_id": order, "status": "done", **counts, "fault": ""})
        self._keep(Kind.ACK, Ack(id=order, at=self._at, status=AckStatus.DONE))

    def _try(
        self, berry: Fruit, place: dict[str, Any], counts: dict[str, int], punnet: dict[str, Any]
    ) -> dict[str, Any]:
        """Try one berry; return the punnet in use afterwards."""
        rng = self._rng
        result = "ok" if rng.uniform() < OK_SHARE else str(rng.choice(FAILURES))
        tried = result not in NOT_TRIED
        seconds = self._robot.seconds_per_berry * float(np.exp(rng.normal(0.0, 0.2))) if tried else 0.0
        self._at = round(self._at + seconds, 3)
        counts["attempted"] += tried
        if result == "ok":
            self._crop.pick(berry.id)
            counts["picked"] += 1
            counts["placed"] += 1
            if not punnet:
                punnet = {"punnet": f"{self._robot.id}-{int(self._at)}", "berries": 0, "mass": 0.0}
        x, y, z = self._bed.origin
        outcome = {
            "berry_id": berry.id,
            "x": round(x + self._along(berry) + float(rng.normal(0.0, 0.05)), 4),
            "y": round(y - 0.05, 4),
            "z": round(z - float(rng.uniform(0.08, 0.30)), 4),
            "ripeness": round(berry.redness, 3),
            "stage": berry.stage,
            "diameter": round(berry.diameter, 4),
            "result": result,
            "attempt": int(tried),
            "seconds": round(seconds, 2),
            "peak_force": round(float(rng.uniform(0.5, 0.95)), 3) if tried else 0.0,
            "mass": round(berry.mass, 5),
            "punnet": punnet["punnet"] if result == "ok" else "",
        }
        self._event("pick", place | outcome)
        if result != "ok":
            return punnet
        punnet = punnet | {"berries": punnet["berries"] + 1, "mass": round(punnet["mass"] + berry.mass, 5)}
        if punnet["berries"] < PUNNET:
            return punnet
        self._close(punnet)
        return {}

    def _close(self, punnet: dict[str, Any]) -> None:
        if punnet:
            self._event("punnet", punnet | {"closed": True})

    def _wants(self, fruit: Fruit) -> bool:
        program = self._farm.program
        return fruit.stage != "overripe" and program.ripeness_min <= fruit.redness <= program.ripeness_max

    def _count(self, fruit: list[Fruit], wanted: list[Fruit]) -> dict[str, Any]:
        stages = ("flower", "green", "white", "turning", "ripe", "overripe")
        counts: dict[str, Any] = {stage: sum(f.stage == stage for f in fruit) for stage in stages}
        return counts | {"in_window": len(wanted), "ripe_mass": round(sum(f.mass for f in wanted), 5)}

    def _along(self, fruit: Fruit) -> float:
        """Return where a berry's plant stands along the bed [m]."""
        return (fruit.plant + 0.5) / self._bed.plants_per_side * self._bed.length

    def _by_segment(self) -> dict[int, list[Fruit]]:
        segments: dict[int, list[Fruit]] = {segment: [] for segment in range(self._bed.segments)}
        for fruit in self._crop.fruit():
            segments[min(self._bed.segments - 1, int(self._along(fruit) / self._bed.segment_length))].append(fruit)
        return segments

    def _event(self, kind: str, data: dict[str, Any]) -> None:
        self._keep(Kind.EVENT, Event(at=self._at, seq=self._seq, boot=BOOT, type=kind, data=data))
        self._seq += 1

    def _keep(self, kind: Kind, payload: Payload) -> None:
        topic = Topic(site=self._farm.site.id, zone=self._robot.zone, device=self._robot.id, kind=kind)
        self._past.keep(topic, payload)
