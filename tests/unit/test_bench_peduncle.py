"""Peduncle points on real pictures are scored against labels that were made by hand; what is missed has failed."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from vision.bench_peduncle import PeduncleLabel, load_labels, measure_peduncles
from vision.types import Detection, Stage


class Told:
    """A detector that gives what it is told."""

    def __init__(self, found: list[Detection]) -> None:
        self._found = found

    def detect(self, color: npt.NDArray[np.uint8]) -> list[Detection]:
        assert color.shape == (100, 100, 3)
        return self._found


def one(calyx: tuple[float, float] | None, box: tuple[float, float, float, float] = (20, 20, 60, 80)) -> Detection:
    return Detection(box=box, score=0.9, ripeness=1.0, stage=Stage.RIPE, calyx=calyx)


@pytest.mark.parametrize(
    ("found", "share"),
    [
        ([one((43.0, 22.0))], 1.0),
        ([one((43.0, 30.0))], 0.0),
        ([one(None)], 0.0),
        ([one((43.0, 22.0), box=(60, 60, 90, 90))], 0.0),
        ([], 0.0),
    ],
)
def test_a_point_is_right_within_a_tenth_of_the_length_and_a_missed_berry_is_not(
    found: list[Detection], share: float, tmp_path: Path
) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((100, 100, 3), np.uint8))
    labels = [PeduncleLabel(picture="a.png", box=(20, 20, 60, 80), calyx=(40.0, 20.0), seen=True)]
    assert measure_peduncles(tmp_path, Told(found), labels)["peduncle_pck"] == share


def test_without_the_pictures_there_is_no_figure(tmp_path: Path) -> None:
    figures = measure_peduncles(tmp_path, Told([]))
    assert figures["peduncle_pck"] is None
    assert figures["peduncles"]["labelled"] == 0


def test_the_labels_are_enough_and_lie_in_or_near_their_boxes() -> None:
    labels = load_labels()
    assert len(labels) >= 150
    for label in labels:
        x0, y0, x1, y1 = label.box
        reach = 0.3 * max(x1 - x0, y1 - y0)
        assert x0 - reach <= label.calyx[0] <= x1 + reach
        assert y0 - reach <= label.calyx[1] <= y1 + reach
