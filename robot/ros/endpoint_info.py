"""What graph queries tell of endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, ClassVar

from robot.ros.qos import HistoryPolicy, QoSProfile, qos_profile_unknown
from robot.ros.type_hash import TypeHash


class EndpointTypeEnum(IntEnum):
    INVALID = 0
    PUBLISHER = 1
    SUBSCRIPTION = 2
    CLIENT = 3
    SERVER = 4


TopicEndpointTypeEnum = EndpointTypeEnum

UNKNOWN_PROFILE = qos_profile_unknown


def _checked(name: str, value: Any, kind: type) -> Any:
    assert isinstance(value, kind), f"{name}: expected {kind.__name__}, got {value!r}"
    return value


def _profile_lines(profile: QoSProfile) -> list[str]:
    depth = f" ({profile.depth})" if profile.history == HistoryPolicy.KEEP_LAST else ""
    lines = [
        f"Reliability: {profile.reliability.name}",
        f"History (Depth): {profile.history.name}{depth}",
        f"Durability: {profile.durability.name}",
        f"Lifespan: {profile.lifespan}",
        f"Deadline: {profile.deadline}",
        f"Liveliness: {profile.liveliness.name}",
    ]
    if (lease := getattr(profile, "liveliness_lease_duration", None)) is not None:
        lines.append(f"Liveliness lease duration: {lease}")
    return [f"  {line}" for line in lines]


class _EndpointInfo:
    """What infos of topics and services share: attributes checked when they are set, equality by them.

    An attribute of a class below may be given as the dictionary of its own arguments.
    """

    _KINDS: ClassVar[dict[str, type]] = {}

    def __setattr__(self, name: str, value: Any) -> None:
        kind = self._KINDS[name]
        if isinstance(value, dict):
            value = kind(**value)
        elif kind is EndpointTypeEnum and isinstance(value, int):
            value = kind(value)
        object.__setattr__(self, name, _checked(name, value, kind))

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return False
        return all(getattr(self, name) == getattr(other, name) for name in self._KINDS)

    __hash__ = None  # type: ignore[assignment]


class TopicEndpointInfo(_EndpointInfo):
    """One publisher or subscription, as `rclpy.endpoint_info.TopicEndpointInfo`.

    Attributes:
        endpoint_gid: 16 integers.
    """

    _KINDS: ClassVar[dict[str, type]] = {
        "node_name": str,
        "node_namespace": str,
        "topic_type": str,
        "topic_type_hash": TypeHash,
        "endpoint_type": EndpointTypeEnum,
        "endpoint_gid": list,
        "qos_profile": QoSProfile,
    }

    node_name: str
    node_namespace: str
    topic_type: str
    topic_type_hash: TypeHash
    endpoint_type: EndpointTypeEnum
    endpoint_gid: list[int]
    qos_profile: QoSProfile

    def __init__(  # noqa: PLR0917 (rclpy's order)
        self,
        node_name: str = "",
        node_namespace: str = "",
        topic_type: str = "",
        topic_type_hash: TypeHash | dict[str, Any] | None = None,
        endpoint_type: EndpointTypeEnum | int = EndpointTypeEnum.INVALID,
        endpoint_gid: Sequence[int] = (),
        qos_profile: QoSProfile | dict[str, Any] = UNKNOWN_PROFILE,
    ) -> None:
        self.node_name = node_name
        self.node_namespace = node_namespace
        self.topic_type = topic_type
        self.topic_type_hash = TypeHash() if topic_type_hash is None else topic_type_hash  # type: ignore[assignment]
        self.endpoint_type = endpoint_type  # type: ignore[assignment]
        self.endpoint_gid = list(endpoint_gid)
        self.qos_profile = qos_profile  # type: ignore[assignment]

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "endpoint_gid":
            assert all(isinstance(octet, int) for octet in value), f"endpoint_gid: expected integers, got {value!r}"
        super().__setattr__(name, value)

    def __str__(self) -> str:
        return "\n".join(
            [
                f"Node name: {self.node_name}",
                f"Node namespace: {self.node_namespace}",
                f"Topic type: {self.topic_type}",
                f"Topic type hash: {self.topic_type_hash}",
                f"Endpoint type: {self.endpoint_type.name}",
                f"GID: {'.'.join(f'{octet:02x}' for octet in self.endpoint_gid)}",
                "QoS profile:",
                *_profile_lines(self.qos_profile),
            ]
        )


class ServiceEndpointInfo(_EndpointInfo):
    """One service or client, as `rclpy.endpoint_info.ServiceEndpointInfo`."""

    _KINDS: ClassVar[dict[str, type]] = {
        "node_name": str,
        "node_namespace": str,
        "service_type": str,
        "service_type_hash": TypeHash,
        "qos_profiles": list,
        "endpoint_gids": list,
        "endpoint_type": EndpointTypeEnum,
        "endpoint_count": int,
    }

    node_name: str
    node_namespace: str
    service_type: str
    service_type_hash: TypeHash
    qos_profiles: list[QoSProfile]
    endpoint_gids: list[list[int]]
    endpoint_type: EndpointTypeEnum
    endpoint_count: int

    def __init__(  # noqa: PLR0917 (rclpy's order)
        self,
        node_name: str = "",
        node_namespace: str = "",
        service_type: str = "",
        service_type_hash: TypeHash | dict[str, Any] | None = None,
        qos_profiles: Sequence[QoSProfile] = (),
        endpoint_gids: Sequence[Sequence[int]] = (),
        endpoint_type: EndpointTypeEnum | int = EndpointTypeEnum.INVALID,
        endpoint_count: int = 0,
    ) -> None:
        self.node_name = node_name
        self.node_namespace = node_namespace
        self.service_type = service_type
        self.service_type_hash = TypeHash() if service_type_hash is None else service_type_hash  # type: ignore[assignment]
        self.endpoint_type = endpoint_type  # type: ignore[assignment]
        self.endpoint_gids = [list(gid) for gid in endpoint_gids]
        self.qos_profiles = [
            QoSProfile(**profile) if isinstance(profile, dict) else profile for profile in qos_profiles
        ]
        self.endpoint_count = endpoint_count

    def __str__(self) -> str:
        lines = [
            f"Node name: {self.node_name}",
            f"Node namespace: {self.node_namespace}",
            f"Service type: {self.service_type}",
            f"Service type hash: {self.service_type_hash}",
            f"Endpoint type: {self.endpoint_type.name}",
            f"Endpoint count: {self.endpoint_count}",
        ]
        for gid, profile in zip(self.endpoint_gids, self.qos_profiles, strict=False):
            lines += [f"GID: {'.'.join(f'{octet:02x}' for octet in gid)}", "QoS profile:", *_profile_lines(profile)]
        return "\n".join(lines)


class ActionEndpointInfo(_EndpointInfo):
    """One client or server of an action, by its services and topics; what of them is not known has an empty node name.

    The goal service says which node it is of.
    """

    _KINDS: ClassVar[dict[str, type]] = {
        "goal_service_info": ServiceEndpointInfo,
        "cancel_service_info": ServiceEndpointInfo,
        "result_service_info": ServiceEndpointInfo,
        "feedback_topic_info": TopicEndpointInfo,
        "status_topic_info": TopicEndpointInfo,
    }

    goal_service_info: ServiceEndpointInfo
    cancel_service_info: ServiceEndpointInfo
    result_service_info: ServiceEndpointInfo
    feedback_topic_info: TopicEndpointInfo
    status_topic_info: TopicEndpointInfo

    def __init__(
        self,
        goal_service_info: ServiceEndpointInfo | dict[str, Any] | None = None,
        cancel_service_info: ServiceEndpointInfo | dict[str, Any] | None = None,
        result_service_info: ServiceEndpointInfo | dict[str, Any] | None = None,
        feedback_topic_info: TopicEndpointInfo | dict[str, Any] | None = None,
        status_topic_info: TopicEndpointInfo | dict[str, Any] | None = None,
    ) -> None:
        given = goal_service_info, cancel_service_info, result_service_info, feedback_topic_info, status_topic_info
        for name, value in zip(self._KINDS, given, strict=True):
            setattr(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, {} if value is None else value)

    @property
    def node_name(self) -> str:
        return self.goal_service_info.node_name

    @property
    def node_namespace(self) -> str:
        return self.goal_service_info.node_namespace

    @property
    def action_type(self) -> str:
        return self.goal_service_info.service_type.removesuffix("_SendGoal")

    @property
    def endpoint_type(self) -> EndpointTypeEnum:
        return self.goal_service_info.endpoint_type

    def __str__(self) -> str:
        lines = [
            f"Node name: {self.node_name}",
            f"Node namespace: {self.node_namespace}",
            f"Action type: {self.action_type}",
            f"Endpoint type: {self.endpoint_type.name}",
        ]
        for name in self._KINDS:
            title, info = name.removesuffix("_info").replace("_", " ").capitalize(), getattr(self, name)
            if not info.node_name:
                lines.append(f"{title}: not available")
                continue
            said = ("Node name:", "Node namespace:", "Endpoint type:")
            lines += [f"{title}:", *(f"  {line}" for line in str(info).splitlines() if not line.startswith(said))]
        return "\n".join(lines)
