"""The mission: takes work orders, sends the picker from segment to segment, waits out holds, resumes after a crash."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from robot.arms import ArmDescription
from robot.nodes.convert import LATCHED, RELIABLE, header
from robot.nodes.heartbeat import Heartbeat
from robot.nodes.mission_care import CHARGE_LOW, Care, CareSettings
from robot.nodes.mission_dock import Dock
from robot.nodes.mission_orders import beyond, harvest_goal, work_order
from robot.nodes.mission_outcomes import answer_take, count_outcome, order_outcome, pick_outcome
from robot.nodes.picker_link import Ending, PickerLink
from robot.orders import OrderQueue, Progress, Status, WorkOrder
from robot.ros.context import Context
from robot.ros.interfaces import berry_msgs, std_srvs
from robot.ros.node import Node
from robot.ros.task import Future
from telemetry.clock import Clock

log = logging.getLogger(__name__)

START_AGE = 5.0
"""A start that nobody has answered for so long is asked for again: control has died with it [s]."""
REFUSED_WAY = "collision_risk"
"""A hold because the limiter refused a way before anything was touched: the picker finds another from there."""
MOST_ANSWERS = 5
"""So many such holds without a berry between them are answered with a start; then a person looks."""

PICKED = ("ok", "place_fail")
"""Results of berries that were cut and held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MissionSettings:
    """Settings of the mission.

    Attributes:
        queue: file of the order queue; ":memory:" keeps it nowhere.
        beds: where each bed begins, world x [m].
        ends: where each bed ends, world x [m]; the last segment may be shorter.
        retries: how often a segment that failed without a stop is begun again before the order fails.
        pause: before it is begun again [s].
        period: between two looks at what is to be done [s].
        care: when cleaning, a blade or charge is needed.
        dock: where the carriage is charged, on the rail [m]; None = it waits for charge where it is.
    """

    namespace: str = "/robot"
    queue: Path | str = ":memory:"
    beds: dict[str, float] = field(default_factory=dict)
    ends: dict[str, float] = field(default_factory=dict)
    retries: int = 2
    pause: float = 3.0
    period: float = 0.1
    care: CareSettings = field(default_factory=CareSettings)
    dock: float | None = None


