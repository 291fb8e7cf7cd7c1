"""Let others read and set the levels of a process's loggers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robot.ros import logging
from robot.ros.interfaces import rcl_interfaces
from robot.ros.qos import qos_profile_services_default

if TYPE_CHECKING:
    from robot.ros.node import Node


class LoggingService:
    """The services `~/get_logger_levels` and `~/set_logger_levels` of a node."""

    def __init__(self, node: Node) -> None:
        for kind, name, callback in (
            (rcl_interfaces.srv.GetLoggerLevels, "get_logger_levels", self._get),
            (rcl_interfaces.srv.SetLoggerLevels, "set_logger_levels", self._set),
        ):
            node.create_service(kind, f"{node.get_name()}/{name}", callback, qos_profile=qos_profile_services_default)

    def _get(self, request: Any, response: Any) -> Any:
        for name in request.names:
            level = logging.get_logger_level(name)
            response.levels.append(rcl_interfaces.msg.LoggerLevel(name=name, level=int(level)))
        return response

    def _set(self, request: Any, response: Any) -> Any:
        for wanted in request.levels:
            result = rcl_interfaces.msg.SetLoggerLevelsResult(successful=True)
            try:
                logging.set_logger_level(wanted.name, wanted.level, detailed_error=True)
            except ValueError:
                result.successful, result.reason = False, "Failed reason: Invalid logger level."
            response.results.append(result)
        return response
