"""Candidate selection and picking order."""

from __future__ import annotations

import numpy as np
import pytest

from robot.pick.candidates import Window, blocks, clusters, order
from robot.pick.target import Target


def berry(id: int, x: float, y: float = 0.5, *, z: float = 1.0, ripeness: float = 0.95, stage: str = "ripe") -> Target:
    return Target(
        id=id,
        position=np.array([x, y, z]),
        diameter=0.028,
        length=0.036,
        axis=np.array([0.0, 0.0, 1.0]),
        ripeness=ripeness,
        stage=stage,
        seen_at=0.0,
    )


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        (berry(1, 0.1, ripeness=0.80), True),
        (berry(1, 0.1, ripeness=0.79), False),
        (berry(1, 0.1, ripeness=1.0), True),
        (berry(1, 0.5), False),
        (berry(1, -0.001), False),
    ],
)
def test_the_window_wants_ripe_berries_of_its_stretch_only(target: Target, wanted: bool) -> None:
    assert Window(ripeness_min=0.8, ripeness_max=1.0, start=0.0, end=0.5).wants(target) is wanted


def test_touching_berries_form_one_cluster_and_far_ones_do_not() -> None:
    groups = clusters([berry(1, 0.0), berry(2, 0.40), berry(3, 0.03), berry(4, 0.06)])
    assert sorted(sorted(t.id for t in g) for g in groups) == [[1, 3, 4], [2]]


def test_the_outer_and_lower_berry_of_a_cluster_goes_first() -> None:
    behind, outer, high = berry(1, 0.0, y=0.53), berry(2, 0.005, y=0.50), berry(3, 0.01, y=0.50, z=1.03)
    assert [t.id for t in order([behind, outer, high], np.array([0.0, 0.3, 1.0]))] == [2, 3, 1]


def test_clusters_are_visited_along_the_bed_from_the_nearer_end() -> None:
    targets = [berry(1, 0.0), berry(2, 0.2), berry(3, 0.4)]
    assert [t.id for t in order(targets, np.array([-0.1, 0.0, 1.0]))] == [1, 2, 3]
    assert [t.id for t in order(targets, np.array([0.45, 0.0, 1.0]))] == [3, 2, 1]


def test_an_unripe_berry_in_front_makes_a_candidate_wait() -> None:
    walled, free = berry(1, 0.0, y=0.50), berry(2, 0.045, y=0.505)
    green = berry(9, 0.0, y=0.46, ripeness=0.0, stage="green")
    assert blocks(green, walled)
    assert not blocks(green, free)
    assert [t.id for t in order([walled, free], np.array([-1.0, 0.0, 1.0]), [green])] == [2, 1]


def test_no_candidate_gives_no_order() -> None:
    assert order([], np.zeros(3)) == []


def test_mass_of_a_medium_berry_is_about_twelve_grams() -> None:
    assert berry(1, 0.0).mass() == pytest.approx(0.0109, abs=0.002)
