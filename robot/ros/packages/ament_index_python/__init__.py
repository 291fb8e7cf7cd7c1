"""Where packages lie, from `AMENT_PREFIX_PATH` and from what is shipped here."""

from robot.ros.packages.ament_index_python.packages import (
    PackageNotFoundError,
    get_package_prefix,
    get_package_share_directory,
    get_package_share_path,
    get_packages_with_prefixes,
)
from robot.ros.packages.ament_index_python.resources import get_resource, get_resources, get_search_paths, has_resource

__all__ = [
    "PackageNotFoundError",
    "get_package_prefix",
    "get_package_share_directory",
    "get_package_share_path",
    "get_packages_with_prefixes",
    "get_resource",
    "get_resources",
    "get_search_paths",
    "has_resource",
]
