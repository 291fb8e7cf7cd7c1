"""The robot as the picking skill sees it, over ROS topics, services and actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from robot.arms import ArmDescription
from robot.kinematics import camera_pose
from robot.motion import Trajectory
from robot.nodes.actions import GoalAction, LookAction, TriggerAction
from robot.nodes.convert import LATCHED, NEWEST, RELIABLE, from_berry_message, to_key, to_seconds, to_trajectory_goal
from robot.nodes.joints import JointHistory
from robot.pick.body import Plan, SafetyView, Sighting
from robot.pick.grasp import Pose, Poses
from robot.pick.punnet import OVER_WALL
from robot.pick.reach import ArmPlan, Reach
from robot.pick.target import Vector
from robot.pick.verify import Grip
from robot.ros.action import ActionClient
from robot.ros.interfaces import berry_msgs, control_msgs, sensor_msgs, std_srvs
from robot.ros.node import Node
from robot.span import Stretch, extents
from telemetry.clock import Clock
from vision.track import to_world

UNKNOWN = SafetyView(state="unknown", motion_allowed=False, needs_reset=False, causes=("control_lost",))

ANSWERS_KEPT = 30

EVERY = 8
"""Of so many knots of a way one is looked at for how far the machine reaches; between them it moves by millimetres."""


class RosBody:
    """Implements `robot.pick.body.Body` with the node's publishers and clients."""

    def __init__(self, node: Node, clock: Clock, arm: ArmDescription, reach: Reach) -> None:
        self._clock = clock
        self._arm = arm
        self._reach = reach
        self._safety = UNKNOWN
        self._answers: dict[int, Any] = {}
        self._newest: Any = None
        self._look: LookAction | None = None
        self._under_way: tuple[GoalAction, Trajectory] | None = None
        self.history = JointHistory(arm.joint_names)
        self._arm_client = ActionClient(
            node, control_msgs.action.FollowJointTrajectory, "arm_controller/follow_joint_trajectory"
        )
        self._gripper = ActionClient(node, control_msgs.action.GripperCommand, "gripper_controller/gripper_cmd")
        self._cut = node.create_client(std_srvs.srv.Trigger, "gripper_controller/cut")
        self._capture = node.create_client(berry_msgs.srv.Capture, "camera/capture")
        node.create_subscription(sensor_msgs.msg.JointState, "joint_states", self.history.add, NEWEST)
        node.create_subscription(berry_msgs.msg.SafetyState, "safety/state", self._on_safety, LATCHED)
        node.create_subscription(berry_msgs.msg.BerryArray, "berries", self._on_berries, RELIABLE)

    def _on_safety(self, message: Any) -> None:
        self._safety = SafetyView(
            state=message.state,
            motion_allowed=message.motion_allowed,
            needs_reset=message.needs_reset,
            causes=tuple(message.causes),
        )

    def _on_berries(self, message: Any) -> None:
        self._newest = message
        self._answers[to_key(message.header.stamp)] = message
        while len(self._answers) > ANSWERS_KEPT:
            self._answers.pop(next(iter(self._answers)))

    def now(self) -> float:
        return self._clock.now()

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def safety(self) -> SafetyView:
        return self._safety

    def joints(self) -> Vector:
        return self.history.newest()

    def tool_pose(self) -> Pose:
        return self._reach.tool_pose(self.joints())

    def grip(self) -> Grip:
        return Grip(opening=self.history.opening, force=self.history.force)

    def plan(self, start: Vector, goal: Pose, speed: float, *, rail: float | None = None) -> ArmPlan:
        return self._reach.plan(start, goal, speed, rail=rail)

    def plan_line(self, start: Vector, goal: Pose, tool_speed: float) -> ArmPlan:
        return self._reach.line(start, goal, tool_speed)

    def join(
        self, plans: Sequence[Plan], *, overlap: Sequence[float] | None = None, over_wall: float = OVER_WALL
    ) -> ArmPlan:
        return self._reach.join([_own(plan) for plan in plans], overlap=overlap, over_wall=over_wall)

    def tool_way(self, plan: Plan) -> Poses:
        return self._reach.tool_way(_own(plan))

    def move(self, plan: Plan) -> GoalAction:
        way = _own(plan).trajectory
        goal = to_trajectory_goal(way, self._arm.joint_names)
        action = GoalAction(self._arm_client, goal, _judge_trajectory)
        self._under_way = action, way
        return action

    def body(self) -> Stretch | None:
        """Return from where to where along the row the machine is or comes by what is under way [m]; None = unknown."""
        if not self.history.known:
            return None
        places = self.joints()[np.newaxis]
        if self._under_way is not None and not self._under_way[0].done:
            places = np.vstack([places, self._under_way[1].positions[::EVERY], self._under_way[1].positions[-1:]])
        return extents(self._arm, places)

    def grip_to(self, opening: float, force: float) -> GoalAction:
        goal = control_msgs.action.GripperCommand.Goal()
        goal.command.position = float(opening)
        goal.command.max_effort = float(force)
        return GoalAction(self._gripper, goal, lambda _: "")

    def cut(self) -> TriggerAction:
        return TriggerAction(self._cut)

    def look(self) -> LookAction:
        self._look = LookAction(self._capture, self._answers.get, self._place)
        return self._look

    @property
    def blind(self) -> str:
        """The camera's fault by the newest look, or an empty text; what was not seen then is not known."""
        if self._look is not None and (self._look.error or not self._look.done):
            return "camera_lost"
        return "" if self._newest is None or self._newest.image_ok else str(self._newest.fault)

    def _place(self, message: Any) -> Sighting:
        """Place a picture's berries in the world with the joints measured at its exposure."""
        stamp = to_seconds(message.header.stamp)
        T_world_camera = camera_pose(self._arm, self.history.at(stamp))
        berries = tuple(to_world(from_berry_message(b), T_world_camera) for b in message.berries)
        return Sighting(
            stamp=stamp,
            berries=berries,
            image_ok=bool(message.image_ok),
            fault=message.fault,
            eye=T_world_camera[:3, 3],
            camera=T_world_camera,
        )


def _own(plan: Plan) -> ArmPlan:
    if not isinstance(plan, ArmPlan):
        raise ValueError(f"expected a plan made by this body, got {type(plan).__name__}")
    return plan


def _judge_trajectory(result: Any) -> str:
    return "" if result.error_code == 0 else (result.error_string or f"error code {result.error_code}")
