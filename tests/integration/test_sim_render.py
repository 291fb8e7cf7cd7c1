"""Rendered training pictures: labels agree with pixels, and are written as the data sets are."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from sim.render import LabelledPicture, pictures, save
from sim.scene import SceneSettings

SETTINGS = SceneSettings(length=0.6, berries=12, leaf_occlusion=0.1)


@pytest.fixture(scope="module")
def drawn() -> list[LabelledPicture]:
    return list(pictures(SETTINGS, 5, 6))


def test_boxes_hold_their_polygons_and_ripe_ones_are_red_inside(drawn: list[LabelledPicture]) -> None:
    labels = [(p, b) for p in drawn for b in p.berries]
    assert len(labels) >= 12
    for picture, b in labels:
        outline = np.array(b.polygon)
        assert outline[:, 0].min() >= b.box[0]
        assert outline[:, 1].max() <= b.box[3]
        mask = np.zeros(picture.color.shape[:2], dtype=np.uint8)
        cv2.fillPoly(mask, [outline.astype(np.int32)], 1)
        mask = cv2.erode(mask, np.ones((5, 5), dtype=np.uint8))
        if mask.sum() < 150:
            continue
        red, green, _ = picture.color[mask > 0].astype(float).mean(axis=0)
        if b.ripeness > 0.85:
            assert red > 1.6 * green
        if b.stage == "green":
            assert green > 0.9 * red


def test_peduncle_points_lie_above_their_berry(drawn: list[LabelledPicture]) -> None:
    seen = [b for p in drawn for b in p.berries if b.peduncle is not None]
    assert seen
    for b in seen:
        assert b.peduncle is not None
        assert b.peduncle[1] < b.box[1] + 0.4 * (b.box[3] - b.box[1])


def test_the_same_seed_draws_the_same_picture() -> None:
    one, two = (next(pictures(SETTINGS, 5, 1)) for _ in range(2))
    assert np.array_equal(one.color, two.color)


def test_saved_labels_are_yolo_with_the_ripe_class_first(drawn: list[LabelledPicture], tmp_path: Path) -> None:
    picture = max(drawn, key=lambda p: len(p.berries))
    save(picture, tmp_path, "a")
    rows = [line.split() for line in (tmp_path / "labels" / "a.txt").read_text().splitlines()]
    assert len(rows) == len(picture.berries)
    for row, b in zip(rows, picture.berries, strict=True):
        assert int(row[0]) == (0 if b.ripeness >= 0.5 else 1)
        assert all(0.0 <= float(v) <= 1.0 for v in row[1:])
        assert float(row[1]) * 640 == pytest.approx((b.box[0] + b.box[2]) / 2, abs=0.01)
    assert cv2.imread(str(tmp_path / "images" / "a.jpg")).shape == (480, 640, 3)
    assert json.loads((tmp_path / "truth" / "a.json").read_text())[0]["ripeness"] == picture.berries[0].ripeness
