"""Write rendered pictures into a folder, with labels and a manifest that says what is what."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from sim.dataset import CUT_ABOVE_CALYX, SCHEMA
from sim.dataset.generate import Rendered
from vision.ripeness import LABELLED_RIPE_FROM

FOLDERS = ("images", "masks", "depth", "depth_measured", "truth", "labels")
DEPTH_STEP = 1e-4
"""One count of a depth picture [m]."""

LAYOUT = {
    "images": "NAME.jpg, RGB photograph",
    "masks": "NAME.png, 16 bit: id of the label each pixel belongs to (flesh and calyx; petals and heart), 0 for none",
    "depth": "NAME.png, 16 bit: exact distance along the optical axis in steps of 0.1 mm, 0 beyond 6.5 m",
    "depth_measured": "NAME.png, 16 bit: the same with a short-range stereo camera's noise and gaps, 0 unknown",
    "truth": "NAME.json: camera, pose and every fruit; fields are those of sim/dataset/labels.py",
    "labels": "NAME.txt, YOLO 'class cx cy w h' of the visible boxes; 0 ripe (ripeness >= 0.5), 1 unripe",
}


def write(
    pictures: Iterable[Rendered], folder: Path, *, seed: int, first: int = 0, options: Mapping[str, Any] | None = None
) -> int:
    """Write pictures as `LAYOUT` says and return how many; the manifest is written last.

    Args:
        options: what else the pictures depend on; goes to the manifest.

    Raises:
        OSError: the folder cannot be written.
    """
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    names: list[dict[str, Any]] = []
    for number, picture in enumerate(pictures, start=first):
        name = f"r{seed}_{picture.scene:04d}_{number:05d}"
        _write(picture, folder, name)
        names.append({"name": name, "scene": picture.scene, "culture": picture.look.culture,
                      "fruit": len(picture.fruit)})  # fmt: skip
    manifest = {
        "schema": SCHEMA,
        "seed": seed,
        **(options or {}),
        "licence": "CC0-1.0",
        "layout": LAYOUT,
        "depth_step_m": DEPTH_STEP,
        "cut_above_calyx_m": CUT_ABOVE_CALYX,
        "pictures": names,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return len(names)


def _write(picture: Rendered, folder: Path, name: str) -> None:
    h, w = picture.color.shape[:2]
    quality = [cv2.IMWRITE_JPEG_QUALITY, picture.photo.quality]
    _save(folder / "images" / f"{name}.jpg", cv2.cvtColor(picture.color, cv2.COLOR_RGB2BGR), quality)
    quick = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    _save(folder / "masks" / f"{name}.png", picture.mask, quick)
    _save(folder / "depth" / f"{name}.png", _counts(picture.depth), quick)
    _save(folder / "depth_measured" / f"{name}.png", _counts(picture.measured), quick)
    truth = {
        "schema": SCHEMA,
        "camera": asdict(picture.camera),
        "T_world_camera": np.round(picture.T_world_camera, 7).tolist(),
        "culture": picture.look.culture,
        "photo": asdict(picture.photo),
        "fruit": [_rounded(asdict(f)) for f in picture.fruit],
        "flowers": [_rounded(asdict(f)) for f in picture.flowers],
    }
    (folder / "truth" / f"{name}.json").write_text(json.dumps(truth) + "\n", encoding="utf-8")
    lines = []
    for f in picture.fruit:
        x0, y0, x1, y1 = f.box
        kind = 0 if f.ripeness >= LABELLED_RIPE_FROM else 1
        lines.append(
            f"{kind} {(x0 + x1) / 2 / w:.6f} {(y0 + y1) / 2 / h:.6f} {(x1 - x0) / w:.6f} {(y1 - y0) / h:.6f}\n"
        )
    (folder / "labels" / f"{name}.txt").write_text("".join(lines), encoding="utf-8")


def _counts(depth: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
    counts = np.rint(depth / np.float32(DEPTH_STEP))
    return np.where(counts < 65535, counts, 0).astype(np.uint16)


def _save(path: Path, picture: npt.NDArray[Any], options: list[int]) -> None:
    if not cv2.imwrite(str(path), picture, options):
        raise OSError(f"cannot write {path}: is the disk full?")


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, list | tuple):
        return [_rounded(v) for v in value]
    return {k: _rounded(v) for k, v in value.items()} if isinstance(value, dict) else value
