"""Cut points are corrected by a small learnt network, where there is a stem like those it has learnt on."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vision.fit import Bodies
from vision.stem_learnt import (
    ALONG,
    ASIDE,
    CHANNELS,
    FARTHEST,
    VALUES,
    VERSION,
    Around,
    StemNet,
    _convolved,
    look_around,
    read_stem_net,
    shipped_stem_net,
)
from vision.types import Detection, Intrinsics, Stage

CAMERA = Intrinsics(width=640, height=480, fx=433.0, fy=433.0, cx=319.5, cy=239.5)
UP = np.array([0.0, -1.0, 0.0])
CUT = np.array([[0.0, -0.010, 0.3]])


def bodies(z=0.3):
    return Bodies(
        centre=np.array([[0.0, 0.016, z]]),
        axis=UP[None],
        half_width=np.array([0.014]),
        half_length=np.array([0.016]),
        covariance=np.eye(7)[None] * 1e-4,
        inliers=np.ones(1),
    )


def around(depth, *, calyx_px=(319.5, 239.5), spread=2.0, z=0.3):
    detection = Detection(
        box=(300.0, 240.0, 340.0, 290.0),
        score=0.9,
        ripeness=1.0,
        stage=Stage.RIPE,
        calyx=calyx_px,
        peduncle_spread=spread,
        visible=1.0,
    )
    return look_around(
        [detection],
        bodies(z),
        np.array([[0.0, 0.0, z]]),
        UP[None],
        shift=np.zeros(1),
        shift_sd=np.full(1, 0.003),
        cut=CUT * [1.0, 1.0, z / 0.3],
        depth=depth,
        up=UP,
        intrinsics=CAMERA,
    )


def wall(distance):
    return np.full((480, 640), distance, np.float32)


def test_depths_are_told_as_distances_behind_the_stem_that_is_expected():
    depth = wall(0.304)
    depth[:200] = 0.0
    told = around(depth)
    rows_px = 239.5 - ALONG * 433.0 / 0.3
    there = rows_px > 200.5
    assert told.depths.shape == (1, CHANNELS, len(ALONG), len(ASIDE))
    assert told.depths[0, 0, there] == pytest.approx(0.8, abs=1e-3)
    assert told.depths[0, 1, there] == pytest.approx(0.2, abs=1e-3)
    assert (told.depths[0, 2, there] == 1.0).all() and not told.depths[0, :, rows_px < 199.0].any()
    assert told.values.shape == (1, VALUES)


def test_moves_are_told_up_the_stem_to_its_right_and_away_from_the_camera():
    ways = around(wall(0.3)).ways[0]
    assert ways[0] == pytest.approx([0.0, -1.0, 0.0], abs=1e-6)
    assert ways[1] == pytest.approx([1.0, 0.0, 0.0], abs=1e-6)
    assert ways[2] == pytest.approx(CUT[0] / 0.3)


@pytest.mark.parametrize(
    ("changes", "known"),
    [
        ({}, True),
        ({"calyx_px": None}, False),
        ({"spread": None}, False),
        ({"z": 0.15}, False),
        ({"z": 0.9}, False),
    ],
)
def test_only_stems_like_those_learnt_are_corrected(changes, known):
    assert around(wall(changes.get("z", 0.3)), **changes).known.tolist() == [known]


@pytest.mark.parametrize("nothing", [0.0, np.nan, np.inf, -1.0])
def test_without_depth_around_the_stem_nothing_is_corrected(nothing):
    told = around(wall(nothing))
    assert not told.known.any()
    assert np.isfinite(told.depths).all() and np.isfinite(told.values).all()


def test_what_the_shipped_network_says_is_finite_bounded_and_unsure():
    rng = np.random.default_rng(1)
    told = Around(
        depths=rng.normal(0.0, 30.0, (7, CHANNELS, len(ALONG), len(ASIDE))).astype(np.float32),
        values=rng.normal(0.0, 30.0, (7, VALUES)).astype(np.float32),
        ways=np.broadcast_to(np.eye(3), (7, 3, 3)),
        known=np.ones(7, bool),
    )
    moves, scales = shipped_stem_net()(told)
    assert (np.abs(moves) <= FARTHEST).all() and (scales > 0.0).all() and (scales < 0.03).all()
    none = Around(depths=told.depths[:0], values=told.values[:0], ways=told.ways[:0], known=told.known[:0])
    assert shipped_stem_net()(none)[0].shape == (0, 3)


def test_the_convolutions_are_those_of_opencv():
    rng = np.random.default_rng(2)
    net = shipped_stem_net()
    plane = rng.normal(0.0, 1.0, (len(ALONG), len(ASIDE))).astype(np.float32)
    depths = np.zeros((1, CHANNELS, *plane.shape), np.float32)
    depths[0, 1] = plane
    kernel = net.weights["conv0"].reshape(-1, CHANNELS, 3, 3)[0, 1]
    found = _convolved(depths, net.weights["conv0"], np.zeros(len(net.weights["conv0"]), np.float32), 1)[0, 0]
    wanted = cv2.filter2D(plane, cv2.CV_32F, kernel, borderType=cv2.BORDER_CONSTANT)
    assert found == pytest.approx(wanted, abs=1e-4)


def test_a_file_of_another_version_or_damaged_is_refused(tmp_path):
    old = tmp_path / "old.npz"
    np.savez(old, version=np.array(VERSION + 1), conv0=np.zeros(1))
    with pytest.raises(ValueError, match="version 2"):
        read_stem_net(old)
    old.write_bytes(b"PK no network")
    with pytest.raises(ValueError, match="damaged"):
        read_stem_net(old)
    assert isinstance(shipped_stem_net(), StemNet)
