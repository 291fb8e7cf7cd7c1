"""The brain's node: reads what the robots report, plans, sends work orders, publishes KPIs. It writes to no store."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from telemetry.brain.field import Field
from telemetry.brain.health import Health, farm_health, unknown_health
from telemetry.brain.kpi_table import KPIS
from telemetry.brain.kpis import STORE_AWAY, KpiValue, unknown_kpis, zone_kpis
from telemetry.brain.orders import COMMAND, ISSUER, OrderBook, OrderStatus
from telemetry.brain.plan import HarvestOrder, Plan, make_plan
from telemetry.clock import Clock, Timers
from telemetry.farm import Farm, Robot
from telemetry.messages import Ack, AckStatus, Command, Event, Kind, MetricInfo, State, Topic
from telemetry.messages.tables import metrics
from telemetry.messages.wire import encode
from telemetry.mqtt import Client
from telemetry.mqtt.commands import CommandInbox, Reply
from telemetry.mqtt.device import Address, DevicePublisher, Identity
from telemetry.store.journal import Archive, Entry, StoreError

log = logging.getLogger(__name__)

DEVICE = "brain"
PAGE = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class BrainSettings:
    """What is where, and times in seconds. `boot` is new at each start."""

    farm: Farm
    boot: str
    since: float = 0.0  # what arrived before [UTC epoch s] is not read: a simulated greenhouse begins anew in each run
    plan_period: float = 2.0  # how soon news is acted upon
    kpi_period: float = 60.0
    order_life: float = 1800.0  # an order nobody takes in this time is void
    resend_period: float = 10.0  # an order without acknowledgement is sent again, with the same id
    retry_pause: float = 60.0  # after an order that failed
    repeat_pause: float = 1800.0  # before the segments of a finished order are tried again
    lost_after: float = 3600.0  # an accepted order without a word is given up


class Brain:
    """Plans for every robot of the farm.

    Args:
        client: MQTT; KPIs, state and orders go out; in comes only the wish of a person that it plan now.
        archive: the store and its journal, read only.
        clock: the node's time.
        timers: the node's timers.
        settings: the farm, periods and patience.
    """

    def __init__(self, client: Client, archive: Archive, clock: Clock, timers: Timers, settings: BrainSettings) -> None:
        self._client = client
        self._archive = archive
        self._clock = clock
        self._settings = settings
        farm = self._farm = settings.farm
        self._field = Field()
        self._cursor: dict[Kind, int] = {}
        self._robots = {robot.id for robot in farm.robots}
        self._offline: set[str] = set()
        self._told: object = None
        self._asked = False
        self._asked_at = 0.0
        identity = Identity(
            boot=settings.boot, model="berrybrain-brain", firmware="", metrics=_kpi_metrics(settings.kpi_period)
        )
        self._publishers = {
            zone.id: DevicePublisher(client, address(farm, zone.id), clock, identity) for zone in farm.zones
        }
        self._inbox = CommandInbox(client, address(farm, farm.zones[0].id), clock, {"plan": self._on_plan})
        self.orders = OrderBook()
        self.plans: dict[str, Plan] = {}
        self.kpis: list[KpiValue] = []
        timers.every(settings.plan_period, self.update)
        timers.every(settings.kpi_period, self.publish_kpis)

    def update(self) -> None:
        """Read what is new, follow the open orders and plan for robots that are free."""
        now = self._clock.now()
        try:
            self._read_journal()
        except StoreError as error:
            log.warning("the journal cannot be read, planning waits: %s", error)
            return
        self.orders.expire(now, lost_after=self._settings.lost_after)
        for robot in self._farm.robots:
            self._follow(robot, now)
        self._asked = False
        told = [(order.command.id, order.status) for order in self.orders]
        if told != self._told:
            self._told = told
            self._publish_state(now)

    def publish_kpis(self) -> None:
        """Compute the KPIs of every zone and send those that are known."""
        now = self._clock.now()
        try:
            self.kpis = [k for zone in self._farm.zones for k in zone_kpis(self._archive, self._farm, zone.id, now)]
        except StoreError as error:
            log.warning("the store cannot be read, KPIs are unknown: %s", error)
            self.kpis = [k for zone in self._farm.zones for k in unknown_kpis(zone.id, now)]
        for zone in self._farm.zones:
            known = {k.key: k.value for k in self.kpis if k.zone == zone.id and k.value is not None}
            if known:
                self._publishers[zone.id].data(known)
        self._publish_state(now)

    def close(self) -> None:
        """Say offline."""
        for publisher in self._publishers.values():
            publisher.close()

    def _read_journal(self) -> None:
        """Fold every new entry in; commands first, so that acknowledgements find their order after a restart."""
        for kind in (Kind.CMD, Kind.ACK, Kind.EVENT, Kind.STATE):
            while entries := self._archive.entries(kind, after=self._cursor.get(kind, 0), limit=PAGE):
                self._cursor[kind] = entries[-1].id
                for entry in entries:
                    self._take(entry)

    def _take(self, entry: Entry) -> None:
        robot, at = entry.topic.device, entry.received_at
        if entry.topic.site != self._farm.site.id or robot not in self._robots or at < self._settings.since:
            return
        match entry.payload:
            case Command() as command:
                self.orders.add(command, robot, at)
            case Ack() as ack:
                self.orders.acknowledge(ack, at)
            case Event() as event:
                self._field.apply(event)
                self.orders.report(event, at)
            case State() as state:
                (self._offline.add if state.status == "offline" else self._offline.discard)(robot)

    def _follow(self, robot: Robot, now: float) -> None:
        plan = make_plan(self._farm, robot.id, self._field.states(cut_short=self.orders.cut_short()), now)
        self.plans[robot.id] = plan
        order = self.orders.open(robot.id)
        if order is None:
            if plan.order is not None and robot.id not in self._offline and self._may_send(robot, plan.order, now):
                self._send(robot, plan.order, now)
        elif order.status is OrderStatus.SENT and now - order.published_at >= self._settings.resend_period:
            order.published_at = now
            self._publish(robot, order.command)

    def _on_plan(self, _: Command, reply: Reply) -> None:
        """Plan at once: who asks does not want to wait for the pause after an earlier order."""
        self._asked = True
        self.update()
        self._asked_at = self._clock.now()
        self._publish_state(self._asked_at)  # a state with another instant: the same plan is an answer too
        reply(AckStatus.FAILED if self._asked else AckStatus.DONE, "store_failed" if self._asked else "")

    def _may_send(self, robot: Robot, wanted: HarvestOrder, now: float) -> bool:
        return self._asked or not self._must_wait(robot, wanted, now)

    def _must_wait(self, robot: Robot, wanted: HarvestOrder, now: float) -> bool:
        last = self.orders.last(robot.id)
        if last is None:
            return False
        since = now - last.changed_at
        if last.status is not OrderStatus.DONE:
            return since < self._settings.retry_pause
        tried = set(wanted.segments) <= set(last.segments) and not last.cut_short
        return tried and since < self._settings.repeat_pause

    def _send(self, robot: Robot, wanted: HarvestOrder, now: float) -> None:
        stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%S")
        command = Command(
            id=f"{robot.id}-{stamp}-{sum(1 for _ in self.orders) + 1}",
            issuer=ISSUER,
            expires_at=now + self._settings.order_life,
            command=COMMAND,
            arguments=wanted.arguments(),
        )
        self.orders.add(command, robot.id, now)
        self._publish(robot, command)
        log.info("order %s: %s %s segments %s", command.id, wanted.bed, wanted.side, list(wanted.segments))

    def _publish(self, robot: Robot, command: Command) -> None:
        topic = Topic(site=self._farm.site.id, zone=robot.zone, device=robot.id, kind=Kind.CMD)
        self._client.publish(str(topic), encode(command), qos=1)

    def _publish_state(self, now: float) -> None:
        """Tell what people want to see of the brain: the plan with its reasons, the last orders, data health."""
        try:
            health = farm_health(self._archive, self._farm, now)
        except StoreError as error:
            log.warning("the store cannot be read, health is unknown: %s", error)
            health = unknown_health(self._farm, *STORE_AWAY)
        for zone, publisher in self._publishers.items():
            robots = [robot.id for robot in self._farm.robots if robot.zone == zone]
            detail: dict[str, Any] = {
                "asked_at": self._asked_at,
                "plans": [_plan_row(self.plans[robot]) for robot in robots if robot in self.plans],
                "orders": [
                    {"id": o.command.id, "robot": o.robot, "status": o.status.value, "reason": o.reason}
                    for o in [o for o in self.orders if o.robot in robots][-5:]
                ],
                "health": [
                    {"device": h.device, "health": h.health.value, "zh": h.reason_zh, "en": h.reason_en}
                    for h in health
                    if h.zone == zone and h.health is not Health.OK
                ],
                "unknown": [
                    {"key": k.key, "zh": k.reason_zh, "en": k.reason_en}
                    for k in self.kpis
                    if k.zone == zone and not k.known
                ],
            }
            publisher.state("online", detail=detail)


def address(farm: Farm, zone: str) -> Address:
    """Return where the brain speaks for a zone; its last will belongs to the first one."""
    return Address(site=farm.site.id, zone=zone, device=DEVICE)


def _kpi_metrics(interval: float) -> dict[str, MetricInfo]:
    table = metrics()
    return {
        kpi.key: MetricInfo(
            unit=kpi.unit, minimum=table[kpi.key].minimum, maximum=table[kpi.key].maximum, interval=interval
        )
        for kpi in KPIS
    }


def _plan_row(plan: Plan) -> dict[str, Any]:
    entries = [
        {
            "bed": e.bed,
            "side": e.side,
            "segment": e.segment,
            "ripe": e.ripe if e.ripe >= 0 else None,
            "value": round(e.value, 2),
            "chosen": e.chosen,
            "zh": e.reason_zh,
            "en": e.reason_en,
        }
        for e in plan.entries
    ]
    return {"robot": plan.robot, "zh": plan.reason_zh, "en": plan.reason_en, "entries": entries}
