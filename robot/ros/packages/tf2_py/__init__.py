"""The core of tf2: the tree of frames and what can go wrong with it."""

from robot.ros.packages.tf2_py.buffer_core import BufferCore
from robot.ros.packages.tf2_py.exceptions import (
    BackwardExtrapolationException,
    ConnectivityException,
    ExtrapolationException,
    ForwardExtrapolationException,
    InvalidArgumentException,
    LookupException,
    NoDataForExtrapolationException,
    TimeoutException,
    TransformException,
)

__all__ = [
    "BackwardExtrapolationException",
    "BufferCore",
    "ConnectivityException",
    "ExtrapolationException",
    "ForwardExtrapolationException",
    "InvalidArgumentException",
    "LookupException",
    "NoDataForExtrapolationException",
    "TimeoutException",
    "TransformException",
]
