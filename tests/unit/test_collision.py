"""Distances of the capsule world against brute force and against situations known by eye."""

import numpy as np
import pytest

from robot.arms import arm_names, load_arm
from robot.collision import Box, Obstacles, World, box_distance, carriage, segment_distance
from robot.kinematics import forward, link_frames
from robot.motion import joint_move

ARM = load_arm("ur3e")
HOME = np.array([0.4, -1.5, -2.0, 1.5, 0.5, 1.5, 0.0])


def test_segment_distance_equals_brute_force() -> None:
    rng = np.random.default_rng(0)
    p0, p1, q0, q1 = rng.normal(size=(4, 60, 3))
    p1[:5] = p0[:5]  # points
    q1[5:10] = q0[5:10] + (p1[5:10] - p0[5:10])  # parallel
    s = np.linspace(0, 1, 201)[None, :, None]
    P, Q = p0[:, None] + s * (p1 - p0)[:, None], q0[:, None] + s * (q1 - q0)[:, None]
    brute = np.array([np.linalg.norm(a[:, None] - b[None], axis=2).min() for a, b in zip(P, Q, strict=True)])
    exact = segment_distance(p0, p1, q0, q1)
    assert np.all(exact <= brute + 1e-12)
    assert np.abs(exact - brute).max() < 0.02


def test_box_distance_equals_brute_force_and_is_zero_inside() -> None:
    rng = np.random.default_rng(1)
    p0, p1, low = rng.normal(size=(3, 200, 3))
    high = low + rng.uniform(0.1, 1.0, (200, 3))
    p1[:5] = p0[:5]
    p1[5:10, 0] = p0[5:10, 0]
    s = np.linspace(0, 1, 2001)[None, :, None]
    P = p0[:, None] + s * (p1 - p0)[:, None]
    brute = np.linalg.norm(P - np.clip(P, low[:, None], high[:, None]), axis=2).min(axis=1)
    exact = box_distance(p0, p1, low, high)
    assert np.all(exact <= brute + 1e-12)
    assert np.abs(exact - brute).max() < 1e-3
    assert np.any(exact == 0.0)


def test_free_arm_is_clear_of_itself_and_of_its_carriage() -> None:
    assert World(ARM, Obstacles(boxes=carriage(ARM))).clearance(HOME) > 0.02


def test_folded_arm_touches_itself() -> None:
    folded = HOME.copy()
    folded[3] = 3.0
    assert World(ARM, Obstacles()).clearance(folded) < 0.0


def test_a_box_grown_into_the_arm_is_a_collision_and_one_apart_is_its_distance() -> None:
    tool = forward(ARM, HOME)[:3, 3]
    far = Box(minimum=(tool[0] - 1, tool[1] + 0.01, 0.0), maximum=(tool[0] + 1, tool[1] + 1.0, 2.0))
    near = Box(minimum=(tool[0] - 1, tool[1] - 0.08, 0.0), maximum=(tool[0] + 1, tool[1] + 1.0, 2.0))
    assert World(ARM, Obstacles(boxes=(far,))).clearance(HOME) > 0.0
    assert World(ARM, Obstacles(boxes=(near,))).clearance(HOME) < 0.0


def test_the_tool_may_enter_the_plants_and_the_links_may_not() -> None:
    tool = forward(ARM, HOME)[:3, 3]
    plants = Box(
        minimum=(tool[0] - 1, tool[1] - 0.08, 0.0), maximum=(tool[0] + 1, tool[1] + 1.0, 2.0), tool_allowed=True
    )
    links = Box(minimum=(-2, -2, 0.0), maximum=(2, 2, 2), tool_allowed=True)
    assert World(ARM, Obstacles(boxes=(plants,))).clearance(HOME) > 0.0
    assert World(ARM, Obstacles(boxes=(links,))).clearance(HOME) < 0.0


