"""The resource index of ament: `<prefix>/share/ament_index/resource_index/<type>/<name>`."""

from __future__ import annotations

import os
from pathlib import Path

INDEX = Path("share") / "ament_index" / "resource_index"


def get_search_paths() -> list[str]:
    """Return the prefixes of `AMENT_PREFIX_PATH` that exist; without ROS there may be none."""
    return [path for path in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if path and Path(path).is_dir()]


def _check(resource_type: str, resource_name: str = "x") -> None:
    for text in (resource_type, resource_name):
        if not text or "/" in text or "\\" in text:
            raise ValueError(f"expected a name without slashes, got {text!r}")


def has_resource(resource_type: str, resource_name: str) -> str | bool:
    """Return the first prefix that has the resource, or False."""
    _check(resource_type, resource_name)
    return next((p for p in get_search_paths() if (Path(p) / INDEX / resource_type / resource_name).is_file()), False)


def get_resource(resource_type: str, resource_name: str) -> tuple[str, str]:
    """Return what a resource's file says and the prefix it was found in."""
    prefix = has_resource(resource_type, resource_name)
    if not isinstance(prefix, str):
        raise LookupError(f"Could not find the resource '{resource_name}' of type '{resource_type}'")
    return (Path(prefix) / INDEX / resource_type / resource_name).read_text(encoding="utf-8"), prefix


def get_resources(resource_type: str) -> dict[str, str]:
    """Return the prefix of every resource of a type by name."""
    _check(resource_type)
    found: dict[str, str] = {}
    for prefix in get_search_paths():
        folder = Path(prefix) / INDEX / resource_type
        if folder.is_dir():
            for path in sorted(folder.iterdir()):
                if path.is_file() and not path.name.startswith("."):
                    found.setdefault(path.name, prefix)
    return found
