"""Messages of geometry_msgs, transformed by a `TransformStamped`."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from robot.ros.borrowed import finder
from robot.ros.interfaces import geometry_msgs
from robot.ros.packages.tf2_py.buffer_core import from_msg
from robot.ros.packages.tf2_py.rotation import multiply, rotate
from robot.ros.packages.tf2_ros.buffer_interface import ConvertRegistration, TransformRegistration

Matrix = npt.NDArray[np.float64]
AXES = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


def to_msg_msg(msg: Any) -> Any:
    """Return the message itself: it is one already."""
    return msg


def from_msg_msg(msg: Any) -> Any:
    """Return the message itself: it is one already."""
    return msg


def _xyz(vector: Any) -> tuple[float, float, float]:
    return vector.x, vector.y, vector.z


def _fill(made: Any, values: tuple[float, ...]) -> Any:
    for name, value in zip("xyzw", values, strict=False):
        setattr(made, name, value)
    return made


def _stamped(kind: Any, transform: Any, **parts: Any) -> Any:
    return kind(header=copy(transform.header), **parts)


def do_transform_point(point: Any, transform: Any) -> Any:
    """Return the `PointStamped` in the transform's parent frame."""
    moved = from_msg(transform.transform).apply(_xyz(point.point))
    return _stamped(geometry_msgs.msg.PointStamped, transform, point=_fill(geometry_msgs.msg.Point(), moved))


def do_transform_vector3(vector3: Any, transform: Any) -> Any:
    """Return the `Vector3Stamped` turned, not moved."""
    turned = rotate(from_msg(transform.transform).rotation, _xyz(vector3.vector))
    return _stamped(geometry_msgs.msg.Vector3Stamped, transform, vector=_fill(geometry_msgs.msg.Vector3(), turned))


def do_transform_quaternion(quaternion: Any, transform: Any) -> Any:
    """Return the `QuaternionStamped` turned."""
    q = quaternion.quaternion
    turned = multiply(from_msg(transform.transform).rotation, (q.x, q.y, q.z, q.w))
    made = _fill(geometry_msgs.msg.Quaternion(), turned)
    return _stamped(geometry_msgs.msg.QuaternionStamped, transform, quaternion=made)


def do_transform_pose(pose: Any, transform: Any) -> Any:
    """Return the `Pose` in the transform's parent frame."""
    by, q = from_msg(transform.transform), pose.orientation
    made = geometry_msgs.msg.Pose()
    _fill(made.position, by.apply(_xyz(pose.position)))
    _fill(made.orientation, multiply(by.rotation, (q.x, q.y, q.z, q.w)))
    return made


def do_transform_pose_stamped(pose: Any, transform: Any) -> Any:
    """Return the `PoseStamped` in the transform's parent frame."""
    return _stamped(geometry_msgs.msg.PoseStamped, transform, pose=do_transform_pose(pose.pose, transform))


def do_transform_pose_array(poses: Any, transform: Any) -> Any:
    """Return the `PoseArray` in the transform's parent frame."""
    moved = [do_transform_pose(pose, transform) for pose in poses.poses]
    return _stamped(geometry_msgs.msg.PoseArray, transform, poses=moved)


def transform_covariance(cov_in: Any, transform: Any) -> Matrix:
    """Turn a covariance of (position, rotation about the axes), row by row.

    Args:
        cov_in: 36 numbers.
        transform: a `TransformStamped`; only its rotation counts.
    """
    rotation = from_msg(transform.transform).rotation
    turn = np.zeros((6, 6))
    turn[:3, :3] = turn[3:, 3:] = np.array([rotate(rotation, axis) for axis in AXES]).T
    turned: Matrix = turn @ np.asarray(cov_in, np.float64).reshape(6, 6) @ turn.T
    return turned.ravel()


def do_transform_pose_with_covariance_stamped(pose: Any, transform: Any) -> Any:
    """Return the `PoseWithCovarianceStamped` in the transform's parent frame."""
    made = geometry_msgs.msg.PoseWithCovariance(
        pose=do_transform_pose(pose.pose.pose, transform),
        covariance=transform_covariance(pose.pose.covariance, transform),
    )
    return _stamped(geometry_msgs.msg.PoseWithCovarianceStamped, transform, pose=made)


def do_transform_wrench(wrench: Any, transform: Any) -> Any:
    """Return the `WrenchStamped` turned: force and torque as free vectors, as tf2 does."""
    rotation = from_msg(transform.transform).rotation
    made = geometry_msgs.msg.Wrench()
    _fill(made.force, rotate(rotation, _xyz(wrench.wrench.force)))
    _fill(made.torque, rotate(rotation, _xyz(wrench.wrench.torque)))
    return _stamped(geometry_msgs.msg.WrenchStamped, transform, wrench=made)


def do_transform_polygon_stamped(polygon: Any, transform: Any) -> Any:
    """Return the `PolygonStamped` in the transform's parent frame."""
    by = from_msg(transform.transform)
    points = [_fill(geometry_msgs.msg.Point32(), by.apply(_xyz(point))) for point in polygon.polygon.points]
    return _stamped(geometry_msgs.msg.PolygonStamped, transform, polygon=geometry_msgs.msg.Polygon(points=points))


FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "PointStamped": do_transform_point,
    "Vector3Stamped": do_transform_vector3,
    "QuaternionStamped": do_transform_quaternion,
    "PoseStamped": do_transform_pose_stamped,
    "PoseArray": do_transform_pose_array,
    "PoseWithCovarianceStamped": do_transform_pose_with_covariance_stamped,
    "WrenchStamped": do_transform_wrench,
    "PolygonStamped": do_transform_polygon_stamped,
}


def register() -> None:
    """Make `Buffer.transform` and `convert` know these types."""
    for name, function in FUNCTIONS.items():
        kind = getattr(geometry_msgs.msg, name)
        TransformRegistration().add(kind, function)
        ConvertRegistration().add_to_msg(kind, to_msg_msg)
        ConvertRegistration().add_from_msg(kind, from_msg_msg)


register()

if not TYPE_CHECKING:
    __getattr__ = finder(__name__)
