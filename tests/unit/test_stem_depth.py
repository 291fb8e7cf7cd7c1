"""A stem is placed along the line of sight by depths on it, or by those between it and what is behind."""

from __future__ import annotations

import numpy as np
import pytest

from vision.stem_depth import StemDepthSettings, stem_shifts
from vision.types import Intrinsics

CAMERA = Intrinsics(width=640, height=480, fx=433.0, fy=433.0, cx=319.5, cy=239.5)
CALYX = np.array([[0.0, 0.0, 0.3]])
EXPECTED_SD = 0.003


def shift(depth, direction=(0.0, -1.0, 0.0), lever=1.0):
    """Return shift and sd [mm] of a stem through the picture's middle; a long lever makes all of it shift alike."""
    found, sd = stem_shifts(
        CALYX,
        np.array([direction]),
        np.array([lever]),
        np.asarray(depth, np.float32),
        cut=0.010,
        expected_sd=EXPECTED_SD,
        thickness=0.0017,
        intrinsics=CAMERA,
        settings=StemDepthSettings(),
    )
    return 1e3 * float(found[0]), 1e3 * float(sd[0])


def around_the_stem(values):
    """Return a picture of a wall at 0.6 m with `values` [m] in the three columns that the stem is in, its front's."""
    depth = np.full((480, 640), 0.6)
    depth[180:240, 318:323] = values - 0.00085
    return depth


def flying(rng, *, nearest, farthest):
    """Return depths of a stem that stereo does not resolve: two in five missing, the rest anywhere behind it."""
    values = rng.uniform(nearest, farthest, (60, 5))
    return np.where(rng.random((60, 5)) < 0.4, 0.0, values + rng.normal(0.0, 0.0015, (60, 5)))


@pytest.mark.parametrize("off", [-0.005, 0.0, 0.004])
def test_a_stem_seen_as_a_surface_is_placed_on_it(off):
    rng = np.random.default_rng(3)
    moved, sd = shift(around_the_stem(0.3 + off + rng.normal(0.0, 0.0015, (60, 5))))
    assert moved == pytest.approx(1e3 * off, abs=0.8)
    assert sd < 1.0


def test_the_nearer_the_depths_of_an_unresolved_stem_begin_the_nearer_and_the_surer_it_is_placed():
    def mean(nearest):
        found = [
            shift(around_the_stem(flying(np.random.default_rng(i), nearest=nearest, farthest=0.34))) for i in range(20)
        ]
        return np.mean(found, axis=0)

    near, here, far = (mean(0.3 + off) for off in (-0.004, 0.0, 0.004))
    assert near[0] < here[0] - 1.0
    assert here[0] < far[0] - 0.6
    assert 1.0 < near[1] < far[1]


def test_depths_far_behind_say_only_that_the_stem_is_not_there():
    moved, sd = shift(around_the_stem(0.6))
    assert abs(moved) < 0.5
    assert sd > 0.7e3 * EXPECTED_SD


@pytest.mark.parametrize("none", [0.0, float("nan"), float("inf"), -1.0])
def test_without_depths_nothing_is_moved_and_nothing_is_made_surer(none):
    moved, sd = shift(np.full((480, 640), none))
    assert moved == pytest.approx(0.0, abs=1e-9)
    assert sd == pytest.approx(1e3 * EXPECTED_SD, rel=0.01)


def test_sepals_that_stand_in_front_of_the_stem_are_not_taken_for_it():
    depth = around_the_stem(0.3)
    low = slice(round(239.5 - 5e-3 * 433.0 / 0.3), 240)
    depth[low, 318:323] = 0.291
    moved, _ = shift(depth)
    assert moved == pytest.approx(0.0, abs=0.5)


def test_a_stem_that_leaves_the_picture_is_placed_by_what_is_in_it():
    depth = np.zeros((480, 640))
    moved, sd = shift(depth, direction=(0.0, 0.0, -1.0))
    assert np.isfinite(moved) and np.isfinite(sd)
    sides = stem_shifts(
        np.array([[-0.219, -0.16, 0.3]]),
        np.array([[-0.8, -0.6, 0.0]]),
        np.array([1.0]),
        np.full((480, 640), 0.3, np.float32),
        cut=0.010,
        expected_sd=EXPECTED_SD,
        thickness=0.0017,
        intrinsics=CAMERA,
        settings=StemDepthSettings(),
    )
    assert np.isfinite(sides).all()
