"""A seeded crop holds berries of every stage and ripens by warmth."""

from __future__ import annotations

from collections import Counter

import pytest

from sim.crop import Crop, diameter_of


def test_full_bearing_crop_has_every_stage_and_one_to_three_ripe_berries_a_plant() -> None:
    stages = Counter(fruit.stage for fruit in Crop(plants=100, seed=1).fruit())
    assert set(stages) == {"flower", "green", "white", "turning", "ripe", "overripe"}
    assert 0.8 < stages["ripe"] / 100 < 3.0
    assert stages["green"] > stages["ripe"]


def test_same_seed_grows_the_same_berries() -> None:
    assert Crop(plants=10, seed=5).fruit() == Crop(plants=10, seed=5).fruit()
    assert Crop(plants=10, seed=5).fruit() != Crop(plants=10, seed=6).fruit()


def test_three_warm_days_redden_turning_berries_and_cold_ones_do_not() -> None:
    warm, cold = Crop(plants=20, seed=2), Crop(plants=20, seed=2)
    before = {fruit.id: fruit.redness for fruit in warm.fruit() if fruit.stage == "turning"}
    warm.advance(20.0, 3 * 86400.0)
    cold.advance(0.0, 3 * 86400.0)
    after = {fruit.id: fruit.redness for fruit in warm.fruit()}
    assert all(after[id_] > redness + 0.05 for id_, redness in before.items())
    assert {fruit.id: fruit.redness for fruit in cold.fruit() if fruit.id in before} == before


def test_ripe_berries_weigh_like_marketed_ones() -> None:
    ripe = sorted(fruit.mass for fruit in Crop(plants=200, seed=3).fruit() if fruit.stage == "ripe")
    assert 0.014 < ripe[len(ripe) // 2] < 0.022
    assert ripe[-1] < 0.1
    assert diameter_of(0.020) == pytest.approx(0.033, abs=0.001)


def test_picked_berry_is_gone_and_cannot_be_picked_twice() -> None:
    crop = Crop(plants=5, seed=1)
    berry = crop.fruit()[0].id
    crop.pick(berry)
    assert berry not in {fruit.id for fruit in crop.fruit()}
    with pytest.raises(ValueError, match="not on a plant"):
        crop.pick(berry)


def test_unpicked_berries_rot_away() -> None:
    crop = Crop(plants=5, seed=1)
    ripe = {fruit.id for fruit in crop.fruit() if fruit.stage == "ripe"}
    crop.advance(20.0, 15 * 86400.0)
    assert ripe.isdisjoint(fruit.id for fruit in crop.fruit())
