"""Let others read and set a node's parameters: its six services."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from robot.ros.exceptions import ParameterNotDeclaredException, ParameterUninitializedException
from robot.ros.interfaces import rcl_interfaces
from robot.ros.parameter import Parameter
from robot.ros.qos import qos_profile_parameters

if TYPE_CHECKING:
    from robot.ros.node import Node


class ParameterService:
    """The services; a question about any parameter that is not there is answered with nothing at all, as in ROS."""

    def __init__(self, node: Node) -> None:
        self._node_weak_ref = weakref.ref(node)
        srv = rcl_interfaces.srv
        for kind, name, callback in (
            (srv.DescribeParameters, "describe_parameters", self._describe),
            (srv.GetParameters, "get_parameters", self._get),
            (srv.GetParameterTypes, "get_parameter_types", self._get_types),
            (srv.ListParameters, "list_parameters", self._list),
            (srv.SetParameters, "set_parameters", self._set),
            (srv.SetParametersAtomically, "set_parameters_atomically", self._set_atomically),
        ):
            node.create_service(kind, f"{node.get_name()}/{name}", callback, qos_profile=qos_profile_parameters)

    @property
    def _node(self) -> Node:
        node = self._node_weak_ref()
        if node is None:
            raise ReferenceError("Expected valid node weak reference")
        return node

    def _describe(self, request: Any, response: Any) -> Any:
        try:
            response.descriptors = self._node.describe_parameters(request.names)
        except ParameterNotDeclaredException:
            response.descriptors = []
        return response

    def _get(self, request: Any, response: Any) -> Any:
        try:
            response.values = [value.get_parameter_value() for value in self._node.get_parameters(request.names)]
        except (ParameterNotDeclaredException, ParameterUninitializedException):
            response.values = []
        return response

    def _get_types(self, request: Any, response: Any) -> Any:
        try:
            response.types = [int(kind) for kind in self._node.get_parameter_types(request.names)]
        except ParameterNotDeclaredException:
            response.types = []
        return response

    def _list(self, request: Any, response: Any) -> Any:
        response.result = self._node.list_parameters(request.prefixes, request.depth)
        return response

    def _set(self, request: Any, response: Any) -> Any:
        response.results = [self._try([message]) for message in request.parameters]
        return response

    def _set_atomically(self, request: Any, response: Any) -> Any:
        response.result = self._try(request.parameters)
        return response

    def _try(self, messages: list[Any]) -> Any:
        try:
            return self._node.set_parameters_atomically([Parameter.from_parameter_msg(each) for each in messages])
        except (ParameterNotDeclaredException, ValueError) as error:
            return rcl_interfaces.msg.SetParametersResult(successful=False, reason=str(error))
