"""Quality of service: what is kept, what is promised, and which offers satisfy which requests."""

from __future__ import annotations

import warnings
from enum import Enum
from typing import Any, TypeVar

from robot.ros.duration import INFINITE_NS, Duration
from robot.ros.qos_policies import (
    DurabilityPolicy,
    HistoryPolicy,
    LivelinessPolicy,
    QoSCompatibility,
    QoSDurabilityPolicy,
    QoSHistoryPolicy,
    QoSLivelinessPolicy,
    QoSPolicyEnum,
    QoSPolicyKind,
    QoSReliabilityPolicy,
    ReliabilityPolicy,
    qos_policy_name_from_kind,
)

__all__ = [
    "DeadlineBestAvailable",
    "DurabilityPolicy",
    "Duration",
    "HistoryPolicy",
    "InvalidQoSProfileException",
    "LivelinessLeaseDurationeBestAvailable",
    "LivelinessPolicy",
    "QoSCompatibility",
    "QoSDurabilityPolicy",
    "QoSHistoryPolicy",
    "QoSLivelinessPolicy",
    "QoSPolicyEnum",
    "QoSPolicyKind",
    "QoSPresetProfiles",
    "QoSProfile",
    "QoSReliabilityPolicy",
    "ReliabilityPolicy",
    "as_profile",
    "qos_check_compatible",
    "qos_policy_name_from_kind",
    "qos_profile_action_status_default",
    "qos_profile_best_available",
    "qos_profile_default",
    "qos_profile_parameter_events",
    "qos_profile_parameters",
    "qos_profile_rosout_default",
    "qos_profile_sensor_data",
    "qos_profile_services_default",
    "qos_profile_system_default",
    "qos_profile_unknown",
]

T = TypeVar("T")

DEFAULT_DEPTH = 10  # where neither the profile nor the policy says how many messages are kept
BEST_AVAILABLE_NS = INFINITE_NS - 1  # a duration that stands for "what the others offer"
DeadlineBestAvailable = Duration(nanoseconds=BEST_AVAILABLE_NS)
LivelinessLeaseDurationeBestAvailable = Duration(nanoseconds=BEST_AVAILABLE_NS)  # rclpy's spelling


