"""Folders of labelled pictures: `<set>/<split>/{images,labels}` with YOLO boxes, and the fruit they tell of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vision.ripeness import ripeness_in_common_light, to_lab

RIPE, UNRIPE = 0, 1
RIPE_ONLY_SETS = frozenset({"field_ripe_only"})
_CORE = 0.6
"""Half axes of the ellipse in a label's box that surely is fruit, as a share of the box's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledPicture:
    """A picture's file and its labels; only `classes` are labelled at all.

    Attributes:
        boxes: class (0 ripe, 1 unripe) and x0, y0, x1, y1 of each fruit, as shares of the picture.
        ripeness: of each fruit, 0-1, where a sixth number in the label or a rendered picture's truth says; else None.
        stages: of each fruit, where a rendered picture's truth says; else None.
    """

    path: Path
    set_name: str
    classes: tuple[int, ...]
    boxes: tuple[tuple[int, float, float, float, float], ...]
    ripeness: tuple[float | None, ...] = ()
    stages: tuple[str | None, ...] = ()


def labelled_pictures(root: Path, split: str = "val") -> Iterator[LabelledPicture]:
    """Yield the labelled pictures of `<root>/<set>/<split>/{images,labels}` in a fixed order.

    Raises:
        ValueError: no such layout below `root`, or a label line that is not `class cx cy w h` with perhaps a ripeness.
    """
    folders = sorted(p for p in root.glob(f"*/{split}/images") if p.is_dir()) if root.is_dir() else []
    if not folders:
        raise ValueError(f"expected <set>/{split}/images below {root}, found none: give the folder that holds the sets")
    for folder in folders:
        set_name = folder.parent.parent.name
        classes = (RIPE,) if set_name in RIPE_ONLY_SETS else (RIPE, UNRIPE)
        for path in sorted(folder.iterdir()):
            label = folder.parent / "labels" / f"{path.stem}.txt"
            lines = label.read_text(encoding="utf-8").splitlines() if label.exists() else []
            parsed = [_parse(line, label) for line in lines if line.strip()]
            told = _truth(folder.parent / "truth" / f"{path.stem}.json", len(parsed))
            yield LabelledPicture(
                path=path,
                set_name=set_name,
                classes=classes,
                boxes=tuple(box for box, _ in parsed),
                ripeness=tuple(t.get("ripeness", own) for t, (_, own) in zip(told, parsed, strict=True)),
                stages=tuple(t.get("stage") for t in told),
            )


def _parse(line: str, source: Path) -> tuple[tuple[int, float, float, float, float], float | None]:
    parts = line.split()
    try:
        kind, cx, cy, w, h = int(parts[0]), *(float(v) for v in parts[1:5])
        ripeness = float(parts[5]) if len(parts) > 5 else None
    except (ValueError, IndexError):
        raise ValueError(f"expected 'class cx cy w h' in {source}, got {line!r}") from None
    return (kind, cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2), ripeness


def _truth(path: Path, count: int) -> list[dict[str, Any]]:
    """Return what the simulator says of each labelled fruit; nothing where the file is absent or does not fit."""
    nothing: list[dict[str, Any]] = [{}] * count
    if not path.exists():
        return nothing
    content = json.loads(path.read_text(encoding="utf-8"))
    fruit = content.get("fruit", []) if isinstance(content, dict) else content
    return list(fruit) if len(fruit) == count else nothing


def ripeness_of_labels(picture: LabelledPicture, color: npt.NDArray[np.uint8]) -> list[float]:
    """Return the ripeness of each label: as told, else by the colour rule of `ripeness_in_common_light`."""
    if all(r is not None for r in picture.ripeness):
        return [float(r) for r in picture.ripeness if r is not None]
    h, w = color.shape[:2]
    y, x = (np.mgrid[0:h, 0:w] + 0.5) / np.array([h, w])[:, None, None]
    lab = to_lab(color)
    surfaces = []
    for _, x0, y0, x1, y1 in picture.boxes:
        core = ((x - (x0 + x1) / 2) / (x1 - x0)) ** 2 + ((y - (y0 + y1) / 2) / (y1 - y0)) ** 2 < (_CORE / 2) ** 2
        surfaces.append(lab[core])
    by_rule = ripeness_in_common_light(surfaces, [box[0] == RIPE for box in picture.boxes])
    return [rule if told is None else told for told, rule in zip(picture.ripeness, by_rule, strict=True)]
