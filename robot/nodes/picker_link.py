"""One segment in the picker's hands: its goal is sent, watched and taken back; only the newest goal is listened to."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from robot.ros.action import ActionClient, GoalStatus
from robot.ros.action.status import part
from robot.ros.interfaces import berry_msgs
from robot.ros.node import Node
from robot.ros.task import Future
from telemetry.clock import Clock

log = logging.getLogger(__name__)

FEEDBACK_AGE = 3.0
"""A goal without feedback for so long is taken back: its picker died, or plans for very long [s]."""
RECALL_AGE = 2.0
"""A goal that was taken back and has not ended after this is given up: its picker is gone [s]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a goal ended; `verdict`: done aborted blind canceled, as the picker says, or refused lost."""

    order_id: str
    verdict: str
    fault: str = ""


@dataclass(slots=True, kw_only=True)
class _Sent:
    order_id: str
    heard: float
    recalled: float | None = None


class PickerLink:
    """Client of `harvest` with at most one goal.

    Args:
        ended: called for every goal that was sent; again for one that was given up and is done after all, while no
            other has taken its place.
        changed: called when the picker begins another task.
    """

    def __init__(
        self, node: Node, clock: Clock, *, ended: Callable[[Ending], None], changed: Callable[[], None]
    ) -> None:
        self._clock = clock
        self._ended, self._changed = ended, changed
        self._sent: _Sent | None = None
        self._lost: _Sent | None = None
        self.task = ""
        kind = berry_msgs.action.Harvest
        self._client = ActionClient(node, kind, "harvest")
        name = part(node.resolve_topic_name("harvest"), "cancel_goal")
        self._cancel: Any = node.create_client(kind.Impl.CancelGoalService, name)

    @property
    def busy(self) -> bool:
        return self._sent is not None

    def send(self, goal: Any) -> None:
        sent = self._sent = _Sent(order_id=goal.order_id, heard=self._clock.monotonic())
        accepted = self._client.send_goal_async(goal, lambda message: self._on_feedback(sent, message))
        accepted.add_done_callback(lambda done: self._on_accepted(sent, done))

    def watch(self) -> None:
        """Take back a goal that has gone silent; give it up when it does not end. Call it often."""
        sent, now = self._sent, self._clock.monotonic()
        if sent is None:
            return
        if sent.recalled is None and now - sent.heard > FEEDBACK_AGE:
            log.warning("no feedback from the picker for %.1f s: its goal is taken back", FEEDBACK_AGE)
            sent.recalled = now
            self._take_back()
        elif sent.recalled is not None and now - sent.recalled > RECALL_AGE:
            self._lost = sent
            self._end(sent, "lost")

    def recall(self) -> None:
        """Take the goal back; the segment is begun again later."""
        if self._sent is not None and self._sent.recalled is None:
            self._sent.recalled = self._clock.monotonic()
            self._take_back()

    def _take_back(self) -> None:
        """Cancel whatever the picker has in hand, goals of a mission that died included: an id of zeros means all."""
        self._cancel.call_async(berry_msgs.action.Harvest.Impl.CancelGoalService.Request())

    def _on_feedback(self, sent: _Sent, message: Any) -> None:
        if sent is not self._sent:
            return
        sent.heard = self._clock.monotonic()
        if message.feedback.task != self.task:
            self.task = message.feedback.task
            self._changed()

    def _on_accepted(self, sent: _Sent, future: Future[Any]) -> None:
        handle: Any = future.result()
        if sent is not self._sent:
            if handle.accepted:
                handle.cancel_goal_async()
        elif handle.accepted:
            self._lost = None
            handle.get_result_async().add_done_callback(lambda done: self._on_result(sent, done))
        else:
            self._take_back()
            self._end(sent, "refused")

    def _on_result(self, sent: _Sent, future: Future[Any]) -> None:
        response: Any = future.result()
        done = response.status == int(GoalStatus.STATUS_SUCCEEDED)
        finished_after_all = done and self._sent is None and sent is self._lost
        if sent is not self._sent and not finished_after_all:
            log.info("the end of a goal that was given up is not counted: %s", response.result.result)
            return
        self._lost = None
        verdict = "done" if done else response.result.result
        self._end(sent, verdict, response.result.fault)

    def _end(self, sent: _Sent, verdict: str, fault: str = "") -> None:
        self._sent, self.task = None, ""
        self._ended(Ending(order_id=sent.order_id, verdict=verdict, fault=fault))
