"""A berry's class follows NY/T 1789-2009 where it can be seen, and is left open where it cannot."""

from __future__ import annotations

import numpy as np
import pytest

from vision.grade import Grade, deformity, grade_of, mass_relation, quality
from vision.types import Berry, Detection, Stage

ANGLE = np.linspace(0, 2 * np.pi, 60, endpoint=False)
ROUND = np.stack([100 + 30 * np.cos(ANGLE), 100 + 40 * np.sin(ANGLE)], axis=1)
NOTCH = 1 - 0.6 * np.exp(-8 * np.minimum(ANGLE, 2 * np.pi - ANGLE) ** 2)
CLEFT = np.stack([30 * np.cos(ANGLE) * NOTCH, 40 * np.sin(ANGLE)], axis=1)


def berry(ripeness=1.0, visible=1.0, outline=ROUND, flags=(), stage=Stage.RIPE):
    seen = Detection(
        box=(70, 60, 130, 140), score=0.9, ripeness=ripeness, stage=stage, polygon=outline, visible=visible
    )
    return Berry(
        detection=seen, position=np.zeros(3), covariance=np.eye(3), diameter=0.03, length=0.04,
        axis=np.array([0.0, -1, 0]), flags=flags,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("ripeness", "grade"),
    [(1.0, "extra"), (0.93, "first"), (0.90, "first"), (0.85, "second"), (0.80, "second"), (0.79, "below")],
)
def test_uncoloured_surface_decides_the_class(ripeness, grade):
    assert quality(berry(ripeness)).grade == grade


def test_a_deformed_or_overripe_berry_is_of_a_lower_class():
    assert deformity(ROUND) < 0.01
    assert deformity(CLEFT) > 0.05
    assert grade_of(1.0, 0.08, Stage.RIPE) == Grade.FIRST
    assert grade_of(1.0, 0.5, Stage.RIPE) == Grade.BELOW
    assert grade_of(1.0, 0.0, Stage.OVERRIPE) == Grade.BELOW


def test_what_is_not_seen_is_not_judged():
    for hidden in (berry(visible=0.5), berry(flags=("cut_off",))):
        found = quality(hidden)
        assert (found.grade, found.deformity) == (None, None)
        assert "hidden" in found.flags
    assert {"defects_unseen", "one_side"} <= set(quality(berry()).flags)


def test_mass_needs_the_farms_own_scale_and_a_measured_size():
    assert quality(berry()).mass is None
    rng = np.random.default_rng(0)
    d, n = rng.uniform(0.025, 0.04, 30), rng.uniform(0.03, 0.05, 30)
    relation, spread = mass_relation(d, n, 480 * d * d * n * rng.normal(1, 0.08, 30))
    assert relation == pytest.approx(480, rel=0.06)
    assert spread == pytest.approx(0.08, rel=0.4)
    assert quality(berry(), mass_per_box=relation).mass == pytest.approx(relation * 0.03**2 * 0.04)
    assert quality(berry(flags=("size_prior",)), mass_per_box=relation).mass is None
    with pytest.raises(ValueError, match="at least 10"):
        mass_relation(d[:3], n[:3], d[:3])
    with pytest.raises(ValueError, match="kilograms"):
        mass_relation(d, n, np.full(30, 18.0))
