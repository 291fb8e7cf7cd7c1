"""A node's parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from robot.ros import interfaces
from robot.ros.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from robot.ros.parameter import Parameter, Parameters, SetCallback, Type


class NodeParameters:
    """Declaring, reading and setting parameters."""

    def _init_parameters(self, overrides: Iterable[Parameter]) -> None:
        self._parameters = Parameters(overrides)

    def declare_parameter(self, name: str, value: Any = None, descriptor: Any = None) -> Parameter:
        dynamic = value is None if descriptor is None else descriptor.dynamic_typing
        return self._parameters.declare(name, value, dynamic=dynamic)

    def declare_parameters(self, namespace: str, parameters: Iterable[tuple[Any, ...]]) -> list[Parameter]:
        prefix = f"{namespace}." if namespace else ""
        return [self.declare_parameter(prefix + name, *rest) for name, *rest in parameters]

    def undeclare_parameter(self, name: str) -> None:
        self._parameters.undeclare(name)

    def has_parameter(self, name: str) -> bool:
        return self._parameters.has(name)

    def get_parameter(self, name: str) -> Parameter:
        return self._parameters.get(name)

    def get_parameters(self, names: Iterable[str]) -> list[Parameter]:
        return [self._parameters.get(name) for name in names]

    def get_parameter_or(self, name: str, alternative_value: Parameter | None = None) -> Parameter:
        if self.has_parameter(name) and (parameter := self.get_parameter(name)).type_ != Type.NOT_SET:
            return parameter
        return alternative_value or Parameter(name)

    def add_on_set_parameters_callback(self, callback: SetCallback) -> None:
        self._parameters.callbacks.insert(0, callback)

    def set_parameters(self, parameters: Iterable[Parameter]) -> list[Any]:
        """Set parameters one by one; each result says whether it was taken, and why not."""
        results = []
        for parameter in parameters:
            result = interfaces.rcl_interfaces.msg.SetParametersResult(successful=True)
            try:
                self._parameters.set(parameter)
            except (InvalidParameterTypeException, InvalidParameterValueException) as error:
                result = interfaces.rcl_interfaces.msg.SetParametersResult(successful=False, reason=str(error))
            results.append(result)
            if result.successful and parameter.name == "use_sim_time":
                self._follow_clock(parameter.value)
        return results

    def _follow_clock(self, use_sim_time: bool) -> None:
        raise NotImplementedError
