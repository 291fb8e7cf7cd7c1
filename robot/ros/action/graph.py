"""Which actions there are; a node's methods of these names answer the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from robot.ros.node import Node
    from robot.ros.node_parts.graph import NamesAndTypes


def get_action_client_names_and_types_by_node(
    node: Node, remote_node_name: str, remote_node_namespace: str
) -> NamesAndTypes:
    """List (name, types) of the actions a node has clients of; raises NodeNameNonExistentError."""
    return node.get_action_client_names_and_types_by_node(remote_node_name, remote_node_namespace)


def get_action_server_names_and_types_by_node(
    node: Node, remote_node_name: str, remote_node_namespace: str
) -> NamesAndTypes:
    """List (name, types) of the actions a node serves; raises NodeNameNonExistentError."""
    return node.get_action_server_names_and_types_by_node(remote_node_name, remote_node_namespace)


def get_action_names_and_types(node: Node) -> NamesAndTypes:
    """List (name, types) of all actions."""
    return node.get_action_names_and_types()
