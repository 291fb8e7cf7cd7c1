"""Check namespaces."""

from __future__ import annotations

from robot.ros.exceptions import InvalidNamespaceException
from robot.ros.names import Fault, absolute_fault, check_text

LENGTH_MAX = 245  # characters, RMW_NAMESPACE_MAX_LENGTH: a topic's, without '/' and one more character


def find_fault(namespace: str) -> Fault | None:
    """Return what is wrong with a namespace and where, None when nothing is."""
    fault = absolute_fault(namespace, "namespace", "namespace must not end with a '/', unless only a '/'")
    if fault is None and len(namespace) > LENGTH_MAX:
        return f"namespace should not exceed '{LENGTH_MAX}'", LENGTH_MAX - 1
    return fault


def validate_namespace(namespace: str) -> bool:
    """Return True, or raise InvalidNamespaceException saying what is wrong and where."""
    check_text(namespace)
    fault = find_fault(namespace)
    if fault is not None:
        raise InvalidNamespaceException(namespace, *fault)
    return True
