"""Rendered pictures for training: labels agree with the pixels, the same seed gives the same files."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from sim.dataset.generate import Rendered, RenderSettings, render
from sim.dataset.write import DEPTH_STEP, FOLDERS, write
from vision.camera.pinhole import project

SETTINGS = RenderSettings(width=320, height=240, views=3)


@pytest.fixture(scope="module")
def drawn() -> list[Rendered]:
    return list(render(SETTINGS, 5, 9))


def test_boxes_are_those_of_the_masks_and_hold_the_share_that_is_said_to_be_visible(drawn: list[Rendered]) -> None:
    fruit = [(p, f) for p in drawn for f in p.fruit]
    assert len(fruit) >= 20
    for p, f in fruit:
        rows, columns = np.nonzero(p.mask == f.id)
        assert f.box == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert f.whole[0] <= f.box[0] + 2
        assert f.whole[3] >= f.box[3] - 2
        whole_area = (f.whole[2] - f.whole[0]) * (f.whole[3] - f.whole[1])
        assert len(rows) / whole_area < f.visible + 0.1
    assert max(f.visible for _, f in fruit) > 0.85


def test_places_in_space_project_into_the_picture_where_the_fruit_is(drawn: list[Rendered]) -> None:
    for p in drawn:
        for f in (f for f in p.fruit if f.visible > 0.9):
            u, v = project([f.center], p.camera)[0]
            assert f.box[0] - 1 <= u <= f.box[2] + 1
            assert f.box[1] - 1 <= v <= f.box[3] + 1
            assert project([f.calyx, f.cut], p.camera) == pytest.approx(np.array([f.calyx_px, f.cut_px]), abs=1e-3)
            assert np.linalg.norm(np.subtract(f.cut, f.calyx)) == pytest.approx(0.010, abs=0.0005)


def test_the_fruit_s_surface_lies_half_its_width_before_its_centre(drawn: list[Rendered]) -> None:
    gaps = []
    for p in drawn:
        for f in (f for f in p.fruit if f.visible > 0.9):
            u, v = np.rint(project([f.center], p.camera)[0]).astype(int)
            if 0 <= u < 320 and 0 <= v < 240 and p.mask[v, u] == f.id:
                gaps.append((f.center[2] - float(p.depth[v, u])) / (f.diameter / 2))
    assert len(gaps) >= 5
    assert 0.75 < np.median(gaps) < 1.05  # half way down, the outline is a little narrower than at its widest


def test_measured_depth_is_the_true_one_with_millimetres_of_noise_and_gaps(drawn: list[Rendered]) -> None:
    error, gaps = [], []
    for p in drawn:
        near = (p.depth > 0.15) & (p.depth < 0.6) & (p.mask > 0)
        known = near & (p.measured > 0)
        gaps.append((near & ~known).sum() / max(1, near.sum()))
        error.append((p.measured - p.depth)[known])
    spread = np.median(np.abs(np.concatenate(error)))
    assert 0.0005 < spread < 0.004
    assert 0.01 < np.mean(gaps) < 0.5


def test_ripe_fruit_is_red_and_green_fruit_is_not(drawn: list[Rendered]) -> None:
    for p in drawn:
        for f in p.fruit:
            if (p.mask == f.id).sum() < 300 or f.visible < 0.8:
                continue
            lab = cv2.cvtColor(p.color, cv2.COLOR_RGB2LAB)[p.mask == f.id].astype(float)
            if f.ripeness > 0.9 and f.stage == "ripe":
                assert np.percentile(lab[:, 1], 75) > 140
            if f.stage == "green":
                assert np.median(lab[:, 1]) < 140


def test_a_picture_depends_on_seed_and_number_only(drawn: list[Rendered]) -> None:
    again = next(render(SETTINGS, 5, 1, first=4))
    assert np.array_equal(again.color, drawn[4].color)
    assert again.fruit == drawn[4].fruit
    assert not np.array_equal(drawn[3].color, drawn[4].color)


def test_files_hold_what_was_drawn(drawn: list[Rendered], tmp_path: Path) -> None:
    assert write(drawn[:2], tmp_path, seed=5) == 2
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["schema"] == "berrybrain.rendered/1"
    assert set(manifest["layout"]) == set(FOLDERS)
    name = manifest["pictures"][0]["name"]
    mask = cv2.imread(str(tmp_path / "masks" / f"{name}.png"), cv2.IMREAD_UNCHANGED)
    depth = cv2.imread(str(tmp_path / "depth_measured" / f"{name}.png"), cv2.IMREAD_UNCHANGED)
    assert mask is not None
    assert depth is not None
    assert np.array_equal(mask, drawn[0].mask)
    assert depth * DEPTH_STEP == pytest.approx(drawn[0].measured, abs=1e-4)
    truth = json.loads((tmp_path / "truth" / f"{name}.json").read_text())
    assert [f["id"] for f in truth["fruit"]] == [f.id for f in drawn[0].fruit]
    assert len((tmp_path / "labels" / f"{name}.txt").read_text().splitlines()) == len(drawn[0].fruit)
