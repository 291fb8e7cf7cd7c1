"""Nodes of one context in virtual time, in one process."""

from __future__ import annotations

from typing import Any

from robot.ros.context import Context
from robot.ros.node import Node
from robot.ros.task import Future
from robot.ros.transport.inprocess import InProcess
from sim.lockstep import Lockstep

PATIENCE_S = 60.0
"""Virtual seconds within which an answer is there."""


class RosWorld:
    """A context whose clock stands still until something is waited for."""

    def __init__(self, namespace: str = "") -> None:
        self.time = Lockstep(epoch=1_750_000_000.0)
        self.context = Context(transport=InProcess(self.time))
        self.namespace = namespace

    def make(self, name: str, **options: Any) -> Node:
        return Node(name, context=self.context, **{"namespace": self.namespace, **options})

    def result(self, future: Future[Any]) -> Any:
        """Let time pass until the future is done, and return its result."""
        self.time.run(until=future.done, seconds=PATIENCE_S)
        assert future.done()
        return future.result()
