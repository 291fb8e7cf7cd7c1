"""Read a node's parameters and their descriptors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from robot.ros import interfaces
from robot.ros.exceptions import ParameterNotDeclaredException, ParameterUninitializedException
from robot.ros.parameter import PARAMETER_SEPARATOR_STRING as DOT
from robot.ros.parameter import Parameter, Type

DEPTH_RECURSIVE = 0


def _check_names(names: Sequence[str]) -> None:
    if not all(isinstance(name, str) for name in names):
        raise TypeError("All names must be instances of type str")


class Reading:
    """Queries of the declared parameters."""

    _parameters: dict[str, Parameter]
    _descriptors: dict[str, Any]
    _allow_undeclared_parameters: bool

    def get_parameter(self, name: str) -> Parameter:
        """Return a parameter; an undeclared one is NOT_SET where the node allows undeclared ones.

        Raises:
            ParameterNotDeclaredException: there is none.
            ParameterUninitializedException: it was declared with a type and has no value yet.
        """
        parameter = self._parameters.get(name)
        if parameter is None:
            if self._allow_undeclared_parameters:
                return Parameter(name)
            raise ParameterNotDeclaredException(name)
        if parameter.type_ is Type.NOT_SET and not self._descriptors[name].dynamic_typing:
            raise ParameterUninitializedException(name)
        return parameter

    def get_parameters(self, names: Sequence[str]) -> list[Parameter]:
        _check_names(names)
        return [self.get_parameter(name) for name in names]

    def get_parameter_or(self, name: str, alternative_value: Parameter | None = None) -> Parameter:
        """Return a parameter, or the alternative where it is undeclared or has no value."""
        parameter = self._parameters.get(name)
        if parameter is None or parameter.type_ is Type.NOT_SET:
            return Parameter(name) if alternative_value is None else alternative_value
        return parameter

    def get_parameter_type(self, name: str) -> Type:
        if name in self._parameters:
            return self._parameters[name].type_
        if self._allow_undeclared_parameters:
            return Type.NOT_SET
        raise ParameterNotDeclaredException(name)

    def get_parameter_types(self, names: Sequence[str]) -> list[Type]:
        _check_names(names)
        return [self.get_parameter_type(name) for name in names]

    def get_parameters_by_prefix(self, prefix: str) -> dict[str, Parameter]:
        """Return the parameters below a prefix, by the rest of their names; "" = all."""
        start = prefix + DOT if prefix else ""
        return {name[len(start) :]: value for name, value in self._parameters.items() if name.startswith(start)}

    def describe_parameter(self, name: str) -> Any:
        """Return the rcl_interfaces/msg/ParameterDescriptor of a parameter."""
        if name in self._descriptors:
            return self._descriptors[name]
        if self._allow_undeclared_parameters:
            return interfaces.rcl_interfaces.msg.ParameterDescriptor()
        raise ParameterNotDeclaredException(name)

    def describe_parameters(self, names: Sequence[str]) -> list[Any]:
        return [self.describe_parameter(name) for name in names]

    def list_parameters(self, prefixes: list[str], depth: int) -> Any:
        """Return rcl_interfaces/msg/ListParametersResult: names, and the prefixes they have.

        Args:
            prefixes: only names that are one of these or below one; [] = all.
            depth: how many levels below; 0 = all.
        """
        if not isinstance(prefixes, list):
            raise TypeError("The prefixes argument must be a list")
        if not all(isinstance(prefix, str) for prefix in prefixes):
            raise TypeError("All prefixes must be instances of type str")
        if not isinstance(depth, int):
            raise TypeError("The depth must be instance of type int")
        if depth < 0:
            raise ValueError("The depth must be greater than or equal to zero")

        def near(name: str) -> bool:
            return depth == DEPTH_RECURSIVE or name.count(DOT) < depth

        def wanted(name: str) -> bool:
            if not prefixes:
                return near(name)
            below = [name[len(prefix) + 1 :] for prefix in prefixes if name.startswith(prefix + DOT)]
            return name in prefixes or any(map(near, below))

        result = interfaces.rcl_interfaces.msg.ListParametersResult()
        result.names = [name for name in self._parameters if wanted(name)]
        result.prefixes = list(dict.fromkeys(name.rpartition(DOT)[0] for name in result.names if DOT in name))
        return result
