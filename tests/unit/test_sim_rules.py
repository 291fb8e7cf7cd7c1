"""Rules of the simulated cell that need no physics: cut geometry, difficulty classes, scenarios."""

from __future__ import annotations

import numpy as np
import pytest

from sim.blade import _crossing
from sim.cell import CellSettings
from sim.scenarios import load_scenario, parse, scenarios
from sim.truth import difficulty


def test_blade_plane_crosses_the_stem_where_it_should() -> None:
    top, bottom = np.array([0.0, -0.10, 0.0]), np.array([0.0, -0.015, 0.0])
    crossing = _crossing(top, bottom, -0.021, 0.002)
    assert crossing is not None
    point, remaining = crossing
    assert point == pytest.approx([0.0, -0.021, 0.0])
    assert remaining == pytest.approx(0.006)


@pytest.mark.parametrize(("plane", "cut"), [(-0.0135, True), (-0.010, False), (-0.1015, True), (-0.110, False)])
def test_two_millimetres_beyond_the_stem_still_cut_and_more_does_not(plane: float, cut: bool) -> None:
    top, bottom = np.array([0.0, -0.10, 0.0]), np.array([0.0, -0.015, 0.0])
    assert (_crossing(top, bottom, plane, 0.002) is not None) == cut


@pytest.mark.parametrize(
    ("visible", "gap", "expected"),
    [
        (0.29, 0.10, "enclosed"),
        (0.30, 0.010, "cluster"),
        (0.95, 0.011, "partly_hidden"),
        (0.79, 0.10, "partly_hidden"),
        (0.80, 0.031, "isolated"),
    ],
)
def test_difficulty_classes_at_their_boundaries(visible: float, gap: float, expected: str) -> None:
    assert difficulty(visible, gap) == expected


def test_every_scenario_loads_and_an_unknown_one_lists_them() -> None:
    assert "bed" in scenarios()
    assert load_scenario("clusters").scene.cluster_rate == 0.8
    for name in scenarios():
        assert load_scenario(name).scene.berries > 0
    with pytest.raises(ValueError, match="bed"):
        load_scenario("beds")


def test_an_unknown_key_in_a_scenario_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"\[scene\].*cluster_rate.*'clusterrate'"):
        parse(CellSettings, {"scene": {"clusterrate": 0.1}}, where="x.toml")