class InvalidQoSProfileException(Exception):  # noqa: N818 (rclpy's name)
    """A profile that contradicts itself."""

    def __init__(self, *args: object) -> None:
        super().__init__("Invalid QoSProfile", *args)


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
    _ORDER = (
        "history",
        "depth",
        "reliability",
        "durability",
        "lifespan",
        "deadline",
        "liveliness",
        "liveliness_lease_duration",
        "avoid_ros_namespace_conventions",
    )

    def __init__(self, **kwargs: Any) -> None:
        unknown = kwargs.keys() - set(self._ORDER)
        if unknown:
            raise AssertionError(f"Invalid arguments passed to constructor: {sorted(unknown)}")
        if "history" not in kwargs:
            if "depth" not in kwargs:
                raise InvalidQoSProfileException("History and/or depth settings are required.")
            kwargs["history"] = HistoryPolicy.KEEP_LAST
        self.history = kwargs["history"]
        if self.history == HistoryPolicy.KEEP_LAST and "depth" not in kwargs:
            raise InvalidQoSProfileException("History set to KEEP_LAST without a depth setting.")
        self.depth = kwargs.get("depth", DEFAULT_DEPTH)
        self.reliability = kwargs.get("reliability", ReliabilityPolicy.RELIABLE)
        self.durability = kwargs.get("durability", DurabilityPolicy.VOLATILE)
        self.lifespan = kwargs.get("lifespan", Duration())
        self.deadline = kwargs.get("deadline", Duration())
        self.liveliness = kwargs.get("liveliness", LivelinessPolicy.SYSTEM_DEFAULT)
        self.liveliness_lease_duration = kwargs.get("liveliness_lease_duration", Duration())
        self.avoid_ros_namespace_conventions = kwargs.get("avoid_ros_namespace_conventions", False)

    @property
    def history(self) -> HistoryPolicy:
        return self._history

    @history.setter
    def history(self, value: HistoryPolicy | int) -> None:
        self._history = HistoryPolicy(_checked(value, int))

    @property
    def depth(self) -> int:
        return self._depth

    @depth.setter
    def depth(self, value: int) -> None:
        if _checked(value, int) < 0:
            raise ValueError("Depth must be greater than or equal to 0")
        if value == 0 and self._history == HistoryPolicy.KEEP_LAST:
            warnings.warn(
                "A zero depth with KEEP_LAST doesn't make sense; no data could be stored. "
                "This will be interpreted as SYSTEM_DEFAULT",
                stacklevel=2,
            )
        self._depth = value

    @property
    def reliability(self) -> ReliabilityPolicy:
        return self._reliability

    @reliability.setter
    def reliability(self, value: ReliabilityPolicy | int) -> None:
        self._reliability = ReliabilityPolicy(_checked(value, int))

    @property
    def durability(self) -> DurabilityPolicy:
        return self._durability

    @durability.setter
    def durability(self, value: DurabilityPolicy | int) -> None:
        self._durability = DurabilityPolicy(_checked(value, int))

    @property
    def lifespan(self) -> Duration:
        return self._lifespan

    @lifespan.setter
    def lifespan(self, value: Duration) -> None:
        self._lifespan = _checked(value, Duration)

    @property
    def deadline(self) -> Duration:
        return self._deadline

    @deadline.setter
    def deadline(self, value: Duration) -> None:
        self._deadline = _checked(value, Duration)

    @property
    def liveliness(self) -> LivelinessPolicy:
        return self._liveliness

    @liveliness.setter
    def liveliness(self, value: LivelinessPolicy | int) -> None:
        self._liveliness = LivelinessPolicy(_checked(value, int))

    @property
    def liveliness_lease_duration(self) -> Duration:
        return self._liveliness_lease_duration

    @liveliness_lease_duration.setter
    def liveliness_lease_duration(self, value: Duration) -> None:
        self._liveliness_lease_duration = _checked(value, Duration)

    @property
    def avoid_ros_namespace_conventions(self) -> bool:
        return self._avoid_ros_namespace_conventions

    @avoid_ros_namespace_conventions.setter
    def avoid_ros_namespace_conventions(self, value: bool) -> None:
        self._avoid_ros_namespace_conventions = _checked(value, bool)

    @property
    def limit(self) -> int | None:
        """Most messages kept, None = all."""
        return None if self._history == HistoryPolicy.KEEP_ALL else self._depth or DEFAULT_DEPTH

    @property
    def latched(self) -> bool:
        return self._durability == DurabilityPolicy.TRANSIENT_LOCAL

    @property
    def best_effort(self) -> bool:
        return self._reliability == ReliabilityPolicy.BEST_EFFORT

    def copy(self) -> QoSProfile:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return QoSProfile(**self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Return what the constructor takes."""
        return {name: getattr(self, name) for name in self._ORDER}

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
            "history": int(self._history),
            "reliability": int(self._reliability),
            "durability": int(self._durability),
            "lifespan": self._lifespan.nanoseconds,
            "deadline": self._deadline.nanoseconds,
            "liveliness": int(self._liveliness),
            "lease": self._liveliness_lease_duration.nanoseconds,
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


def _checked(value: T | int, kind: type[T]) -> T:
    if not isinstance(value, kind):
        raise AssertionError(f"expected {kind.__name__}, got {value!r}")
    return value


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


def first_mismatch(offered: QoSProfile, wanted: QoSProfile) -> tuple[str, QoSPolicyKind | None]:
    """Say which policy of an offer does not satisfy a request, and how; ("", None) when all do."""
    for text, policy in _mismatches(offered, wanted):
        return text, policy
    return "", None


def _mismatches(offered: QoSProfile, wanted: QoSProfile, *, certain: bool = False) -> list[tuple[str, QoSPolicyKind]]:
    """List what does not fit; `certain`: only where both profiles say what they mean, and leave nothing to us."""
    found = []
    left = () if certain else _OPEN
    if offered.best_effort and wanted.reliability.name in ("RELIABLE", *left):
        found.append(("best effort offered, reliable wanted", QoSPolicyKind.RELIABILITY))
    if wanted.latched and offered.durability.name in ("VOLATILE", *left):
        found.append(("volatile offered, transient local wanted", QoSPolicyKind.DURABILITY))
    for name, policy in (("deadline", QoSPolicyKind.DEADLINE), ("liveliness_lease_duration", QoSPolicyKind.LIVELINESS)):
        limit, ours = limit_ns(getattr(wanted, name)), limit_ns(getattr(offered, name))
        if limit is not None and (ours is None or ours > limit):
            text = name.replace("_", " ")
            offer = "none" if ours is None else f"{ours} ns"
            found.append((f"{text} {offer} offered, {limit} ns wanted", policy))
    if wanted.liveliness == LivelinessPolicy.MANUAL_BY_TOPIC and offered.liveliness.name in ("AUTOMATIC", *left):
        found.append(("automatic liveliness offered, manual wanted", QoSPolicyKind.LIVELINESS))
    return found


def qos_check_compatible(publisher_qos: QoSProfile, subscription_qos: QoSProfile) -> tuple[QoSCompatibility, str]:
    """Tell whether a publisher's profile satisfies a subscription's, and why not.

    Returns:
        WARNING where a policy is left to the system, or unknown, so that it depends.
    """
    errors = [f"ERROR: {text};" for text, _ in _mismatches(publisher_qos, subscription_qos, certain=True)]
    if errors:
        return QoSCompatibility.ERROR, "".join(errors)
    warned = [
        f"WARNING: {name} {ours.name.lower()} offered, {theirs.name.lower()} wanted;"
        for name, (weakest, strongest) in _RANGES.items()
        for ours, theirs in ((getattr(publisher_qos, name), getattr(subscription_qos, name)),)
        if (ours.name in _OPEN and theirs == strongest)
        or (ours == weakest and theirs.name in _OPEN)
        or (ours.name == theirs.name == "UNKNOWN")
    ]
    return (QoSCompatibility.WARNING, "".join(warned)) if warned else (QoSCompatibility.OK, "")


_OPEN = ("UNKNOWN", "SYSTEM_DEFAULT")
_RANGES = {  # the weakest offer and the strongest request
    "reliability": (ReliabilityPolicy.BEST_EFFORT, ReliabilityPolicy.RELIABLE),
    "durability": (DurabilityPolicy.VOLATILE, DurabilityPolicy.TRANSIENT_LOCAL),
    "liveliness": (LivelinessPolicy.AUTOMATIC, LivelinessPolicy.MANUAL_BY_TOPIC),
}

qos_profile_unknown = QoSProfile(
    history=HistoryPolicy.UNKNOWN,
    depth=0,
    reliability=ReliabilityPolicy.UNKNOWN,
    durability=DurabilityPolicy.UNKNOWN,
    liveliness=LivelinessPolicy.UNKNOWN,
)
qos_profile_default = QoSProfile(depth=10)
qos_profile_system_default = QoSProfile(
    history=HistoryPolicy.SYSTEM_DEFAULT,
    depth=0,
    reliability=ReliabilityPolicy.SYSTEM_DEFAULT,
    durability=DurabilityPolicy.SYSTEM_DEFAULT,
)
qos_profile_sensor_data = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
qos_profile_services_default = QoSProfile(depth=10)
qos_profile_parameters = QoSProfile(depth=1000)
qos_profile_parameter_events = QoSProfile(depth=1000)
qos_profile_rosout_default = QoSProfile(
    depth=1000, durability=DurabilityPolicy.TRANSIENT_LOCAL, lifespan=Duration(seconds=10)
)
qos_profile_best_available = QoSProfile(
    depth=10,
    reliability=ReliabilityPolicy.BEST_AVAILABLE,
    durability=DurabilityPolicy.BEST_AVAILABLE,
    deadline=DeadlineBestAvailable,
    liveliness=LivelinessPolicy.BEST_AVAILABLE,
    liveliness_lease_duration=LivelinessLeaseDurationeBestAvailable,
)
qos_profile_action_status_default = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class QoSPresetProfiles(Enum):
    """The preset profiles by name."""

    UNKNOWN = qos_profile_unknown
    DEFAULT = qos_profile_default
    SYSTEM_DEFAULT = qos_profile_system_default
    SENSOR_DATA = qos_profile_sensor_data
    SERVICES_DEFAULT = qos_profile_services_default
    PARAMETERS = qos_profile_parameters
    PARAMETER_EVENTS = qos_profile_parameter_events
    ACTION_STATUS_DEFAULT = qos_profile_action_status_default
    BEST_AVAILABLE = qos_profile_best_available
    ROSOUT_DEFAULT = qos_profile_rosout_default

    @classmethod
    def short_keys(cls) -> list[str]:
        return [name.lower() for name in cls.__members__]

    @classmethod
    def get_from_short_key(cls, name: str) -> QoSProfile:
        return cls[name.upper()].value
