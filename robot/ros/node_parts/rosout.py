"""Publish what a node's logger logs on `/rosout`."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from robot.ros.duration import NANOSECONDS
from robot.ros.exceptions import ROSError
from robot.ros.impl.logging_output import Line, output
from robot.ros.interfaces import builtin_interfaces, rcl_interfaces
from robot.ros.publisher import Publisher
from robot.ros.qos import QoSProfile

if TYPE_CHECKING:
    from robot.ros.node import Node

TOPIC = "/rosout"


class Rosout:
    """The publisher of one node's log; not among `Node.publishers`."""

    def __init__(self, node: Node, profile: QoSProfile) -> None:
        self._node = node
        self._name = node.handle.logger_name()
        self._publisher = Publisher(node, rcl_interfaces.msg.Log, TOPIC, profile)
        node.context.bus.add(self._publisher)
        output.add_sink(self._name, self._publish)

    def _publish(self, line: Line) -> None:
        seconds, nanoseconds = divmod(round(self._node._ros_scheduler.now() * NANOSECONDS), NANOSECONDS)
        message = rcl_interfaces.msg.Log(
            stamp=builtin_interfaces.msg.Time(sec=seconds, nanosec=nanoseconds),
            level=int(line.severity),
            name=line.name,
            msg=line.message,
            file=line.file,
            function=line.function,
            line=line.line,
        )
        with suppress(ROSError):  # the node is being destroyed by another thread, or this is a forked child
            self._publisher.publish(message)

    def close(self) -> None:
        output.remove_sink(self._name, self._publish)
        self._publisher.destroy()
