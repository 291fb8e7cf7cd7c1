"""The way to the dock: one that nobody answers is given up, and none begins with the tool in the crop."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest

from robot.arms import load_arm
from robot.kinematics import solve, tool_position
from robot.nodes.mission_dock import AGAIN, GIVEN_UP, Dock
from robot.ros.action import ActionServer
from robot.ros.context import Context
from robot.ros.interfaces import control_msgs, sensor_msgs
from robot.ros.node import Node
from robot.ros.task import Future
from robot.ros.transport.inprocess import InProcess
from sim.lockstep import Lockstep

ARM = load_arm("ur3e")
HOME = np.array([0.4, -1.5, -2.0, 1.5, 0.5, 1.5, 0.0])
LEVEL = np.stack([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]], axis=1)


class Rail:
    """A dock, and a controller that answers when it is told to."""

    def __init__(self, joints: np.ndarray[Any, Any]) -> None:
        self.time = Lockstep(epoch=1_750_000_000.0)
        context = Context(transport=InProcess(self.time))
        self.node = Node("yard", context=context, namespace="/robot")
        self.ways: list[Future[str]] = []
        ActionServer(
            self.node, control_msgs.action.FollowJointTrajectory, "arm_controller/follow_joint_trajectory", self._drive
        )
        self.dock = Dock(self.node, self.time, ARM, -0.3)
        self.joints = self.node.create_publisher(sensor_msgs.msg.JointState, "joint_states", 5)
        self.stand(joints)
        self.time.every(0.5, self.dock.go)

    def stand(self, joints: np.ndarray[Any, Any]) -> None:
        self.joints.publish(sensor_msgs.msg.JointState(name=list(ARM.joint_names), position=joints.tolist()))
        self.run(0.1)

    def run(self, seconds: float) -> None:
        self.time.run(seconds=seconds)

    async def _drive(self, handle: Any) -> Any:
        self.ways.append(Future(executor=self.node))
        await self.ways[-1]
        handle.succeed()
        return control_msgs.action.FollowJointTrajectory.Result()


def test_a_way_that_nobody_ends_is_given_up_and_begun_again() -> None:
    rail = Rail(HOME)
    rail.run(GIVEN_UP - 1.0)
    assert len(rail.ways) == 1
    rail.run(AGAIN)
    assert len(rail.ways) == 1, "not at once"
    rail.run(3.0)
    assert len(rail.ways) == 2
    rail.ways[0].set_result("late")
    rail.run(10.0)
    assert len(rail.ways) == 2, "an answer to the first way does not end the second"
    rail.ways[1].set_result("done")
    rail.run(1.0)
    assert len(rail.ways) == 3, "it is not there, so it goes on"


def test_the_carriage_does_not_leave_with_the_tool_in_the_crop(caplog: pytest.LogCaptureFixture) -> None:
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = LEVEL, [0.5, 0.5, 0.95]
    inside = solve(ARM, pose, HOME)[0]
    assert tool_position(ARM, inside)[1] > ARM.safety.crop_volume_min[1] > tool_position(ARM, HOME)[1]
    rail = Rail(inside)
    with caplog.at_level(logging.WARNING):
        rail.run(2.0 * AGAIN + 1.0)
    assert rail.ways == []
    assert sum("in the crop" in record.message for record in caplog.records) == 3
    rail.stand(HOME)
    rail.run(AGAIN + 1.0)
    assert len(rail.ways) == 1
