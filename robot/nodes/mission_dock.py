"""The way to the dock: the rail alone moves, the arm stays as the picker left it, outside the crop."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from robot.arms import ArmDescription
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
        self._under_way = False
        self._not_before = float("-inf")
        kind = control_msgs.action.FollowJointTrajectory
        self._client = ActionClient(node, kind, "arm_controller/follow_joint_trajectory")
        node.create_subscription(sensor_msgs.msg.JointState, "joint_states", self._on_joints, NEWEST)

    @property
    def there(self) -> bool:
        """The carriage stands at the dock."""
        return self._joints is not None and abs(float(self._joints[0]) - self._place) < THERE

    def go(self) -> None:
        """Begin the way, unless it is under way, done, or was refused a moment ago."""
        if self._joints is None or self.there or self._under_way or self._clock.monotonic() < self._not_before:
            return
        goal = self._joints.copy()
        goal[0] = self._place
        log.info("to the dock: %.2f m along the rail", self._place - self._joints[0])
        self._under_way = True
        way = to_trajectory_goal(joint_move(self._arm, self._joints, goal), self._arm.joint_names)
        self._client.send_goal_async(way).add_done_callback(self._on_answer)

    def _on_answer(self, future: Future[Any]) -> None:
        handle: Any = future.result()
        if handle.accepted:
            handle.get_result_async().add_done_callback(self._on_end)
        else:
            self._ended("refused")

    def _on_end(self, future: Future[Any]) -> None:
        answer: Any = future.result()
        done = answer.status == GoalStatus.STATUS_SUCCEEDED
        self._ended("" if done else answer.result.error_string or "broken off")

    def _ended(self, wrong: str) -> None:
        self._under_way = False
        if wrong:
            log.warning("the way to the dock: %s", wrong)
            self._not_before = self._clock.monotonic() + AGAIN

    def _on_joints(self, message: Any) -> None:
        places = dict(zip(message.name, message.position, strict=True))
        if all(name in places for name in self._arm.joint_names):
            self._joints = np.array([places[name] for name in self._arm.joint_names])
