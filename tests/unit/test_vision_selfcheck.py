"""A camera that freezes, is dark, overexposed, blurred or blind in depth is named by its fault key."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vision.camera.selfcheck import SelfcheckState, check, picture_faults
from vision.types import Frame, Intrinsics

CAMERA = Intrinsics(width=320, height=240, fx=300.0, fy=300.0, cx=159.5, cy=119.5)


def scene(seed=0):
    rng = np.random.default_rng(seed)
    picture = np.full((240, 320, 3), 90, np.uint8)
    for _ in range(60):
        centre = (int(rng.integers(320)), int(rng.integers(240)))
        cv2.circle(picture, centre, int(rng.integers(6, 30)), [int(v) for v in rng.integers(20, 230, 3)], -1)
    return np.clip(picture + rng.normal(size=picture.shape) * 3, 0, 255).astype(np.uint8)


def frame(color, depth=None):
    return Frame(stamp=0.0, color=color, intrinsics=CAMERA, depth=depth)


def faults(color, depth=None):
    return check(frame(color, depth), SelfcheckState())[0]


def test_a_sharp_picture_of_a_scene_is_good():
    assert faults(scene()) == ()
    assert faults(scene(), np.full((240, 320), 0.4, np.float32)) == ()


def test_a_picture_that_does_not_change_is_frozen_from_the_second_time_and_recovers():
    state, still = SelfcheckState(), scene()
    found = []
    for _ in range(3):
        keys, state = check(frame(still), state)
        found.append("camera_frozen" in keys)
    assert found == [False, True, True]
    assert "camera_frozen" not in check(frame(scene(1)), state)[0]


def test_a_dark_picture_is_dark_and_nothing_else():
    assert faults((scene() * 0.06).astype(np.uint8)) == ("camera_dark",)


def test_an_overexposed_picture_is_bright():
    assert faults(np.clip(scene().astype(int) * 6 + 60, 0, 255).astype(np.uint8)) == ("camera_bright",)


def test_fog_and_defocus_are_blurred():
    assert faults(cv2.GaussianBlur(scene(), (0, 0), 8.0)) == ("camera_blurred",)


def test_a_depth_picture_of_holes_is_missing():
    assert faults(scene(), np.zeros((240, 320), np.float32)) == ("depth_missing",)


def test_dew_over_the_whole_lens_or_a_film_of_dirt_is_blurred_and_a_speck_is_not():
    dew = cv2.addWeighted(cv2.GaussianBlur(scene(), (0, 0), 6.0), 0.5, np.full((240, 320, 3), 190, np.uint8), 0.5, 0)
    film = np.clip(scene().astype(float) * 0.25 + 150, 0, 255).astype(np.uint8)
    assert faults(dew) == faults(film) == ("camera_blurred",)
    speck = scene()
    cv2.circle(speck, (160, 120), 12, (60, 50, 40), -1)
    assert faults(speck) == ()


def test_one_picture_alone_is_judged_by_what_it_shows():
    assert picture_faults(scene()) == ()
    assert picture_faults(np.zeros((480, 640, 3), np.uint8)) == ("camera_dark",)
    assert picture_faults(np.full((480, 640, 3), 255, np.uint8)) == ("camera_bright",)
    assert picture_faults(cv2.GaussianBlur(scene(), (0, 0), 8.0)) == ("camera_blurred",)
    plain = np.clip(np.random.default_rng(0).normal(90.0, 6.0, (480, 640, 3)), 0, 255).astype(np.uint8)
    assert picture_faults(plain) == ()
    assert picture_faults(np.zeros((1, 1, 3), np.uint8)) == ("camera_dark", "picture_small")


@pytest.mark.parametrize("shape", [(1, 320), (240, 1), (8, 240), (31, 320)])
def test_a_picture_too_small_or_too_narrow_to_show_fruit_is_said_to_be_so(shape):
    assert "picture_small" in picture_faults(scene()[: shape[0], : shape[1]])
    assert picture_faults(scene()[:40, :48]) == ()
