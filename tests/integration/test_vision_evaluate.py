"""The bench reads labelled folders, counts a ripe-only set fairly, and measures time."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vision.bench import evaluate
from vision.train.baseline import fit_logistic
from vision.types import Detection, Stage


class Perfect:
    """Finds a ripe and an unripe berry where the test's labels say."""

    def detect(self, color):
        h, w = color.shape[:2]
        ripe = Detection(box=(0.1 * w, 0.1 * h, 0.3 * w, 0.3 * h), score=0.9, ripeness=0.9, stage=Stage.RIPE)
        unripe = Detection(box=(0.6 * w, 0.6 * h, 0.8 * w, 0.8 * h), score=0.8, ripeness=0.1, stage=Stage.TURNING)
        return [ripe, unripe]


def add(root, set_name, label):
    for kind in ("images", "labels"):
        (root / set_name / "val" / kind).mkdir(parents=True)
    cv2.imwrite(str(root / set_name / "val" / "images" / "a.png"), np.zeros((60, 80, 3), np.uint8))
    (root / set_name / "val" / "labels" / "a.txt").write_text(label)


def test_figures_are_per_set_and_unripe_is_not_wrong_where_it_is_not_labelled(tmp_path):
    add(tmp_path, "clusters", "0 0.2 0.2 0.2 0.2\n1 0.7 0.7 0.2 0.2\n1 0.1 0.9 0.1 0.1\n")
    add(tmp_path, "field_ripe_only", "0 0.2 0.2 0.2 0.2\n")
    figures = evaluate(tmp_path, Perfect())
    assert figures["ap50_ripe"] == 1.0
    assert figures["ap75_ripe"] == 1.0
    assert figures["ap50_unripe"] == 0.5
    assert figures["precision_unripe"] == 1.0
    assert figures["recall_unripe"] == 0.5
    assert figures["per_set"]["field_ripe_only"]["ap50_unripe"] is None
    assert 0 <= figures["frame_cpu_ms_p50"] <= figures["frame_cpu_ms_p99"]


def test_a_folder_without_labelled_pictures_and_a_broken_label_are_errors(tmp_path):
    with pytest.raises(ValueError, match="val/images"):
        evaluate(tmp_path, Perfect())
    add(tmp_path, "clusters", "0 0.2 zero\n")
    with pytest.raises(ValueError, match="class cx cy w h"):
        evaluate(tmp_path, Perfect())


def test_the_logistic_fit_recovers_known_weights():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(size=(20000, 2)), np.ones((20000, 1))], axis=1)
    truth = np.array([1.5, -0.7, 0.4])
    y = (rng.random(20000) < 1 / (1 + np.exp(-x @ truth))).astype(float)
    assert fit_logistic(x, y, np.ones(20000), ridge=0.01) == pytest.approx(truth, abs=0.08)
