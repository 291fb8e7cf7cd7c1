"""The way to the dock: the rail alone moves, the arm stays as the picker left it, never with the tool in the crop."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

import numpy as np

from robot.arms import ArmDescription
from robot.kinematics import tool_position
from robot.motion import joint_move
from robot.nodes.convert import NEWEST, to_trajectory_goal
from robot.ros.action import ActionClient, GoalStatus
from robot.ros.interfaces import control_msgs, sensor_msgs
from robot.ros.node import Node
from robot.ros.task import Future
from telemetry.clock import Clock

log = logging.getLogger(__name__)

THERE = 0.01
"""Distance from the dock that counts as there [m]."""

AGAIN = 5.0
"""After a way that failed or was refused it is tried again [s]."""

GIVEN_UP = 60.0
"""A way that nobody has ended for so long is given up: control has died with it [s]."""


class Dock:
    """Drives the rail to its dock when asked.

    Args:
        place: of the dock on the rail [m]; it must be inside the rail's limits.
    """

    def __init__(self, node: Node, clock: Clock, arm: ArmDescription, place: float) -> None:
        if not arm.position_min[0] <= place <= arm.position_max[0]:
            raise ValueError(
                f"expected a dock on the rail, {arm.position_min[0]} to {arm.position_max[0]} m, got {place}"
            )
        self._clock, self._arm, self._place = clock, arm, place
        self._joints: np.ndarray[Any, np.dtype[np.float64]] | None = None
        self._began: float | None = None  # when the way under way did; its answers carry it
        self._not_before = float("-inf")
        kind = control_msgs.action.FollowJointTrajectory
        self._client = ActionClient(node, kind, "arm_controller/follow_joint_trajectory")
        node.create_subscription(sensor_msgs.msg.JointState, "joint_states", self._on_joints, NEWEST)

    @property
    def there(self) -> bool:
        """The carriage stands at the dock."""
        return self._joints is not None and abs(float(self._joints[0]) - self._place) < THERE

    def go(self) -> None:
        """Begin the way, unless it is under way, done, was refused a moment ago, or the tool is in the crop."""
        now = self._clock.monotonic()
        if self._began is not None and now - self._began > GIVEN_UP:
            self._ended(self._began, f"no answer for {GIVEN_UP:.0f} s")
        if self._joints is None or self.there or self._began is not None or now < self._not_before:
            return
        if self._in_crop(self._joints):
            log.warning("the way to the dock: the tool is in the crop; somebody has to move the arm out of it")
            self._not_before = now + AGAIN
            return
        goal = self._joints.copy()
        goal[0] = self._place
        log.info("to the dock: %.2f m along the rail", self._place - self._joints[0])
        self._began = now
        way = to_trajectory_goal(joint_move(self._arm, self._joints, goal), self._arm.joint_names)
        self._client.send_goal_async(way).add_done_callback(partial(self._on_answer, now))

    def _in_crop(self, joints: np.ndarray[Any, np.dtype[np.float64]]) -> bool:
        """Tell whether the tool is beyond the near side of the crop, which lies along the row."""
        return tool_position(self._arm, joints)[1] > float(self._arm.safety.crop_volume_min[1])

    def _on_answer(self, began: float, future: Future[Any]) -> None:
        handle: Any = future.result()
        if handle.accepted:
            handle.get_result_async().add_done_callback(partial(self._on_end, began))
        else:
            self._ended(began, "refused")

    def _on_end(self, began: float, future: Future[Any]) -> None:
        answer: Any = future.result()
        done = answer.status == GoalStatus.STATUS_SUCCEEDED
        self._ended(began, "" if done else answer.result.error_string or "broken off")

    def _ended(self, began: float, wrong: str) -> None:
        if began != self._began:
            return  # it was given up before
        self._began = None
        if wrong:
            log.warning("the way to the dock: %s", wrong)
            self._not_before = self._clock.monotonic() + AGAIN

    def _on_joints(self, message: Any) -> None:
        places = dict(zip(message.name, message.position, strict=True))
        if all(name in places for name in self._arm.joint_names):
            self._joints = np.array([places[name] for name in self._arm.joint_names])
