"""Goals of random wild numbers: each is taken or refused with a code of the interface, soon and in little memory."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from robot.arms import load_arm
from robot.nodes.goals import LONGEST, GoalError, read_goal
from robot.ros.interfaces import control_msgs, trajectory_msgs

ARM = load_arm("ur3e")
HOME = np.array([0.4, -1.5, -2.0, 1.5, 0.5, 1.5, 0.0])
MILD = (0.0, 0.0, 1e-4, 1e-3, 0.01, -0.01)
WILD = (0.0, -0.0, 1e-320, 1e-12, 0.5, 3.0, 1e3, 1e30, 1.7e308, -1.7e308, float("nan"), float("inf"))
LATER = (0.0, 1e-9, 1e-6, 0.004, 0.1, 1.0, 119.0, 1000.0, 2e9)


def wild(seed: int) -> Any:
    """Return a goal; every second one is mild enough to come far."""
    rng = random.Random(seed)
    values, goal, at = MILD if seed % 2 else WILD, control_msgs.action.FollowJointTrajectory.Goal(), 0.0
    goal.trajectory.joint_names = list(ARM.joint_names)

    def column(base: Any, share: float) -> list[float]:
        return [float(b) + rng.choice(values) for b in base] if rng.random() < share else []

    for _ in range(rng.choice((1, 2, 2, 3, 5))):
        point = trajectory_msgs.msg.JointTrajectoryPoint(
            positions=column(HOME, 0.95), velocities=column(np.zeros(7), 0.5), accelerations=column(np.zeros(7), 0.4)
        )
        point.time_from_start.sec = int(at)
        point.time_from_start.nanosec = int((at % 1.0) * 1e9)
        goal.trajectory.points.append(point)
        at = min(at + rng.choice(LATER[1:6] if seed % 2 else LATER), 2147483647.0)
    goal.goal_time_tolerance.sec = rng.choice((0, -5, 2147483647))
    return goal


@pytest.mark.timeout(120)
def test_a_wild_goal_is_refused_with_a_code_or_ends_in_time() -> None:
    taken = refused = 0
    for seed in range(300):
        try:
            goal = read_goal(ARM, wild(seed), HOME, 0.0)
        except GoalError:
            refused += 1
        else:
            taken += 1
            assert goal.trajectory.duration <= LONGEST
    assert refused > 150
    assert taken > 0
