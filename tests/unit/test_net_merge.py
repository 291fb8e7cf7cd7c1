"""Looks at one picture in several sizes become one list of berries."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vision.net.decode import Found
from vision.net.layout import PROTOTYPES
from vision.net.merge import MergeSettings, merged, rescaled

FULL, HALF = np.array([1.0, 1.0]), np.array([0.5, 0.5])
SETTINGS = MergeSettings()


def found(*berries):
    """Return berries given as (box, score) or (box, score, ripeness)."""
    n = len(berries)
    boxes = np.array([b[0] for b in berries], np.float32).reshape(-1, 4)
    one = np.full(n, 0.1, np.float32)
    return Found(
        boxes=boxes,
        scores=np.array([b[1] for b in berries], np.float32),
        box_spread=one,
        ripeness=np.array([b[2] if len(b) > 2 else 0.9 for b in berries], np.float32),
        ripeness_spread=one,
        calyx=boxes[:, :2].copy(),
        peduncle=boxes[:, :2] - 4,
        stem=np.tile(np.array([0, -1], np.float32), (n, 1)),
        stem_spread=one,
        visible=one,
        weights=np.zeros((n, PROTOTYPES + 1), np.float32),
    )


def test_a_berry_in_both_looks_is_one_and_its_box_lies_between():
    both = merged([found(((100, 100, 140, 160), 0.8)), found(((51, 51, 71, 81), 0.6))], [FULL, HALF], SETTINGS)
    assert len(both.found.scores) == 1
    assert 100 < both.found.boxes[0, 0] < 102
    assert both.found.scores[0] == pytest.approx(0.7, abs=0.01)
    assert (both.look[0], both.own[0]) == (0, 0)


def test_a_small_berry_that_only_the_large_look_can_see_keeps_its_score():
    alone = merged([found(((100, 100, 112, 112), 0.8)), found()], [FULL, HALF], SETTINGS)
    assert alone.found.scores[0] == pytest.approx(0.8, abs=0.04)


def test_a_berry_that_one_look_should_have_seen_and_did_not_loses_score():
    doubted = merged([found(((100, 100, 140, 160), 0.8)), found()], [FULL, HALF], SETTINGS)
    assert doubted.found.scores[0] == pytest.approx(0.4, abs=0.01)


def test_ripe_fruit_before_unripe_is_two_berries_only_where_that_is_asked_for():
    first = [found(((100, 100, 140, 160), 0.8)), found()]
    second = [found(((100, 110, 140, 170), 0.7, 0.1)), found()]  # an overlap of 0.71
    looks = [found(((100, 100, 140, 160), 0.8), ((100, 110, 140, 170), 0.7, 0.1)), found()]
    apart = replace(SETTINGS, same_other=0.8)
    assert len(merged(looks, [FULL, HALF], SETTINGS).found.scores) == 1
    both = merged(looks, [FULL, HALF], apart).found
    assert [r >= 0.5 for r in both.ripeness] == [True, False]
    for alone, number in ((first, 0), (second, 1)):  # neither changes the other's box or score
        only = merged(alone, [FULL, HALF], apart).found
        np.testing.assert_array_equal(only.boxes[0], both.boxes[number])
        assert only.scores[0] == both.scores[number]


def test_two_of_a_class_are_one_berry_where_the_other_class_is_told_apart():
    looks = [found(((100, 100, 140, 160), 0.8), ((100, 110, 140, 170), 0.7)), found()]
    assert len(merged(looks, [FULL, HALF], replace(SETTINGS, same_other=0.8)).found.scores) == 1


def test_the_same_box_of_both_classes_is_one_berry_of_the_surer_class():
    looks = [found(((100, 100, 140, 160), 0.8), ((100, 101, 140, 161), 0.7, 0.1)), found()]
    one = merged(looks, [FULL, HALF], replace(SETTINGS, same_other=0.8)).found
    assert [r >= 0.5 for r in one.ripeness] == [True]


def test_a_large_berry_is_believed_of_the_small_look():
    large = [found(((0, 0, 150, 380), 0.5)), found(((0, 0, 150, 150), 0.9))]
    both = merged(large, [FULL, HALF], SETTINGS)
    assert both.look[0] == 1
    np.testing.assert_allclose(both.found.boxes[0], [0, 0, 300, 300], atol=1)
    assert both.found.scores[0] > 0.5


def test_values_come_from_the_look_that_is_believed_in_pixels_of_the_picture():
    small = found(((40, 40, 60, 60), 0.9, 0.2))
    both = merged([found(), small], [FULL, HALF], SETTINGS)
    assert (both.look[0], both.own[0]) == (1, 0)
    assert both.found.ripeness[0] == pytest.approx(0.2)
    np.testing.assert_allclose(both.found.calyx[0], [80.5, 80.5])
    np.testing.assert_allclose(both.found.peduncle[0], [72.5, 72.5])
    assert both.found.stem_spread[0] == pytest.approx(0.2)


def test_points_and_ripeness_are_averaged_over_looks_that_saw_the_same_berry():
    first = found(((100, 100, 140, 160), 0.8, 0.9))
    # A spread of 0.05 there is 0.1 in pixels of the picture, as the first's.
    second = replace(found(((50, 50, 70, 80), 0.8, 0.7)), stem_spread=np.array([0.05], np.float32))
    second.calyx[0] = 60.0, 50.0
    both = merged([first, second], [FULL, HALF], SETTINGS).found
    assert both.calyx[0, 0] == pytest.approx((100 + 120.5) / 2, abs=1.0)
    assert both.ripeness[0] == pytest.approx(0.8, abs=0.02)
    np.testing.assert_allclose(np.linalg.norm(both.stem, axis=1), 1.0, rtol=1e-5)


def test_a_look_that_took_a_ripe_berry_for_an_unripe_one_does_not_change_its_class():
    looks = [found(((100, 100, 140, 160), 0.9, 0.6)), found(((50, 50, 70, 80), 0.3, 0.05))]
    assert merged(looks, [FULL, HALF], SETTINGS).found.ripeness[0] == pytest.approx(0.6)


@pytest.mark.parametrize("looks", [1, 2])
def test_achenes_on_a_large_berry_are_doubted_and_a_berry_beside_it_is_not(looks):
    berries = found(((0, 0, 200, 200), 0.9), ((80, 80, 100, 100), 0.6), ((190, 0, 210, 20), 0.6))
    told = merged([berries, found()][:looks], [FULL, HALF][:looks], SETTINGS).found
    scores = {tuple(box): score for box, score in zip(told.boxes.round().tolist(), told.scores, strict=True)}
    assert scores[80, 80, 100, 100] == pytest.approx(0.3 * scores[190, 0, 210, 20], rel=0.01)
    assert list(told.scores) == sorted(told.scores, reverse=True)


def test_a_berry_in_front_of_a_somewhat_larger_one_keeps_its_score():
    told = merged([found(((0, 0, 100, 100), 0.9), ((20, 20, 80, 80), 0.6))], [FULL], SETTINGS).found
    assert told.scores.tolist() == pytest.approx([0.9, 0.6])


def test_looks_without_berries_make_an_empty_list():
    both = merged([found(), found()], [FULL, HALF], SETTINGS)
    assert len(both.found.scores) == 0
    assert both.found.boxes.shape == (0, 4)


def test_the_list_is_sorted_by_score():
    berries = [((60.0 * k, 0.0, 60.0 * k + 30, 40.0), s) for k, s in enumerate((0.3, 0.9, 0.5))]
    both = merged([found(*berries)], [FULL], SETTINGS)
    assert list(both.found.scores) == sorted(both.found.scores, reverse=True)
    assert list(both.own) == [1, 2, 0]


def test_one_look_at_full_size_changes_nothing_but_the_order():
    one = found(((100, 100, 140, 160), 0.8))
    told = rescaled(one, FULL)
    np.testing.assert_allclose(told.boxes, one.boxes)
    np.testing.assert_allclose(told.peduncle, one.peduncle)
