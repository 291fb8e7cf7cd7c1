"""The JSON line and the annotated picture carry what the detector found."""

from __future__ import annotations

import json

import numpy as np

from vision.report import PictureResult, annotate, to_json_line
from vision.types import Detection, Stage

BERRY = Detection(
    box=(10.04, 12.0, 40.0, 50.0),
    score=0.91234,
    ripeness=0.875,
    stage=Stage.RIPE,
    polygon=np.array([[10.0, 12.0], [40.0, 12.0], [25.0, 50.0]]),
    peduncle=(25.0, 4.0),
)
BARE = Detection(box=(60.0, 10.0, 80.0, 30.0), score=0.2, ripeness=0.0, stage=Stage.GREEN)


def test_the_line_has_exactly_the_contract_s_keys():
    line = to_json_line(PictureResult(image="a/ü b.jpg", width=100, height=80, berries=(BERRY, BARE)))
    assert "\n" not in line
    record = json.loads(line)
    assert list(record) == ["image", "width", "height", "berries"]
    assert record["image"] == "a/ü b.jpg"
    assert list(record["berries"][0]) == ["box", "score", "ripeness", "stage", "polygon", "peduncle"]
    assert record["berries"][0]["box"] == [10.0, 12.0, 40.0, 50.0]
    assert record["berries"][0]["stage"] == "ripe"
    assert record["berries"][0]["polygon"][2] == [25.0, 50.0]
    assert record["berries"][1]["polygon"] is None
    assert record["berries"][1]["peduncle"] is None


def test_what_is_wrong_with_a_picture_stands_behind_the_contract_s_keys():
    line = to_json_line(PictureResult(image="a.jpg", width=8, height=8, berries=(), faults=("camera_dark",)))
    assert list(json.loads(line)) == ["image", "width", "height", "berries", "faults"]
    assert json.loads(line)["faults"] == ["camera_dark"]


def test_classes_are_told_only_when_asked_for_and_not_of_fruit_without_outline():
    line = to_json_line(PictureResult(image="a.jpg", width=100, height=80, berries=(BERRY, BARE)), grades=True)
    assert [b["grade"] for b in json.loads(line)["berries"]] == ["second", None]


def test_a_file_name_that_is_no_unicode_still_gives_json():
    assert json.loads(to_json_line(PictureResult(image="\udcff.jpg", width=1, height=1, berries=())))["berries"] == []


def test_only_berries_the_detector_is_sure_of_are_drawn_and_the_original_stays():
    picture = np.full((80, 100, 3), 128, np.uint8)
    drawn = annotate(picture, [BERRY, BARE])
    assert (picture == 128).all()
    assert (drawn[10:52, 8:42] != 128).any()
    assert (drawn[5:35, 58:84] == 128).all()
