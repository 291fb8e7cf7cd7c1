"""Quality of service: what is kept, what is promised, and which offers satisfy which requests."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from robot.ros.duration import Duration


class ReliabilityPolicy(IntEnum):
    SYSTEM_DEFAULT = 0
    RELIABLE = 1
    BEST_EFFORT = 2


class DurabilityPolicy(IntEnum):
    SYSTEM_DEFAULT = 0
    TRANSIENT_LOCAL = 1
    VOLATILE = 2


class HistoryPolicy(IntEnum):
    SYSTEM_DEFAULT = 0
    KEEP_LAST = 1
    KEEP_ALL = 2


class LivelinessPolicy(IntEnum):
    SYSTEM_DEFAULT = 0
    AUTOMATIC = 1
    MANUAL_BY_TOPIC = 3


QoSReliabilityPolicy = ReliabilityPolicy
QoSDurabilityPolicy = DurabilityPolicy
QoSHistoryPolicy = HistoryPolicy
QoSLivelinessPolicy = LivelinessPolicy


class InvalidQoSProfileException(ValueError):  # noqa: N818 (rclpy's name)
    """A profile that contradicts itself."""


class QoSProfile:
    """Quality of service of one endpoint, as `rclpy.qos.QoSProfile`.

    `deadline`, `lifespan` and `liveliness` are carried but not enforced yet.
    """

    __slots__ = ("deadline", "depth", "durability", "history", "lifespan", "liveliness", "reliability")

    def __init__(
        self,
        *,
        depth: int | None = None,
        history: HistoryPolicy | None = None,
        reliability: ReliabilityPolicy = ReliabilityPolicy.RELIABLE,
        durability: DurabilityPolicy = DurabilityPolicy.VOLATILE,
        liveliness: LivelinessPolicy = LivelinessPolicy.AUTOMATIC,
        deadline: Duration | None = None,
        lifespan: Duration | None = None,
    ) -> None:
        if depth is None and history is None:
            raise InvalidQoSProfileException("expected depth or history, got neither")
        if history == HistoryPolicy.KEEP_LAST and depth is None:
            raise InvalidQoSProfileException("history KEEP_LAST needs a depth")
        if depth is not None and depth < 0:
            raise ValueError(f"expected a depth >= 0, got {depth}")
        self.depth = depth or 0
        self.history = HistoryPolicy.KEEP_LAST if history is None else HistoryPolicy(history)
        self.reliability = ReliabilityPolicy(reliability)
        self.durability = DurabilityPolicy(durability)
        self.liveliness = LivelinessPolicy(liveliness)
        self.deadline = deadline or Duration()
        self.lifespan = lifespan or Duration()

    @property
    def limit(self) -> int | None:
        """Most messages kept, None = all."""
        return None if self.history == HistoryPolicy.KEEP_ALL else max(1, self.depth)

    @property
    def latched(self) -> bool:
        return self.durability == DurabilityPolicy.TRANSIENT_LOCAL

    @property
    def best_effort(self) -> bool:
        return self.reliability == ReliabilityPolicy.BEST_EFFORT

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QoSProfile) and all(getattr(self, n) == getattr(other, n) for n in self.__slots__)

    def __hash__(self) -> int:
        return hash(tuple(getattr(self, name) for name in self.__slots__))

    def __repr__(self) -> str:
        return f"QoSProfile({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"

    def to_json(self) -> dict[str, Any]:
        return {
            "depth": self.depth,
            "history": int(self.history),
            "reliability": int(self.reliability),
            "durability": int(self.durability),
        }


def as_profile(value: QoSProfile | int) -> QoSProfile:
    """Take a profile, or a depth for the default profile."""
    if isinstance(value, QoSProfile):
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"expected a QoSProfile or a depth, got {value!r}")
    return QoSProfile(depth=value)


qos_profile_default = QoSProfile(depth=10)
qos_profile_system_default = QoSProfile(depth=10)
qos_profile_sensor_data = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
qos_profile_services_default = QoSProfile(depth=10)
qos_profile_parameters = QoSProfile(depth=1000)
qos_profile_action_status_default = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
