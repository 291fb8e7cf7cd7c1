"""What a node sees of the graph: names, types and counts of nodes and endpoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from robot.ros.bus import HERE
from robot.ros.endpoint_info import EndpointTypeEnum, ServiceEndpointInfo, TopicEndpointInfo
from robot.ros.exceptions import NodeNameNonExistentError
from robot.ros.expand_topic_name import expand_topic_name
from robot.ros.graph import CLIENT, PUBLISHER, SERVICE, SUBSCRIPTION, Endpoint
from robot.ros.names import full_node_name
from robot.ros.node_parts.action_graph import ActionGraph
from robot.ros.type_hash import TypeHash
from robot.ros.validate_full_topic_name import validate_full_topic_name

if TYPE_CHECKING:
    from robot.ros.bus import Bus
    from robot.ros.context import Context
    from robot.ros.handle import Handle

NamesAndTypes = list[tuple[str, list[str]]]

_TYPES = {
    PUBLISHER: EndpointTypeEnum.PUBLISHER,
    SUBSCRIPTION: EndpointTypeEnum.SUBSCRIPTION,
    SERVICE: EndpointTypeEnum.SERVER,
    CLIENT: EndpointTypeEnum.CLIENT,
}


def split_name(full_name: str) -> tuple[str, str]:
    """Return name and namespace of a node: '/ns/a' gives ('a', '/ns')."""
    namespace, _, name = full_name.rpartition("/")
    return name, namespace or "/"


class Graph(ActionGraph):
    """Queries of the graph; names given are expanded, and renamed only where said."""

    context: Context

    def get_name(self) -> str:
        raise NotImplementedError

    def get_namespace(self) -> str:
        raise NotImplementedError

    def resolve_topic_name(self, topic: str, *, only_expand: bool = False) -> str:
        raise NotImplementedError

    def _ros_wait_until(self, condition: Callable[[], bool], timeout_sec: float | None) -> bool:
        raise NotImplementedError

    @property
    def handle(self) -> Handle:
        raise NotImplementedError

    @property
    def _ros_bus(self) -> Bus:
        """The context's bus, for a node that is not destroyed."""
        with self.handle:
            return self.context.bus

    def _ros_node_names(self) -> list[str]:
        """List the full names of all nodes; one that two nodes share is there twice."""
        here = [node.get_fully_qualified_name() for node in tuple(self.context.nodes)]
        others = {(peer, endpoint.node) for peer, endpoint in self._ros_bus.endpoints() if peer != HERE}
        return sorted([*here, *(name for _, name in others)])

    def _ros_endpoints(self, *kinds: str) -> list[Endpoint]:
        return [endpoint for kind in kinds for _, endpoint in self._ros_bus.endpoints(kind)]

    # --- nodes

    def get_fully_qualified_node_names(self) -> list[str]:
        return self._ros_node_names()

    def get_node_names_and_namespaces(self) -> list[tuple[str, str]]:
        return [split_name(full) for full in self._ros_node_names()]

    def get_node_names_and_namespaces_with_enclaves(self) -> list[tuple[str, str, str]]:
        """Return (name, namespace, enclave) of every node; the enclaves of other processes are not known: '/'."""
        own = {node.get_fully_qualified_name() for node in self.context.nodes}
        enclave = self.context.arguments.enclave
        return [(*split_name(full), enclave if full in own else "/") for full in self._ros_node_names()]

    def get_node_names(self) -> list[str]:
        return [name for name, _ in self.get_node_names_and_namespaces()]

    def wait_for_node(self, fully_qualified_node_name: str, timeout: float) -> bool:
        """Wait up to `timeout` [s] for a node to be in the graph, and return whether it is."""
        full = fully_qualified_node_name
        return self._ros_wait_until(lambda: full in self._ros_node_names(), timeout)

    # --- counts

    def _ros_count(self, kind: str, name: str) -> int:
        full = expand_topic_name(name, self.get_name(), self.get_namespace())
        validate_full_topic_name(full, is_service=kind in (SERVICE, CLIENT))
        return len(self._ros_bus.endpoints(kind, full))

    def count_publishers(self, topic_name: str) -> int:
        return self._ros_count(PUBLISHER, topic_name)

    def count_subscribers(self, topic_name: str) -> int:
        return self._ros_count(SUBSCRIPTION, topic_name)

    def count_clients(self, service_name: str) -> int:
        return self._ros_count(CLIENT, service_name)

    def count_services(self, service_name: str) -> int:
        return self._ros_count(SERVICE, service_name)

    # --- names and types

    def get_topic_names_and_types(self, no_demangle: bool = False) -> NamesAndTypes:
        return _names_and_types(self._ros_endpoints(PUBLISHER, SUBSCRIPTION))

    def get_service_names_and_types(self) -> NamesAndTypes:
        return _names_and_types(self._ros_endpoints(SERVICE, CLIENT))

    def get_publisher_names_and_types_by_node(
        self, node_name: str, node_namespace: str, no_demangle: bool = False
    ) -> NamesAndTypes:
        return self._ros_by_node(PUBLISHER, node_name, node_namespace)

    def get_subscriber_names_and_types_by_node(
        self, node_name: str, node_namespace: str, no_demangle: bool = False
    ) -> NamesAndTypes:
        return self._ros_by_node(SUBSCRIPTION, node_name, node_namespace)

    def get_service_names_and_types_by_node(self, node_name: str, node_namespace: str) -> NamesAndTypes:
        return self._ros_by_node(SERVICE, node_name, node_namespace)

    def get_client_names_and_types_by_node(self, node_name: str, node_namespace: str) -> NamesAndTypes:
        return self._ros_by_node(CLIENT, node_name, node_namespace)

    def _ros_by_node(self, kind: str, name: str, namespace: str) -> NamesAndTypes:
        full = full_node_name(name, namespace)
        if full not in self._ros_node_names():
            raise NodeNameNonExistentError(f"cannot find node '{full}' in the graph")
        return _names_and_types([endpoint for endpoint in self._ros_endpoints(kind) if endpoint.node == full])

    # --- endpoints

    def get_publishers_info_by_topic(self, topic_name: str, no_mangle: bool = False) -> list[TopicEndpointInfo]:
        """Describe the publishers of a topic, whose name is expanded and renamed unless `no_mangle`."""
        return self._ros_topic_info(PUBLISHER, topic_name, no_mangle)

    def get_subscriptions_info_by_topic(self, topic_name: str, no_mangle: bool = False) -> list[TopicEndpointInfo]:
        return self._ros_topic_info(SUBSCRIPTION, topic_name, no_mangle)

    def _ros_topic_info(self, kind: str, topic: str, no_mangle: bool) -> list[TopicEndpointInfo]:
        full = topic if no_mangle else self._ros_mapped(topic, is_service=False)
        return [_topic_info(endpoint) for _, endpoint in self._ros_bus.endpoints(kind, full)]

    def get_clients_info_by_service(self, service_name: str, no_mangle: bool = False) -> list[ServiceEndpointInfo]:
        return self._ros_service_info(CLIENT, service_name, no_mangle)

    def get_servers_info_by_service(self, service_name: str, no_mangle: bool = False) -> list[ServiceEndpointInfo]:
        return self._ros_service_info(SERVICE, service_name, no_mangle)

    def _ros_service_info(self, kind: str, service: str, no_mangle: bool) -> list[ServiceEndpointInfo]:
        full = service if no_mangle else self._ros_mapped(service, is_service=True)
        return [_service_info(endpoint) for _, endpoint in self._ros_bus.endpoints(kind, full)]

    def resolve_service_name(self, service: str, *, only_expand: bool = False) -> str:
        raise NotImplementedError

    def _ros_mapped(self, name: str, *, is_service: bool) -> str:
        full = expand_topic_name(name, self.get_name(), self.get_namespace())
        validate_full_topic_name(full, is_service=is_service)
        return self.resolve_service_name(full) if is_service else self.resolve_topic_name(full)


