"""A node's sign of life: without it the control loop holds the robot and says which program is missing."""

from __future__ import annotations

from robot.nodes.convert import RELIABLE, header
from robot.ros.interfaces import std_msgs
from robot.ros.node import Node
from telemetry.clock import Clock

PERIOD = 0.1
"""Between two beats [s]; a fifth of the age at which control holds."""


class Heartbeat:
    """Beats on `heartbeat` under the node's name."""

    def __init__(self, node: Node, clock: Clock) -> None:
        self._name = node.get_name()
        self._clock = clock
        self._publisher = node.create_publisher(std_msgs.msg.Header, "heartbeat", RELIABLE)
        node.create_timer(PERIOD, self._beat)
        self._beat()

    def _beat(self) -> None:
        self._publisher.publish(header(self._clock.now(), self._name))
