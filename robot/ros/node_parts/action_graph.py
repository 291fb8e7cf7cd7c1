"""What a node sees of the actions in the graph, from their topics and services."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from robot.ros.action.status import part
from robot.ros.endpoint_info import ActionEndpointInfo, ServiceEndpointInfo, TopicEndpointInfo
from robot.ros.exceptions import NodeNameNonExistentError
from robot.ros.expand_topic_name import expand_topic_name
from robot.ros.graph import CLIENT, PUBLISHER, SERVICE, SUBSCRIPTION
from robot.ros.names import full_node_name
from robot.ros.validate_full_topic_name import validate_full_topic_name

if TYPE_CHECKING:
    from robot.ros.bus import Bus
    from robot.ros.node_parts.graph import NamesAndTypes

FEEDBACK = "/_action/feedback"
FEEDBACK_TYPE = "_FeedbackMessage"

T = TypeVar("T", ServiceEndpointInfo, TopicEndpointInfo)


class ActionGraph:
    """Queries of actions; names given are expanded."""

    def get_name(self) -> str:
        raise NotImplementedError

    def get_namespace(self) -> str:
        raise NotImplementedError

    @property
    def _ros_bus(self) -> Bus:
        raise NotImplementedError

    def _ros_node_names(self) -> list[str]:
        raise NotImplementedError

    def _ros_service_info(self, kind: str, service: str, no_mangle: bool) -> list[ServiceEndpointInfo]:
        raise NotImplementedError

    def _ros_topic_info(self, kind: str, topic: str, no_mangle: bool) -> list[TopicEndpointInfo]:
        raise NotImplementedError

    def _ros_actions(self, kinds: tuple[str, ...], of: str | None) -> NamesAndTypes:
        bus = self._ros_bus
        bus.pump.refresh()
        types: dict[str, set[str]] = {}
        for _, endpoint in bus.endpoints():
            if endpoint.kind in kinds and endpoint.name.endswith(FEEDBACK) and of in (None, endpoint.node):
                name = endpoint.name.removesuffix(FEEDBACK)
                types.setdefault(name, set()).add(endpoint.type_name.removesuffix(FEEDBACK_TYPE))
        return [(name, sorted(types[name])) for name in sorted(types)]

    def _ros_actions_of(self, kind: str, name: str, namespace: str) -> NamesAndTypes:
        full = full_node_name(name, namespace)
        found = self._ros_actions((kind,), full)
        if not found and full not in self._ros_node_names():
            raise NodeNameNonExistentError(f"cannot get actions: there is no node {full}")
        return found

    def get_action_names_and_types(self) -> NamesAndTypes:
        """List (name, types) of all actions."""
        return self._ros_actions((PUBLISHER, SUBSCRIPTION), None)

    def get_action_client_names_and_types_by_node(self, node_name: str, node_namespace: str) -> NamesAndTypes:
        """List (name, types) of the actions a node has clients of; raises NodeNameNonExistentError."""
        return self._ros_actions_of(SUBSCRIPTION, node_name, node_namespace)

    def get_action_server_names_and_types_by_node(self, node_name: str, node_namespace: str) -> NamesAndTypes:
        """List (name, types) of the actions a node serves; raises NodeNameNonExistentError."""
        return self._ros_actions_of(PUBLISHER, node_name, node_namespace)

    def _ros_action_name(self, name: str) -> str:
        full = expand_topic_name(name, self.get_name(), self.get_namespace())
        validate_full_topic_name(full)
        return full

    def _ros_count_action(self, kind: str, action_name: str) -> int:
        return len(self._ros_bus.endpoints(kind, part(self._ros_action_name(action_name), "send_goal")))

    def count_action_clients(self, action_name: str) -> int:
        return self._ros_count_action(CLIENT, action_name)

    def count_action_servers(self, action_name: str) -> int:
        return self._ros_count_action(SERVICE, action_name)

    def get_action_clients_info_by_action(self, action_name: str) -> list[ActionEndpointInfo]:
        return self._ros_action_info(CLIENT, SUBSCRIPTION, action_name)

    def get_action_servers_info_by_action(self, action_name: str) -> list[ActionEndpointInfo]:
        return self._ros_action_info(SERVICE, PUBLISHER, action_name)

    def _ros_action_info(self, service: str, topic: str, action_name: str) -> list[ActionEndpointInfo]:
        """Describe each end by its goal service, and by what else its node has of the action."""
        name = self._ros_action_name(action_name)
        services = {of: self._ros_service_info(service, part(name, of), True) for of in ("cancel_goal", "get_result")}
        topics = {of: self._ros_topic_info(topic, part(name, of), True) for of in ("feedback", "status")}
        return [
            ActionEndpointInfo(
                goal,
                _same_node(goal, services["cancel_goal"]),
                _same_node(goal, services["get_result"]),
                _same_node(goal, topics["feedback"]),
                _same_node(goal, topics["status"]),
            )
            for goal in self._ros_service_info(service, part(name, "send_goal"), True)
        ]


def _same_node(goal: ServiceEndpointInfo, found: list[T]) -> T | None:
    wanted = goal.node_name, goal.node_namespace
    return next((info for info in found if (info.node_name, info.node_namespace) == wanted), None)
