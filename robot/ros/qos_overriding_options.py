"""Let parameters override the quality of service of a publisher or subscription."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from robot.ros.duration import Duration
from robot.ros.exceptions import ParameterAlreadyDeclaredException
from robot.ros.interfaces import registry
from robot.ros.publisher import Publisher
from robot.ros.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    LivelinessPolicy,
    QoSPolicyKind,
    QoSProfile,
    ReliabilityPolicy,
)
from robot.ros.subscription import Subscription

if TYPE_CHECKING:
    from robot.ros.node import Node
    from robot.ros.parameter import Parameter

QosCallbackType = Callable[[QoSProfile], Any]

_POLICIES = {
    QoSPolicyKind.HISTORY: HistoryPolicy,
    QoSPolicyKind.RELIABILITY: ReliabilityPolicy,
    QoSPolicyKind.DURABILITY: DurabilityPolicy,
    QoSPolicyKind.LIVELINESS: LivelinessPolicy,
}
_DURATIONS = (QoSPolicyKind.LIFESPAN, QoSPolicyKind.DEADLINE, QoSPolicyKind.LIVELINESS_LEASE_DURATION)


class InvalidQosOverridesError(Exception):
    """A profile that its overrides made invalid, in the judgement of the options' callback."""


class QoSOverridingOptions:
    """Which policies parameters may override.

    Args:
        policy_kinds: a parameter is declared for each, `qos_overrides.<topic>.<publisher|subscription>.<policy>`.
        callback: says whether the resulting profile is valid.
        entity_id: tells endpoints of one topic apart in the parameters' names.
    """

    def __init__(
        self,
        policy_kinds: Iterable[QoSPolicyKind],
        *,
        callback: Callable[[QoSProfile], Any] | None = None,
        entity_id: str | None = None,
    ) -> None:
        self._policy_kinds = policy_kinds
        self._callback = callback
        self._entity_id = entity_id

    @property
    def policy_kinds(self) -> Iterable[QoSPolicyKind]:
        return self._policy_kinds

    @property
    def callback(self) -> Callable[[QoSProfile], Any] | None:
        return self._callback

    @property
    def entity_id(self) -> str | None:
        return self._entity_id

    @classmethod
    def with_default_policies(
        cls, *, callback: Callable[[QoSProfile], Any] | None = None, entity_id: str | None = None
    ) -> QoSOverridingOptions:
        """Allow history, depth and reliability to be overridden."""
        kinds = (QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH, QoSPolicyKind.RELIABILITY)
        return cls(kinds, callback=callback, entity_id=entity_id)


def _declare_qos_parameters(
    entity_type: type[Publisher] | type[Subscription],
    node: Node,
    topic_name: str,
    qos: QoSProfile,
    options: QoSOverridingOptions,
) -> QoSProfile:
    """Declare the parameters and put their values into `qos`, which is changed.

    Raises:
        InvalidQosOverridesError: the options' callback refused the result.
        RuntimeError: a value names no policy.
    """
    if not issubclass(entity_type, Publisher | Subscription):
        raise TypeError("Argument `entity_type` should be a subclass of Publisher or Subscription")
    is_publisher = issubclass(entity_type, Publisher)
    kind = "publisher" if is_publisher else "subscription"
    suffix = "" if options.entity_id is None else f"_{options.entity_id}"
    described = f"for {kind} `{topic_name}` with id `{options.entity_id}`"
    for policy in options.policy_kinds:
        if policy == QoSPolicyKind.LIFESPAN and not is_publisher:
            continue
        name = policy.name.lower()
        full = f"qos_overrides.{topic_name}.{kind}{suffix}.{name}"
        descriptor = registry.message("rcl_interfaces/msg/ParameterDescriptor")(
            description=f"{name} {described}", read_only=True
        )
        try:
            parameter = node.declare_parameter(full, _get_qos_policy_parameter(qos, policy), descriptor)
        except ParameterAlreadyDeclaredException:
            parameter = node.get_parameter(full)
        _override_qos_policy_with_param(qos, policy, parameter)
    if options.callback is not None:
        verdict = options.callback(qos)
        if not getattr(verdict, "successful", verdict):
            reason = getattr(verdict, "reason", "")
            raise InvalidQosOverridesError(f"Provided QoS overrides {described}, are not valid: {reason}".rstrip(": "))
    return qos


def _get_qos_policy_parameter(qos: QoSProfile, policy: QoSPolicyKind) -> Any:
    value = getattr(qos, policy.name.lower())
    if policy in _POLICIES:
        if value.name == "UNKNOWN":
            raise ValueError("User provided QoS profile is invalid")
        return value.name.lower()
    return value.nanoseconds if policy in _DURATIONS else value


def _override_qos_policy_with_param(qos: QoSProfile, policy: QoSPolicyKind, parameter: Parameter) -> None:
    value: Any = parameter.value
    name = policy.name.lower()
    if policy in _POLICIES:
        try:
            value = _POLICIES[policy][value.upper()]
        except KeyError as error:
            raise RuntimeError(f"Unexpected QoS override for policy `{name}`: `{value}`") from error
    elif policy in _DURATIONS:
        value = Duration(nanoseconds=value)
    setattr(qos, name, value)


def __getattr__(name: str) -> Any:
    """Give rclpy's name for what a callback returns; the class is made when it is named."""
    if name == "QosCallbackResult":
        return registry.message("rcl_interfaces/msg/SetParametersResult")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
