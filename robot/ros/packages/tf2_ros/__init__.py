"""Frames over ROS topics: the buffer, its listener and the broadcasters."""

from typing import TYPE_CHECKING

from robot.ros.borrowed import finder
from robot.ros.packages.tf2_py import (
    BackwardExtrapolationException,
    BufferCore,
    ConnectivityException,
    ExtrapolationException,
    ForwardExtrapolationException,
    InvalidArgumentException,
    LookupException,
    NoDataForExtrapolationException,
    TimeoutException,
    TransformException,
)
from robot.ros.packages.tf2_ros.buffer import Buffer
from robot.ros.packages.tf2_ros.buffer_client import BufferClient
from robot.ros.packages.tf2_ros.buffer_interface import (
    BufferInterface,
    ConvertRegistration,
    NotImplementedException,
    Stamped,
    TransformRegistration,
    TypeException,
    convert,
)
from robot.ros.packages.tf2_ros.static_transform_broadcaster import StaticTransformBroadcaster
from robot.ros.packages.tf2_ros.static_transform_listener import StaticTransformListener
from robot.ros.packages.tf2_ros.transform_broadcaster import TransformBroadcaster
from robot.ros.packages.tf2_ros.transform_listener import TransformListener

__all__ = [
    "BackwardExtrapolationException",
    "Buffer",
    "BufferClient",
    "BufferCore",
    "BufferInterface",
    "ConnectivityException",
    "ConvertRegistration",
    "ExtrapolationException",
    "ForwardExtrapolationException",
    "InvalidArgumentException",
    "LookupException",
    "NoDataForExtrapolationException",
    "NotImplementedException",
    "Stamped",
    "StaticTransformBroadcaster",
    "StaticTransformListener",
    "TimeoutException",
    "TransformBroadcaster",
    "TransformException",
    "TransformListener",
    "TransformRegistration",
    "TypeException",
    "convert",
]

if not TYPE_CHECKING:
    __getattr__ = finder(__name__)
