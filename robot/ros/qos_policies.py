"""The policies that a quality-of-service profile is made of, numbered as rmw's."""

from __future__ import annotations

import warnings
from enum import IntEnum
from typing import Any, TypeVar

E = TypeVar("E", bound="QoSPolicyEnum")


class QoSPolicyKind(IntEnum):
    """Names a policy in events and overrides."""

    INVALID = 1
    DURABILITY = 2
    DEADLINE = 4
    LIVELINESS = 8
    RELIABILITY = 16
    HISTORY = 32
    LIFESPAN = 64
    DEPTH = 128
    LIVELINESS_LEASE_DURATION = 256
    AVOID_ROS_NAMESPACE_CONVENTIONS = 512


class QoSCompatibility(IntEnum):
    """Whether an offer satisfies a request."""

    OK = 0
    WARNING = 1
    ERROR = 2


def qos_policy_name_from_kind(policy_kind: QoSPolicyKind | int) -> str:
    return QoSPolicyKind(policy_kind).name


class QoSPolicyEnum(IntEnum):
    """The base of policies, with their names in small letters."""

    @classmethod
    def short_keys(cls) -> list[str]:
        return [name.lower() for name in cls.__members__]

    @classmethod
    def get_from_short_key(cls, name: str) -> int:
        return cls[name.upper()].value

    @property
    def short_key(self) -> str:
        return self.name.lower()


class _OldName:
    """A policy's name of early ROS 2, such as `RMW_QOS_POLICY_HISTORY_KEEP_LAST`; its use is warned of."""

    def __init__(self, old: str, new: str) -> None:
        self._old, self._new = old, new

    def __get__(self, _: object, policy: Any) -> Any:
        warnings.warn(
            f"{policy.__name__}.{self._old} is deprecated. Use {policy.__name__}.{self._new} instead.", stacklevel=2
        )
        return policy[self._new]


def _with_old_names(policy: type[E]) -> type[E]:
    kind = policy.__name__.removesuffix("Policy").upper()
    for name in policy.__members__:
        if name != "BEST_AVAILABLE":
            old = f"RMW_QOS_POLICY_{kind}_{name}"
            setattr(policy, old, _OldName(old, name))
    return policy


@_with_old_names
class HistoryPolicy(QoSPolicyEnum):
    SYSTEM_DEFAULT = 0
    KEEP_LAST = 1
    KEEP_ALL = 2
    UNKNOWN = 3


@_with_old_names
class ReliabilityPolicy(QoSPolicyEnum):
    SYSTEM_DEFAULT = 0
    RELIABLE = 1
    BEST_EFFORT = 2
    UNKNOWN = 3
    BEST_AVAILABLE = 4


@_with_old_names
class DurabilityPolicy(QoSPolicyEnum):
    SYSTEM_DEFAULT = 0
    TRANSIENT_LOCAL = 1
    VOLATILE = 2
    UNKNOWN = 3
    BEST_AVAILABLE = 4


@_with_old_names
class LivelinessPolicy(QoSPolicyEnum):
    SYSTEM_DEFAULT = 0
    AUTOMATIC = 1
    MANUAL_BY_TOPIC = 3
    UNKNOWN = 4
    BEST_AVAILABLE = 5


QoSHistoryPolicy = HistoryPolicy
QoSReliabilityPolicy = ReliabilityPolicy
QoSDurabilityPolicy = DurabilityPolicy
QoSLivelinessPolicy = LivelinessPolicy
