"""Prefixes and share folders of packages."""

from __future__ import annotations

from pathlib import Path

from robot.ros.interfaces import registry
from robot.ros.packages.ament_index_python.resources import get_resources, get_search_paths


class PackageNotFoundError(KeyError):
    """No package of that name is known."""


def get_packages_with_prefixes() -> dict[str, str]:
    """Return the prefix of every package of the index, and the folder of every package of interfaces known here."""
    ours = {name: str(registry.folder(name)) for name in registry.packages()}
    return ours | get_resources("packages")


def get_package_prefix(package_name: str) -> str:
    """Return the prefix a package is installed in.

    Raises:
        PackageNotFoundError: it is not in the index.
        ValueError: no package can have that name.
    """
    if not package_name.replace("-", "_").isidentifier():
        raise ValueError(f"'{package_name}' is not a valid package name")
    try:
        return get_packages_with_prefixes()[package_name]
    except KeyError:
        raise PackageNotFoundError(f"package '{package_name}' not found, searching: {get_search_paths()}") from None


def get_package_share_path(package_name: str, print_warning: bool = True) -> Path:
    prefix = Path(get_package_prefix(package_name))
    return (
        prefix
        if registry.has(package_name) and prefix == registry.folder(package_name)
        else (prefix / "share" / package_name)
    )


def get_package_share_directory(package_name: str, print_warning: bool = True) -> str:
    return str(get_package_share_path(package_name))
