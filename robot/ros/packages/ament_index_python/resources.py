"""The resource index of ament: `<prefix>/share/ament_index/resource_index/<type>/<name>`."""

from __future__ import annotations

from pathlib import Path

from robot.ros.packages.ament_index_python.constants import RESOURCE_INDEX_SUBFOLDER
from robot.ros.packages.ament_index_python.search_paths import get_search_paths


class InvalidResourceTypeNameError(ValueError):
    """A type of resources that would be no folder's name."""


class InvalidResourceNameError(ValueError):
    """A resource that would be no file's name."""


def _check(resource_type: str, resource_name: str = "x") -> None:
    if not resource_type or not resource_name:
        raise AssertionError("The resource type and the resource name must not be empty")
    if "/" in resource_type or "\\" in resource_type:
        raise InvalidResourceTypeNameError(f"Resource type '{resource_type}' is invalid: expected no slashes")
    if "/" in resource_name or "\\" in resource_name:
        raise InvalidResourceNameError(f"Resource name '{resource_name}' is invalid: expected no slashes")


def _folders(resource_type: str = "") -> list[tuple[str, Path]]:
    folders = [(prefix, Path(prefix) / RESOURCE_INDEX_SUBFOLDER / resource_type) for prefix in get_search_paths()]
    return [(prefix, folder) for prefix, folder in folders if folder.is_dir()]


def has_resource(resource_type: str, resource_name: str) -> str | bool:
    """Return the first prefix that has the resource, or False."""
    _check(resource_type, resource_name)
    return next((prefix for prefix, folder in _folders(resource_type) if (folder / resource_name).is_file()), False)


def get_resource(resource_type: str, resource_name: str) -> tuple[str, str]:
    """Return what a resource's file says and the prefix it was found in."""
    prefix = has_resource(resource_type, resource_name)
    if not isinstance(prefix, str):
        raise LookupError(f"Could not find the resource '{resource_name}' of type '{resource_type}'")
    return (Path(prefix) / RESOURCE_INDEX_SUBFOLDER / resource_type / resource_name).read_text(encoding="utf-8"), prefix


def get_resources(resource_type: str) -> dict[str, str]:
    """Return the prefix of every resource of a type by name."""
    _check(resource_type)
    found: dict[str, str] = {}
    for prefix, folder in _folders(resource_type):
        for path in sorted(folder.iterdir()):
            if not path.is_dir() and not path.name.startswith("."):
                found.setdefault(path.name, prefix)
    return found


def get_resource_types() -> set[str]:
    """Return the types of all resources."""
    return {path.name for _, folder in _folders() for path in folder.iterdir() if path.is_dir() and path.name[0] != "."}
