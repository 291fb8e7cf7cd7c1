"""Message, service and action types by package.

Write `from robot.ros.interfaces import sensor_msgs`, then `sensor_msgs.msg.Image()`. The interface files lie beside
this one (standard packages), in `robot/msg` (our own) and in the folders that $BERRYBRAIN_INTERFACES names (a user's).
A class is made when it is first used.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from robot.ros.registry import KINDS, Registry

PATH_VARIABLE = "BERRYBRAIN_INTERFACES"  # folders of users' own packages, separated as in $PATH
_more = [Path(folder) for folder in os.environ.get(PATH_VARIABLE, "").split(os.pathsep) if folder]
registry = Registry([Path(__file__).parent, Path(__file__).parents[2] / "msg", *_more])
get_message = registry.message
get_service = registry.service
get_action = registry.action
get_interface = registry.get

# For type checkers, which would otherwise take the folders of interface files for packages.
action_msgs: Any
action_tutorials_interfaces: Any
actionlib_msgs: Any
berry_msgs: Any
builtin_interfaces: Any
composition_interfaces: Any
control_msgs: Any
diagnostic_msgs: Any
example_interfaces: Any
geometry_msgs: Any
lifecycle_msgs: Any
nav_msgs: Any
rcl_interfaces: Any
rosgraph_msgs: Any
sensor_msgs: Any
service_msgs: Any
shape_msgs: Any
statistics_msgs: Any
std_msgs: Any
std_srvs: Any
stereo_msgs: Any
test_msgs: Any
tf2_msgs: Any
trajectory_msgs: Any
type_description_interfaces: Any
unique_identifier_msgs: Any
vision_msgs: Any
visualization_msgs: Any


class _Names:
    """The interfaces of one kind in one package, as attributes."""

    def __init__(self, package: str, kind: str) -> None:
        self._package, self._kind = package, kind

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in registry.names(self._package, self._kind):
            raise AttributeError(f"no {self._kind} {name!r} in {self._package}; there are {self.__dir__()}")
        made = registry.get(f"{self._package}/{self._kind}/{name}")
        setattr(self, name, made)
        return made

    def __dir__(self) -> list[str]:
        return registry.names(self._package, self._kind)


class _Package:
    """One package with `msg`, `srv` and `action`."""

    def __init__(self, name: str) -> None:
        self.msg: Any = _Names(name, KINDS[0])
        self.srv: Any = _Names(name, KINDS[1])
        self.action: Any = _Names(name, KINDS[2])


def __getattr__(name: str) -> Any:
    if name.startswith("_") or name not in registry.packages():
        raise AttributeError(f"no interface package {name!r}; there are {registry.packages()}")
    package = _Package(name)
    globals()[name] = package
    return package
