"""Which offers of quality of service satisfy which requests."""

from __future__ import annotations

from robot.ros.qos_policies import (
    DurabilityPolicy,
    LivelinessPolicy,
    QoSCompatibility,
    QoSPolicyKind,
    ReliabilityPolicy,
)
from robot.ros.qos_profile import QoSProfile, limit_ns

_OPEN = ("UNKNOWN", "SYSTEM_DEFAULT")
_RANGES = {  # the weakest offer and the strongest request
    "reliability": (ReliabilityPolicy.BEST_EFFORT, ReliabilityPolicy.RELIABLE),
    "durability": (DurabilityPolicy.VOLATILE, DurabilityPolicy.TRANSIENT_LOCAL),
    "liveliness": (LivelinessPolicy.AUTOMATIC, LivelinessPolicy.MANUAL_BY_TOPIC),
}


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
