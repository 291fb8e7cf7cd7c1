"""Turn pictures into berries: boxes, ripeness, masks, picking points and 3-D positions. Values in, values out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vision.types import Detector

DETECTORS = ("baseline", "network", "network-fp32")
DEFAULT_DETECTOR = "network"


def detector(name: str, *, photographs: bool | None = None) -> Detector:
    """Return a detector by its name.

    Args:
        name: "baseline" for colour and shape, "network" for the trained network in int8, "network-fp32" for the same
            in 32 bits.
        photographs: True: every picture is one, which may lie on its side or its head: the network looks at it up to
            twelve times. False: for cameras, whose frames stand upright and do not wait. None: by the picture, one of
            640x480 pixels or less in the shape of a camera's frames (4:3, 16:9) is a frame.

    Raises:
        ValueError: there is none of that name, or its model file is missing, damaged or of another version.
    """
    if name == "baseline":
        from vision.detect import BaselineDetector

        return BaselineDetector()
    if name in DETECTORS:
        from vision.detect.looks import PhotoSettings
        from vision.detect.network import NetworkDetector, NetworkSettings

        precision = "fp32" if name == "network-fp32" else "int8"
        photo = None if photographs is False else PhotoSettings(frames=photographs is True)
        return NetworkDetector(NetworkSettings(precision=precision, photo=photo))
    raise ValueError(f"expected a detector of {', '.join(DETECTORS)}, got {name!r}")


def default_detector() -> Detector:
    """Return the detector in use."""
    return detector(DEFAULT_DETECTOR)
