"""The handle of a node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robot.ros.handle import Handle
from robot.ros.names import full_node_name

if TYPE_CHECKING:
    from robot.ros.node import Node


class NodeHandle(Handle):
    """What `Node.handle` gives; it still knows the node's names when the node is gone."""

    def __init__(self, node: Node, name: str, namespace: str) -> None:
        self._full_name = full_node_name(name, namespace)
        super().__init__(f"the node {self._full_name}")
        self.node = node
        self._node_name, self._namespace = name, namespace

    def get_node_name(self) -> str:
        return self._node_name

    def get_namespace(self) -> str:
        return self._namespace

    def get_fully_qualified_name(self) -> str:
        return self._full_name

    def logger_name(self) -> str:
        return self._full_name[1:].replace("/", ".")

    def get_count_publishers(self, topic_name: str) -> int:
        return self.node.count_publishers(topic_name)

    def get_count_subscribers(self, topic_name: str) -> int:
        return self.node.count_subscribers(topic_name)
