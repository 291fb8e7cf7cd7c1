"""What `berrybrain detect` reports of a picture: berries as one line of JSON, and the picture with them drawn in."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vision.camera.pictures import load_picture
from vision.camera.selfcheck import picture_faults
from vision.grade import grade_in_picture
from vision.types import Detection, Detector, Stage

Image = npt.NDArray[np.uint8]

SHOWN_FROM = 0.25
"""Score from which a grower is shown a berry; the JSON line lists every detection with its score."""

_COLOURS = {
    Stage.FLOWER: (255, 255, 255),
    Stage.GREEN: (120, 220, 90),
    Stage.WHITE: (240, 240, 170),
    Stage.TURNING: (255, 176, 59),
    Stage.RIPE: (255, 64, 96),
    Stage.OVERRIPE: (190, 90, 220),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureResult:
    """Berries of one picture.

    Attributes:
        image: the picture's name as it was given.
        width, height: of the original picture [px].
        berries: best score first, in pixels of the original picture.
        faults: why the picture may not show its berries: `camera_dark`, `camera_bright`, `camera_blurred`,
            `picture_small`.
    """

    image: str
    width: int
    height: int
    berries: tuple[Detection, ...]
    faults: tuple[str, ...] = ()


def detect_picture(image: str | Path, detector: Detector) -> PictureResult:
    """Find the berries in a picture file.

    Raises:
        ValueError: the file is not a picture; the message says why.
    """
    color = load_picture(Path(image))
    return PictureResult(
        image=str(image),
        width=color.shape[1],
        height=color.shape[0],
        berries=tuple(detector.detect(color)),
        faults=picture_faults(color),
    )


def to_json_line(result: PictureResult, *, grades: bool = False) -> str:
    """Return the result as one line of JSON, in pixels of the original picture; `faults` only where there are some.

    Args:
        grades: tell of each berry the best class of NY/T 1789-2009 that is still possible as well; null when not seen.
    """
    record: dict[str, Any] = {
        "image": result.image,
        "width": result.width,
        "height": result.height,
        "berries": [_berry(d) | ({"grade": grade_in_picture(d)} if grades else {}) for d in result.berries],
    }
    if result.faults:
        record["faults"] = list(result.faults)
    return json.dumps(record, allow_nan=False)


def _berry(d: Detection) -> dict[str, Any]:
    return {
        "box": [round(float(v), 1) for v in d.box],
        "score": round(float(d.score), 4),
        "ripeness": round(float(d.ripeness), 4),
        "stage": d.stage.value,
        "polygon": None if d.polygon is None else np.round(d.polygon, 1).tolist(),
        "peduncle": None if d.peduncle is None else [round(float(v), 1) for v in d.peduncle],
    }


def annotate(picture: Image, berries: Iterable[Detection], *, shown_from: float = SHOWN_FROM) -> Image:
    """Return a copy of a picture with each berry's outline, stage, ripeness and cutting point drawn in.

    Args:
        picture: RGB, shape (h, w, 3).
        shown_from: berries with a lower score are left out.
    """
    canvas = picture.copy()
    unit = max(1.0, max(picture.shape[:2]) / 640)
    shown = [b for b in berries if b.score >= shown_from]
    for berry in shown:
        _draw_outline(canvas, berry, unit)
    for berry in sorted(shown, key=lambda b: b.box[1]):
        _draw_label(canvas, berry, unit)
    return canvas


def save_picture(path: Path, picture: Image) -> None:
    """Write an RGB picture; the suffix decides the format.

    Raises:
        ValueError: the format is unknown or the folder cannot be written.
    """
    try:
        written = cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    except cv2.error as error:
        raise ValueError(f"expected a picture suffix such as .jpg or .png, got {path}: {error}") from None
    if not written:
        raise ValueError(f"expected a folder that can be written, got {path.parent}: check that it exists")


def _draw_outline(canvas: Image, berry: Detection, unit: float) -> None:
    colour = _COLOURS[berry.stage]
    thin = max(1, round(1.5 * unit))
    if berry.polygon is not None and len(berry.polygon) >= 3:
        outline = [np.rint(berry.polygon).astype(np.int32)]
        cv2.polylines(canvas, outline, True, (20, 20, 20), thin + 2, cv2.LINE_AA)
        cv2.polylines(canvas, outline, True, colour, thin, cv2.LINE_AA)
    else:
        x0, y0, x1, y1 = (round(v) for v in berry.box)
        cv2.rectangle(canvas, (x0, y0), (x1, y1), colour, thin)
    if berry.peduncle is not None and berry.stage in {Stage.RIPE, Stage.TURNING, Stage.OVERRIPE}:
        x, y = (round(v) for v in berry.peduncle)
        arm = max(3, round(5 * unit))
        for line_colour, width in (((20, 20, 20), thin + 2), ((255, 255, 255), thin)):
            cv2.line(canvas, (x - arm, y), (x + arm, y), line_colour, width, cv2.LINE_AA)
            cv2.line(canvas, (x, y - arm // 2), (x, y + arm // 2), line_colour, width, cv2.LINE_AA)


def _draw_label(canvas: Image, berry: Detection, unit: float) -> None:
    """Write ripeness on a dark chip below the berry; small fruit gets the number alone."""
    x0, y0, x1, y1 = berry.box
    text = f"{100 * berry.ripeness:.0f}%"
    if x1 - x0 > 45 * unit:
        text = f"{berry.stage.value} {text}"
    scale = 0.38 * unit
    (w, h), base = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    x = round(min(max(0.0, (x0 + x1 - w) / 2), max(0, canvas.shape[1] - w)))
    y = round(min(max(float(h), (y0 + y1 + h) / 2), canvas.shape[0] - base))
    cv2.rectangle(canvas, (x - 2, y - h - 2), (x + w + 2, y + base), (20, 20, 20), -1)
    colour = _COLOURS[berry.stage]
    cv2.putText(canvas, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, colour, max(1, round(unit * 0.8)), cv2.LINE_AA)
