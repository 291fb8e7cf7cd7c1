"""Draw berries into pictures for people: outline, ripeness and cut point."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dashboard.cli.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from vision.types import Detection

# Stage → RGB. Chosen to differ in lightness too, so that nothing is said by red and green alone.
COLOURS = {
    "flower": (255, 255, 255),
    "green": (120, 220, 120),
    "white": (235, 235, 170),
    "turning": (255, 190, 60),
    "ripe": (255, 60, 120),
    "overripe": (150, 80, 200),
}


class Album:
    """A folder of annotated pictures.

    Raises:
        Problem: the folder cannot be made or written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._used: set[str] = set()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Problem(
                f"cannot write annotated pictures to {folder}: {error.strerror}; name another folder"
            ) from error

    def add(self, name: str, color: npt.NDArray[np.uint8], berries: Sequence[Detection]) -> Path:
        """Write the picture called `name` (RGB, shape (h, w, 3)) with its berries; return where."""
        import cv2

        stem, number = Path(name).stem, 1
        while stem in self._used:
            number += 1
            stem = f"{Path(name).stem}-{number}"
        self._used.add(stem)
        path = self._folder / f"{stem}.jpg"
        encoded = cv2.imencode(".jpg", draw(color, berries)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])[1]
        try:
            path.write_bytes(encoded.tobytes())
        except OSError as error:
            raise Problem(f"cannot write {path}: {error.strerror}; name another folder with --annotate") from error
        return path


def draw(color: npt.NDArray[np.uint8], berries: Sequence[Detection]) -> npt.NDArray[np.uint8]:
    """Return a copy of an RGB picture, shape (h, w, 3), with each berry's outline, ripeness in % and cut point."""
    import cv2
    import numpy as np

    canvas = np.ascontiguousarray(color).copy()
    scale = max(canvas.shape[:2]) / 900.0
    thick = max(1, round(1.6 * scale))
    for berry in berries:
        rgb = COLOURS[str(berry.stage)]
        x0, y0, x1, y1 = (round(value) for value in berry.box)
        if berry.polygon is None:
            cv2.rectangle(canvas, (x0, y0), (x1, y1), rgb, thick, cv2.LINE_AA)
        else:
            cv2.polylines(canvas, [np.round(berry.polygon).astype(np.int32)], True, rgb, thick, cv2.LINE_AA)
        if berry.peduncle is not None:
            at = (round(berry.peduncle[0]), round(berry.peduncle[1]))
            cv2.drawMarker(
                canvas, at, (255, 255, 255), cv2.MARKER_TILTED_CROSS, round(12 * scale) + 4, thick, cv2.LINE_AA
            )
        text = f"{berry.stage} {100 * berry.ripeness:.0f}%"
        for colour, width in (((20, 20, 20), 2 * thick + 1), (rgb, thick)):
            place = (x0, max(round(14 * scale), y0 - round(4 * scale)))
            cv2.putText(canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45 * scale, colour, width, cv2.LINE_AA)
    return canvas
