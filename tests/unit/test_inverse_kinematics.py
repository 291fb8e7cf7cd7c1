"""Inverse kinematics of every arm: closed form, search, calibrated unit, five joints, and the rail."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from dashboard.cli import main
from robot.arms import ArmDescription, calibrated, load_arm
from robot.kinematics import forward, manipulability, solve
from robot.kinematics.bench import measure, reaches
from robot.kinematics.search import search, within_reach


@pytest.mark.parametrize("name", ["ur3e", "ur5e", "xarm6", "lite6", "so101"])
def test_every_pose_the_arm_can_take_is_found_from_a_cold_start(name: str) -> None:
    figures = measure(load_arm(name), 20, 7)
    assert figures["success"] == 1.0
    assert figures["exact"] == 1.0


@pytest.mark.parametrize("name", ["xarm6", "lite6"])
def test_an_arm_that_moves_on_keeps_its_way(name: str) -> None:
    arm = load_arm(name)
    q = np.array([0.5, 0.2, -0.4, -0.6 if name == "xarm6" else 1.2, 0.3, 0.7, 0.1])
    moved = q + 0.03
    moved[0] = q[0]
    assert np.abs(solve(arm, forward(arm, moved), q, rail=q[0])[0] - moved).max() < 1e-6


def test_the_rail_brings_a_far_pose_within_reach_of_an_arm_without_closed_form() -> None:
    arm = load_arm("xarm6")
    q = np.array([2.9, 0.2, -0.4, -0.6, 0.3, 0.7, 0.1])
    T, seed = forward(arm, q), np.array([0.0, 0.2, -0.4, -0.6, 0.3, 0.7, 0.1])
    assert solve(arm, T, seed, rail=0.0) == []
    found = solve(arm, T, seed)
    assert found
    assert all(reaches(arm, T, way) for way in found)


def test_five_joints_need_the_rail_for_a_pose_off_their_plane() -> None:
    arm = load_arm("so101")
    T = np.eye(4)
    T[:3, :3] = np.stack([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]], axis=1)  # level, towards the plants
    T[:3, 3] = [0.5, arm.rail.base[1] + 0.30, arm.rail.base[2] + 0.20]
    seed = np.array([0.2, 0.5, 0.0, 0.0, 0.0, 0.0])
    assert solve(arm, T, seed, rail=0.2) == []
    found = solve(arm, T, seed)
    assert found
    assert found[0][0] == pytest.approx(0.5, abs=0.02)  # straight before the pose: the tool looks along y
    assert reaches(arm, T, found[0])


def unit(arm: ArmDescription) -> ArmDescription:
    deltas = {
        "delta_theta": [0.0, 0.3, -0.3, 0.001, -0.0005, 0.0],
        "delta_a": [2e-5, 3e-4, -2e-4, 1e-5, 2e-5, 0.0],
        "delta_d": [1e-4, 4.0, -4.0, 2e-4, -1e-4, 1e-4],
        "delta_alpha": [-5e-4, 1e-5, -1e-5, 3e-4, -2e-4, 0.0],
    }
    return calibrated(arm, deltas, source="unit")


def test_a_calibrated_unit_is_reached_to_a_micrometre_from_the_nominal_closed_form() -> None:
    arm = unit(load_arm("ur3e"))
    rng = np.random.default_rng(3)
    seed = np.array([0.4, -1.5, -2.0, 1.5, 0.5, 1.5, 0.0])
    for _ in range(10):
        q = seed + np.concatenate([[0.0], rng.uniform(-0.5, 0.5, 6)])
        T = forward(arm, q)
        found = solve(arm, T, seed, rail=0.4)
        assert found
        assert min(np.abs(way - q).max() for way in found) < 1e-5
        assert all(reaches(arm, T, way) for way in found)


def test_what_is_farther_than_the_arm_is_long_is_refused_at_once() -> None:
    arm = load_arm("lite6")
    T = forward(arm, np.zeros(7))
    assert within_reach(arm, T, 0.0)
    T[1, 3] += 2.0
    assert not within_reach(arm, T, 0.0)
    assert search(arm, T, np.zeros(7)) == []


def test_search_stays_inside_narrow_limits() -> None:
    arm = load_arm("xarm6")
    narrow = replace(arm, arm=replace(arm.arm, position_min=np.full(6, -0.5), position_max=np.full(6, 0.19)))
    narrow = replace(
        narrow,
        position_min=np.concatenate([[-0.6], narrow.arm.position_min]),
        position_max=np.concatenate([[3.4], narrow.arm.position_max]),
    )
    q = np.array([0.0, 0.1, -0.4, 0.1, -0.3, -0.4, 0.1])
    for way in search(narrow, forward(narrow, q), np.zeros(7)):
        assert np.all(way >= narrow.position_min)
        assert np.all(way <= narrow.position_max)


def test_manipulability_vanishes_when_a_wrist_is_stretched() -> None:
    arm = load_arm("lite6")
    bent = np.array([0.0, 0.1, 0.2, 1.2, 0.3, 0.8, 0.0])
    straight = bent.copy()
    straight[5] = 0.0
    assert manipulability(arm, straight) < 1e-9
    assert manipulability(arm, bent) > 1e-4


def test_the_bench_reports_every_arm(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bench", "ik", "--json", "--poses", "10"])
    assert ended.value.code == 0
    arms = json.loads(capsys.readouterr().out)["arms"]
    assert sorted(arms) == ["lite6", "so101", "ur3e", "ur5e", "xarm6"]
    assert {name for name, figures in arms.items() if figures["method"] == "closed form"} == {"ur3e", "ur5e"}
    assert all(0.0 < figures["p50_ms"] <= figures["p99_ms"] for figures in arms.values())