def _names_and_types(endpoints: list[Endpoint]) -> NamesAndTypes:
    types: dict[str, set[str]] = {}
    for endpoint in endpoints:
        types.setdefault(endpoint.name, set()).add(endpoint.type_name)
    return [(name, sorted(types[name])) for name in sorted(types)]


def _topic_info(endpoint: Endpoint) -> TopicEndpointInfo:
    name, namespace = split_name(endpoint.node)
    return TopicEndpointInfo(
        node_name=name,
        node_namespace=namespace,
        topic_type=endpoint.type_name,
        topic_type_hash=TypeHash.parse(endpoint.type_hash),
        endpoint_type=_TYPES[endpoint.kind],
        endpoint_gid=list(endpoint.gid),
        qos_profile=endpoint.qos,
    )


def _service_info(endpoint: Endpoint) -> ServiceEndpointInfo:
    name, namespace = split_name(endpoint.node)
    return ServiceEndpointInfo(
        node_name=name,
        node_namespace=namespace,
        service_type=endpoint.type_name,
        service_type_hash=TypeHash.parse(endpoint.type_hash),
        endpoint_type=_TYPES[endpoint.kind],
        endpoint_count=1,
        endpoint_gids=[list(endpoint.gid)],
        qos_profiles=[endpoint.qos],
    )
