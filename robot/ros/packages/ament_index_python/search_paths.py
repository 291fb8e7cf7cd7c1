"""The prefixes that are searched."""

from __future__ import annotations

import os
from pathlib import Path

from robot.ros.packages.ament_index_python.constants import AMENT_PREFIX_PATH_ENV_VAR


def get_search_paths() -> list[str]:
    """Return the prefixes of `AMENT_PREFIX_PATH` that exist; without ROS there may be none, which upstream refuses."""
    return [p for p in os.environ.get(AMENT_PREFIX_PATH_ENV_VAR, "").split(os.pathsep) if p and Path(p).exists()]
