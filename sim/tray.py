"""Who changes full punnets in the simulation: when the robot begins a new one, the cell's is emptied."""

from __future__ import annotations

from typing import Any

from robot.nodes.convert import RELIABLE
from robot.ros.context import Context
from robot.ros.interfaces import berry_msgs
from robot.ros.node import Node
from sim.cell import Cell


class Tray(Node):
    """Watches `picks` and takes the punnet away once it holds as many berries as fit."""

    def __init__(self, context: Context, namespace: str, cell: Cell) -> None:
        super().__init__("tray", context=context, namespace=namespace)
        self._cell = cell
        self._punnet = ""
        self._placed = 0
        self.create_subscription(berry_msgs.msg.PickOutcome, "picks", self._on_pick, RELIABLE)

    def _on_pick(self, message: Any) -> None:
        if not message.punnet:
            return
        if message.punnet != self._punnet:
            self._punnet, self._placed = message.punnet, 0
        self._placed += 1
        if self._placed >= self._cell.scene.arm.punnet.capacity:
            self._cell.empty_punnet()
