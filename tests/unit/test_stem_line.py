"""The line of a stem is found beside where it is expected, and nothing is moved where there is none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vision.stem_line import LineSettings, stem_lines

AT, WAY, SCALE, DISTANCE = np.array([[100.0, 120.0]]), np.array([[0.0, -1.0]]), np.array([1000.0]), np.array([0.43])


def found(picture, depth=None):
    unsure = np.array([0.002])
    offset, slope = stem_lines(
        picture, depth, AT, WAY, SCALE, distance=DISTANCE, offset_sd=unsure, settings=LineSettings()
    )
    return float(offset[0]), float(slope[0])


def plain():
    return np.full((160, 200, 3), (90, 110, 80), np.uint8)


def with_line(x0, x1, colour=(110, 150, 90), picture=None):
    picture = plain() if picture is None else picture
    scaled = [(round(16 * x), round(16 * y)) for x, y in ((x0, 122), (x1, 92))]
    cv2.line(picture, scaled[0], scaled[1], colour, 2, cv2.LINE_AA, 4)
    return cv2.GaussianBlur(picture, (0, 0), 0.6)


@pytest.mark.parametrize("colour", [(110, 150, 90), (60, 80, 50), (140, 120, 70)])
def test_a_stem_beside_its_expected_place_is_found_whether_lighter_darker_or_of_another_colour(colour):
    offset, slope = found(with_line(104.0, 104.0, colour))
    assert offset == pytest.approx(0.004, abs=0.001)
    assert slope == pytest.approx(0.0, abs=0.06)


def test_a_slanting_stem_gives_its_slope_to_the_right():
    offset, slope = found(with_line(98.0, 98.0 + 30 * np.tan(np.radians(16))))
    assert slope == pytest.approx(np.tan(np.radians(16)), abs=0.08)
    assert offset == pytest.approx(-0.0014, abs=0.001)


def test_where_nothing_is_seen_nothing_is_moved():
    assert found(plain()) == pytest.approx((0.0, 0.0), abs=1e-9)


def test_an_edge_is_not_taken_for_a_stem():
    picture = plain()
    picture[:, 104:] = (110, 150, 90)
    assert abs(found(cv2.GaussianBlur(picture, (0, 0), 0.6))[0]) < 0.0025


def test_of_two_equal_lines_the_one_at_the_stem_s_distance_is_taken():
    picture = with_line(104.0, 104.0, picture=with_line(96.0, 96.0))
    assert found(picture)[0] > -0.003
    depth = np.full(picture.shape[:2], 0.8, np.float32)
    depth[:, 95:98] = 0.431
    assert found(picture, depth)[0] == pytest.approx(-0.004, abs=0.001)
