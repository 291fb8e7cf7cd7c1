"""Which interfaces there are, and where their files lie."""

from __future__ import annotations

from collections.abc import Iterable

from robot.ros.interfaces import registry


def _list(kind: str, package_names: Iterable[str]) -> dict[str, list[str]]:
    packages = list(package_names) or registry.packages()
    unknown = [name for name in packages if not registry.has(name)]
    if unknown:
        raise LookupError(f"Unknown package '{unknown[0]}'")
    found = {package: [f"{kind}/{name}" for name in registry.names(package, kind)] for package in packages}
    return {package: names for package, names in found.items() if names}


def get_message_interfaces(package_names: Iterable[str] = ()) -> dict[str, list[str]]:
    return _list("msg", package_names)


def get_service_interfaces(package_names: Iterable[str] = ()) -> dict[str, list[str]]:
    return _list("srv", package_names)


def get_action_interfaces(package_names: Iterable[str] = ()) -> dict[str, list[str]]:
    return _list("action", package_names)


def get_interfaces(package_names: Iterable[str] = ()) -> dict[str, list[str]]:
    """Return the interfaces of each package as `msg/Name`."""
    names = list(package_names)
    found: dict[str, list[str]] = {}
    for kind in ("msg", "srv", "action"):
        for package, interfaces in _list(kind, names).items():
            found.setdefault(package, []).extend(interfaces)
    return found


def get_interface_packages() -> dict[str, str]:
    """Return the folder of each package."""
    return {name: str(registry.folder(name)) for name in registry.packages()}


def get_interface_path(interface_name: str, suffix: str = "msg") -> str:
    """Return the path of an interface's file. There are no `.idl` files: `suffix` is not looked at."""
    parts = interface_name.split("/")
    name = interface_name if len(parts) == 3 else f"{parts[0]}/msg/{parts[-1]}"
    return str(registry.path(name))
