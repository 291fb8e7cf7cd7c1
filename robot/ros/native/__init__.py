"""Run our own nodes on the real rclpy of a machine with ROS 2: `BERRYBRAIN_ROS=native`.

Decided when `robot.ros` is imported. From then on `robot.ros.X` is `rclpy.X` where rclpy has it, `robot.ros.interfaces`
hands out the machine's own messages, and `robot.ros.packages.X` is the machine's X where it has one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

VARIABLE, NATIVE = "BERRYBRAIN_ROS", "native"
OURS, REAL, ADAPTERS = "robot.ros", "rclpy", "robot.ros.native"
ADAPTED = {"interfaces": f"{ADAPTERS}.interfaces", "node": f"{ADAPTERS}.node"}


def wanted() -> bool:
    """Say whether the environment asks for the real rclpy.

    Raises:
        ImportError: it asks for something else.
    """
    value = os.environ.get(VARIABLE, "")
    if value not in ("", NATIVE):
        raise ImportError(f"expected {VARIABLE} to be unset or {NATIVE!r}, got {value!r}")
    return value == NATIVE


def target(name: str) -> str | None:
    """Name the module that stands for one of ours, None when ours stays."""
    rest = name.removeprefix(f"{OURS}.")
    if name in (rest, ADAPTERS) or name.startswith(f"{ADAPTERS}."):
        return None
    if rest in ADAPTED:
        return ADAPTED[rest]
    if rest.startswith("packages."):
        real = rest.removeprefix("packages.")
    else:
        real = f"{REAL}.{rest}"
    parent = real.rpartition(".")[0]
    if parent and find_spec(parent) is None:
        return None
    return real if find_spec(real) is not None else None


class Finder(MetaPathFinder):
    """Hands out the machine's modules under our names."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target_module: ModuleType | None = None
    ) -> ModuleSpec | None:
        real = target(fullname) if fullname.startswith(OURS) else None
        return None if real is None else ModuleSpec(fullname, _Alias(real))


class _Alias(Loader):
    def __init__(self, real: str) -> None:
        self._real = real
        self._spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = import_module(self._real)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec  # importlib has put the alias's own there


def take_over() -> None:
    """Let `robot.ros.X` be `rclpy.X` from here on.

    Raises:
        ImportError: there is no rclpy.
    """
    if find_spec(REAL) is None:
        raise ImportError(
            f"{VARIABLE}={NATIVE}, but no rclpy can be imported: source ROS 2's setup.bash, or unset {VARIABLE}"
        )
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder())


def adopt(names: MutableMapping[str, object]) -> None:
    """Give our package rclpy's own functions: `init`, `spin`, `create_node` …"""
    real = import_module(REAL)
    names.update({name: value for name, value in vars(real).items() if not name.startswith("_")})
