"""The bed that grows from a seed: numbers, places, ripeness and shapes, without physics."""

from __future__ import annotations

import numpy as np
import pytest

from sim.scene.outline import fill, profile, skin_share
from sim.scene.plants import grow
from sim.scene.settings import SceneSettings, StageShares
from sim.scene.textures import fruit_skin, ripe_share


def test_the_same_seed_grows_the_same_bed_and_another_seed_another() -> None:
    a, b, c = (grow(SceneSettings(), seed) for seed in (4, 4, 5))
    assert [tuple(x.center) for x in a.berries] == [tuple(x.center) for x in b.berries]
    assert [tuple(x.center) for x in a.berries] != [tuple(x.center) for x in c.berries]


@pytest.mark.parametrize("seed", range(5))
def test_fruit_hangs_in_front_of_the_gutter_and_below_its_truss(seed: int) -> None:
    settings = SceneSettings()
    bed = grow(settings, seed)
    assert len(bed.berries) == settings.berries
    for b in bed.berries:
        assert b.center[1] + b.half_width < settings.edge_y
        assert b.anchor[2] == pytest.approx(b.center[2] + b.half_length + b.stem_length)
        assert 0.015 < b.stem_length < 0.30
        assert 0.005 < b.mass < 0.030
        assert b.segment == int((b.center[0] - settings.origin) // settings.segment_length)


@pytest.mark.parametrize("seed", range(5))
def test_no_two_berries_start_inside_each_other(seed: int) -> None:
    berries = grow(SceneSettings(cluster_rate=0.8), seed).berries
    for i, a in enumerate(berries):
        for b in berries[i + 1 :]:
            scale = np.array([a.half_width + b.half_width] * 2 + [a.half_length + b.half_length])
            assert np.linalg.norm((a.center - b.center) / scale) > 0.93, (a.id, b.id)


def test_shares_of_the_stages_are_kept_to_the_berry() -> None:
    shares = StageShares(green=0.25, white=0.25, turning=0.25, ripe=0.25)
    stages = [b.stage for b in grow(SceneSettings(berries=40, shares=shares), 1).berries]
    assert {stage: stages.count(stage) for stage in set(stages)} == {
        "green": 10,
        "white": 10,
        "turning": 10,
        "ripe": 10,
    }
    with pytest.raises(ValueError, match="add up to 1"):
        StageShares(ripe=0.9)


def test_clusters_follow_the_setting() -> None:
    alone = grow(SceneSettings(cluster_rate=0.0), 2)
    crowded = grow(SceneSettings(cluster_rate=0.8), 2)
    assert len(alone.trusses) == len(alone.berries)
    assert len(crowded.trusses) < 0.6 * len(crowded.berries)


@pytest.mark.parametrize("ripeness", [0.0, 0.1, 0.35, 0.6, 0.85, 1.0])
def test_the_painted_skin_is_red_over_the_stated_share(ripeness: float) -> None:
    from dataclasses import replace

    spec = replace(grow(SceneSettings(), 1).berries[0], ripeness=ripeness, maturity=1.0)
    skin = fruit_skin(spec, np.random.default_rng(0))
    assert ripe_share(skin) == pytest.approx(ripeness, abs=0.05)


def test_turning_fruit_is_red_at_the_tip_and_pale_at_the_shoulder() -> None:
    from dataclasses import replace

    spec = replace(grow(SceneSettings(), 1).berries[0], ripeness=0.4, maturity=1.0)
    skin = fruit_skin(spec, np.random.default_rng(0)).astype(float)
    redness = (skin[..., 0] - skin[..., 1]).mean(axis=1)
    assert redness[-8:].mean() > 90.0
    assert redness[:8].mean() < 30.0


def test_outline_is_a_blunt_cone_widest_near_the_calyx() -> None:
    t = np.linspace(0.0, 1.0, 101)
    r = profile(t)
    assert r[0] == pytest.approx(0.0, abs=1e-9)
    assert r[-1] == pytest.approx(0.0, abs=1e-6)
    assert 0.3 < t[int(np.argmax(r))] < 0.45
    assert r.max() == pytest.approx(1.0, abs=1e-3)
    assert 0.75 < fill() < 1.05
    assert skin_share(np.array([0.0]))[0] == pytest.approx(1.0, abs=0.01)
    assert np.all(np.diff(skin_share(t)) < 0.0)
