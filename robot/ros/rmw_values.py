"""Values of the layers below rclpy, by their names there."""

# ruff: noqa: N801 (the names are rmw's and rcl's)
from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from robot.ros import qos
from robot.ros.clock_type import ClockType
from robot.ros.duration import Duration
from robot.ros.impl.logging_severity import LoggingSeverity
from robot.ros.qos import QoSCompatibility, QoSProfile, qos_check_compatible

__all__ = [
    "RCUTILS_LOG_SEVERITY",
    "QoSCheckCompatibleResult",
    "RCUtilsError",
    "RMWError",
    "rcl_duration_t",
    "rcl_time_point_t",
    "rclpy_action_get_rmw_qos_profile",
    "rclpy_qos_check_compatible",
    "rmw_qos_policy_kind_t",
    "rmw_qos_profile_t",
]

RCUTILS_LOG_SEVERITY = IntEnum(  # type: ignore[misc]
    "RCUTILS_LOG_SEVERITY", {f"RCUTILS_LOG_SEVERITY_{level.name}": level.value for level in LoggingSeverity}
)
rmw_qos_policy_kind_t = IntEnum(  # type: ignore[misc]
    "rmw_qos_policy_kind_t", {f"RMW_QOS_POLICY_{kind.name}": kind.value for kind in qos.QoSPolicyKind}
)


class RCUtilsError(RuntimeError):
    """What rclpy reports from rcutils."""


class RMWError(RuntimeError):
    """What rclpy reports from rmw."""


class rcl_duration_t(Duration):
    """A span of time, made from its nanoseconds."""

    __slots__ = ()

    def __init__(self, nanoseconds: int) -> None:
        super().__init__(nanoseconds=nanoseconds)


@dataclass(frozen=True, slots=True)
class rcl_time_point_t:
    """An instant [ns] on a clock of a type."""

    nanoseconds: int
    clock_type: ClockType


class rmw_qos_profile_t:
    """A profile from its fields in rmw's order; `predefined` finds those that have names."""

    def __new__(  # noqa: PLR0917
        cls,
        qos_history: int,
        qos_depth: int,
        qos_reliability: int,
        qos_durability: int,
        pyqos_lifespan: Duration,
        pyqos_deadline: Duration,
        qos_liveliness: int,
        pyqos_liveliness_lease_duration: Duration,
        avoid_ros_namespace_conventions: bool,
    ) -> Any:
        return QoSProfile(
            history=qos_history,
            depth=qos_depth,
            reliability=qos_reliability,
            durability=qos_durability,
            lifespan=Duration(nanoseconds=pyqos_lifespan.nanoseconds),
            deadline=Duration(nanoseconds=pyqos_deadline.nanoseconds),
            liveliness=qos_liveliness,
            liveliness_lease_duration=Duration(nanoseconds=pyqos_liveliness_lease_duration.nanoseconds),
            avoid_ros_namespace_conventions=avoid_ros_namespace_conventions,
        )

    @staticmethod
    def predefined(qos_profile_name: str) -> QoSProfile:
        """Return for example `qos_profile_sensor_data`; raises ValueError for an unknown name."""
        found = getattr(qos, qos_profile_name, None)
        if not isinstance(found, QoSProfile):
            raise ValueError(f"no predefined profile {qos_profile_name!r}")
        return found


@dataclass(frozen=True, slots=True)
class QoSCheckCompatibleResult:
    """Whether two profiles fit, and why not."""

    compatibility: QoSCompatibility = field(default=QoSCompatibility.OK)
    reason: str = ""


def rclpy_qos_check_compatible(
    publisher_qos_profile: QoSProfile, subscription_qos_profile: QoSProfile
) -> QoSCheckCompatibleResult:
    return QoSCheckCompatibleResult(*qos_check_compatible(publisher_qos_profile, subscription_qos_profile))


def rclpy_action_get_rmw_qos_profile(rmw_profile: str) -> dict[str, Any]:
    """Return the fields of `rcl_action_qos_profile_status_default`; raises RuntimeError for another name."""
    if rmw_profile != "rcl_action_qos_profile_status_default":
        raise RuntimeError(f"Requested unknown rmw_qos_profile: {rmw_profile!r}")
    return qos.qos_profile_action_status_default.to_dict()
