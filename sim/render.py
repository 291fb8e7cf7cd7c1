"""Rendered pictures of beds with exact labels for detectors: boxes, outlines, ripeness, peduncles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import mujoco
import numpy as np
import numpy.typing as npt

from sim.camera import SensorNoise, expose, grain_bank
from sim.offscreen import Offscreen
from sim.scene import BerrySpec, Scene, SceneSettings, build_scene
from sim.scene.build import HANGING
from sim.scene.shapes import berry as berry_mesh
from vision.types import Stage

Array = npt.NDArray[np.float64]

SMALLEST = 60
"""Fruit with fewer visible pixels is not labelled."""

LEAST_VISIBLE = 0.10
CUT_ABOVE_CALYX = 0.008
"""Where on the stem the peduncle point is labelled [m]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BerryLabel:
    """One berry in one picture, in pixels; `box` holds what is visible of it, `peduncle` is None when hidden."""

    box: tuple[float, float, float, float]
    ripeness: float
    stage: str
    visible: float
    polygon: list[tuple[float, float]]
    peduncle: tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelledPicture:
    """RGB (h, w, 3) uint8, depth [m] (h, w) float32 without noise, and what is in it."""

    color: npt.NDArray[np.uint8]
    depth: npt.NDArray[np.float32]
    berries: tuple[BerryLabel, ...]


def pictures(
    settings: SceneSettings, seed: int, count: int, *, width: int = 640, height: int = 480
) -> Iterator[LabelledPicture]:
    """Draw `count` pictures of one bed from random places on the aisle, in random light.

    Args:
        seed: of bed, views and light; the same seed draws the same pictures.
    """
    rng = np.random.default_rng([seed, 0x9EC])
    scene = build_scene(settings, seed)
    data = mujoco.MjData(scene.model)
    mujoco.mj_forward(scene.model, data)
    offscreen = Offscreen(scene.model, width, height)
    offscreen.show_robot(False)
    bank = grain_bank(height, width, rng)
    try:
        for _ in range(count):
            _light(scene.model, rng)
            view = _view(settings, offscreen, rng)
            picture = offscreen.draw(data, view)
            noise = replace(SensorNoise(), shot=float(rng.uniform(1.0, 5.0)), exposure=0.12)
            ids = offscreen.draw_ids(data, view)
            berries = tuple(_labels(scene, ids, offscreen.pose()))
            yield LabelledPicture(color=expose(picture.color, noise, bank, rng), depth=picture.depth, berries=berries)
    finally:
        offscreen.close()


