"""Read rendered pictures, as `berrybrain sim render` writes them, into samples with every label known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vision.camera.pictures import load_picture
from vision.train.fruit import Fruit, fruit_of_box

SCHEMA = "berrybrain.rendered/1"

_LEAST_VISIBLE = 0.12
_LEAST_SIDE = 7.0
_ABOVE_CALYX = 0.5
"""Pixels of the mask this far above the calyx [px] are sepals: labelled boxes of real pictures leave them out."""


def rendered_pictures(folder: Path) -> Iterator[tuple[str, str, npt.NDArray[np.uint8], list[Fruit]]]:
    """Yield name, group (pictures of one bed), RGB picture and fruit of every picture in `folder`.

    Raises:
        ValueError: `folder` is not such a folder, or of another version.
    """
    names = sorted(p.stem for p in (folder / "truth").glob("*.json"))
    if not names:
        raise ValueError(f"expected truth/NAME.json below {folder}, found none: write it with `berrybrain sim render`")
    for name in names:
        truth = json.loads((folder / "truth" / f"{name}.json").read_text(encoding="utf-8"))
        if truth.get("schema") != SCHEMA:
            raise ValueError(
                f"{folder}: {name} is of schema {truth.get('schema')!r}, expected {SCHEMA!r}: render it again"
            )
        color = load_picture(folder / "images" / f"{name}.jpg")
        ids = cv2.imread(str(folder / "masks" / f"{name}.png"), cv2.IMREAD_UNCHANGED)
        if ids is None:
            raise ValueError(f"expected masks/{name}.png below {folder}, found none that can be read: render it again")
        fruit = [f for f in (_fruit(entry, np.asarray(ids, np.uint16)) for entry in truth["fruit"]) if f is not None]
        yield name, "rendered_" + name.rsplit("_", 1)[0], color, fruit


def _fruit(entry: dict[str, Any], ids: npt.NDArray[np.uint16]) -> Fruit | None:
    """Return a fruit, None when so little of it shows that nobody would label it."""
    calyx, stem = np.array(entry["calyx_px"]), np.array(entry["stem_px"])
    x0, y0, x1, y1 = (int(v) for v in entry["box"])
    mask = (ids[y0 : y1 + 2, x0 : x1 + 2] == entry["id"]).astype(np.uint8)
    y, x = np.mgrid[y0 : y0 + mask.shape[0], x0 : x0 + mask.shape[1]]
    above = (x - calyx[0]) * stem[0] + (y - calyx[1]) * stem[1] > _ABOVE_CALYX
    if np.isfinite(stem).all() and (mask & ~above).any():
        mask = mask & ~above
    found, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not found or entry["visible"] < _LEAST_VISIBLE:
        return None
    points = np.concatenate([c[:, 0] for c in found]).astype(np.float32) + np.array([x0, y0], np.float32)
    low, high = points.min(axis=0), points.max(axis=0) + 1
    if (high - low).min() < _LEAST_SIDE:
        return None
    largest = cv2.approxPolyDP(max(found, key=cv2.contourArea), 0.5, closed=True)[:, 0].astype(np.float32)
    seen = entry["calyx_visible"] or entry["cut_visible"] or entry["visible"] > 0.5
    return replace(
        fruit_of_box(0 if entry["ripeness"] >= 0.5 else 1, (*low, *high)),
        outline=largest + np.array([x0, y0], np.float32),
        ripeness=float(entry["ripeness"]),
        calyx=np.array(calyx, np.float32) if seen else None,
        peduncle=np.array(entry["cut_px"], np.float32) if seen else None,
        visible=float(entry["visible"]),
    )
