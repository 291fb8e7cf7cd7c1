"""Find berries in a picture."""

from vision.detect.baseline import BaselineDetector
from vision.detect.settings import BaselineSettings

__all__ = ["BaselineDetector", "BaselineSettings"]
