"""What a node sees of the graph: names, types and counts of endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robot.ros.graph import PUBLISHER, SERVICE, SUBSCRIPTION

if TYPE_CHECKING:
    from robot.ros.context import Context


class Graph:
    """Queries of the graph."""

    context: Context

    def resolve_topic_name(self, topic: str, *, only_expand: bool = False) -> str:
        raise NotImplementedError

    def count_publishers(self, topic: str) -> int:
        return len(self.context.bus.endpoints(PUBLISHER, self.resolve_topic_name(topic)))

    def count_subscribers(self, topic: str) -> int:
        return len(self.context.bus.endpoints(SUBSCRIPTION, self.resolve_topic_name(topic)))

    def get_topic_names_and_types(self) -> list[tuple[str, list[str]]]:
        return self._names_and_types(PUBLISHER, SUBSCRIPTION)

    def get_service_names_and_types(self) -> list[tuple[str, list[str]]]:
        return self._names_and_types(SERVICE)

    def get_node_names(self) -> list[str]:
        return [name.rpartition("/")[2] for name in self.context.bus.node_names()]

    def _names_and_types(self, *kinds: str) -> list[tuple[str, list[str]]]:
        types: dict[str, set[str]] = {}
        for kind in kinds:
            for _, endpoint in self.context.bus.endpoints(kind):
                types.setdefault(endpoint.name, set()).add(endpoint.type_name)
        return [(name, sorted(types[name])) for name in sorted(types)]
