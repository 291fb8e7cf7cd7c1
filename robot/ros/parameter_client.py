"""Read and set the parameters of another node through its services."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from robot.ros.borrowed import finder
from robot.ros.interfaces import rcl_interfaces
from robot.ros.parameter import Parameter, parameter_dict_from_yaml_file
from robot.ros.qos import QoSProfile, qos_profile_parameter_events, qos_profile_services_default
from robot.ros.subscription import Subscription

if TYPE_CHECKING:
    from robot.ros.callback_groups import CallbackGroup
    from robot.ros.node import Node
    from robot.ros.task import Future

Callback = Callable[["Future[Any]"], object]


def _message(parameter: Parameter | Any) -> Any:
    return parameter.to_parameter_msg() if isinstance(parameter, Parameter) else parameter


class AsyncParameterClient:
    """The parameters of one node, as `rclpy.parameter_client.AsyncParameterClient`; futures get services' responses.

    Args:
        remote_node_name: name or full name of the node whose parameters they are.
    """

    def __init__(
        self,
        node: Node,
        remote_node_name: str,
        qos_profile: QoSProfile = qos_profile_services_default,
        callback_group: CallbackGroup | None = None,
    ) -> None:
        self.remote_node_name = remote_node_name
        self.node = node
        srv = rcl_interfaces.srv
        self._clients = {
            name: node.create_client(
                kind, f"{remote_node_name}/{name}", qos_profile=qos_profile, callback_group=callback_group
            )
            for name, kind in (
                ("get_parameters", srv.GetParameters),
                ("list_parameters", srv.ListParameters),
                ("set_parameters", srv.SetParameters),
                ("get_parameter_types", srv.GetParameterTypes),
                ("describe_parameters", srv.DescribeParameters),
                ("set_parameters_atomically", srv.SetParametersAtomically),
            )
        }

    def services_are_ready(self) -> bool:
        return all(client.service_is_ready() for client in self._clients.values())

    def wait_for_services(self, timeout_sec: float | None = None) -> bool:
        """Wait until all services are there (None: without limit) and return whether they are."""
        return self.node._ros_wait_for_others(self.services_are_ready, timeout_sec)

    def _call(self, name: str, callback: Callback | None, **fields: Any) -> Future[Any]:
        client = self._clients[name]
        future: Future[Any] = client.call_async(client.srv_type.Request(**fields))
        if callback is not None:
            future.add_done_callback(callback)
        return future

    def list_parameters(
        self, prefixes: Sequence[str] | None = None, depth: int | None = None, callback: Callback | None = None
    ) -> Future[Any]:
        return self._call("list_parameters", callback, prefixes=list(prefixes or ()), depth=depth or 0)

    def get_parameters(self, names: Sequence[str], callback: Callback | None = None) -> Future[Any]:
        return self._call("get_parameters", callback, names=list(names))

    def set_parameters(self, parameters: Sequence[Parameter | Any], callback: Callback | None = None) -> Future[Any]:
        return self._call("set_parameters", callback, parameters=[_message(each) for each in parameters])

    def set_parameters_atomically(
        self, parameters: Sequence[Parameter | Any], callback: Callback | None = None
    ) -> Future[Any]:
        return self._call("set_parameters_atomically", callback, parameters=[_message(each) for each in parameters])

    def describe_parameters(self, names: Sequence[str], callback: Callback | None = None) -> Future[Any]:
        return self._call("describe_parameters", callback, names=list(names))

    def get_parameter_types(self, names: Sequence[str], callback: Callback | None = None) -> Future[Any]:
        return self._call("get_parameter_types", callback, names=list(names))

    def delete_parameters(self, names: Sequence[str], callback: Callback | None = None) -> Future[Any]:
        """Undeclare parameters, which only dynamically typed ones allow."""
        return self.set_parameters([Parameter(name) for name in names], callback)

    def load_parameter_file(
        self, parameter_file: str, use_wildcard: bool = False, callback: Callback | None = None
    ) -> Future[Any]:
        """Set what a YAML file holds for this node; `use_wildcard`: also what is under `/**`."""
        return self.set_parameters(self._read(parameter_file, use_wildcard), callback)

    def load_parameter_file_atomically(
        self, parameter_file: str, use_wildcard: bool = False, callback: Callback | None = None
    ) -> Future[Any]:
        return self.set_parameters_atomically(self._read(parameter_file, use_wildcard), callback)

    @staticmethod
    def _read(parameter_file: str, use_wildcard: bool) -> list[Any]:
        return list(parameter_dict_from_yaml_file(parameter_file, use_wildcard).values())

    def on_parameter_event(
        self,
        callback: Callable[..., Any],
        qos_profile: QoSProfile = qos_profile_parameter_events,
        **options: Any,
    ) -> Subscription:
        """Subscribe to the events of all nodes' parameters; the options are those of `create_subscription`."""
        kind = rcl_interfaces.msg.ParameterEvent
        return self.node.create_subscription(kind, "/parameter_events", callback, qos_profile, **options)


if not TYPE_CHECKING:
    __getattr__ = finder(__name__)
