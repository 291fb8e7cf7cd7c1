"""A machine's side of the lease on a row: its picker asks for room and keeps asking, its control stays inside."""

from __future__ import annotations

import logging
from collections.abc import Callable
from math import isfinite
from typing import Any

from robot.arms import ArmDescription
from robot.kinematics import tool_position
from robot.loop import ControlLoop
from robot.nodes.convert import RELIABLE
from robot.nodes.space import extent
from robot.pick.target import Vector
from robot.ros.interfaces import berry_msgs
from robot.ros.node import Node
from robot.ros.task import Future
from telemetry.clock import Clock

log = logging.getLogger(__name__)

BEHIND, AHEAD = 0.55, 0.22
"""How far a machine at work in a window reaches beyond its ends: the carriage trails the tool, the punnet leads [m]."""

STANDS = 0.45
"""How far it reaches behind its tool while it stands before the crop [m]."""

TRAILS, LEADS = 0.28, 0.11
"""How far its body reaches beyond its tool: behind it when that is over the punnet, and before it in the crop [m]."""

RENEW = 0.25
"""Between two claims [s]; a quarter of a lease's age."""

ANSWER = 1.0
"""A claim that nobody has answered for so long is asked again [s]."""

LONGEST = 2.0
"""No lease is believed for longer [s]: it has to be renewed."""

EXPIRED = "lease_lost"


def inside(low: float, high: float) -> tuple[float, float]:
    """Return between which places the tool of a machine stays that keeps within a stretch of the row [m]."""
    return low + TRAILS, high - LEADS


class RowClaim:
    """Asks for the room that the picker needs, for as long as the picker lives.

    Args:
        row: namespace of the row.
        joints: as measured; None while they are not known.
        held: told between which places along the row the tool has to stay from now on [m].
    """

    def __init__(
        self,
        node: Node,
        clock: Clock,
        row: str,
        arm: ArmDescription,
        joints: Callable[[], Vector | None],
        *,
        held: Callable[[float, float], None],
    ) -> None:
        self._clock, self._arm, self._joints, self._tell = clock, arm, joints, held
        self._holder = node.get_namespace().strip("/")
        self._held: tuple[float, float] | None = None
        self._window: tuple[float, float] | None = None
        self._asked_at = float("-inf")
        self._waits = True
        self._client = node.create_client(berry_msgs.srv.ClaimSpace, f"{row}/claim")
        node.create_timer(RENEW, self._renew)

    def begin(self, start: float, end: float) -> None:
        """Want the room for work between two places along the row [m]."""
        self._window, self._waits = (start, end), True
        self._ask()

    def end(self) -> None:
        """Want no more room than to stand there."""
        self._window = None

    @property
    def waits(self) -> bool:
        """The room that the work needs is not there yet."""
        return self._waits

    def _renew(self) -> None:
        if self._clock.monotonic() - self._asked_at >= ANSWER:
            self._ask()

    def _ask(self) -> None:
        """Claim what is wanted now: standing room, or the way to the window and the window."""
        joints, window = self._joints(), self._window
        if joints is None:
            return
        x, body = float(tool_position(self._arm, joints)[0]), extent(self._arm, joints)
        low, high = min(x - STANDS, body[0]), max(x + AHEAD, body[1])
        if window is not None:
            low, high = min(low, window[0] - BEHIND), max(high, window[1] + AHEAD)
        if self._held is not None and window is not None and not self._waits:
            low, high = self._held
        self._send(low, high, window)

    def _send(self, low: float, high: float, window: tuple[float, float] | None) -> None:
        self._asked_at = self._clock.monotonic()
        request = berry_msgs.srv.ClaimSpace.Request(holder=self._holder, low=low, high=high)

        def answered(future: Future[Any]) -> None:
            self._asked_at = self._clock.monotonic() - ANSWER + RENEW / 2.0
            answer: Any = future.result()
            if answer.granted:
                self._held = low, high
                self._tell(*inside(low, high))
                if window is not None and window == self._window:
                    self._waits = False

        self._client.call_async(request).add_done_callback(answered)


class RowFence:
    """Keeps a control loop inside the stretch that its machine holds, and holds it when the lease runs out.

    Args:
        row: namespace of the row.
    """

    def __init__(self, node: Node, clock: Clock, row: str, loop: ControlLoop) -> None:
        self._clock, self._loop = clock, loop
        self._holder = node.get_namespace().strip("/")
        self._until = float("-inf")
        self._fenced: tuple[float, float] | None = None
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
        held = inside(message.low, message.high)
        if held != self._fenced:
            self._fenced = held
            self._loop.fence(*held)
        self._look()

    def _look(self) -> None:
        supervisor = self._loop.supervisor
        if self._clock.monotonic() > self._until:
            supervisor.raise_cause(EXPIRED)
        else:
            supervisor.clear(EXPIRED)
