"""A machine's side of the lease on a row: its picker asks for room and keeps asking, its control stays inside."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any

from robot.arms import ArmDescription
from robot.loop import ControlLoop
from robot.nodes.convert import RELIABLE
from robot.ros.interfaces import berry_msgs
from robot.ros.node import Node
from robot.ros.task import Future
from robot.span import Stretch, around_fruit, fences
from telemetry.clock import Clock

log = logging.getLogger(__name__)

SLACK = 0.03
"""A machine claims so much more than where its body is [m]: measurements are late, and a stop is not at once."""

RENEW = 0.25
"""Between two claims [s]; a quarter of a lease's age."""

KEPT = 3
"""What was needed at the last so many claims is still claimed: the arm may be on its way from there."""

SAME = 0.005
"""Stretches that differ by less are not claimed anew [m]."""

FREE = 0.10
"""Who goes out of the way goes so much further [m]: the gap, and room to stand."""

ANSWER = 1.0
"""A claim that nobody has answered for so long is asked again [s]."""

LONGEST = 2.0
"""No lease is believed for longer [s]: it has to be renewed."""

EXPIRED = "lease_lost"


class RowClaim:
    """Asks for the room that the picker needs, for as long as the picker lives.

    That is where its body is and what it reaches from there to the places where it still has work, or to those of them
    that nobody keeps it from; what lies behind is given back. A machine that can reach none of them keeps no more than
    room to stand, so that two never hold what neither can use.

    Args:
        row: namespace of the row.
        body: from where to where along the row the machine is, and comes with what is under way [m]; None = unknown.
        work: places along the row where work is left [m].
        held: told which stretch the machine's body has to stay in from now on [m].
    """

    def __init__(
        self,
        node: Node,
        clock: Clock,
        row: str,
        arm: ArmDescription,
        body: Callable[[], Stretch | None],
        *,
        work: Callable[[], Sequence[float]],
        held: Callable[[float, float], None],
    ) -> None:
        self._clock, self._body, self._work, self._tell = clock, body, work, held
        self._behind, self._ahead = around_fruit(arm)
        self._holder = node.get_namespace().strip("/")
        self._held: Stretch | None = None
        self._stands: deque[Stretch] = deque(maxlen=KEPT)
        self._asked_at = float("-inf")
        self._leave: Stretch | None = None
        self._free = float("-inf"), float("inf")
        self._client = node.create_client(berry_msgs.srv.ClaimSpace, f"{row}/claim")
        node.create_timer(RENEW, self._renew)

    @property
    def held(self) -> bool:
        """Some room is held: at least that to stand."""
        return self._held is not None

    def covers(self, x: float) -> bool:
        """Tell whether all that it takes to pick at a place of the row [m] is held."""
        return self._held is not None and self._fits(x, *self._held)

    def aside(self) -> float:
        """Return how far to go along the row to be out of the way of a machine that waits for this place [m].

        What that asked for has its own place in it: it is on the side on which this is beyond what is free.
        """
        body, leave = self._body(), self._leave
        if body is None or leave is None:
            return 0.0
        if leave[0] < self._free[0]:
            return max(0.0, leave[1] + FREE - body[0])
        return min(0.0, leave[0] - FREE - body[1])

    def ask(self) -> None:
        """Claim what is needed now."""
        body = self._body()
        if body is None:
            return
        self._stands.append(_with_slack(body))
        whole = self._hull(self._work())
        self._send(whole, lambda free: self._in_part(whole, free))

    def _fits(self, x: float, low: float, high: float) -> bool:
        return low <= x - self._behind and x + self._ahead <= high

    def _hull(self, work: Sequence[float]) -> Stretch:
        """Return the stretch from where the machine was lately to places of work [m]."""
        lows = [*(low for low, _ in self._stands), *(x - self._behind for x in work)]
        return min(lows), max([*(high for _, high in self._stands), *(x + self._ahead for x in work)])

    def _renew(self) -> None:
        if self._clock.monotonic() - self._asked_at >= ANSWER:
            self.ask()

    def _in_part(self, whole: Stretch, free: Stretch) -> None:
        """Claim what is free, if that is of use; else give back all but room to stand and ask for the nearest place."""
        body = self._body()
        if body is not None:  # a way may have been begun while the answer was on its way
            (low, high), last = _with_slack(body), self._stands[-1]
            self._stands[-1] = min(low, last[0]), max(high, last[1])
        work = sorted(self._work(), key=lambda x: abs(x - 0.5 * sum(self._stands[-1])))
        within = [x for x in work if self._fits(x, *free)]
        stands = max(self._hull(within)[0], free[0]), min(self._hull(within)[1], free[1])
        if not stands[0] <= stands[1]:
            return
        if within or not work:
            self._send(stands)
            return
        nearest = self._hull(work[:1])
        held = self._held or stands
        if stands[0] - held[0] > SAME or held[1] - stands[1] > SAME:
            self._send(stands, granted=lambda: self._send(nearest))
        elif nearest != whole:
            self._send(nearest)

    def _send(
        self,
        stretch: Stretch,
        refused: Callable[[Stretch], None] | None = None,
        granted: Callable[[], None] | None = None,
    ) -> None:
        """Claim a stretch [m]; `refused` is told what is free, where that is known."""
        self._asked_at = self._clock.monotonic()
        low, high = stretch
        request = berry_msgs.srv.ClaimSpace.Request(holder=self._holder, low=low, high=high)

        def answered(future: Future[Any]) -> None:
            self._asked_at = self._clock.monotonic() - ANSWER + RENEW / 2.0
            answer: Any = future.result()
            self._leave = (answer.leave_low, answer.leave_high) if answer.leave_low < answer.leave_high else None
            if answer.free_low < answer.free_high:
                self._free = answer.free_low, answer.free_high
            if answer.granted:
                self._held = stretch
                self._tell(*stretch)
                if granted is not None:
                    granted()
            elif refused is not None and answer.free_low < answer.free_high:
                refused(self._free)

        self._client.call_async(request).add_done_callback(answered)


def _with_slack(body: Stretch) -> Stretch:
    return body[0] - SLACK, body[1] + SLACK


class RowFence:
    """Keeps a control loop inside the stretch that its machine holds, and holds it when the lease runs out.

    Args:
        row: namespace of the row.
    """

    def __init__(self, node: Node, clock: Clock, row: str, loop: ControlLoop, arm: ArmDescription) -> None:
        self._clock, self._loop, self._arm = clock, loop, arm
        self._holder = node.get_namespace().strip("/")
        self._until = float("-inf")
        self._fenced: Stretch | None = None
        node.create_subscription(berry_msgs.msg.SpaceLease, f"{row}/leases", self._on_lease, RELIABLE)
        node.create_timer(RENEW / 2.0, self._look)
        self._look()

    def _on_lease(self, message: Any) -> None:
        if message.holder != self._holder:
            return
        if not (isfinite(message.low + message.high) and message.low <= message.high and message.lasts > 0.0):
            log.error("expected a stretch [m] and how long it lasts [s], got %s", message)
            return
        self._until = self._clock.monotonic() + min(message.lasts, LONGEST)
        held = message.low, message.high
        if held != self._fenced:
            self._fenced = held
            tool, rail = fences(self._arm, *held)
            self._loop.fence(*tool, rail)
        self._look()

    def _look(self) -> None:
        supervisor = self._loop.supervisor
        if self._clock.monotonic() > self._until:
            supervisor.raise_cause(EXPIRED)
        else:
            supervisor.clear(EXPIRED)
