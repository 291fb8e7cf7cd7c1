"""The baseline finds drawn berries of every ripeness, splits those that touch, and leaves leaves alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vision.detect import BaselineDetector
from vision.detect.peduncle import axis_of
from vision.detect.regions import split_regions
from vision.report import SHOWN_FROM
from vision.types import Stage

RED, GREEN, WHITE = (190, 26, 24), (150, 180, 88), (224, 219, 176)


@pytest.fixture(scope="module")
def detector():
    return BaselineDetector()


def scene():
    """Return leaves before a grey gutter, 640x480 RGB."""
    rng = np.random.default_rng(5)
    picture = np.full((480, 640, 3), (170, 172, 170), np.uint8)
    for _ in range(70):
        centre = (int(rng.integers(640)), int(rng.integers(300)))
        axes = (int(rng.integers(20, 50)), int(rng.integers(14, 34)))
        green = np.array([62, 112, 44]) * rng.uniform(0.6, 1.2)
        cv2.ellipse(picture, centre, axes, float(rng.uniform(0, 180)), 0, 360, [int(v) for v in green], -1)
    noise = cv2.GaussianBlur(rng.normal(size=picture.shape), (0, 0), 1.0) * 8
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def draw_berry(picture, centre, colour, size=(22, 29), tip=None):
    """Draw a shaded berry with seeds, calyx and stem; `tip` colours the lower half."""
    x, y = centre
    w, h = size
    yy, xx = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]]
    q = ((xx - x) / w) ** 2 + ((yy - y) / h) ** 2
    shade = 0.55 + 0.45 * np.sqrt(np.clip(1 - q, 0, 1))
    skin = np.where(((yy > y) & (tip is not None))[..., None], tip or colour, colour)
    seeds = ((xx + 3 * (yy // 6)) % 7 == 0) & (yy % 6 == 0)
    body = skin * shade[..., None] * np.where(seeds, 0.75, 1.0)[..., None]
    picture[q < 1] = np.clip(body, 0, 255).astype(np.uint8)[q < 1]
    cv2.ellipse(picture, (x, y - h), (int(0.8 * w), 4), 0, 0, 360, (92, 140, 56), -1)
    cv2.line(picture, (x, y - h), (x + 3, y - h - 45), (135, 163, 84), 3)


def found(detector, picture):
    return [d for d in detector.detect(picture) if d.score >= SHOWN_FROM]


@pytest.mark.parametrize(
    ("colour", "stages"), [(RED, {Stage.RIPE}), (GREEN, {Stage.GREEN, Stage.WHITE}), (WHITE, {Stage.WHITE})]
)
def test_a_berry_before_leaves_and_gutter_is_the_best_thing_found_and_has_its_stage(detector, colour, stages):
    picture = scene()
    draw_berry(picture, (320, 340), colour)
    berry, *others = detector.detect(picture)
    assert all(other.score < 0.6 * berry.score for other in others)
    assert berry.stage in stages
    assert berry.box == pytest.approx((298, 311, 342, 369), abs=12)
    assert berry.polygon is not None
    assert cv2.contourArea(berry.polygon.astype(np.float32)) == pytest.approx(np.pi * 22 * 29, rel=0.25)


def test_the_peduncle_point_lies_on_the_stem_above_the_calyx(detector):
    picture = scene()
    draw_berry(picture, (320, 380), RED)
    x, y = found(detector, picture)[0].peduncle
    assert 318 <= x <= 326
    assert 380 - 29 - 35 < y < 380 - 29 - 8


def test_a_half_red_berry_is_turning(detector):
    picture = scene()
    draw_berry(picture, (320, 380), WHITE, tip=RED)
    best = max(found(detector, picture), key=lambda d: d.box[3] - d.box[1])
    assert best.stage is Stage.TURNING
    assert best.ripeness == pytest.approx(0.5, abs=0.15)


def test_leaves_and_gutter_alone_give_no_berry(detector):
    assert found(detector, scene()) == []


def test_two_touching_red_berries_are_two(detector):
    picture = scene()
    draw_berry(picture, (300, 380), RED)
    draw_berry(picture, (340, 384), RED)
    centres = sorted((d.box[0] + d.box[2]) / 2 for d in found(detector, picture))
    assert centres == pytest.approx([300, 340], abs=8)


def test_boxes_are_in_pixels_of_the_original_whatever_its_size(detector):
    picture = scene()
    draw_berry(picture, (320, 340), RED, size=(30, 40))
    large = cv2.resize(picture, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    small_box, large_box = found(detector, picture)[0].box, found(detector, large)[0].box
    assert np.array(large_box) / 3 == pytest.approx(small_box, abs=4)


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 400, 3), (17, 5, 3), (480, 640, 3)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_picture_of_any_size_and_one_colour_has_no_berry(detector, shape, level):
    assert detector.detect(np.full(shape, level, np.uint8)) == []


@pytest.mark.parametrize("seed", range(3))
def test_noise_never_breaks_the_contract(detector, seed):
    rng = np.random.default_rng(seed)
    picture = cv2.resize(rng.integers(0, 255, (30, 40, 3), dtype=np.uint8), (320, 240))
    for d in detector.detect(picture):
        x0, y0, x1, y1 = d.box
        assert 0 <= x0 < x1 <= 320
        assert 0 <= y0 < y1 <= 240
        assert 0 <= d.score <= 1
        assert 0 <= d.ripeness <= 1
        assert 0 < d.visible <= 1


@pytest.mark.parametrize("picture", [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3)), np.zeros((0, 8, 3), np.uint8)])
def test_what_is_not_rgb_of_eight_bits_is_refused(detector, picture):
    with pytest.raises(ValueError, match="expected an RGB picture"):
        detector.detect(picture)


def test_the_same_picture_gives_the_same_berries(detector):
    picture = scene()
    draw_berry(picture, (320, 340), RED)
    first, second = detector.detect(picture), BaselineDetector().detect(picture)
    assert [d.box for d in first] == [d.box for d in second]


def discs(*circles):
    mask = np.zeros((120, 200), np.uint8)
    for x, y, r in circles:
        cv2.circle(mask, (x, y), r, 1, -1)
    return mask


def test_a_neck_splits_and_a_waistless_union_does_not():
    necked = split_regions(discs((60, 60, 25), (105, 60, 25)), min_radius=4, max_area=1e6, neck=0.76)
    assert len(necked.radius) == 2
    assert necked.labels[60, 60] != necked.labels[60, 105]
    merged = split_regions(discs((60, 60, 25), (75, 60, 25)), min_radius=4, max_area=1e6, neck=0.76)
    assert len(merged.radius) == 1


def test_regions_never_cross_components_and_cover_their_component():
    mask = discs((50, 60, 20), (88, 60, 20), (150, 60, 15))
    regions = split_regions(mask, min_radius=4, max_area=1e6, neck=0.76)
    assert len(regions.radius) == 3
    count, component = cv2.connectedComponents(mask, connectivity=4)
    assert count == 3
    for number in range(1, 4):
        assert len(np.unique(component[regions.labels == number])) == 1
    assert ((regions.labels > 0) == (mask > 0)).mean() > 0.999


def test_the_axis_of_a_leaning_outline_points_up_its_long_side():
    t = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    turn = np.deg2rad(20)
    ellipse = np.stack([10 * np.cos(t), 20 * np.sin(t)], axis=1)
    outline = ellipse @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    _, axis, length = axis_of(outline)
    assert axis == pytest.approx([np.sin(turn), -np.cos(turn)], abs=0.02)
    assert length == pytest.approx(40, abs=0.5)
