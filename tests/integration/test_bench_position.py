"""The bench of places in space: exact masks reach the millimetres that are asked for, and what is missed has failed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from sim.bench.position import FIRST_SEED, TruthMasks, matched, measure_positions
from sim.dataset.generate import Rendered, RenderSettings, render
from vision.locate import locate_all
from vision.types import Detection, Frame


class Blind:
    """A detector that finds nothing."""

    def detect(self, color: npt.NDArray[np.uint8]) -> list[Detection]:
        assert color.ndim == 3
        return []


@pytest.fixture(scope="module")
def pictures() -> list[Rendered]:
    return list(render(RenderSettings(near=True, views=3), FIRST_SEED, 6))


def test_fruit_centres_are_found_within_millimetres_and_covariances_say_how_well(pictures: list[Rendered]) -> None:
    errors, squared = [], []
    for p in pictures:
        frame = Frame(stamp=0.0, color=p.color, intrinsics=p.camera, depth=p.measured)
        for x in matched(p.fruit, locate_all(TruthMasks().of(p), frame, up=p.up)):
            assert x.berry is not None
            off = x.berry.position - np.array(x.truth.center)
            errors.append(np.linalg.norm(off))
            squared.append(off @ np.linalg.solve(x.berry.covariance, off))
    assert len(errors) >= 20
    assert np.percentile(errors, 50) < 0.003
    assert np.percentile(errors, 90) < 0.008
    assert 0.5 < np.median(squared) < 6.0


def test_missed_fruit_counts_as_failed() -> None:
    figures = measure_positions(Blind(), seed=0, pictures=2)
    assert figures["scenes"]["detector"]["fruit"] > 0
    assert figures["pos_err_mm_p50"] is None
    assert figures["cut_3d_within_5mm"] == 0.0
    assert figures["scenes"]["truth_masks"]["pos_err_mm_p50"] < 4.0
