"""The network's outputs become berries as the layout says, checked on outputs written by hand."""

from __future__ import annotations

import numpy as np
import pytest

from vision.net.decode import DecodeSettings, decode
from vision.net.layout import CHANNELS, PROTOTYPES, SPANS, STRIDE
from vision.net.masks import outlines_of

SETTINGS = DecodeSettings()


def quiet(h: int = 12, w: int = 16):
    head = np.zeros((CHANNELS, h, w), np.float32)
    head[SPANS["heat"].slice] = -9.0
    return head


def put(head, x: int, y: int, *, kind: int = 0, logit: float = 2.0, reach=(2.0, 1.0, 2.0, 3.0)):
    head[SPANS["heat"].start + kind, y, x] = logit
    head[SPANS["box"].slice, y, x] = np.log(reach)


def test_spans_fill_the_channels_without_gap_or_overlap():
    covered = [c for s in SPANS.values() for c in range(s.start, s.stop)]
    assert covered == list(range(CHANNELS))


def test_a_quiet_head_has_no_berries():
    found = decode(quiet(), SETTINGS)
    assert len(found.scores) == 0
    assert found.boxes.shape == (0, 4)


def test_a_peak_becomes_the_box_around_its_cell():
    head = quiet()
    put(head, 5, 4)
    found = decode(head, SETTINGS)
    centre = np.array([5.5, 4.5])
    expected = np.concatenate([centre - np.array([2, 1]), centre + np.array([2, 3])]) * STRIDE
    np.testing.assert_allclose(found.boxes[0], expected, rtol=1e-5)
    assert found.scores[0] == pytest.approx(1 / (1 + np.exp(-2.0)), rel=1e-5)


def test_ripeness_stays_on_the_side_of_its_class():
    head = quiet()
    put(head, 3, 3, kind=0, logit=3.0)
    put(head, 12, 8, kind=1, logit=2.0)
    head[SPANS["ripeness"].start, 3, 3] = -5.0  # says unripe where the heat says ripe
    head[SPANS["ripeness"].start, 8, 12] = 5.0
    found = decode(head, SETTINGS)
    assert found.ripeness[0] == pytest.approx(0.5)
    assert 0.49 < found.ripeness[1] < 0.5


def test_of_two_boxes_on_one_berry_the_better_stays_and_neighbours_both_stay():
    head = quiet()
    put(head, 5, 5, logit=2.0, reach=(3, 3, 3, 3))
    put(head, 7, 5, logit=1.0, reach=(4.5, 3, 1.5, 3))
    put(head, 14, 5, logit=1.5, reach=(2, 2, 2, 2))
    found = decode(head, SETTINGS)
    assert len(found.scores) == 2
    assert list(found.scores) == sorted(found.scores, reverse=True)


def test_a_cell_beside_a_peak_is_no_berry_of_its_own():
    head = quiet()
    put(head, 5, 5, logit=2.0, reach=(0.6, 0.6, 0.6, 0.6))
    put(head, 6, 5, logit=1.9, reach=(0.6, 0.6, 0.6, 0.6))
    assert len(decode(head, SETTINGS).scores) == 1


def test_at_most_so_many_as_the_settings_say():
    head = quiet(40, 40)
    for y in range(1, 39, 3):
        for x in range(1, 39, 3):
            put(head, x, y, reach=(0.8, 0.8, 0.8, 0.8), logit=1.0 + 0.01 * x + 0.001 * y)
    assert len(decode(head, DecodeSettings(most=20)).scores) == 20


def test_calyx_and_peduncle_are_told_in_sizes_of_the_box():
    head = quiet()
    put(head, 5, 4, reach=(2, 2, 2, 4))  # 4 x 6 cells
    head[SPANS["calyx"].slice, 4, 5] = (0.0, -0.5)
    head[SPANS["peduncle"].slice, 4, 5] = (0.25, -0.75)
    head[SPANS["stem"].slice, 4, 5] = (0.0, -7.0)
    found = decode(head, SETTINGS)
    centre = np.array([5.5, 4.5]) * STRIDE
    np.testing.assert_allclose(found.calyx[0], centre + np.array([0, -0.5 * 6 * STRIDE]))
    np.testing.assert_allclose(found.peduncle[0], centre + np.array([0.25 * 4, -0.75 * 6]) * STRIDE)
    np.testing.assert_allclose(found.stem[0], [0, -1])


def test_wild_numbers_do_not_break_decoding():
    head = quiet()
    put(head, 5, 4)
    head[SPANS["box"].slice, 4, 5] = (90, -90, 90, 90)
    head[SPANS["stem_spread"].start, 4, 5] = 500.0
    found = decode(head, SETTINGS)
    assert np.isfinite(found.boxes).all()
    assert np.isfinite(found.stem_spread).all()


BOX = (30.0, 30.0, 70.0, 90.0)
FULL, LAST = np.ones(2), np.array([159.0, 119.0])


def raised(scale=FULL, *, boxes=(BOX,)):
    """Outlines where the first prototype is positive 40..80 px down and 32..64 px across."""
    proto = np.full((PROTOTYPES, 30, 40), -1.0, np.float32)
    proto[0, 10:20, 8:16] = 1.0
    weights = np.zeros((len(boxes), PROTOTYPES + 1), np.float32)
    weights[:, 0] = 5.0
    return outlines_of(proto, weights, np.array(boxes, np.float32), scale, LAST)


def test_an_outline_follows_the_prototype_inside_its_box():
    (outline,) = raised()
    assert outline is not None
    low, high = outline.min(axis=0), outline.max(axis=0)
    np.testing.assert_allclose(low, [32, 40], atol=2.1)
    np.testing.assert_allclose(high, [63, 79], atol=2.1)
    assert (outline >= [30, 30]).all()
    assert (outline <= [70, 90]).all()


def test_an_outline_is_told_in_pixels_of_the_picture():
    (small,), (large,) = raised(), raised(np.array([0.5, 0.25]))
    assert small is not None
    assert large is not None
    np.testing.assert_allclose(large, np.minimum((small + 0.5) * (2.0, 4.0) - 0.5, LAST))


def test_each_berry_has_its_own_outline_and_one_with_an_empty_mask_none():
    alone = raised()[0]
    first, none, last, outside = raised(boxes=(BOX, (100.0, 8.0, 140.0, 28.0), BOX, (300.0, 300.0, 320.0, 320.0)))
    assert none is None
    assert outside is None
    np.testing.assert_array_equal(first, alone)
    np.testing.assert_array_equal(last, alone)


def test_the_bias_is_added_to_the_mask():
    proto = np.ones((PROTOTYPES, 30, 40), np.float32)
    weights = np.ones((2, PROTOTYPES + 1), np.float32)
    weights[:, -1] = (-PROTOTYPES + 0.5, -PROTOTYPES - 0.5)
    shown, empty = outlines_of(proto, weights, np.array([BOX, BOX], np.float32), FULL, LAST)
    assert shown is not None
    assert empty is None