class MissionNode(Node):
    """Works through the queue. After a stop that needs a person it is blocked until the robot is in RUN again."""

    def __init__(
        self, context: Context, clock: Clock, settings: MissionSettings, arm: ArmDescription | None = None
    ) -> None:
        super().__init__("mission", context=context, namespace=settings.namespace)
        self._clock_source = clock
        self._settings = settings
        self._queue = OrderQueue(settings.queue)
        self._safety: Any = None
        self._asked_at = float("-inf")
        self._blocked = self._queue.blocked()
        self._failures = 0
        self._answered = 0
        self._not_before = float("-inf")
        self._last_state = ""
        self._state = self.create_publisher(berry_msgs.msg.MissionState, "mission/state", LATCHED)
        self._orders = self.create_publisher(berry_msgs.msg.OrderStatus, "orders/status", RELIABLE)
        self.create_service(berry_msgs.srv.SubmitOrder, "orders/submit", self._on_submit)
        self.create_subscription(berry_msgs.msg.SafetyState, "safety/state", self._on_safety, LATCHED)
        self.create_subscription(berry_msgs.msg.PickOutcome, "picks", self._on_pick, RELIABLE)
        self.create_subscription(berry_msgs.msg.SegmentCount, "segment_counts", self._on_count, RELIABLE)
        self.create_service(berry_msgs.srv.TakeOutcomes, "outcomes/take", self._on_take)
        self._care = Care(self, self._queue, settings.care, self._publish_state)
        self._dock = Dock(self, clock, arm, settings.dock) if arm is not None and settings.dock is not None else None
        self._picker = PickerLink(self, clock, ended=self._on_ended, changed=self._publish_state)
        self._start = self.create_client(std_srvs.srv.Trigger, "safety/start")
        self.create_timer(settings.period, self._work)
        self.heartbeat = Heartbeat(self, clock)
        self._publish_state()

    def close(self) -> None:
        """Let go of the queue's file."""
        self._queue.close()

    # What comes in

    def _on_submit(self, request: Any, response: Any) -> Any:
        order = work_order(request)
        response.status, response.reason = self._take(order)
        log.info("order %s: %s %s", order.id, response.status, response.reason)
        self._publish_state()
        return response

    def _take(self, order: WorkOrder) -> tuple[str, str]:
        if self._queue.get(order.id) is not None:
            return "duplicate", ""
        if order.expires_at <= self._clock_source.now():
            return "expired", "order_expired"
        fault = order.fault()
        if not fault and order.bed not in self._settings.beds:
            fault = f"no bed {order.bed!r} here; beds: {', '.join(sorted(self._settings.beds))}"
        fault = fault or beyond(order, self._end_of(order.bed) - self._settings.beds[order.bed])
        if fault:
            return "rejected", f"order_invalid: {fault}"
        return ("accepted", "") if self._queue.submit(order) else ("duplicate", "")

    def _on_safety(self, message: Any) -> None:
        self._safety = message
        if message.needs_reset:
            self._block(True)
        elif message.motion_allowed:
            self._block(False)
        self._publish_state()

    def _block(self, blocked: bool) -> None:
        """Wait for a person, or no longer; a mission that is started anew waits as well."""
        if blocked is not self._blocked:
            self._blocked = blocked
            self._queue.set_blocked(blocked)

    def _on_count(self, message: Any) -> None:
        self._queue.keep(count_outcome(message))

    def _on_take(self, request: Any, response: Any) -> Any:
        return answer_take(self._queue, request, response)

    def _on_pick(self, message: Any) -> None:
        self._answered = 0
        self._queue.count(
            message.order_id,
            pick_outcome(message),
            picked=message.result in PICKED,
            placed=message.result == "ok",
            attempted=message.attempt > 0,
        )
        self._publish_state()

    # What is done

    def _work(self) -> None:
        self._picker.watch()
        current = self._queue.current()
        if self._safety is None:
            return
        if current is not None and current.complete and not self._picker.busy:
            self._end(current, Status.DONE)  # before all else: who ordered it does not wait for a charge
            return
        if self._care.battery_low and not (self._picker.busy and not self._care.battery_critical):
            self._recharge()
            return
        if current is None:
            return
        if self._picker.busy:
            if not self._safety.motion_allowed:
                self._ask_for_start()  # the picker waits through a hold with its goal open
            return
        if not self._safety.motion_allowed:
            self._ask_for_start()
            return
        if current.status is Status.QUEUED:
            if current.order.expires_at <= self._clock_source.now():
                self._end(current, Status.FAILED, "order_expired")
                return
            self._queue.set_status(current.order.id, Status.STARTED)
            self._announce(current.order, "started")
        if self._clock_source.monotonic() >= self._not_before:
            self._send(current)

    def _recharge(self) -> None:
        """Begin nothing more, and go to the dock; a segment is broken off only when the charge is critical."""
        if self._picker.busy:
            self._picker.recall()
        elif self._dock is not None and not self._dock.there:
            if self._safety.motion_allowed:
                self._dock.go()
            else:
                self._ask_for_start()

    def _ask_for_start(self) -> None:
        """Ask for RUN, unless a person has to act first or a cause still holds the robot."""
        causes = list(self._safety.causes)
        refused = causes == [REFUSED_WAY] and self._answered < MOST_ANSWERS
        ready = self._safety.state in ("READY", "HOLD") and (not causes or refused)
        now = self._clock_source.monotonic()
        if now - self._asked_at < START_AGE or self._blocked or not ready:
            return
        self._asked_at = now
        self._start.call_async(std_srvs.srv.Trigger.Request()).add_done_callback(
            lambda future: self._on_started(future, refused)
        )

    def _on_started(self, future: Future[Any], refused: bool) -> None:
        self._asked_at = float("-inf")
        answer: Any = future.result()
        if not answer.success:
            log.info("start refused: %s", answer.message)
        elif refused:
            self._answered += 1
            log.warning("goes on after a way that was refused (%d of %d)", self._answered, MOST_ANSWERS)

    def _send(self, current: Progress) -> None:
        bed = current.order.bed
        self._picker.send(harvest_goal(current, self._settings.beds[bed], self._end_of(bed)))
        self._publish_state()

    def _end_of(self, bed: str) -> float:
        return self._settings.ends.get(bed, math.inf)

    def _on_ended(self, ending: Ending) -> None:
        """Go on after a goal: to the next segment, or to the same once more unless that cannot help."""
        current = self._queue.current()
        log.info("segment of order %s: %s %s", ending.order_id, ending.verdict, ending.fault)
        if current is None or current.order.id != ending.order_id:
            log.warning("a goal of order %s ended, which is no longer worked on", ending.order_id)
        elif ending.verdict == "done":
            self._failures, self._not_before = 0, float("-inf")
            self._queue.finish_segment(ending.order_id)
            self._work()
        elif ending.verdict == "blind":
            self._failures = 0
            self._end(current, Status.FAILED, ending.fault)
        elif ending.verdict in ("lost", "canceled"):
            pass  # taken back by this mission: the segment is begun again
        elif not self._blocked and self._safety is not None and self._safety.motion_allowed:
            self._failed(ending.fault or ending.verdict)
        self._publish_state()

    def _failed(self, why: str) -> None:
        self._failures += 1
        self._not_before = self._clock_source.monotonic() + self._settings.pause
        current = self._queue.current()
        log.warning("segment failed (%d of %d): %s", self._failures, self._settings.retries + 1, why)
        if self._failures > self._settings.retries and current is not None:
            self._failures = 0
            self._end(current, Status.FAILED, "picker_lost")

    def _end(self, current: Progress, status: Status, fault: str = "") -> None:
        self._queue.set_status(current.order.id, status, fault)
        self._announce(current.order, status, fault)
        self._publish_state()

    # What goes out

    def _announce(self, order: WorkOrder, status: str, fault: str = "") -> None:
        progress = self._queue.get(order.id)
        assert progress is not None
        message = berry_msgs.msg.OrderStatus(
            header=header(self._clock_source.now(), ""),
            id=order.id,
            issuer=order.issuer,
            status=str(status),
            picked=progress.picked,
            placed=progress.placed,
            attempted=progress.attempted,
            fault=fault,
        )
        self._queue.keep(order_outcome(message))
        self._orders.publish(message)
        log.info("order %s %s: picked %d, placed %d %s", order.id, status, progress.picked, progress.placed, fault)

    def _publish_state(self) -> None:
        current = self._queue.current()
        state, fault = self._judge(current)
        picked, placed, attempted = self._queue.totals()
        message = berry_msgs.msg.MissionState(
            header=header(self._clock_source.now(), ""),
            state=state,
            fault=fault,
            queued=self._queue.waiting(),
            task=self._picker.task,
            picked=picked,
            placed=placed,
            attempted=attempted,
            due=self._care.due,
        )
        if current is not None:
            message.order_id, message.bed, message.side = current.order.id, current.order.bed, current.order.side
            segments = current.order.segments
            message.segment = segments[min(current.next, len(segments) - 1)]
        content = str((message.state, message.fault, message.order_id, message.segment, message.task, message.queued))
        content += str((picked, placed, attempted, message.due))
        if content != self._last_state:
            self._last_state = content
            self._state.publish(message)

    def _judge(self, current: Progress | None) -> tuple[str, str]:
        """Return state and fault of the mission."""
        causes = list(self._safety.causes) if self._safety is not None else ["control_lost"]
        if self._blocked:
            return "blocked", causes[0] if causes else ""  # reset, and waiting for somebody to start it
        allowed = self._safety is not None and self._safety.motion_allowed
        if not allowed and (causes or current is not None):
            return ("holding", causes[0]) if causes else ("holding", "")
        if self._care.battery_low:
            return "holding", CHARGE_LOW
        return ("working", "") if current is not None else ("idle", "")
