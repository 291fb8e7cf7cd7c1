"""Images of ROS as arrays of OpenCV and back."""

from robot.ros.packages.cv_bridge.core import CvBridge
from robot.ros.packages.cv_bridge.encodings import CvBridgeError, cvtColor2, getCvType

__all__ = ["CvBridge", "CvBridgeError", "cvtColor2", "getCvType"]
