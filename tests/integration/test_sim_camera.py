"""The simulated camera: geometry, depth, noise and faults."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from robot.kinematics import camera_pose
from sim import offscreen
from sim.camera import SensorNoise, SimCamera, measure
from sim.cell import Cell, CellSettings
from sim.offscreen import OffscreenError, choose_backend
from sim.scene import SceneSettings
from sim.scene.build import HANGING
from sim.truth import visible_shares
from vision.types import CameraError

SHORT = SceneSettings(length=0.6, berries=8, cluster_rate=0.0, leaf_occlusion=0.0)


@pytest.fixture(scope="module")
def cell() -> Cell:
    return Cell(CellSettings(scene=SHORT, home=(0.3, 0.38, 0.90), camera_noise=False), 3)


@pytest.fixture(scope="module")
def camera(cell: Cell) -> Iterator[SimCamera]:
    camera = SimCamera(cell)
    yield camera
    camera.close()


def test_a_berry_projects_onto_its_own_pixels_at_its_own_depth(cell: Cell, camera: SimCamera) -> None:
    frame = camera.read()
    ids = camera._offscreen.draw_ids(cell.data, camera._view)
    optical = np.linalg.inv(camera_pose(cell.scene.arm, cell.joints))
    seen = 0
    for i, berry in enumerate(cell.scene.bed.berries):
        x, y, z = (optical @ [*berry.center, 1.0])[:3]
        k = frame.intrinsics
        u, v = round(k.fx * x / z + k.cx), round(k.fy * y / z + k.cy)
        if not (20 <= u < k.width - 20 and 20 <= v < k.height - 20) or ids[v, u] != cell.scene.names.flesh[i, HANGING]:
            continue
        seen += 1
        assert frame.depth is not None
        assert frame.depth[v, u] == pytest.approx(z - berry.half_width, abs=0.004)
        _, columns = np.nonzero(ids == cell.scene.names.flesh[i, HANGING])
        assert columns.mean() == pytest.approx(k.fx * x / z + k.cx, abs=1.5)
    assert seen >= 2


def test_frame_is_stamped_with_simulated_time(cell: Cell, camera: SimCamera) -> None:
    assert camera.read().stamp == pytest.approx(cell.settings.epoch + cell.time)
    assert camera.read().color.shape == (480, 640, 3)


def test_depth_outside_the_range_is_unknown(cell: Cell, camera: SimCamera) -> None:
    depth = camera.read().depth
    assert depth is not None
    known = depth[depth > 0.0]
    assert known.min() >= cell.scene.arm.camera.range_min
    assert known.max() <= cell.scene.arm.camera.range_max
    assert (depth == 0.0).mean() > 0.1


def test_frozen_dark_and_lost_cameras(cell: Cell, camera: SimCamera) -> None:
    first = camera.read()
    camera.faults.frozen = True
    cell.step()
    assert camera.read() is first
    camera.faults.frozen = False
    camera.faults.dark = True
    assert camera.read().color.max() == 0
    camera.faults.dark = False
    camera.faults.lost = True
    with pytest.raises(CameraError, match="camera_lost"):
        camera.read()
    camera.faults.lost = False


def test_depth_noise_has_the_stated_size_and_gaps() -> None:
    flat = np.full((480, 640), 0.30, dtype=np.float32)
    noise = SensorNoise()
    measured = measure(flat, noise, np.random.default_rng(1))
    known = measured[measured > 0.0]
    expected = noise.depth_base + noise.depth_square * 0.30**2
    assert known.std() == pytest.approx(expected, rel=0.35)
    assert abs(known.mean() - 0.30) < 0.0003
    assert 0.005 < (measured == 0.0).mean() < 0.05


def test_leaves_and_neighbours_hide_fruit() -> None:
    alone = visible_shares(SHORT, 3)
    leafy = SceneSettings(length=0.6, berries=12, cluster_rate=0.7, leaf_occlusion=0.8)
    hidden = visible_shares(leafy, 3)
    assert np.median(alone) > 0.9
    assert hidden.mean() < alone.mean() - 0.15


def test_no_way_to_draw_names_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setattr(offscreen, "_egl_answers", lambda: False)
    monkeypatch.setattr(offscreen, "_osmesa_answers", lambda: False)
    with pytest.raises(OffscreenError, match="libosmesa6"):
        choose_backend()
    monkeypatch.setenv("MUJOCO_GL", "glfw")
    with pytest.raises(OffscreenError, match="egl or osmesa"):
        choose_backend()


def test_osmesa_is_taken_when_egl_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setattr(offscreen, "_egl_answers", lambda: False)
    monkeypatch.setattr(offscreen, "_osmesa_answers", lambda: True)
    assert choose_backend() == "osmesa"
