"""A camera drives along rendered beds: every fruit keeps one identity and is counted once."""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt
import pytest

from sim.bench.position import TruthMasks
from sim.dataset.generate import RenderSettings, render_pass
from vision.locate import locate_all
from vision.track import Tracks, begin_pass, counted, to_world, update
from vision.types import Frame

Array = npt.NDArray[np.float64]


def drive(known: Tracks, seed: int, begin: float) -> tuple[Tracks, Counter[tuple[float, ...]]]:
    """Return the tracks after a pass, and in how many pictures each fruit's larger part was seen near enough."""
    shown: Counter[tuple[float, ...]] = Counter()
    for k, p in enumerate(render_pass(RenderSettings(), seed, step=0.06)):
        berries = locate_all(
            TruthMasks().of(p), Frame(stamp=begin + k, color=p.color, intrinsics=p.camera, depth=p.measured), up=p.up
        )
        for f, b in zip(p.fruit, berries, strict=True):
            assert b.detection.box == f.box
            if f.visible > 0.5:
                place = p.T_world_camera[:3, :3] @ np.array(f.center) + p.T_world_camera[:3, 3]
                shown[tuple(np.round(place, 3).tolist())] += 1
        known = update(known, [to_world(b, p.T_world_camera) for b in berries if "hidden" not in b.flags], begin + k)
    return known, shown


@pytest.fixture(scope="module")
def passed() -> tuple[Tracks, Counter[tuple[float, ...]]]:
    return drive(Tracks(), 9401, 0.0)


def test_each_fruit_is_counted_once(passed: tuple[Tracks, Counter[tuple[float, ...]]]) -> None:
    known, shown = passed
    tracks = counted(known)
    there = np.array([place for place, times in shown.items() if times >= 3])
    assert len(there) >= 8
    nearest = [np.linalg.norm(np.array([t.position for t in tracks]) - place, axis=1) for place in there]
    found = sum(float(d.min()) < 0.012 for d in nearest)
    twice = sum(int((d < 0.008).sum()) > 1 for d in nearest)
    assert found >= 0.9 * len(there)
    assert twice <= 0.1 * len(there)


def test_a_second_pass_keeps_the_identities(passed: tuple[Tracks, Counter[tuple[float, ...]]]) -> None:
    known, _ = passed
    before = {t.id for t in counted(known)}
    again, _ = drive(begin_pass(known), 9401, 100.0)
    after = {t.id for t in counted(again)}
    assert len(after & before) >= 0.9 * len(before)
    assert len(after - before) <= 0.1 * len(before)
