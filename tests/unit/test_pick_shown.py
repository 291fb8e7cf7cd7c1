"""What pictures have shown of the crop: which views of the survey are spared, and which ghosts are no neighbours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import pick_fakes as fakes
from robot.arms import load_arm
from robot.pick.body import Sighting
from robot.pick.crop import RowCrop
from robot.pick.grasp import LEVEL
from robot.pick.result import PickResult
from robot.pick.room import waits_for_room, work_left
from robot.pick.shown import Coverage, in_view
from robot.pick.tree import finished

CAMERA = load_arm("ur3e").camera
FRONT, HEIGHTS = 0.55, (0.83, 1.02)


def eye(x: float, y: float = 0.25, z: float = 0.93) -> Any:
    """Return a camera that looks level at the plants; its axes are the level tool's."""
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = LEVEL, [x, y, z]
    return pose


def test_a_picture_shows_what_lies_in_its_angle_at_a_good_distance() -> None:
    points = np.array([[0.0, 0.55, 0.93], [0.3, 0.55, 0.93], [0.0, 0.55, 1.2], [0.0, 0.30, 0.93], [0.0, 0.9, 0.93]])
    assert in_view(points, eye(0.0), CAMERA).tolist() == [True, False, False, False, False]


def test_pictures_add_up_along_the_row_until_they_are_too_old() -> None:
    coverage = Coverage(front=FRONT, heights=HEIGHTS)
    assert coverage.share(0.0, 0.3, 0.0) == 0.0
    coverage.see(eye(0.0), CAMERA, 10.0)
    half = coverage.share(0.0, 0.4, 0.0)
    assert 0.3 < half < 0.7
    coverage.see(eye(0.3), CAMERA, 20.0)
    assert coverage.share(0.0, 0.4, 0.0) == 1.0
    assert coverage.share(0.0, 0.4, 15.0) < 1.0
    coverage.forget(0.2, 0.4)
    assert coverage.share(0.2, 0.4, 0.0) == 0.0
    assert coverage.share(0.0, 0.2, 0.0) == 1.0


def test_another_row_is_looked_at_anew_and_so_is_a_segment_begun_again() -> None:
    coverage = Coverage(front=FRONT, heights=HEIGHTS)
    crops = RowCrop(coverage)
    crops.of("order", "bed", "a", now=0.0, start=0.0, end=0.2)
    coverage.see(eye(0.1), CAMERA, 1.0)
    crops.of("order", "bed", "a", now=2.0, start=0.2, end=0.4)
    assert coverage.share(0.0, 0.2, 0.0) == 1.0
    crops.of("order", "bed", "a", now=2.0, start=0.0, end=0.2)
    assert coverage.share(0.0, 0.2, 0.0) == 0.0
    coverage.see(eye(0.1), CAMERA, 3.0)
    crops.of("order", "bed", "b", now=4.0, start=0.0, end=0.2)
    assert coverage.share(0.0, 0.2, 0.0) == 0.0


def round_with_views() -> Any:
    round_ = fakes.make_round(fakes.FakeBody(crop=[]))
    round_.camera, round_.coverage = CAMERA, Coverage(front=FRONT, heights=HEIGHTS)
    back = np.linalg.inv(CAMERA.T_tool_camera)
    round_.views = [eye(0.0) @ back, eye(0.3) @ back]
    return round_


def test_a_view_is_spared_once_its_stretch_was_shown_and_not_before() -> None:
    round_ = round_with_views()
    assert not round_.view_spared()
    round_.see(Sighting(stamp=round_.body.now(), berries=(), camera=eye(0.3)))
    assert not round_.view_spared()
    round_.views.pop(0)
    assert round_.view_spared()


def test_the_robot_does_not_drive_to_a_view_that_is_spared_and_the_round_counts_as_looked_at() -> None:
    body = fakes.FakeBody(crop=[])
    round_ = fakes.make_round(body)
    round_.camera, round_.coverage = CAMERA, Coverage(front=FRONT, heights=HEIGHTS)
    back = np.linalg.inv(CAMERA.T_tool_camera)
    round_.views = [eye(0.0) @ back, eye(0.05) @ back]
    round_.coverage.see(eye(0.0), CAMERA, round_.body.now())
    round_.coverage.see(eye(0.1), CAMERA, round_.body.now())
    fakes.run(round_, body)
    assert body.log == []
    assert round_.looked == 2
    assert round_.views == []


