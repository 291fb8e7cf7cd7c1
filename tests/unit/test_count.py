"""Counts per segment are corrected by a measured recall, or by capture and recapture."""

from __future__ import annotations

import numpy as np
import pytest

from vision.count import chapman, count_segments, recall_of_two
from vision.track import Track, Tracks
from vision.types import Berry, Detection, Stage


def track(id: int, x: float, stage: Stage, pass_hits: int = 3) -> Track:
    from vision.track import to_world

    detection = Detection(box=(0, 0, 1, 1), score=0.9, ripeness=0.9, stage=stage)
    position = np.array([x, 0.0, 1.0])
    berry = Berry(
        detection=detection,
        position=position,
        covariance=1e-6 * np.eye(3),
        diameter=0.03,
        length=0.035,
        axis=np.array([0.0, 0.0, 1.0]),
    )
    return Track(
        id=id,
        position=position,
        covariance=1e-6 * np.eye(3),
        sighting=to_world(berry, np.eye(4)),
        ripeness=0.9,
        stage=stage,
        diameter=0.03,
        hits=pass_hits,
        pass_hits=pass_hits,
        seen_at=0.0,
    )


def segment_of(position):
    return int(position[0] // 0.5) if position[0] < 1.0 else None


def test_counts_are_by_segment_and_stage_and_divided_by_the_recall():
    tracks = [track(i, 0.1 * i, Stage.RIPE) for i in range(4)] + [
        track(9, 0.6, Stage.GREEN),
        track(10, 3.0, Stage.RIPE),
    ]
    rows = count_segments(Tracks(tracks=tuple(tracks)), segment_of, {Stage.RIPE: 0.8})
    by = {(r.segment, r.stage): r for r in rows}
    assert by[0, Stage.RIPE].seen == 4
    assert by[0, Stage.RIPE].estimated == pytest.approx(5.0)
    assert by[0, Stage.RIPE].sd == pytest.approx(np.sqrt(4 * 0.2) / 0.8)
    assert by[1, Stage.GREEN].estimated == 1.0
    assert by[1, Stage.RIPE].seen == 0
    assert len(rows) == 2 * len(Stage)


def test_a_glint_seen_once_is_not_counted():
    rows = count_segments(Tracks(tracks=(track(1, 0.1, Stage.RIPE, pass_hits=1),)), segment_of, {})
    assert rows == []


def test_a_recall_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="recall of ripe"):
        count_segments(Tracks(), segment_of, {Stage.RIPE: 0.0})


def test_chapman_s_estimator_gives_the_worked_number():
    number, sd = chapman(10, 15, 5)  # (11 * 16) / 6 - 1 = 28.33
    assert number == pytest.approx(28.333, abs=0.001)
    assert sd == pytest.approx(np.sqrt(11 * 16 * 5 * 10 / (36 * 7)), abs=1e-9)
    with pytest.raises(ValueError, match="both"):
        chapman(3, 4, 5)


def test_two_looks_that_miss_independently_tell_what_they_miss():
    rng = np.random.default_rng(3)
    shares, numbers = [], []
    for _ in range(300):
        a, b = rng.random((2, 60)) < 0.8
        looks = int(a.sum()), int(b.sum()), int((a & b).sum())
        numbers.append(chapman(*looks)[0])
        shares.append(recall_of_two(*looks))
    assert np.mean(numbers) == pytest.approx(60.0, rel=0.02)
    assert np.mean(shares) == pytest.approx(0.8, abs=0.02)
