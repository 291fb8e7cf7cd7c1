"""A profile of quality of service: what is kept, and what is promised."""

from __future__ import annotations

import warnings
from typing import Any, Generic, Self, TypeVar, overload

from robot.ros.duration import INFINITE_NS, Duration
from robot.ros.qos_policies import DurabilityPolicy, HistoryPolicy, LivelinessPolicy, QoSPolicyEnum, ReliabilityPolicy

T = TypeVar("T")

DEFAULT_DEPTH = 10  # where neither the profile nor the policy says how many messages are kept
BEST_AVAILABLE_NS = INFINITE_NS - 1  # a duration that stands for "what the others offer"
DeadlineBestAvailable = Duration(nanoseconds=BEST_AVAILABLE_NS)
LivelinessLeaseDurationeBestAvailable = Duration(nanoseconds=BEST_AVAILABLE_NS)  # rclpy's spelling


class InvalidQoSProfileException(Exception):  # noqa: N818 (rclpy's name)
    """A profile that contradicts itself."""

    def __init__(self, *args: object) -> None:
        super().__init__("Invalid QoSProfile", *args)


def _checked(value: T | int, kind: type[T]) -> T:
    if not isinstance(value, kind):
        raise AssertionError(f"expected {kind.__name__}, got {value!r}")
    return value


class _Attribute(Generic[T]):
    """An attribute of a profile that is checked when it is set; a policy may be given by its number."""

    def __init__(self, kind: type[T]) -> None:
        self._kind = kind
        self._takes: type = int if issubclass(kind, QoSPolicyEnum) else kind
        self._slot = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._slot = f"_{name}"

    @overload
    def __get__(self, profile: None, owner: type) -> Self: ...

    @overload
    def __get__(self, profile: object, owner: type) -> T: ...

    def __get__(self, profile: object | None, owner: type) -> T | Self:
        if profile is None:
            return self
        value: T = getattr(profile, self._slot)
        return value

    def __set__(self, profile: object, value: T | int) -> None:
        value = _checked(value, self._takes)
        setattr(profile, self._slot, self._kind(value) if self._takes is int else value)  # type: ignore[call-arg]


_DEFAULTS: dict[str, Any] = {  # in rmw's order
    "history": HistoryPolicy.KEEP_LAST,
    "depth": DEFAULT_DEPTH,
    "reliability": ReliabilityPolicy.RELIABLE,
    "durability": DurabilityPolicy.VOLATILE,
    "lifespan": Duration(),
    "deadline": Duration(),
    "liveliness": LivelinessPolicy.SYSTEM_DEFAULT,
    "liveliness_lease_duration": Duration(),
    "avoid_ros_namespace_conventions": False,
}


class QoSProfile:
    """Quality of service of one endpoint, as `rclpy.qos.QoSProfile`.

    Takes `history`, `depth`, `reliability`, `durability`, `lifespan`, `deadline`, `liveliness`,
    `liveliness_lease_duration` and `avoid_ros_namespace_conventions`; needs a depth or a history that goes without. A
    duration of zero or `Infinite` is no limit.
    """

    __slots__ = (
        "_avoid_ros_namespace_conventions",
        "_deadline",
        "_depth",
        "_durability",
        "_history",
        "_lifespan",
        "_liveliness",
        "_liveliness_lease_duration",
        "_reliability",
    )
    history = _Attribute(HistoryPolicy)
    reliability = _Attribute(ReliabilityPolicy)
    durability = _Attribute(DurabilityPolicy)
    lifespan = _Attribute(Duration)
    deadline = _Attribute(Duration)
    liveliness = _Attribute(LivelinessPolicy)
    liveliness_lease_duration = _Attribute(Duration)
    avoid_ros_namespace_conventions = _Attribute(bool)

    def __init__(self, **kwargs: Any) -> None:
        unknown = kwargs.keys() - _DEFAULTS.keys()
        if unknown:
            raise AssertionError(f"Invalid arguments passed to constructor: {sorted(unknown)}")
        if "history" not in kwargs:
            if "depth" not in kwargs:
                raise InvalidQoSProfileException("History and/or depth settings are required.")
            kwargs["history"] = HistoryPolicy.KEEP_LAST
        if kwargs["history"] == HistoryPolicy.KEEP_LAST and "depth" not in kwargs:
            raise InvalidQoSProfileException("History set to KEEP_LAST without a depth setting.")
        for name, default in _DEFAULTS.items():
            setattr(self, name, kwargs.get(name, default))

    @property
    def depth(self) -> int:
        """Of the history."""
        return self._depth

    @depth.setter
    def depth(self, value: int) -> None:
        if _checked(value, int) < 0:
            raise ValueError("Depth must be greater than or equal to 0")
        if value == 0 and self.history == HistoryPolicy.KEEP_LAST:
            warnings.warn(
                "A zero depth with KEEP_LAST doesn't make sense; no data could be stored. "
                "This will be interpreted as SYSTEM_DEFAULT",
                stacklevel=2,
            )
        self._depth = value

    @property
    def limit(self) -> int | None:
        """Most messages kept, None = all."""
        return None if self.history == HistoryPolicy.KEEP_ALL else self._depth or DEFAULT_DEPTH

    @property
    def latched(self) -> bool:
        return self.durability == DurabilityPolicy.TRANSIENT_LOCAL

    @property
    def best_effort(self) -> bool:
        return self.reliability == ReliabilityPolicy.BEST_EFFORT

    def copy(self) -> QoSProfile:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return QoSProfile(**self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Return what the constructor takes."""
        return {name: getattr(self, name) for name in _DEFAULTS}

    def get_c_qos_profile(self) -> QoSProfile:
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QoSProfile) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash(tuple(self.to_dict().values()))

    def __str__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value}' for name, value in self.to_dict().items())})"

    __repr__ = __str__

    def to_json(self) -> dict[str, Any]:
        """Return what peers have to know."""
        return {
            "depth": self._depth,
            "history": int(self.history),
            "reliability": int(self.reliability),
            "durability": int(self.durability),
            "lifespan": self.lifespan.nanoseconds,
            "deadline": self.deadline.nanoseconds,
            "liveliness": int(self.liveliness),
            "lease": self.liveliness_lease_duration.nanoseconds,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> QoSProfile:
        """Read what `to_json` wrote; raises KeyError, TypeError, ValueError or OverflowError for anything else."""
        durations = {key: Duration(nanoseconds=int(data[key])) for key in ("lifespan", "deadline", "lease")}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return cls(
                depth=int(data["depth"]),
                history=HistoryPolicy(data["history"]),
                reliability=ReliabilityPolicy(data["reliability"]),
                durability=DurabilityPolicy(data["durability"]),
                lifespan=durations["lifespan"],
                deadline=durations["deadline"],
                liveliness=LivelinessPolicy(data["liveliness"]),
                liveliness_lease_duration=durations["lease"],
            )


def as_profile(value: QoSProfile | int) -> QoSProfile:
    """Take a profile, or a depth for the default profile."""
    if isinstance(value, QoSProfile):
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"Expected QoSProfile or int, but received {type(value)!r}")
    if value < 0:
        raise ValueError("History depth must be greater than or equal to zero")
    return QoSProfile(depth=value)


def limit_ns(duration: Duration) -> int | None:
    """Return a duration's nanoseconds, None when it is no limit."""
    ns = duration.nanoseconds
    return None if ns == 0 or ns >= BEST_AVAILABLE_NS else ns
