"""Which actions there are, seen from their topics and services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robot.ros.exceptions import NodeNameNonExistentError
from robot.ros.graph import PUBLISHER, SUBSCRIPTION
from robot.ros.names import full_node_name

if TYPE_CHECKING:
    from robot.ros.node import Node

FEEDBACK = "/_action/feedback"
FEEDBACK_TYPE = "_FeedbackMessage"

NamesAndTypes = list[tuple[str, list[str]]]


def _actions(node: Node, kinds: tuple[str, ...], of: str | None) -> NamesAndTypes:
    bus = node.context.bus
    bus.pump.refresh()
    types: dict[str, set[str]] = {}
    for _, endpoint in bus.endpoints():
        if endpoint.kind in kinds and endpoint.name.endswith(FEEDBACK) and of in (None, endpoint.node):
            name = endpoint.name.removesuffix(FEEDBACK)
            types.setdefault(name, set()).add(endpoint.type_name.removesuffix(FEEDBACK_TYPE))
    return [(name, sorted(types[name])) for name in sorted(types)]


def _by_node(node: Node, kind: str, name: str, namespace: str) -> NamesAndTypes:
    full = full_node_name(name, namespace)
    found = _actions(node, (kind,), full)
    known = {other.get_fully_qualified_name() for other in node.context.nodes}
    if not found and full not in known and full not in node.context.bus.node_names():
        raise NodeNameNonExistentError(f"cannot get actions: there is no node {full}")
    return found


def get_action_client_names_and_types_by_node(
    node: Node, remote_node_name: str, remote_node_namespace: str
) -> NamesAndTypes:
    """List (name, types) of the actions a node has clients of; raises NodeNameNonExistentError."""
    return _by_node(node, SUBSCRIPTION, remote_node_name, remote_node_namespace)


def get_action_server_names_and_types_by_node(
    node: Node, remote_node_name: str, remote_node_namespace: str
) -> NamesAndTypes:
    """List (name, types) of the actions a node serves; raises NodeNameNonExistentError."""
    return _by_node(node, PUBLISHER, remote_node_name, remote_node_namespace)


def get_action_names_and_types(node: Node) -> NamesAndTypes:
    """List (name, types) of all actions."""
    return _actions(node, (PUBLISHER, SUBSCRIPTION), None)
