"""Between ROS messages and the values the rooms use: instants, poses, berries, trajectories."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from robot.motion import Trajectory
from robot.ros.interfaces import berry_msgs, builtin_interfaces, control_msgs, geometry_msgs, std_msgs, trajectory_msgs
from robot.ros.qos import DurabilityPolicy, QoSProfile
from vision.types import Berry, Detection, Stage

Array = npt.NDArray[np.float64]

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
RELIABLE = QoSProfile(depth=50)
NEWEST = QoSProfile(depth=2)


def to_time(seconds: float) -> Any:
    """Return `builtin_interfaces/Time` of a UTC epoch [s]."""
    whole = int(seconds // 1.0)
    nanos = round((seconds - whole) * 1e9)
    return builtin_interfaces.msg.Time(sec=whole + nanos // 1_000_000_000, nanosec=nanos % 1_000_000_000)


def to_seconds(time: Any) -> float:
    """Return UTC epoch seconds of a `builtin_interfaces/Time`."""
    return float(time.sec) + float(time.nanosec) * 1e-9


def to_key(time: Any) -> int:
    """Return the instant in whole microseconds: equal for one frame whatever rounding its stamp went through."""
    return int(time.sec) * 1_000_000 + round(int(time.nanosec) / 1000)


def header(at: float, frame_id: str) -> Any:
    return std_msgs.msg.Header(stamp=to_time(at), frame_id=frame_id)


def point(values: Array) -> Any:
    return geometry_msgs.msg.Point(x=float(values[0]), y=float(values[1]), z=float(values[2]))


def from_point(message: Any) -> Array:
    return np.array([message.x, message.y, message.z])


def quaternion_with_y(axis: Array) -> Any:
    """Return a rotation whose y axis is `axis` (unit, shape (3,)); the turn about it is the smallest."""
    y = np.array([0.0, 1.0, 0.0])
    w = 1.0 + float(y @ axis)
    x, yy, z = (1.0, 0.0, 0.0) if w < 1e-9 else np.cross(y, axis).tolist()
    norm = float(np.sqrt(max(w, 0.0) ** 2 + x * x + yy * yy + z * z))
    return geometry_msgs.msg.Quaternion(x=x / norm, y=yy / norm, z=z / norm, w=max(w, 0.0) / norm)


def y_of(quaternion: Any) -> Array:
    """Return the y axis of a rotation, shape (3,)."""
    x, y, z, w = quaternion.x, quaternion.y, quaternion.z, quaternion.w
    return np.array([2.0 * (x * y - w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z + w * x)])


def to_berry_message(berry: Berry) -> Any:
    """Return `berry_msgs/Berry`; its y axis points from calyx to tip."""
    d = berry.detection
    message = berry_msgs.msg.Berry(
        id=berry.id,
        score=d.score,
        ripeness=d.ripeness,
        stage=str(d.stage),
        visible=d.visible,
        diameter=berry.diameter,
        length=berry.length,
        has_peduncle=berry.peduncle is not None,
        box=[round(v) for v in d.box],
    )
    message.pose.pose.position = point(berry.position)
    message.pose.pose.orientation = quaternion_with_y(-berry.axis)
    covariance = np.zeros((6, 6))
    covariance[:3, :3] = berry.covariance
    message.pose.covariance = covariance.ravel()
    if berry.peduncle is not None:
        message.peduncle = point(berry.peduncle)
    return message


def from_berry_message(message: Any) -> Berry:
    """Return the berry of a `berry_msgs/Berry`, in the frame of its array."""
    detection = Detection(
        box=(float(message.box[0]), float(message.box[1]), float(message.box[2]), float(message.box[3])),
        score=float(message.score),
        ripeness=float(message.ripeness),
        stage=Stage(message.stage),
        visible=float(message.visible),
    )
    return Berry(
        detection=detection,
        position=from_point(message.pose.pose.position),
        covariance=np.asarray(message.pose.covariance, dtype=np.float64).reshape(6, 6)[:3, :3],
        diameter=float(message.diameter),
        length=float(message.length),
        axis=-y_of(message.pose.pose.orientation),
        peduncle=from_point(message.peduncle) if message.has_peduncle else None,
        id=int(message.id),
    )


def to_trajectory_goal(trajectory: Trajectory, names: tuple[str, ...]) -> Any:
    """Return a `FollowJointTrajectory` goal, joints in the order of `names`."""
    message = trajectory_msgs.msg.JointTrajectory(joint_names=list(names))
    rows = zip(
        trajectory.times.tolist(), trajectory.positions, trajectory.velocities, trajectory.accelerations, strict=True
    )
    for t, position, velocity, acceleration in rows:
        whole = int(t)
        duration = builtin_interfaces.msg.Duration(sec=whole, nanosec=round((t - whole) * 1e9))
        knot = trajectory_msgs.msg.JointTrajectoryPoint(
            positions=position.tolist(),
            velocities=velocity.tolist(),
            accelerations=acceleration.tolist(),
            time_from_start=duration,
        )
        message.points.append(knot)
    return control_msgs.action.FollowJointTrajectory.Goal(trajectory=message)
