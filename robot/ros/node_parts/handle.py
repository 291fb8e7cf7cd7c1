"""The handle of a node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robot.ros.handle import Handle
from robot.ros.names import full_node_name

if TYPE_CHECKING:
    from robot.ros.node import Node
    from robot.ros.parameter import Parameter


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

    def get_node_names_and_namespaces(self) -> list[tuple[str, str]]:
        return self.node.get_node_names_and_namespaces()

    def get_node_names_and_namespaces_with_enclaves(self) -> list[tuple[str, str, str]]:
        return self.node.get_node_names_and_namespaces_with_enclaves()

    def get_action_names_and_types(self) -> list[tuple[str, list[str]]]:
        return self.node.get_action_names_and_types()

    def get_action_client_names_and_types_by_node(self, name: str, namespace: str) -> list[tuple[str, list[str]]]:
        return self.node.get_action_client_names_and_types_by_node(name, namespace)

    def get_action_server_names_and_types_by_node(self, name: str, namespace: str) -> list[tuple[str, list[str]]]:
        return self.node.get_action_server_names_and_types_by_node(name, namespace)

    def get_count_clients(self, service_name: str) -> int:
        return self.node.count_clients(service_name)

    def get_count_services(self, service_name: str) -> int:
        return self.node.count_services(service_name)

    def get_count_action_clients(self, action_name: str) -> int:
        return self.node.count_action_clients(action_name)

    def get_count_action_servers(self, action_name: str) -> int:
        return self.node.count_action_servers(action_name)

    def get_parameters(self, pyparamter_cls: type[Parameter]) -> dict[str, Parameter]:
        """Return, by name, what command lines and files say of this node's parameters."""
        given = self.node._ros_given
        return {name: pyparamter_cls(name, value=value) for name, value in given.items() if value is not None}

    def get_count_publishers(self, topic_name: str) -> int:
        return self.node.count_publishers(topic_name)

    def get_count_subscribers(self, topic_name: str) -> int:
        return self.node.count_subscribers(topic_name)