def test_a_carried_box_moves_with_the_rail() -> None:
    box = Box(minimum=(0.2, -1.0, 0.0), maximum=(0.6, 1.0, 2.0), carried=True)
    world = World(ARM, Obstacles(boxes=(box,)))
    moved = HOME.copy()
    moved[0] += 2.0
    assert world.clearance(moved) == pytest.approx(world.clearance(HOME))


def test_the_floor_is_an_obstacle() -> None:
    assert World(ARM, Obstacles(floor=1.2)).clearance(HOME) < 0.0


def test_a_trajectory_is_as_clear_as_its_worst_instant() -> None:
    goal = HOME + np.array([1.5, 0, 0, 0, 0, 0, 0])
    post = Box(minimum=(1.0, 0.25, 0.0), maximum=(1.05, 0.35, 2.0))
    world = World(ARM, Obstacles(boxes=(post,)))
    assert world.clearance(HOME) > 0.0
    assert world.clearance(goal) > 0.0
    assert world.check(joint_move(ARM, HOME, goal)) < 0.0


def test_many_joint_vectors_at_once_give_what_each_gives_alone() -> None:
    rng = np.random.default_rng(2)
    post = Box(minimum=(1.0, 0.25, 0.0), maximum=(1.05, 0.35, 2.0))
    world = World(ARM, Obstacles(boxes=(post, *carriage(ARM))))
    q = HOME + rng.uniform(-0.8, 0.8, (20, 7))
    assert np.allclose(world.clearances(q), [world.clearance(row) for row in q])


@pytest.mark.parametrize("name", arm_names())
def test_the_loops_way_to_the_clearance_of_one_is_as_exact_as_the_planners_of_many(name: str) -> None:
    arm = load_arm(name)
    rng = np.random.default_rng(5)
    beside = Box(minimum=(-1.0, 0.5, 0.7), maximum=(2.0, 0.8, 0.9))
    world = World(arm, Obstacles(boxes=(beside, *carriage(arm))))
    q = rng.uniform(np.maximum(arm.position_min, -3.0), np.minimum(arm.position_max, 3.0), (200, arm.size))
    q[:20] = np.round(q[:20])  # segments along the axes
    alone = np.array([world.clearance(row) for row in q])
    assert np.abs(alone - world.clearances(q)).max() < 1e-12
    assert alone.min() < alone.max()


@pytest.mark.parametrize(
    ("name", "least"), [("lite6", 0.6), ("so101", 0.7), ("ur3e", 0.3), ("ur5e", 0.35), ("xarm6", 0.65)]
)
def test_most_random_postures_of_an_arm_are_free_and_no_two_of_its_links_always_overlap(
    name: str, least: float
) -> None:
    arm = load_arm(name)
    rng = np.random.default_rng(0)
    q = rng.uniform(np.maximum(arm.position_min, -np.pi), np.minimum(arm.position_max, np.pi), (2000, arm.size))
    clearances = World(arm, Obstacles(boxes=carriage(arm))).clearances(q)
    assert least < np.mean(clearances > 0.0) < 0.95
    assert clearances.max() > 0.01


@pytest.mark.parametrize(("name", "away"), [("lite6", -1.0), ("xarm6", 1.0)])
def test_the_upper_arm_lies_on_the_side_its_maker_draws(name: str, away: float) -> None:
    """Link 2's published centre of mass lies to +y of an arm at its zero; frame 2 of the Lite 6 looks to -y there."""
    arm = load_arm(name)
    frame = link_frames(arm, np.zeros(arm.size))[2]
    assert frame[1, 2] == pytest.approx(away)
    first = next(c for c in arm.arm.capsules if c.link == 2)
    for end in (first.start, first.end):
        assert (frame @ [*end, 1.0])[1] - arm.rail.base[1] > 0.08


@pytest.mark.parametrize("name", arm_names())
def test_links_that_a_joint_joins_are_not_held_against_each_other(name: str) -> None:
    arm = load_arm(name)
    world = World(arm, Obstacles())
    assert all(world._link[j] - world._link[i] > 1 for i, j, *_ in world._pairs.selves)
