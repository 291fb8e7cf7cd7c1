"""What the planner holds free, the limiter lets pass: it judges where a stop from the way would end."""

import numpy as np
import pytest

from robot.arms import load_arm
from robot.collision import Obstacles, World, carriage
from robot.kinematics import tool_position
from robot.motion import stops
from robot.pick import reach
from robot.pick.punnet import PlacePattern
from robot.pick.reach import ArmPlan, Reach
from robot.pick.target import Target
from robot.safety import Limiter
from sim.rig import gutter
from sim.scene import SceneSettings

ARM = load_arm("ur3e")
WORLD = World(ARM, Obstacles(boxes=(*carriage(ARM), gutter(SceneSettings()))))
AT_FRUIT = np.array([1.454, 1.072, -2.358, -1.377, 4.199, -2.235, 3.441])
"""High in the crop under the gutter, turned and looking up: the forearm passes 2 mm off the camera on the way out."""

OUT = np.eye(4)
OUT[:3] = [[0.9759, -0.0769, -0.2042, 1.7234], [0.2182, 0.3438, 0.9133, 0.4171], [0.0, -0.9359, 0.3523, 0.932]]
PLACE = 13
FRUIT = Target(
    id=1,
    position=np.array([1.7, 0.5, 0.9]),
    diameter=0.028,
    length=0.036,
    axis=np.array([0.0, 0.0, 1.0]),
    ripeness=0.95,
    stage="ripe",
    seen_at=0.0,
)


def carried() -> ArmPlan:
    """Plan the way from the fruit into the punnet, as the skill does."""
    planner, pattern = Reach(ARM, WORLD), PlacePattern(shape=ARM.punnet)
    rail = float(AT_FRUIT[0])
    out = planner.line(AT_FRUIT, OUT, 0.45)
    high = pattern.height_over_wall(PLACE, FRUIT)
    over = planner.plan(out.end, pattern.pose(PLACE, FRUIT, rail, tilt=1.1, above=high), 1.0, rail=rail)
    down = planner.line(over.end, pattern.pose(PLACE, FRUIT, rail, tilt=1.1), 0.45)
    return planner.join([out, over, down], overlap=[0.16, 0.14])


def refused(plan: ArmPlan) -> str:
    """Return what the limiter refuses when the loop follows a plan, or an empty text."""
    limiter = Limiter(ARM, lambda q: tool_position(ARM, q), 0.004, WORLD.clearance)
    limiter.rest_at(plan.trajectory.positions[0])
    for tick in range(1, int(plan.duration / 0.004) + 2):
        q, v = plan.trajectory.sample(0.004 * tick)
        wrong = limiter.judge(q, v, tool_speed=ARM.safety.tool_speed_auto)
        if wrong:
            return wrong
    return ""


def test_a_way_near_something_is_slowed_down_until_it_can_be_broken_off_anywhere() -> None:
    plan = carried()
    assert refused(plan) == ""
    assert WORLD.clearances(stops(ARM, plan.trajectory, 0.004)).min() > -0.002


def test_the_same_way_at_full_speed_would_have_been_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = carried().duration
    monkeypatch.setattr(reach, "STOP_TOUCH", -1.0)
    plan = carried()
    assert WORLD.check(plan.trajectory) > 0.0
    assert refused(plan) == "collision_risk"
    assert plan.duration < slow
