"""Prefixes and share folders of packages."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

from robot.ros.interfaces import registry
from robot.ros.packages.ament_index_python.resources import get_resources
from robot.ros.packages.ament_index_python.search_paths import get_search_paths

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]+", re.ASCII)  # REP 127


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
    if NAME.fullmatch(package_name) is None:
        raise ValueError(f"'{package_name}' is not a valid package name")
    try:
        return get_packages_with_prefixes()[package_name]
    except KeyError:
        raise PackageNotFoundError(f"package '{package_name}' not found, searching: {get_search_paths()}") from None


def get_package_share_path(package_name: str, print_warning: bool = True) -> Path:
    """Return the folder with what a package shares, warning where there is none."""
    path = Path(get_package_prefix(package_name))
    if not (registry.has(package_name) and path == registry.folder(package_name)):
        path = path / "share" / package_name
    if print_warning and not path.exists():
        warnings.warn(f"Share path for {package_name} ({path}) does not exist.", stacklevel=2)
    return path


def get_package_share_directory(package_name: str, print_warning: bool = True) -> str:
    """Return the folder with what a package shares, warning where there is none."""
    path = str(get_package_share_path(package_name, print_warning=False))
    if print_warning and not Path(path).exists():
        warnings.warn(f"Share directory for {package_name} ({path}) does not exist.", stacklevel=2)
    return path
