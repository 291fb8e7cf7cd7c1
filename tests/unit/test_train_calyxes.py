"""Calyxes labelled by hand: they land on their fruit, in its turned and mirrored versions too, and nowhere else."""

from __future__ import annotations

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from vision.train.cache import SIDE, Cache, Sample
from vision.train.calyxes import CalyxLabel, load_labels, with_labels
from vision.train.fruit import Fruit, fruit_of_box

BOX = (260.0, 200.0, 360.0, 340.0)
CALYX = np.array([310.0, 205.0])
TURN = np.vstack([cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), 160, 1.0), [0.0, 0.0, 1.0]])


def texture(seed: int) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 255, (100, 100, 3)).astype(np.uint8)
    return cv2.GaussianBlur(cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), (0, 0), 1.5)


def sample(name: str, group: str, index: int, fruit: list[Fruit]) -> Sample:
    return Sample(name=name, group=group, index=index, size=(SIDE, SIDE), unripe_labelled=True, fruit=fruit)


@pytest.fixture(scope="module")
def cache() -> Cache:
    photo = texture(1)
    pixels = np.stack([photo, cv2.warpAffine(photo, TURN[:2], (SIDE, SIDE)), texture(2)])
    fruit = fruit_of_box(0, BOX)
    beside = fruit_of_box(1, (20.0, 20.0, 90.0, 110.0))
    samples = [
        sample("a_1", "a", 0, [beside, fruit]),
        sample("a_2", "a", 1, [fruit.moved(TURN[:2])]),
        sample("a_3", "a", 2, [fruit]),
    ]
    return Cache(blocks=(pixels,), samples=samples)


@pytest.fixture(scope="module")
def alone(cache) -> Cache:
    return replace(cache, samples=cache.samples[:1])


@pytest.fixture(scope="module")
def found(cache) -> Cache:
    return with_labels(cache, [label()])


def label(calyx: np.ndarray = CALYX, box: tuple[float, ...] = BOX) -> CalyxLabel:
    x0, y0, x1, y1 = (v / SIDE for v in box)
    return CalyxLabel(picture="a_1", box=(x0, y0, x1, y1), calyx=(calyx[0] / SIDE, calyx[1] / SIDE))


def test_a_calyx_lands_on_its_fruit_and_the_cutting_point_lies_beyond_it(found):
    beside, fruit = found.samples[0].fruit
    assert beside.calyx is None
    np.testing.assert_allclose(fruit.calyx, CALYX, atol=1e-3)
    assert fruit.peduncle[1] < CALYX[1]
    assert abs(fruit.peduncle[0] - CALYX[0]) < 1e-3


def test_turned_versions_get_it_where_the_turn_carries_it(found):
    (fruit,) = found.samples[1].fruit
    np.testing.assert_allclose(fruit.calyx, (TURN @ [*CALYX, 1.0])[:2], atol=2.0)


def test_a_picture_that_does_not_match_gets_nothing(found):
    (fruit,) = found.samples[2].fruit
    assert fruit.calyx is None


def test_a_label_without_a_fruit_of_its_own_is_left_out(alone):
    found = with_labels(alone, [label(box=(500.0, 500.0, 620.0, 620.0))])
    assert all(f.calyx is None for s in found.samples for f in s.fruit)


def test_a_calyx_that_faces_the_camera_says_nothing_about_the_stem(alone):
    middle = np.array([310.0, 272.0])
    fruit = with_labels(alone, [label(calyx=middle)]).samples[0].fruit[1]
    np.testing.assert_allclose(fruit.calyx, middle, atol=1e-3)
    assert fruit.peduncle is None


def test_a_calyx_far_outside_its_fruit_is_not_believed(alone):
    fruit = with_labels(alone, [label(calyx=np.array([310.0, 20.0]))]).samples[0].fruit[1]
    assert fruit.calyx is None


def test_the_kept_labels_are_shares_of_pictures_and_name_train_pictures_once_per_fruit():
    labels = load_labels()
    assert len(labels) == 200
    assert all(0.0 <= v <= 1.0 for k in labels for v in (*k.box, *k.calyx))
    assert len({(k.picture, k.box) for k in labels}) == len(labels)


def test_labels_of_another_schema_are_refused(tmp_path):
    path = tmp_path / "labels.json"
    path.write_text(json.dumps({"schema": "other/2", "labels": []}), encoding="utf-8")
    with pytest.raises(ValueError, match="other/2"):
        load_labels(path)


def test_what_was_known_before_stays(alone):
    known = [replace(s, fruit=[replace(f, ripeness=0.25) for f in s.fruit]) for s in alone.samples]
    found = with_labels(replace(alone, samples=known), [label()])
    assert [f.ripeness for s in found.samples for f in s.fruit] == [0.25] * 2
