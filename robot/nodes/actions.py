"""What the picking skill waits for, over ROS: a goal of an action, a trigger, a picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from robot.nodes.convert import to_key
from robot.pick.body import Sighting
from robot.ros.action import ActionClient, GoalStatus
from robot.ros.client import Client
from robot.ros.interfaces import berry_msgs, std_srvs
from robot.ros.task import Future


class GoalAction:
    """One goal under way. `judge` turns the action's result into an error text, empty when it is well."""

    def __init__(self, client: ActionClient, goal: Any, judge: Callable[[Any], str]) -> None:
        self._judge = judge
        self._handle: Any = None
        self._canceled = False
        self.done = False
        self.error = ""
        client.send_goal_async(goal).add_done_callback(self._on_accepted)

    def _on_accepted(self, future: Future[Any]) -> None:
        self._handle = future.result()
        if not self._handle.accepted:
            self._end("the goal was refused")
            return
        self._handle.get_result_async().add_done_callback(self._on_result)
        if self._canceled:
            self._handle.cancel_goal_async()

    def _on_result(self, future: Future[Any]) -> None:
        response: Any = future.result()
        status = GoalStatus(response.status)
        error = self._judge(response.result)
        if not error and status is not GoalStatus.STATUS_SUCCEEDED:
            error = status.name.removeprefix("STATUS_").lower()
        self._end(error)

    def _end(self, error: str) -> None:
        self.done, self.error = True, error

    def cancel(self) -> None:
        if self.done or self._canceled:
            return
        self._canceled = True
        if self._handle is not None:
            self._handle.cancel_goal_async()


class TriggerAction:
    """One call of a `std_srvs/Trigger` service."""

    def __init__(self, client: Client) -> None:
        self.done = False
        self.error = ""
        client.call_async(std_srvs.srv.Trigger.Request()).add_done_callback(self._on_answer)

    def _on_answer(self, future: Future[Any]) -> None:
        answer: Any = future.result()
        self.done = True
        self.error = "" if answer.success else (answer.message or "refused")

    def cancel(self) -> None:
        """A trigger cannot be taken back."""


class LookAction:
    """One frame that was asked for, until the eyes have answered it."""

    def __init__(self, client: Client, answered: Callable[[int], Any], place: Callable[[Any], Sighting]) -> None:
        self._answered = answered
        self._place = place
        self._key: int | None = None
        self._sighting: Sighting | None = None
        self._error = ""
        client.call_async(berry_msgs.srv.Capture.Request(frames=1)).add_done_callback(self._on_exposed)

    def _on_exposed(self, future: Future[Any]) -> None:
        answer: Any = future.result()
        if answer.success:
            self._key = to_key(answer.stamp)
        else:
            self._error = answer.message or "no frame"

    @property
    def done(self) -> bool:
        if self._sighting is None and self._key is not None:
            berries = self._answered(self._key)
            if berries is not None:
                self._sighting = self._place(berries)
        return bool(self._error) or self._sighting is not None

    @property
    def error(self) -> str:
        return self._error

    @property
    def sighting(self) -> Sighting:
        if self._sighting is None:
            raise ValueError("read the sighting when the look is done")
        return self._sighting

    def cancel(self) -> None:
        """A frame that is exposed is not taken back."""
