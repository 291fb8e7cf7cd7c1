"""Quality of service as bags keep it, to and from rclpy's profiles."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Self

from robot.ros.duration import NANOSECONDS, Duration, Infinite
from robot.ros.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    LivelinessPolicy,
    QoSProfile,
    ReliabilityPolicy,
)
from robot.ros.qos_policies import QoSPolicyEnum

POLICIES: dict[str, type[QoSPolicyEnum]] = {
    "history": HistoryPolicy,
    "reliability": ReliabilityPolicy,
    "durability": DurabilityPolicy,
    "liveliness": LivelinessPolicy,
}
DURATIONS = ("deadline", "lifespan", "liveliness_lease_duration")
EVER_S = 2**31 - 1  # as rosbag2 writes that there is no limit; rclpy has 2**63 - 1 ns


class QoS:
    """A profile whose policies are set one after the other, as rclcpp's: `QoS(10).best_effort().transient_local()`.

    Args:
        history_depth: messages kept.
    """

    __slots__ = ("profile",)

    def __init__(self, history_depth: int) -> None:
        self.profile = QoSProfile(depth=history_depth)

    def _with(self, **policies: Any) -> Self:
        for name, value in policies.items():
            setattr(self.profile, name, value)
        return self

    def keep_last(self, depth: int) -> Self:
        return self._with(history=HistoryPolicy.KEEP_LAST, depth=depth)

    def keep_all(self) -> Self:
        return self._with(history=HistoryPolicy.KEEP_ALL)

    def reliable(self) -> Self:
        return self._with(reliability=ReliabilityPolicy.RELIABLE)

    def best_effort(self) -> Self:
        return self._with(reliability=ReliabilityPolicy.BEST_EFFORT)

    def durability_volatile(self) -> Self:
        return self._with(durability=DurabilityPolicy.VOLATILE)

    def transient_local(self) -> Self:
        return self._with(durability=DurabilityPolicy.TRANSIENT_LOCAL)

    def history(self, policy: int) -> Self:
        return self._with(history=HistoryPolicy(policy))

    def reliability(self, policy: int) -> Self:
        return self._with(reliability=ReliabilityPolicy(policy))

    def durability(self, policy: int) -> Self:
        return self._with(durability=DurabilityPolicy(policy))

    def liveliness(self, policy: int) -> Self:
        return self._with(liveliness=LivelinessPolicy(policy))

    def deadline(self, duration: Duration) -> Self:
        return self._with(deadline=duration)

    def lifespan(self, duration: Duration) -> Self:
        return self._with(lifespan=duration)

    def liveliness_lease_duration(self, duration: Duration) -> Self:
        return self._with(liveliness_lease_duration=duration)

    def avoid_ros_namespace_conventions(self, avoid: bool) -> Self:
        return self._with(avoid_ros_namespace_conventions=avoid)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QoS) and self.profile == other.profile

    def __hash__(self) -> int:
        return hash(self.profile)

    def __repr__(self) -> str:
        return f"QoS({self.profile})"


def convert_rclcpp_qos_to_rclpy_qos(qos: QoS) -> QoSProfile:
    return qos.profile.copy()


def from_bag(kept: Any) -> QoS:
    """Take a profile as rosbags has it."""
    policies = {name: _policy(kind, getattr(kept, name).value) for name, kind in POLICIES.items()}
    depth = kept.depth or int(policies["history"] == HistoryPolicy.KEEP_LAST)
    qos = QoS(1)
    qos.profile = QoSProfile(
        depth=depth,
        avoid_ros_namespace_conventions=bool(kept.avoid_ros_namespace_conventions),
        **policies,
        **{name: _span(*getattr(kept, name)) for name in DURATIONS},
    )
    return qos


def _policy(kind: type[QoSPolicyEnum], value: int) -> QoSPolicyEnum:
    try:
        return kind(value)
    except ValueError:  # liveliness by node, which ROS has no more
        return kind["UNKNOWN"]


def _span(seconds: int, nanoseconds: int) -> Duration:
    return Infinite if seconds >= EVER_S else Duration(seconds=seconds, nanoseconds=nanoseconds)


def for_bag(given: str | Iterable[QoS | QoSProfile]) -> list[Any]:
    """Return profiles as rosbags writes them.

    Args:
        given: profiles, or the YAML text that bags up to Humble carry.

    Raises:
        TypeError: something else.
    """
    from rosbags.rosbag2.metadata import parse_qos

    if isinstance(given, str):
        return list(parse_qos(given))
    return [_kept(qos) for qos in given]


def _kept(given: QoS | QoSProfile) -> Any:
    from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime

    profile = given.profile if isinstance(given, QoS) else given
    if not isinstance(profile, QoSProfile):
        raise TypeError(f"offered_qos_profiles: expected QoS, QoSProfile or YAML text, got {type(profile).__name__}")
    kinds: dict[str, Callable[[int], Any]] = {
        "history": QosHistory,
        "reliability": QosReliability,
        "durability": QosDurability,
        "liveliness": QosLiveliness,
    }
    return Qos(
        depth=profile.depth,
        avoid_ros_namespace_conventions=profile.avoid_ros_namespace_conventions,
        **{name: kind(int(getattr(profile, name))) for name, kind in kinds.items()},
        **{name: QosTime(*divmod(getattr(profile, name).nanoseconds, NANOSECONDS)) for name in DURATIONS},
    )


def to_rclcpp_qos_vector(text: str, version: int) -> list[QoS]:
    """Read the YAML text of offered profiles; `version`, of the metadata, is told by the text itself."""
    return [from_bag(kept) for kept in for_bag(text)]
