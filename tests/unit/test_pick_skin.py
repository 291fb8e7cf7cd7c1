"""The ripe share of a whole skin from the side that was seen."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from robot.pick.body import Sighting
from robot.pick.crop import RowCrop, TrackedCrop
from robot.pick.skin import elevation, seen_share, whole_share
from vision.track import Sighting as Seen
from vision.types import Berry, Detection, Stage

FRUIT = np.array([0.5, 0.55, 0.95])


def seen(ripeness: float, visible: float = 1.0, *, score: float = 0.9, aside: float = 0.0) -> Seen:
    place = FRUIT + np.array([aside, 0.0, 0.0])
    detection = Detection(box=(0, 0, 9, 9), score=score, ripeness=ripeness, stage=Stage.TURNING, visible=visible)
    up = np.array([0.0, 0.0, 1.0])
    covariance = np.eye(3) * 1e-6
    berry = Berry(
        detection=detection, position=place, covariance=covariance, diameter=0.03, length=0.036, axis=up, peduncle=None
    )
    return Seen(berry=berry, position=place, covariance=covariance, peduncle=None, axis=up)


def look(stamp: float, above: float, ripeness: float, visible: float = 1.0) -> Sighting:
    eye = FRUIT + 0.3 * np.array([0.0, -math.cos(above), math.sin(above)])
    return Sighting(stamp=stamp, berries=(seen(ripeness, visible),), eye=eye)


def test_elevation_is_the_angle_of_the_look_above_the_level() -> None:
    assert elevation(FRUIT + np.array([0.0, -0.2, 0.2]), FRUIT) == pytest.approx(math.pi / 4)
    assert elevation(FRUIT + np.array([0.3, -0.4, 0.0]), FRUIT) == 0.0


def test_a_look_from_below_shows_more_red_than_the_whole_skin_has() -> None:
    assert whole_share(0.8, -0.1) < 0.70
    assert whole_share(0.8, 0.45) > 0.80


@pytest.mark.parametrize("above", [-0.3, 0.0, 0.45])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.9])
def test_what_is_seen_of_a_whole_skin_tells_the_whole_skin(share: float, above: float) -> None:
    assert whole_share(seen_share(share, above), above) == pytest.approx(share, abs=1e-9)


@pytest.mark.parametrize("above", [-0.3, 0.0, 0.45])
def test_red_all_over_is_ripe_and_green_all_over_is_not(above: float) -> None:
    assert whole_share(1.0, above) > 0.9
    assert whole_share(0.0, above) < 0.05


def test_fruit_that_a_leaf_crosses_looks_paler_than_it_is() -> None:
    shares = [whole_share(0.8, 0.3, visible) for visible in (1.0, 0.88, 0.8, 0.7, 0.5)]
    assert shares[0] == shares[1] < shares[2] < shares[3] == shares[4]
    assert whole_share(0.0, 0.3, 0.5) < 0.1, "green stays green"
    assert whole_share(0.65, 0.3, 0.5) < 0.85, "turning fruit is not made ripe by what hides it"


def test_the_crop_remembers_the_ripeness_of_the_whole_skin() -> None:
    crop = TrackedCrop()
    for stamp, above in ((1.0, 0.0), (2.0, 0.45)):
        (shown,) = crop.see(look(stamp, above, seen_share(0.7, above)))
        assert shown.ripeness == pytest.approx(0.7)
    assert crop.targets()[0].ripeness == pytest.approx(0.7)


def test_the_crop_remembers_from_where_a_berry_was_seen_last() -> None:
    crop = TrackedCrop()
    for stamp, above in ((1.0, 0.0), (2.0, 0.45)):
        (shown,) = crop.see(look(stamp, above, 0.9))
        assert shown.seen_along == pytest.approx([0.0, -math.cos(above), math.sin(above)])
    assert crop.targets()[0].seen_along == pytest.approx([0.0, -math.cos(0.45), math.sin(0.45)])
    crop.see(Sighting(stamp=3.0, berries=(seen(0.9),)))
    assert crop.targets()[0].seen_along is not None


def behind(stamp: float, by: float, aside: float = 0.0) -> Sighting:
    """Return a look at fruit that is so much further along the line of sight through the known one."""
    berry = seen(0.9, aside=aside)
    place = berry.position + np.array([0.0, by, 0.0])
    eye = FRUIT - np.array([0.0, 0.3, 0.0])
    return Sighting(stamp=stamp, berries=(replace(berry, position=place),), eye=eye)


@pytest.mark.parametrize(("by", "aside", "known"), [(0.07, 0.004, 1), (0.07, 0.03, 2), (-0.07, 0.004, 2)])
def test_no_fruit_is_seen_through_another(by: float, aside: float, known: int) -> None:
    crop = TrackedCrop()
    crop.see(look(1.0, 0.0, 0.9))
    crop.see(behind(2.0, by, aside))
    assert len(crop.targets()) == known
    assert crop.targets()[0].position == pytest.approx(FRUIT)


def test_fruit_that_is_not_there_any_more_hides_nothing_of_the_picture_that_told() -> None:
    crop = TrackedCrop()
    crop.see(look(1.0, 0.0, 0.9))
    crop.see(behind(2.0, 0.07))
    eye = FRUIT - np.array([0.0, 0.3, 0.0])
    two = tuple(replace(seen(0.9), position=FRUIT + np.array([x, 0.09, 0.02 * x])) for x in (-0.013, 0.013))
    shown = crop.see(Sighting(stamp=3.0, berries=two, eye=eye))
    assert len(shown) == len(crop.targets()) == 2


def test_a_doubt_of_another_order_counts_no_more() -> None:
    crop = TrackedCrop()
    crop.see(look(1.0, 0.0, 0.9))
    crop.see(behind(2.0, 0.07))
    crop.begin_pass()
    crop.see(behind(3.0, 0.07))
    assert [t.position for t in crop.targets()] == [pytest.approx(FRUIT)]


def test_fruit_that_is_seen_through_again_and_again_is_not_there_any_more() -> None:
    crop = TrackedCrop()
    crop.see(look(1.0, 0.0, 0.9))
    crop.see(behind(2.0, 0.07))
    (shown,) = crop.see(behind(3.0, 0.07))
    assert [t.id for t in crop.targets()] == [shown.id]
    assert shown.position == pytest.approx(FRUIT + np.array([0.0, 0.07, 0.0]))


def test_a_half_hidden_look_counts_little() -> None:
    crop = TrackedCrop()
    crop.see(look(1.0, 0.2, seen_share(0.6, 0.2)))
    crop.see(look(2.0, 0.2, seen_share(0.95, 0.2), visible=0.55))
    assert crop.targets()[0].ripeness < 0.65


def test_without_the_place_of_the_eye_ripeness_is_what_is_seen() -> None:
    crop = TrackedCrop()
    crop.see(Sighting(stamp=1.0, berries=(seen(0.7),)))
    assert crop.targets()[0].ripeness == pytest.approx(0.7)


def segment(crops: RowCrop, order: str = "monday", *, now: float = 2.0, start: float = -0.3) -> TrackedCrop:
    """Return the crop of a segment of 0.6 m that begins `start` from the fruit."""
    x = FRUIT[0] + start
    return crops.of(order, "bed-1", "a", now=now, start=x, end=x + 0.6)


def test_what_was_seen_in_one_segment_of_a_row_is_known_in_the_next_and_not_on_another_day() -> None:
    crops = RowCrop()
    segment(crops, start=-0.7).see(look(1.0, 0.0, 0.9))
    assert len(segment(crops).targets()) == 1
    assert segment(crops, "tuesday").targets() == []
    assert segment(crops).targets() == []


def test_a_segment_that_is_begun_again_is_looked_at_anew_and_its_neighbours_are_not() -> None:
    crops = RowCrop()
    segment(crops).see(look(1.0, 0.0, 0.9))
    assert len(segment(crops, start=0.3).targets()) == 1
    segment(crops, start=0.3)
    assert len(segment(crops, start=0.3).targets()) == 1
    assert segment(crops).targets() == [], "a person may have picked it while the robot stood"


def test_what_was_seen_hours_ago_is_not_believed() -> None:
    crops = RowCrop()
    segment(crops, start=-0.7, now=1.0).see(look(1.0, 0.0, 0.9))
    assert segment(crops, now=7200.0).targets() == []


def test_a_row_of_fifty_metres_leaves_no_more_behind_than_one_segment() -> None:
    crops = RowCrop()
    for number in range(84):
        x = 0.6 * number
        crop = crops.of("monday", "bed-1", "a", now=100.0 * number, start=x, end=x + 0.6)
        for k in range(6):
            for stamp in (0.0, 0.5):
                berry = seen(0.9, aside=x + 0.05 + 0.1 * k - FRUIT[0])
                crop.see(Sighting(stamp=100.0 * number + k + stamp, berries=(berry,)))
        ids = [t.id for t in crop.targets() if t.position[0] >= x]
        assert ids == list(range(6 * number + 1, 6 * number + 7)), "each fruit has one id of its own"
        assert len(crop.targets()) <= 13
        assert len(crop._ripeness) == len(crop.targets())


def test_the_parts_of_fruit_that_a_leaf_crosses_are_one_berry_as_ripe_as_the_best_of_them() -> None:
    crop = TrackedCrop()
    parts = (seen(0.5, 0.6, score=0.4, aside=-0.008), seen(0.95, 0.9), seen(0.6, 0.5, score=0.3, aside=0.012))
    (shown,) = crop.see(Sighting(stamp=1.0, berries=parts))
    assert shown.ripeness == 0.95
    assert len(crop.targets()) == 1


def test_neighbours_that_touch_stay_two() -> None:
    crop = TrackedCrop()
    crop.see(Sighting(stamp=1.0, berries=(seen(0.9), seen(0.9, aside=0.024))))
    assert len(crop.targets()) == 2


def test_fruit_that_was_pushed_aside_leaves_no_ghost_where_it_hung() -> None:
    crop = TrackedCrop()
    crop.see(Sighting(stamp=1.0, berries=(seen(0.7),)))
    crop.see(Sighting(stamp=2.0, berries=(seen(0.9, aside=0.014),)))
    (target,) = crop.targets()
    assert target.position[0] == pytest.approx(FRUIT[0] + 0.014)
    assert (target.sightings, target.ripeness) == (2, pytest.approx(0.8))


def test_of_a_long_row_only_what_hangs_about_the_segment_is_kept() -> None:
    crops = RowCrop()
    segment(crops).see(look(1.0, 0.0, 0.9))
    assert len(segment(crops, start=0.1).targets()) == 1
    assert segment(crops, start=5.0).targets() == []
