"""Views for training: what is labelled stays on its fruit through every change, and the same seed draws the same."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from vision.net.layout import PROTO_STRIDE, STRIDE
from vision.train import augment
from vision.train.augment import AugmentSettings, View, draw
from vision.train.cache import SIDE, Cache, Sample
from vision.train.fruit import fruit_of_box
from vision.train.paste import FruitBank
from vision.train.photometric import relit
from vision.train.targets import targets_of

SETTINGS = AugmentSettings(side=224)


def disc(x: float, y: float, radius: float, ripe: bool):
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    outline = np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=1).astype(np.float32)
    fruit = fruit_of_box(0 if ripe else 1, (x - radius, y - radius, x + radius, y + radius))
    return replace(fruit, outline=outline, ripeness=1.0 if ripe else 0.0)


@pytest.fixture(scope="module")
def cache():
    pixels = np.full((2, SIDE, SIDE, 3), (70, 110, 70), np.uint8)
    fruit = []
    for k, (red, ripe) in enumerate((((220, 20, 20), True), ((230, 230, 170), False))):
        found = []
        for x, y, radius in ((150, 200, 40), (430, 380, 60), (300, 90, 30)):
            cv2.circle(pixels[k], (x, y), radius, red, -1)
            found.append(disc(x, y, radius, ripe))
        fruit.append(found)
    samples = [
        Sample(name=f"s{k}", group=f"s{k}", index=k, size=(SIDE, SIDE), unripe_labelled=k == 1, fruit=fruit[k])
        for k in (0, 1)
    ]
    return Cache(blocks=(pixels,), samples=samples)


def views(cache, count, **changes):
    settings = replace(SETTINGS, **changes)
    for seed in range(count):
        rng = np.random.default_rng(seed)
        yield draw(cache, lambda r=rng: int(r.integers(2)), settings, rng)


def test_the_same_seed_draws_the_same_view(cache):
    first, second = (next(iter(views(cache, 1))) for _ in range(2))
    np.testing.assert_array_equal(first.picture, second.picture)
    np.testing.assert_array_equal(first.boxes, second.boxes)


def test_fruit_is_where_its_box_says_in_every_view(cache, monkeypatch):
    monkeypatch.setattr(augment, "relit", lambda picture, rng: picture)
    checked = 0
    for view in views(cache, 40, paste=0.0):
        for fruit, box in zip(view.fruit, view.boxes, strict=True):
            x, y = ((box[:2] + box[2:]) / 2).astype(int)
            red, green, blue = (int(v) for v in view.picture[y, x])
            if fruit.ripe:
                assert red > 180
                assert green < 60
            else:
                assert min(red, green, blue) > 140
            checked += 1
    assert checked > 40


def test_views_of_anywhere_show_less_fruit_than_views_of_fruit(cache):
    seen = {share: sum(len(v.boxes) for v in views(cache, 40, anywhere=share, mosaic=0.0)) for share in (0.0, 1.0)}
    assert seen[1.0] < 0.8 * seen[0.0]


def test_boxes_stay_inside_the_view_and_have_an_area(cache):
    for view in views(cache, 30):
        assert (view.boxes >= 0).all()
        assert (view.boxes <= SETTINGS.side).all()
        assert ((view.boxes[:, 2:] - view.boxes[:, :2]) >= 4).all()


def test_where_unripe_fruit_is_not_labelled_the_heat_does_not_count(cache):
    rng = np.random.default_rng(5)
    view = draw(cache, lambda: 0, replace(SETTINGS, mosaic=0.0), rng)
    targets = targets_of(view, rng)
    assert (targets.weight[1] == 0).all()
    assert (targets.weight[0] == 1).all()


def test_pasted_fruit_is_labelled_and_hides_what_it_covers(cache):
    bank = FruitBank(cache)
    assert len(bank) == 6
    rng = np.random.default_rng(2)
    picture = np.full((224, 224, 3), 90, np.uint8)
    below = disc(112, 112, 4, ripe=True)
    fruit, boxes = [below], [below.box]
    for _ in range(40):
        fruit, boxes = bank.paste(picture, fruit, boxes, rng)
    assert len(fruit) == len(boxes) > 5
    assert (picture != 90).any()
    assert all(f is not below for f in fruit)


def test_a_view_of_another_light_keeps_its_shape_and_changes():
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (64, 64, 3)).astype(np.uint8)
    for seed in range(25):
        lit = relit(picture, np.random.default_rng(seed))
        assert lit.shape == picture.shape
        assert lit.dtype == np.uint8
        assert (lit != picture).any()


def view_of(*fruit, side=160):
    boxes = np.array([f.box for f in fruit], np.float32).reshape(-1, 4)
    unknown = np.zeros((side, side), bool)
    return View(picture=np.zeros((side, side, 3), np.uint8), fruit=list(fruit), boxes=boxes, unripe_unknown=unknown)


def test_heat_peaks_in_the_cell_of_each_centre_in_the_channel_of_its_class():
    targets = targets_of(view_of(disc(44, 60, 12, True), disc(100, 100, 20, False)), np.random.default_rng(0))
    assert targets.heat[0, 60 // STRIDE, 44 // STRIDE] == 1.0
    assert targets.heat[1, 100 // STRIDE, 100 // STRIDE] == 1.0
    assert (targets.heat[0] == 1).sum() == (targets.heat[1] == 1).sum() == 1


def test_every_fruit_is_answered_for_and_its_shares_add_up():
    fruit = [disc(40, 60, 12, True), disc(48, 62, 12, False), disc(120, 120, 30, True)]
    targets = targets_of(view_of(*fruit), np.random.default_rng(0))
    for i in range(3):
        assert targets.share[targets.cells[:, 1] == i].sum() == pytest.approx(1.0)


def test_masks_have_the_area_of_their_outlines():
    targets = targets_of(view_of(disc(80, 80, 40, True)), np.random.default_rng(0))
    assert targets.masks.shape == (1, 160 // PROTO_STRIDE, 160 // PROTO_STRIDE)
    assert targets.masks.sum() * PROTO_STRIDE**2 == pytest.approx(np.pi * 40**2, rel=0.1)


def test_a_view_without_fruit_has_targets_too():
    targets = targets_of(view_of(), np.random.default_rng(0))
    assert targets.heat.max() == 0
    assert targets.cells.shape == (0, 2)
    assert targets.values.shape == (0, 6)
