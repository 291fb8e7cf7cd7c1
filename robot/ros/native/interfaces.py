"""`robot.ros.interfaces` with the machine's own messages: those that rosidl has built."""

from __future__ import annotations

from importlib import import_module
from typing import Any

KINDS = ("msg", "srv", "action")


class Package:
    """One package of messages; `msg`, `srv` and `action` are imported when they are named."""

    def __init__(self, name: str) -> None:
        self._name = name
        try:
            import_module(name)
        except ModuleNotFoundError as error:
            raise AttributeError(
                f"the package {name!r} is not built on this machine: put robot/msg/{name} into the ROS workspace, if "
                "it is ours, or install it, then source the workspace's setup.bash"
            ) from error

    def __getattr__(self, kind: str) -> Any:
        if kind not in KINDS:
            raise AttributeError(f"expected one of {KINDS}, got {kind!r}")
        module = import_module(f"{self._name}.{kind}")
        setattr(self, kind, module)
        return module


def get_interface(name: str) -> Any:
    """Return the class of a full name such as `std_msgs/msg/String`."""
    package, kind, short = name.split("/")
    return getattr(import_module(f"{package}.{kind}"), short)


get_message = get_service = get_action = get_interface


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    package = globals()[name] = Package(name)
    return package
