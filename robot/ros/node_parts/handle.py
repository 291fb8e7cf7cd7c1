"""The handle of a node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robot.ros.handle import Handle

if TYPE_CHECKING:
    from robot.ros.node import Node


class NodeHandle(Handle):
    """What `Node.handle` gives."""

    def __init__(self, node: Node) -> None:
        super().__init__(f"the node {node.get_fully_qualified_name()}")
        self._node = node

    def get_node_name(self) -> str:
        return self._node.get_name()

    def get_namespace(self) -> str:
        return self._node.get_namespace()

    def get_fully_qualified_name(self) -> str:
        return self._node.get_fully_qualified_name()

    def logger_name(self) -> str:
        return self._node.get_fully_qualified_name()[1:].replace("/", ".")

    def get_count_publishers(self, topic_name: str) -> int:
        return self._node.count_publishers(topic_name)

    def get_count_subscribers(self, topic_name: str) -> int:
        return self._node.count_subscribers(topic_name)
