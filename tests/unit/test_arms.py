"""The arm's file is read strictly and its geometry is frozen."""

import copy
import tomllib
from importlib import resources
from typing import Any

import numpy as np
import pytest

from robot.arms import load_arm, parse_arm


@pytest.fixture
def raw() -> dict[str, Any]:
    return tomllib.loads((resources.files("robot.arms") / "ur3e.toml").read_text(encoding="utf-8"))


def change(raw: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    changed = copy.deepcopy(raw)
    *tables, key = path.split(".")
    table = changed
    for name in tables:
        table = table[name]
    table[key] = value
    return changed


def test_ur3e_has_the_rail_first_and_published_dh() -> None:
    arm = load_arm("ur3e")
    assert arm.joint_names[0] == "rail_joint"
    assert len(arm.joint_names) == 7
    assert arm.arm.d[0] == 0.15185
    assert arm.velocity.tolist() == [0.6, 3.14, 3.14, 3.14, 6.28, 6.28, 6.28]


def test_arrays_of_an_arm_cannot_be_written() -> None:
    arm = load_arm("ur3e")
    for array in (arm.velocity, arm.position_max, arm.tool.T_flange_tool, arm.safety.workspace_max, arm.arm.d):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 99.0


def test_an_unknown_arm_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"expected an arm out of .*ur3e.*got 'ur33'"):
        load_arm("ur33")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("rail.velocty", 1.0, "did you mean 'velocity'"),
        ("rail.velocity", -1.0, "number > 0"),
        ("rail.velocity", float("nan"), "finite"),
        ("rail.position", [1.0, 0.0], "low < high"),
        ("arm.d", [1.0, 2.0], "6 finite numbers"),
        ("arm.joints", ["a", "a", "b", "c", "d", "e"], "names that differ"),
        ("arm.position_min", [9.0] * 6, "below position_max"),
        ("tool.force_limit", 99.0, "at most force_max"),
        ("tool.mass", 2.951, "at most 2.950 kg"),
        ("camera.width", 0, "integer > 0"),
        ("camera.mount", 3, "a table"),
        ("safety.workspace_min", [9.0, 9.0, 9.0], "below workspace_max"),
        ("safety.tracking_error", [0.1] * 6, "7 finite numbers"),
        ("arm.capsules", [], "array of tables"),
        ("name", "", "a text"),
        ("arm.velocity", [180.0] * 6, r"at most 15 rad/s, got \[180.*unit"),
        ("arm.position_max", [360.0] * 6, "at most 12.5664 rad"),
        ("arm.alpha", [90.0, 0.0, 0.0, 90.0, -90.0, 0.0], "at most 6.28319 rad"),
        ("arm.a", [0.0, -243.55, -213.2, 0.0, 0.0, 0.0], "at most 3 m"),
        ("rail.position", [-600.0, 3400.0], "at most 100 m"),
        ("rail.velocity", 600.0, "at most 3 m/s"),
        ("tool.opening", [0.0, 62.0], "at most 0.5 m"),
        ("tool.force_max", 8000.0, "at most 50 N"),
        ("safety.tool_speed_auto", 0.51, "at most 0.5 m/s"),
        ("safety.tool_speed_manual", 0.26, "at most 0.25 m/s"),
        ("safety.tool_speed_auto", float("inf"), "finite"),
        ("safety.command_age", 50.0, "at most 0.05 s"),
        ("safety.command_age", 0.0, "number > 0"),
        ("safety.heartbeat_age", 500.0, "at most 1 s"),
        ("safety.tracking_error", [30.0] * 7, "at most 0.3 m, rad"),
        ("safety.workspace_max", [3900.0, 800.0, 1450.0], "at most 100 m"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(
    raw: dict[str, Any], path: str, value: object, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        parse_arm(change(raw, path, value), source="x.toml")


def test_a_missing_key_is_named(raw: dict[str, Any]) -> None:
    del raw["tool"]["pad"]
    with pytest.raises(ValueError, match=r"x.toml.tool: missing key 'pad'"):
        parse_arm(raw, source="x.toml")


def test_a_capsule_on_a_link_that_does_not_exist_is_refused(raw: dict[str, Any]) -> None:
    raw["arm"]["capsules"][0]["link"] = 8
    with pytest.raises(ValueError, match=r"a link 0\.\.7"):
        parse_arm(raw, source="x.toml")


def test_camera_looks_forward_and_down_to_the_pads() -> None:
    camera = load_arm("ur3e").camera
    forward = camera.T_tool_camera[:3, 2]
    assert forward[2] > 0.9
    assert forward[1] > 0.2  # tool y is down when level
    assert camera.focal == pytest.approx(240.0 / np.tan(np.radians(29.0)))
