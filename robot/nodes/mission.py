"""The mission: takes work orders, sends the picker from segment to segment, waits out holds, resumes after a crash."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from robot.nodes.convert import LATCHED, RELIABLE, header, to_seconds
from robot.nodes.heartbeat import Heartbeat
from robot.orders import OrderQueue, Progress, Status, WorkOrder
from robot.ros.action import ActionClient, GoalStatus
from robot.ros.context import Context
from robot.ros.interfaces import berry_msgs, std_srvs
from robot.ros.node import Node
from robot.ros.task import Future
from telemetry.clock import Clock

log = logging.getLogger(__name__)

FEEDBACK_AGE = 3.0
"""A goal without feedback for so long is lost: the picker died with it [s]. The segment is begun again."""

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
        period: between two looks at what is to be done [s].
    """

    namespace: str = "/robot"
    queue: Path | str = ":memory:"
    beds: dict[str, float] = field(default_factory=dict)
    ends: dict[str, float] = field(default_factory=dict)
    retries: int = 2
    period: float = 0.1


class MissionNode(Node):
    """Works through the queue. After a stop that needs a person it is blocked until the robot is in RUN again."""

    def __init__(self, context: Context, clock: Clock, settings: MissionSettings) -> None:
        super().__init__("mission", context=context, namespace=settings.namespace)
        self._clock_source = clock
        self._settings = settings
        self._queue = OrderQueue(settings.queue)
        self._safety: Any = None
        self._goal: Any = None
        self._busy = False
        self._starting = False
        self._blocked = False
        self._task = ""
        self._failures = 0
        self._heard = 0.0
        self._last_state = ""
        self._state = self.create_publisher(berry_msgs.msg.MissionState, "mission/state", LATCHED)
        self._orders = self.create_publisher(berry_msgs.msg.OrderStatus, "orders/status", RELIABLE)
        self.create_service(berry_msgs.srv.SubmitOrder, "orders/submit", self._on_submit)
        self.create_subscription(berry_msgs.msg.SafetyState, "safety/state", self._on_safety, LATCHED)
        self.create_subscription(berry_msgs.msg.PickOutcome, "picks", self._on_pick, RELIABLE)
        self._harvest = ActionClient(self, berry_msgs.action.Harvest, "harvest")
        self._start = self.create_client(std_srvs.srv.Trigger, "safety/start")
        self.create_timer(settings.period, self._work)
        self.heartbeat = Heartbeat(self, clock)
        self._publish_state()

    def close(self) -> None:
        """Let go of the queue's file."""
        self._queue.close()

    # What comes in

    def _on_submit(self, request: Any, response: Any) -> Any:
        order = WorkOrder(
            id=request.id,
            issuer=request.issuer,
            expires_at=to_seconds(request.expires_at),
            bed=request.bed,
            side=request.side,
            segments=tuple(int(s) for s in request.segments),
            segment_length=float(request.segment_length),
            ripeness_min=round(float(request.ripeness_min), 4),
            ripeness_max=round(float(request.ripeness_max), 4),
            quota=int(request.quota),
            speed=float(request.speed),
            force=float(request.force),
        )
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
        if fault:
            return "rejected", f"order_invalid: {fault}"
        return ("accepted", "") if self._queue.submit(order) else ("duplicate", "")

    def _on_safety(self, message: Any) -> None:
        self._safety = message
        if message.needs_reset:
            self._blocked = True
        elif message.motion_allowed:
            self._blocked = False
        self._publish_state()

    def _on_pick(self, message: Any) -> None:
        self._queue.count(
            message.order_id,
            picked=message.result in PICKED,
            placed=message.result == "ok",
            attempted=message.attempt > 0,
        )
        self._publish_state()

    # What is done

    def _work(self) -> None:
        if self._busy and self._clock_source.monotonic() - self._heard > FEEDBACK_AGE:
            log.warning("no feedback from the picker for %.1f s, the segment is begun again", FEEDBACK_AGE)
            self._goal, self._busy = None, False
        current = self._queue.current()
        if current is None or self._safety is None:
            return
        if self._busy:
            if not self._safety.motion_allowed:
                self._ask_for_start()  # the picker waits through a hold with its goal open
            return
        if current.complete:
            self._end(current, Status.DONE)
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
        self._send(current)

    def _ask_for_start(self) -> None:
        """Ask for RUN, unless a person has to act first or a cause still holds the robot."""
        ready = self._safety.state in ("READY", "HOLD") and not list(self._safety.causes)
        if self._starting or self._blocked or not ready:
            return
        self._starting = True
        self._start.call_async(std_srvs.srv.Trigger.Request()).add_done_callback(self._on_started)

    def _on_started(self, future: Future[Any]) -> None:
        self._starting = False
        answer: Any = future.result()
        if not answer.success:
            log.info("start refused: %s", answer.message)

    def _send(self, current: Progress) -> None:
        order, segment = current.order, current.order.segments[current.next]
        origin = self._settings.beds[order.bed]
        start = origin + segment * order.segment_length
        end = min(start + order.segment_length, self._settings.ends.get(order.bed, float("inf")))
        goal = berry_msgs.action.Harvest.Goal(
            order_id=order.id,
            bed=order.bed,
            side=order.side,
            segment=segment,
            start=start,
            end=end,
            ripeness_min=order.ripeness_min,
            ripeness_max=order.ripeness_max,
            quota=current.quota_left,
            speed=order.speed,
            force=order.force,
        )
        self._busy = True
        self._heard = self._clock_source.monotonic()
        self._harvest.send_goal_async(goal, self._on_feedback).add_done_callback(self._on_accepted)
        self._publish_state()

    def _on_feedback(self, message: Any) -> None:
        self._heard = self._clock_source.monotonic()
        if message.feedback.task != self._task:
            self._task = message.feedback.task
            self._publish_state()

    def _on_accepted(self, future: Future[Any]) -> None:
        handle: Any = future.result()
        if not handle.accepted:
            self._failed("the picker refused the segment")
            return
        self._goal = handle
        handle.get_result_async().add_done_callback(self._on_result)

    def _on_result(self, future: Future[Any]) -> None:
        response: Any = future.result()
        self._goal = None
        self._task = ""
        current = self._queue.current()
        if response.status == int(GoalStatus.STATUS_SUCCEEDED) and current is not None:
            self._busy = False
            self._failures = 0
            self._queue.finish_segment(current.order.id)
            self._work()
        elif self._blocked or (self._safety is not None and not self._safety.motion_allowed):
            self._busy = False  # the segment is begun again once a person has let the robot go on
        else:
            self._failed(response.result.fault or "the picker gave up")
        self._publish_state()

    def _failed(self, why: str) -> None:
        self._busy = False
        self._failures += 1
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
            task=self._task,
            picked=picked,
            placed=placed,
            attempted=attempted,
        )
        if current is not None:
            message.order_id, message.bed, message.side = current.order.id, current.order.bed, current.order.side
            segments = current.order.segments
            message.segment = segments[min(current.next, len(segments) - 1)]
        content = str((message.state, message.fault, message.order_id, message.segment, message.task, message.queued))
        content += str((picked, placed, attempted))
        if content != self._last_state:
            self._last_state = content
            self._state.publish(message)

    def _judge(self, current: Progress | None) -> tuple[str, str]:
        """Return state and fault of the mission."""
        causes = list(self._safety.causes) if self._safety is not None else ["control_lost"]
        if self._blocked:
            return "blocked", causes[0] if causes else "protective_stop"
        allowed = self._safety is not None and self._safety.motion_allowed
        if not allowed and (causes or current is not None):
            return ("holding", causes[0]) if causes else ("holding", "")
        return ("working", "") if current is not None else ("idle", "")
