"""Turn pictures into berries: boxes, ripeness, masks, picking points and 3-D positions. Values in, values out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vision.types import Detector

DETECTORS = ("baseline", "network", "network-fp32")
DEFAULT_DETECTOR = "network"


def detector(name: str, *, photographs: bool = True) -> Detector:
    """Return a detector by its name.

    Args:
        name: "baseline" for colour and shape, "network" for the trained network in int8, "network-fp32" for the same
            in 32 bits.
        photographs: the network takes pictures of more than 640x480 for photographs, which may lie on their side: it
            looks at them eight or nine times. False: for cameras that stand upright, whatever their frames' size.

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
        return NetworkDetector(NetworkSettings(precision=precision, photo=PhotoSettings() if photographs else None))
    raise ValueError(f"expected a detector of {', '.join(DETECTORS)}, got {name!r}")


def default_detector() -> Detector:
    """Return the detector in use."""
    return detector(DEFAULT_DETECTOR)
