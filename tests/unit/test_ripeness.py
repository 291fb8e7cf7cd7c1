"""Ripeness is the share of the surface with its ripe colour, and stages have the documented boundaries."""

from __future__ import annotations

import numpy as np
import pytest

from vision.ripeness import ripeness_of, stage_of, to_lab
from vision.types import Stage

RED, GREEN, WHITE, GLARE = (190, 25, 35), (150, 185, 90), (225, 225, 190), (255, 255, 255)
MIDDLE = (60.0, 0.0, 20.0)


def lab(*colours):
    return to_lab(np.array([colours], np.uint8))[0]


def test_a_fruit_half_red_is_half_ripe():
    assert ripeness_of(lab(*[RED] * 50, *[WHITE] * 50)) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("colour", [RED, (230, 40, 30), (110, 10, 20), (200, 50, 70)])
def test_reds_of_many_exposures_are_ripe(colour):
    assert ripeness_of(lab(colour)) > 0.95


@pytest.mark.parametrize("colour", [GREEN, WHITE, (110, 150, 60), (215, 215, 150)])
def test_green_and_white_are_not_ripe(colour):
    assert ripeness_of(lab(colour)) < 0.05


def test_glare_says_nothing_about_ripeness():
    assert ripeness_of(lab(*[RED] * 60, *[GLARE] * 40)) > 0.95


def test_a_fruit_without_pixels_is_an_error():
    with pytest.raises(ValueError, match="at least one pixel"):
        ripeness_of(np.zeros((0, 3), np.float32))


@pytest.mark.parametrize(
    ("ripeness", "colour", "stage"),
    [
        (0.00, lab(GREEN)[0], Stage.GREEN),
        (0.00, lab(WHITE)[0], Stage.WHITE),
        (0.049, lab(WHITE)[0], Stage.WHITE),
        (0.05, MIDDLE, Stage.TURNING),
        (0.749, MIDDLE, Stage.TURNING),
        (0.75, MIDDLE, Stage.RIPE),
        (1.0, lab((40, 6, 8))[0], Stage.OVERRIPE),
    ],
)
def test_stage_boundaries_are_those_of_the_design(ripeness, colour, stage):
    assert stage_of(ripeness, colour) is stage
