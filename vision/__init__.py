"""Turn pictures into berries: boxes, ripeness, masks, picking points and 3-D positions. Values in, values out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vision.types import Detector


def default_detector() -> Detector:
    """Return the detector in use: today the colour-and-shape baseline."""
    from vision.detect import BaselineDetector

    return BaselineDetector()
