"""Interface classes by their names."""

from __future__ import annotations

from typing import Any

from robot.ros.idl import InterfaceError
from robot.ros.interfaces import registry
from robot.ros.registry import KINDS


def _get(identifier: str, kinds: tuple[str, ...]) -> Any:
    parts = identifier.split("/")
    if len(parts) == 2:
        parts.insert(1, kinds[0])
    if len(parts) != 3 or not all(parts):
        raise ValueError(f"Expected the full name of an interface, such as std_msgs/msg/String, got '{identifier}'")
    if parts[1] not in kinds:
        raise ValueError(f"Expected the full name of a {' or '.join(kinds)}, got '{identifier}'")
    package, kind, name = parts
    if not registry.has(package) and not registry.is_learnt(f"{package}/{kind}/{name}"):
        raise ModuleNotFoundError(f"No module named '{package}'", name=package)
    try:
        return registry.get(f"{package}/{kind}/{name}")
    except InterfaceError as error:
        raise AttributeError(f"module '{package}.{kind}' has no attribute '{name}': {error}") from error


def get_message(identifier: str) -> Any:
    """Return the class of a message, for example `std_msgs/msg/String`."""
    return _get(identifier, KINDS[:1])


def get_service(identifier: str) -> Any:
    return _get(identifier, KINDS[1:2])


def get_action(identifier: str) -> Any:
    return _get(identifier, KINDS[2:])


def get_interface(identifier: str) -> Any:
    return _get(identifier, KINDS)


def is_message(interface: Any) -> bool:
    return hasattr(interface, "get_fields_and_field_types")


def is_service(interface: Any) -> bool:
    return all(hasattr(interface, part) for part in ("Request", "Response"))


def is_action(interface: Any) -> bool:
    return all(hasattr(interface, part) for part in ("Goal", "Result", "Feedback"))
