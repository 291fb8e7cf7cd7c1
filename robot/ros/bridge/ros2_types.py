"""What the bridge takes from the real rclpy beside us: its modules, and the classes of interfaces by their names."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

log = logging.getLogger(__name__)

_PARTS = {  # of an action, by how the names of their types end
    "_FeedbackMessage": "FeedbackMessage",
    "_SendGoal": "SendGoalService",
    "_GetResult": "GetResultService",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rclpy:
    """Modules of rclpy, and `rosidl_runtime_py.utilities`."""

    qos: Any
    serialization: Any
    task: Any
    callback_groups: Any
    interfaces: Any

    @classmethod
    def load(cls, load: Callable[[str], Any] = import_module) -> Rclpy:
        """Import them; raises ModuleNotFoundError where there is no ROS 2."""
        return cls(
            qos=load("rclpy.qos"),
            serialization=load("rclpy.serialization"),
            task=load("rclpy.task"),
            callback_groups=load("rclpy.callback_groups"),
            interfaces=load("rosidl_runtime_py.utilities"),
        )


class Types:
    """Finds classes; what ROS 2 does not know is None, and said once."""

    def __init__(self, rclpy: Rclpy) -> None:
        self._interfaces = rclpy.interfaces
        self._found: dict[str, Any] = {}

    def message(self, name: str) -> Any:
        return self._get(name, self._interfaces.get_message)

    def service(self, name: str) -> Any:
        return self._get(name, self._interfaces.get_service)

    def _get(self, name: str, get: Callable[[str], Any]) -> Any:
        if name not in self._found:
            try:
                self._found[name] = self._part(name) or get(name)
            except (AttributeError, ModuleNotFoundError, ValueError) as error:
                log.warning("%s is not known to ROS 2 here, what has that type is left out: %s", name, error)
                self._found[name] = None
        return self._found[name]

    def _part(self, name: str) -> Any:
        """Return the class of an action's message or service, None for anything else."""
        for end, part in _PARTS.items():
            if "/action/" in name and name.endswith(end):
                return getattr(self._interfaces.get_action(name.removesuffix(end)).Impl, part)
        return None
