"""What the leaves of the picking tree share: a timeout in the robot's time, waiting out a HOLD, giving up on a stop."""

from __future__ import annotations

from collections.abc import Callable

import py_trees
from py_trees.common import Status

from robot.pick.body import Action, PlanError
from robot.pick.result import PickResult
from robot.pick.round import Round

ERROR_GRACE = 0.15
"""An aborted motion may be the first sign of a HOLD whose safety state is still on its way [s]."""


class Leaf(py_trees.behaviour.Behaviour):  # type: ignore[misc]  # py_trees is untyped here
    """Base of all leaves. A subclass says how it begins and what one tick does; it never blocks.

    `blames`: a failure is the reason why the candidate in hand failed; false for the steps that clean up after one.
    """

    blames = True

    def __init__(self, name: str, round_: Round, timeout: float, task: str = "") -> None:
        super().__init__(name=name)
        self.round = round_
        self.timeout = timeout
        self.task = task
        self._began = 0.0
        self._failed = False
        self._paused = False

    def begin(self) -> None:
        """Start the work; may call `fail`."""

    def step(self) -> Status:
        """Do one tick's work while motion is allowed."""
        return Status.SUCCESS

    def halt(self) -> None:
        """Stop what is under way; called on cancel, timeout and HOLD."""

    def resume(self) -> None:
        """Go on after a HOLD: by default from the beginning, planned from where the robot is now."""
        self.begin()

    def fail(self, result: PickResult, detail: str) -> Status:
        """End the leaf without success; the reason is kept with the candidate in hand."""
        self._failed = True
        self.feedback_message = f"{result}: {detail}"
        if self.round.current is not None and self.blames:
            self.round.current.result = result
            self.round.current.detail = detail
        return Status.FAILURE

    def initialise(self) -> None:
        self._failed = False
        self._paused = False
        self._began = self.round.body.monotonic()
        self.feedback_message = ""
        if self.task:
            self.round.task = self.task
        self._try(self.begin)

    def update(self) -> Status:
        body, attempt = self.round.body, self.round.current
        if attempt is not None and attempt.gripped:
            attempt.peak_force = max(attempt.peak_force, body.grip().force)
        safety = body.safety()
        if not safety.motion_allowed:
            self._halt()
            if safety.needs_reset:
                self.round.stopped = PickResult.PROTECTIVE_STOP
                return self.fail(PickResult.PROTECTIVE_STOP, ", ".join(safety.causes) or safety.state)
            self._paused = True
            return Status.RUNNING
        if self._paused:
            self._paused = False
            self._failed = False
            self._began = body.monotonic()
            self._try(self.resume)
        if self._failed:
            return Status.FAILURE
        if body.monotonic() - self._began > self.timeout:
            self._halt()
            return self.fail(PickResult.TIMEOUT, f"{self.name} took longer than {self.timeout:g} s")
        return self.step()

    def terminate(self, new_status: Status) -> None:
        if new_status == Status.INVALID:
            self.halt()

    def _halt(self) -> None:
        if not self._paused:
            self.halt()

    def _try(self, call: Callable[[], None]) -> None:
        try:
            call()
        except PlanError as error:
            self.fail(error.result, f"{self.name}: {error.detail}")


class ActionLeaf(Leaf):
    """A leaf that waits for one action of the robot, and for `settle` seconds after it."""

    error_result = PickResult.TIMEOUT

    def __init__(self, name: str, round_: Round, timeout: float, task: str = "", settle: float = 0.0) -> None:
        super().__init__(name, round_, timeout, task)
        self.settle = settle
        self.action: Action | None = None
        self._ended: float | None = None

    def start(self) -> Action | None:
        """Return the action to wait for; None when there is nothing to do."""
        raise NotImplementedError

    def finish(self) -> Status:
        """Check the postcondition once the action has ended well."""
        return Status.SUCCESS

    def begin(self) -> None:
        self._ended = None
        self.action = self.start()

    def step(self) -> Status:
        if self.action is None:
            return self.finish()
        if not self.action.done:
            return Status.RUNNING
        now = self.round.body.monotonic()
        if self._ended is None:
            self._ended = now
        if self.action.error:
            if now - self._ended < ERROR_GRACE:
                return Status.RUNNING
            if "busy" in self.action.error:  # a motion that was cancelled before is still coming to rest
                self._try(self.begin)
                return Status.FAILURE if self._failed else Status.RUNNING
            return self.fail(self.error_result, f"{self.name}: {self.action.error}")
        if now - self._ended < self.settle:
            return Status.RUNNING
        return self.finish()

    def halt(self) -> None:
        if self.action is not None and not self.action.done:
            self.action.cancel()


class Loop(py_trees.decorators.Decorator):  # type: ignore[misc]
    """Run the child again and again until `until()` holds; the child's failure does not end the loop."""

    def __init__(self, name: str, child: py_trees.behaviour.Behaviour, until: Callable[[], bool]) -> None:
        super().__init__(name=name, child=child)
        self._until = until

    def update(self) -> Status:
        if self.decorated.status == Status.RUNNING:
            return Status.RUNNING
        return Status.SUCCESS if self._until() else Status.RUNNING
