"""What a person asks of the loop, and why it is refused: a code of the fault table, then the particulars."""

from __future__ import annotations

from collections.abc import Callable

from robot.hardware import HardwareError
from robot.loop.device import Device
from robot.loop.follower import Follower
from robot.loop.watch import Watch
from robot.safety import State, Supervisor
from robot.safety.states import POWERED
from telemetry.clock import Clock

UNAWARE = 0.25  # a start so soon after an operator's hold was sent before its sender knew of it [s]


def refusal(code: str, detail: str) -> str:
    """Return the answer to a request that is refused.

    Args:
        code: key of the fault table, which has the words for people in zh and en.
        detail: for a log, in English.
    """
    return f"{code}: {detail}"


class Operator:
    """Start, hold, stop and reset.

    Args:
        local_reset: a stop is answered by the button at the machine only.
        enable: powers the drives.
        hold_here: takes the measured joints as those to hold.
    """

    def __init__(
        self,
        *,
        supervisor: Supervisor,
        follower: Follower,
        device: Device,
        watch: Watch,
        clock: Clock,
        local_reset: bool,
        enable: Callable[[], None],
        hold_here: Callable[[], None],
    ) -> None:
        self._supervisor, self._follower, self._device, self._watch = supervisor, follower, device, watch
        self._clock, self._local_reset, self._enable, self._hold_here = clock, local_reset, enable, hold_here
        self._held_at = float("-inf")

    def start(self) -> str:
        """Ask for RUN; return why not, or an empty text."""
        now = self._clock.monotonic()
        self._watch.judge_heartbeats(now)
        if now - self._held_at < UNAWARE:
            return refusal("hold_just_asked", "an operator's hold came at the same time; ask again if it is to end")
        if self._supervisor.state in (State.READY, State.HOLD):
            if self._follower.moving:
                return refusal("coming_to_rest", "the arm is still coming to rest")
            if self._follower.mismatch(self._device.joints.position):
                self._supervisor.momentary("position_mismatch")
                return refusal("position_mismatch", "the arm is not where it stopped; reset, then start")
        return "" if self._supervisor.start() else self._why("not_ready")

    def hold(self) -> None:
        """Stop along the path and wait for a `start` that is asked for after this."""
        self._held_at = self._clock.monotonic()
        self._supervisor.momentary("operator_hold")

    def reset(self) -> str:
        """Answer a stop from afar; return why not, or an empty text."""
        if self._local_reset:
            return refusal("reset_at_machine", "press the reset button there: only who sees the robot answers a stop")
        return self._reset()

    def reset_button(self, pressed: bool) -> str:
        """Feed the level of the reset button at the machine; a press answers a stop like `reset`."""
        return self._reset() if self._supervisor.reset_edge(pressed) else ""

    def _reset(self) -> str:
        if self._follower.moving and self._supervisor.state in POWERED:
            return refusal("coming_to_rest", "the arm is still coming to rest")
        if not self._supervisor.reset():
            return self._why("nothing_to_reset")
        if self._supervisor.state is State.IDLE:
            try:
                self._enable()
            except HardwareError as error:
                self._watch.driver_failed(error.code)  # a fault again, which another reset answers
                raise
        elif self._follower.mismatch(self._device.joints.position):
            self._hold_here()
        return ""

    def _why(self, otherwise: str) -> str:
        """Return the worst of the causes that last, or what else stands in the way."""
        causes = self._supervisor.causes
        return refusal(causes[0] if causes else otherwise, f"in state {self._supervisor.state}, causes {list(causes)}")