def test_fruit_that_was_shown_is_picked_before_the_next_view_and_other_fruit_after_it() -> None:
    round_ = round_with_views()
    berry = replace(fakes.berry(1, 0.3), position=np.array([0.3, FRONT, 0.93]))
    round_.crop.known = {1: berry}
    round_.views.pop(0)
    round_.looked_from = 0.0
    assert round_.next_candidate() is None
    round_.see(Sighting(stamp=round_.body.now(), berries=(), camera=eye(0.3)))
    assert round_.next_candidate() is berry


def test_fruit_where_there_is_no_room_waits_and_the_other_is_picked_meanwhile() -> None:
    round_ = round_with_views()
    round_.views, round_.coverage = [], None
    round_.crop.known = {
        k: replace(fakes.berry(k, x), position=np.array([x, FRONT, 0.93])) for k, x in ((1, 0.1), (2, 0.3))
    }
    assert work_left(round_) == [0.1, 0.3]
    round_.has_room = lambda x: x > 0.2
    assert [round_.next_candidate(), len(round_.candidates())] == [round_.crop.known[2], 2]
    assert not waits_for_room(round_)
    round_.settle(round_.crop.known[2], PickResult.OK)
    assert round_.next_candidate() is None
    assert work_left(round_) == [0.1]
    assert waits_for_room(round_)
    assert not finished(round_), "it is not given up"
    round_.has_room = lambda _: True
    assert not waits_for_room(round_)
    assert round_.next_candidate() is round_.crop.known[1]


def test_a_view_where_there_is_room_is_taken_before_one_where_there_is_none() -> None:
    round_ = round_with_views()
    far = [float(view[0, 3]) for view in round_.views]
    assert len(far) == 2
    round_.coverage = None
    round_.has_room = lambda x: abs(x - far[1]) < 1e-6
    assert round_.view_due()
    assert float(round_.views[0][0, 3]) == far[1]
    round_.has_room = lambda _: False
    assert not round_.view_due()
    assert waits_for_room(round_)
    assert work_left(round_)[0] in far


@pytest.mark.parametrize(("score", "minded"), [(0.35, [False, True]), (0.8, [True, True])])
def test_what_looked_little_like_fruit_and_is_missed_twice_is_no_neighbour(score: float, minded: list[bool]) -> None:
    round_ = round_with_views()
    near = replace(fakes.berry(1, 0.0), position=np.array([0.0, FRONT, 0.93]), score=score)
    far = replace(fakes.berry(2, 2.0), position=np.array([2.0, FRONT, 0.93]), score=score)
    round_.crop.known = {1: near, 2: far}
    round_.see(Sighting(stamp=1.0, berries=(), camera=eye(0.0)))
    assert {t.id for t in round_.around()} == {1, 2}
    round_.see(Sighting(stamp=2.0, berries=(), camera=eye(0.0)))
    assert [id in {t.id for t in round_.around()} for id in (1, 2)] == minded


def test_half_hidden_fruit_is_taken_to_be_as_long_as_fruit_is_here_and_seen_fruit_as_it_is() -> None:
    round_ = round_with_views()
    round_.crop.known = {k: replace(fakes.berry(k, 0.1 * k), visible=0.95, length=0.040) for k in range(3)}
    assert round_.typical_length() == 0.0
    round_.crop.known[3] = replace(fakes.berry(3, 0.3), visible=0.95, length=0.040)
    assert round_.typical_length() == pytest.approx(0.040)
    hidden = replace(fakes.berry(9, 0.0), visible=0.5, length=0.022, diameter=0.019)
    grown = hidden.not_below(0.040)
    bottom = grown.position[2] - 0.5 * grown.length
    assert bottom == pytest.approx(hidden.position[2] - 0.011)
    assert grown.length == pytest.approx(0.030)
    assert hidden.diameter < grown.diameter <= 0.027
    whole = replace(hidden, visible=0.95)
    assert whole.not_below(0.040) is whole
    assert hidden.not_below(0.0) is hidden


def test_the_next_view_looks_where_most_was_not_shown_yet() -> None:
    round_ = round_with_views()
    round_.job = replace(round_.job, window=replace(round_.job.window, start=-0.2, end=0.4))
    half = round_.settings.view_half
    aim = [float((pose @ CAMERA.T_tool_camera)[0, 3]) for pose in (round_.views[0], round_.next_view())]
    assert aim == pytest.approx([0.0, -0.2 + half])
    round_.coverage.cells = {(i, level): 1e12 for i in range(-4, 2) for level in range(3)}
    moved = round_.next_view()
    assert float((moved @ CAMERA.T_tool_camera)[0, 3]) == pytest.approx(0.25)
    assert moved[:3, :3] == pytest.approx(round_.views[0][:3, :3])
    round_.coverage = None
    assert round_.next_view() is round_.views[0]
