"""Berries keep their identity over frames and are counted once per pass."""

from __future__ import annotations

import numpy as np
import pytest

from vision.track import (
    Tracks,
    TrackSettings,
    begin_pass,
    counted,
    counts_by_stage,
    forget,
    to_world,
    update,
)
from vision.types import Berry, Detection, Stage


def berry(position, stage=Stage.RIPE, sd=0.002, score=0.9):
    detection = Detection(box=(0, 0, 10, 10), score=score, ripeness=0.9, stage=stage)
    return Berry(
        detection=detection,
        position=np.array(position, float),
        covariance=sd**2 * np.eye(3),
        diameter=0.03,
        length=0.035,
        axis=np.array([0.0, -1.0, 0.0]),
        peduncle=np.array(position, float) - np.array([0.0, 0.03, 0.0]),
    )


def seen(*positions, **kw):
    return [to_world(berry(p, **kw), np.eye(4)) for p in positions]


def test_a_berry_seen_from_a_moving_camera_keeps_its_id_and_its_position_gets_surer():
    rng = np.random.default_rng(1)
    known = Tracks()
    truth = np.array([[0.00, 0.5, 0.9], [0.03, 0.5, 0.9], [0.10, 0.52, 0.88]])
    for k in range(8):
        T = np.eye(4)
        T[:3, 3] = [0.05 * k, 0.0, 0.9]
        T[:3, :3] = [[1, 0, 0], [0, 0, 1], [0, -1, 0]]
        in_camera = (truth + rng.normal(size=(3, 3)) * 0.001 - T[:3, 3]) @ T[:3, :3]
        order = rng.permutation(3)
        known = update(known, [to_world(berry(in_camera[i]), T) for i in order], at=float(k))
    assert len(known.tracks) == 3
    for t in known.tracks:
        nearest = np.linalg.norm(truth - t.position, axis=1).min()
        assert nearest < 0.0015
        assert np.sqrt(t.covariance[0, 0]) < 0.002
        assert t.hits == 8


def test_two_touching_berries_are_not_merged():
    known = update(Tracks(), seen([0, 0, 0.3], [0.026, 0, 0.3]), at=0.0)
    known = update(known, seen([0.025, 0, 0.3], [0.001, 0, 0.3]), at=1.0)
    assert sorted(t.hits for t in known.tracks) == [2, 2]
    assert [t.id for t in known.tracks] == [1, 2]


def test_an_uncertain_sighting_is_not_joined_beyond_a_fruit_s_reach():
    known = update(Tracks(), seen([0, 0, 0.3], sd=0.05), at=0.0)
    known = update(known, seen([0.06, 0, 0.3], sd=0.05), at=1.0)
    assert len(known.tracks) == 2


def test_a_berry_is_counted_once_per_pass_and_only_when_confirmed():
    known = Tracks()
    for k in range(5):
        known = update(known, seen([0, 0, 0.3]), at=float(k))
    known = update(known, seen([0.2, 0, 0.3], stage=Stage.GREEN), at=5.0)
    assert counts_by_stage(known)[Stage.RIPE] == 1
    assert counts_by_stage(known)[Stage.GREEN] == 0
    assert len(counted(known, TrackSettings(confirm=1))) == 2
    assert counts_by_stage(begin_pass(known))[Stage.RIPE] == 0


def test_a_picked_berry_is_forgotten_and_its_id_is_not_used_again():
    known = update(Tracks(), seen([0, 0, 0.3]), at=0.0)
    known = forget(known, [1])
    known = update(known, seen([0, 0, 0.3]), at=1.0)
    assert [t.id for t in known.tracks] == [2]


def test_the_better_view_decides_the_stage():
    known = update(Tracks(), seen([0, 0, 0.3], stage=Stage.RIPE, score=0.9), at=0.0)
    known = update(known, seen([0, 0, 0.3], stage=Stage.TURNING, score=0.4), at=1.0)
    assert known.tracks[0].stage is Stage.RIPE


def test_world_coordinates_turn_the_covariance_too():
    T = np.eye(4)
    T[:3, :3] = [[1, 0, 0], [0, 0, 1], [0, -1, 0]]
    b = berry([0, 0, 0.3])
    stretched = Berry(
        detection=b.detection,
        position=b.position,
        covariance=np.diag([1.0, 2.0, 3.0]),
        diameter=0.03,
        length=0.03,
        axis=b.axis,
    )
    s = to_world(stretched, T)
    assert np.diag(s.covariance) == pytest.approx([1.0, 3.0, 2.0])
    assert s.axis == pytest.approx([0, 0, 1])
    assert s.peduncle is None
