"""Transform points, vectors, poses, wrenches and polygons; importing it makes `Buffer.transform` know their types."""

from typing import TYPE_CHECKING

from robot.ros.borrowed import finder
from robot.ros.packages.tf2_geometry_msgs.tf2_geometry_msgs import (
    do_transform_point,
    do_transform_polygon_stamped,
    do_transform_pose,
    do_transform_pose_array,
    do_transform_pose_stamped,
    do_transform_pose_with_covariance_stamped,
    do_transform_quaternion,
    do_transform_vector3,
    do_transform_wrench,
    from_msg_msg,
    to_msg_msg,
    transform_covariance,
)
from robot.ros.packages.tf2_ros.buffer_interface import ConvertRegistration, TransformRegistration

__all__ = [
    "ConvertRegistration",
    "TransformRegistration",
    "do_transform_point",
    "do_transform_polygon_stamped",
    "do_transform_pose",
    "do_transform_pose_array",
    "do_transform_pose_stamped",
    "do_transform_pose_with_covariance_stamped",
    "do_transform_quaternion",
    "do_transform_vector3",
    "do_transform_wrench",
    "from_msg_msg",
    "to_msg_msg",
    "transform_covariance",
]

if not TYPE_CHECKING:
    __getattr__ = finder(__name__)
