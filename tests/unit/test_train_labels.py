"""Labels for training: boxes as they were before turning, fruit carried through maps, which way is up."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from vision.ripeness import ripeness_in_common_light, to_lab
from vision.train.fruit import Fruit, fruit_of_box
from vision.train.groups import affine_between, tight_halves, upright
from vision.train.outline import outline_of
from vision.train.rendered import rendered_pictures
from vision.train.upright import upright_of, with_calyx


def rotation(degrees: float):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s], [s, c]])


def test_boxes_before_turning_are_found_from_the_turned_ones():
    rng = np.random.default_rng(0)
    sides = rng.uniform([15, 20], [30, 50], (12, 2))
    first = upright(np.radians(14.0), 0.06, -0.03)
    turns = [rotation(a) @ first for a in (0.0, -25.0, 8.0, 90.0, 17.0)]
    halves = np.stack([sides @ np.abs(t).T for t in turns])
    maps = [t @ np.linalg.inv(turns[0]) for t in turns]
    found, tight, error = tight_halves(maps, halves, np.ones(halves.shape[:2], bool))
    assert error < 0.3
    np.testing.assert_allclose(np.sort(tight, axis=1), np.sort(sides, axis=1), atol=0.8)
    assert (tight.prod(axis=1) < 0.75 * halves[0].prod(axis=1)).all()
    assert abs(abs(np.linalg.det(found)) - 1.0) < 0.05


def test_versions_of_one_photograph_are_mapped_mirrored_or_not():
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 255, (60, 60)).astype(np.uint8)
    photo = cv2.GaussianBlur(cv2.resize(coarse, (360, 360), interpolation=cv2.INTER_CUBIC), (0, 0), 1.5)
    turn = cv2.getRotationMatrix2D((180, 180), 20, 1.0)
    turned = cv2.warpAffine(photo, turn, (360, 360))
    for other, expected in ((turned, turn), (turned[:, ::-1], np.diag([-1.0, 1.0]) @ turn + [[0, 0, 359], [0, 0, 0]])):
        found = affine_between(photo, np.ascontiguousarray(other))
        assert found is not None
        np.testing.assert_allclose(found[:, :2], np.asarray(expected)[:, :2], atol=0.02)
        np.testing.assert_allclose(found[:, 2], np.asarray(expected)[:, 2], atol=2.0)


def test_pictures_that_have_nothing_in_common_are_not_mapped():
    rng = np.random.default_rng(0)
    a, b = (cv2.resize(rng.integers(0, 255, (40, 40)).astype(np.uint8), (240, 240)) for _ in range(2))
    assert affine_between(a, b) is None


def test_a_turned_fruit_has_the_box_of_its_ellipse_not_of_its_box():
    fruit = fruit_of_box(0, (10, 10, 30, 70))
    turned = fruit.moved(np.hstack([rotation(45.0), [[100.0], [50.0]]]))
    half = (turned.box[2:] - turned.box[:2]) / 2
    np.testing.assert_allclose(half, np.sqrt(0.5 * (10**2 + 30**2)) * np.ones(2), rtol=1e-5)
    np.testing.assert_allclose((turned.box[:2] + turned.box[2:]) / 2, rotation(45.0) @ [20, 40] + [100, 50], rtol=1e-5)


def test_points_of_a_fruit_move_with_it():
    points = np.array([[0, 0], [4, 0], [4, 8]], np.float32)
    fruit = Fruit(
        ripe=True,
        centre=np.array([2, 4], np.float32),
        axes=np.eye(2, dtype=np.float32),
        outline=points,
        calyx=points[0],
        peduncle=points[1],
    )
    moved = fruit.moved(np.array([[2.0, 0, 1], [0, 2.0, -1]]))
    np.testing.assert_allclose(moved.outline, points * 2 + [1, -1])
    np.testing.assert_allclose(moved.calyx, [1, -1])
    np.testing.assert_allclose(moved.peduncle, [9, -1])


def test_grabcut_finds_the_outline_of_a_red_ellipse_on_green():
    rng = np.random.default_rng(1)
    picture = np.full((160, 160, 3), (60, 120, 50), np.uint8)
    cv2.ellipse(picture, (80, 84), (24, 36), 0, 0, 360, (190, 30, 30), -1)
    noisy = np.clip(picture + rng.normal(0, 8, picture.shape), 0, 255).astype(np.uint8)
    outline = outline_of(noisy, np.array([80.0, 82.0]), np.diag([28.0, 41.0]), [])
    assert outline is not None
    np.testing.assert_allclose(np.ptp(outline, axis=0), [48, 72], atol=5)


def test_an_outline_of_nothing_is_not_believed():
    rng = np.random.default_rng(1)
    picture = rng.integers(0, 255, (160, 160, 3)).astype(np.uint8)
    picture[:, 80:] = picture[:, :80] // 8
    outline = outline_of(picture, np.array([80.0, 80.0]), np.diag([30.0, 40.0]), [])
    assert outline is None or np.ptp(outline, axis=0).max() < 110


def test_a_hanging_fruit_has_its_calyx_on_top_also_in_a_turned_picture():
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    outline = np.stack([100 + 20 * np.cos(angle), 100 + 32 * np.sin(angle)], axis=1).astype(np.float32)
    fruit = Fruit(ripe=True, centre=np.array([100, 100], np.float32), axes=np.eye(2, dtype=np.float32), outline=outline)
    up = with_calyx(fruit, np.eye(2))
    np.testing.assert_allclose(up.calyx, [100, 68], atol=1)
    assert up.peduncle[1] < 55
    sideways = fruit.moved(np.hstack([rotation(90.0), np.zeros((2, 1))]))
    told = with_calyx(sideways, rotation(-90.0))
    np.testing.assert_allclose(told.calyx, rotation(90.0) @ [100, 68], atol=1)


def test_a_round_fruit_says_nothing_about_its_calyx():
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    outline = np.stack([20 * np.cos(angle), 21 * np.sin(angle)], axis=1).astype(np.float32)
    fruit = Fruit(ripe=True, centre=np.zeros(2, np.float32), axes=np.eye(2, dtype=np.float32), outline=outline)
    assert with_calyx(fruit, np.eye(2)).calyx is None


def test_upright_undoes_the_turn_and_keeps_sizes():
    turn = rotation(13.0) * 1.2
    back = upright_of("clusters_0005", turn)
    assert back is not None
    np.testing.assert_allclose(back @ turn / 1.2, np.eye(2), atol=1e-9)
    assert upright_of("some_other_set", turn) is None


def test_ripeness_is_judged_in_the_light_in_which_ripe_fruit_is_ripe():
    ripe, green = np.full((9, 9, 3), (170, 28, 30), np.uint8), np.full((9, 9, 3), (120, 160, 70), np.uint8)
    plain = ripeness_in_common_light([to_lab(c).reshape(-1, 3) for c in (ripe, green)], [True, False])
    shifted = np.stack([ripe, green])[..., [0, 2, 1]].astype(np.float32) * 0.6 + [40, 0, 60]
    odd = [to_lab(c.astype(np.uint8)).reshape(-1, 3) for c in shifted]
    moved = ripeness_in_common_light(odd, [True, False])
    assert plain[0] > 0.95
    assert plain[1] < 0.05
    assert moved[0] > 0.9


def test_the_label_has_the_last_word_on_ripeness():
    red = to_lab(np.full((5, 5, 3), (170, 28, 30), np.uint8)).reshape(-1, 3)
    grey = to_lab(np.full((5, 5, 3), (120, 120, 120), np.uint8)).reshape(-1, 3)
    assert ripeness_in_common_light([red, red, grey], [True, False, True])[1:] == [0.5, 0.5]
    assert np.isnan(ripeness_in_common_light([red[:0]], [False])[0])


def rendered(folder, schema="berrybrain.rendered/1"):
    for name in ("images", "masks", "truth"):
        (folder / name).mkdir()
    ids = np.zeros((120, 160), np.uint16)
    cv2.ellipse(ids, (80, 70), (20, 28), 0, 0, 360, 3, -1)
    ids[35:45, 76:84] = 3  # sepals above the calyx
    cv2.imwrite(str(folder / "masks" / "r1_0000_00000.png"), ids)
    cv2.imwrite(str(folder / "images" / "r1_0000_00000.jpg"), np.full((120, 160, 3), 90, np.uint8))
    fruit = {
        "id": 3,
        "box": [60, 35, 100, 98],
        "ripeness": 0.2,
        "visible": 0.9,
        "calyx_px": [80, 43],
        "cut_px": [80, 25],
        "stem_px": [0, -1],
        "calyx_visible": True,
        "cut_visible": True,
    }
    truth = {"schema": schema, "fruit": [fruit, {**fruit, "visible": 0.01}]}
    (folder / "truth" / "r1_0000_00000.json").write_text(json.dumps(truth), encoding="utf-8")


def test_rendered_fruit_is_read_without_its_sepals_and_hidden_fruit_is_left_out(tmp_path):
    rendered(tmp_path)
    ((name, group, color, fruit),) = rendered_pictures(tmp_path)
    assert (name, group, color.shape) == ("r1_0000_00000", "rendered_r1_0000", (120, 160, 3))
    (only,) = fruit
    assert not only.ripe
    assert only.ripeness == 0.2
    assert only.box[1] >= 42
    np.testing.assert_allclose(only.peduncle, [80, 25])


def test_rendered_pictures_of_another_schema_are_refused(tmp_path):
    rendered(tmp_path, schema="berrybrain.rendered/9")
    with pytest.raises(ValueError, match=r"rendered/9.*rendered/1"):
        list(rendered_pictures(tmp_path))
    with pytest.raises(ValueError, match="sim render"):
        list(rendered_pictures(tmp_path / "nothing"))