def save(picture: LabelledPicture, folder: Path, name: str, *, split: float = 0.5) -> None:
    """Write `images/<name>.jpg`, `labels/<name>.txt` (YOLO: 0 ripe, 1 unripe) and `truth/<name>.json` under `folder`.

    Args:
        split: ripeness from which a berry is labelled ripe.
    """
    for kind in ("images", "labels", "truth"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    h, w = picture.color.shape[:2]
    cv2.imwrite(str(folder / "images" / f"{name}.jpg"), cv2.cvtColor(picture.color, cv2.COLOR_RGB2BGR))
    lines = []
    for b in picture.berries:
        x0, y0, x1, y1 = b.box
        number = 0 if b.ripeness >= split else 1
        lines.append(
            f"{number} {(x0 + x1) / 2 / w:.6f} {(y0 + y1) / 2 / h:.6f} {(x1 - x0) / w:.6f} {(y1 - y0) / h:.6f}\n"
        )
    (folder / "labels" / f"{name}.txt").write_text("".join(lines), encoding="utf-8")
    truth = json.dumps([asdict(b) for b in picture.berries])
    (folder / "truth" / f"{name}.json").write_text(truth, encoding="utf-8")


def _light(model: mujoco.MjModel, rng: np.random.Generator) -> None:
    """Set sun and sky: bright or dull, warm or cold, from any side in front of the bed."""
    warmth = rng.uniform(-0.08, 0.08)
    tint = np.array([1.0 + warmth, 1.0, 1.0 - warmth])
    model.light_diffuse[0] = rng.uniform(0.25, 0.75) * tint
    model.light_dir[0] = [rng.uniform(-0.6, 0.6), rng.uniform(0.2, 0.8), -rng.uniform(0.4, 1.0)]
    model.vis.headlight.ambient = rng.uniform(0.28, 0.5) * tint
    model.vis.headlight.diffuse = rng.uniform(0.1, 0.35) * tint


def _view(settings: SceneSettings, offscreen: Offscreen, rng: np.random.Generator) -> mujoco.MjvCamera:
    lookat = (
        float(settings.origin + rng.uniform(0.0, settings.length)),
        float(np.mean(settings.fruit_y)),
        float(rng.uniform(settings.fruit_z[0] - 0.02, settings.fruit_z[1] + 0.06)),
    )
    return offscreen.free(
        lookat, float(rng.uniform(0.18, 0.6)), 90.0 + float(rng.uniform(-30, 30)), float(rng.uniform(-25, 20))
    )


def _labels(scene: Scene, ids: npt.NDArray[np.int32], T_world_camera: Array) -> Iterator[BerryLabel]:
    for i, spec in enumerate(scene.bed.berries):
        mine = np.isin(ids, [scene.names.flesh[i, HANGING], scene.names.calyx[i, HANGING]])
        pixels = int(mine.sum())
        if pixels < SMALLEST:
            continue
        visible = min(1.0, pixels / max(1.0, _outline_area(scene, spec, T_world_camera, ids.shape)))
        if visible < LEAST_VISIBLE:
            continue
        contours, _ = cv2.findContours(mine.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        outline = max(contours, key=cv2.contourArea)[:, 0, :]
        rows, columns = np.nonzero(mine)
        yield BerryLabel(
            box=(float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)),
            ripeness=spec.ripeness,
            stage=_stage(spec),
            visible=visible,
            polygon=[(float(x), float(y)) for x, y in outline],
            peduncle=_peduncle(scene, i, ids, T_world_camera),
        )


def _stage(spec: BerrySpec) -> str:
    if spec.ripeness >= 0.75:
        return str(Stage.RIPE)
    if spec.ripeness >= 0.05:
        return str(Stage.TURNING)
    return str(Stage.WHITE if spec.maturity > 0.6 else Stage.GREEN)


def _project(scene: Scene, points: Array, T_world_camera: Array, shape: tuple[int, ...]) -> Array:
    """Return pixel coordinates of points in the world, shape (n, 2)."""
    local = (points - T_world_camera[:3, 3]) @ T_world_camera[:3, :3]
    focal = 0.5 * shape[0] / np.tan(np.radians(float(scene.model.vis.global_.fovy)) / 2.0)
    depth = np.maximum(local[:, 2], 1e-3)
    return np.stack(
        [0.5 * (shape[1] - 1) + focal * local[:, 0] / depth, 0.5 * (shape[0] - 1) + focal * local[:, 1] / depth], axis=1
    )


def _outline_area(scene: Scene, spec: BerrySpec, T_world_camera: Array, shape: tuple[int, ...]) -> float:
    points = spec.center + berry_mesh().vertices * [spec.half_width, spec.half_width, spec.half_length]
    pixels = _project(scene, points, T_world_camera, shape)
    return float(cv2.contourArea(cv2.convexHull(pixels.astype(np.float32))))


def _peduncle(
    scene: Scene, index: int, ids: npt.NDArray[np.int32], T_world_camera: Array
) -> tuple[float, float] | None:
    spec = scene.bed.berries[index]
    point = spec.center + np.array([0.0, 0.0, spec.half_length + CUT_ABOVE_CALYX])
    u, v = _project(scene, point[None], T_world_camera, ids.shape)[0]
    column, row = round(float(u)), round(float(v))
    around = ids[max(0, row - 2) : row + 3, max(0, column - 3) : column + 4]
    seen = around.size and bool((around == scene.names.stem[index, HANGING]).any())
    return (float(u), float(v)) if seen else None
