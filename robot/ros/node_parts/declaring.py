"""Declare a node's parameters."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

from robot.ros import interfaces
from robot.ros.exceptions import (
    InvalidParameterTypeException,
    InvalidParameterValueException,
    ParameterAlreadyDeclaredException,
    ParameterImmutableException,
    ParameterNotDeclaredException,
)
from robot.ros.node_parts.descriptors import WRONG_TYPE
from robot.ros.parameter import Parameter, Type, parameter_value_to_python
from robot.ros.validate_parameter_name import validate_parameter_name

NAME_ONLY = (
    "when declaring parameter named '{}', declaring a parameter only providing its name is deprecated. You have to "
    'either:\n\t- Pass a name and a default value different to "PARAMETER NOT SET" (and optionally a descriptor).\n'
    "\t- Pass a name and a parameter type.\n\t- Pass a name and a descriptor with `dynamic_typing=True"
)


class Declaring:
    """The declared parameters and their descriptors."""

    _parameters: dict[str, Parameter]
    _descriptors: dict[str, Any]
    _parameter_overrides: dict[str, Parameter]

    def _ros_commit(self, parameters: Sequence[Parameter], descriptors: dict[str, Any] | None = None) -> Any:
        raise NotImplementedError

    def declare_parameter(
        self, name: str, value: Any = None, descriptor: Any = None, ignore_override: bool = False
    ) -> Parameter:
        """Declare a parameter; an override given to the node or its command line wins over `value`.

        Args:
            value: the default, or a `Parameter.Type` for one without; its type is the parameter's from then on.
            descriptor: rcl_interfaces/msg/ParameterDescriptor; with `dynamic_typing` the type may change.

        Raises:
            ParameterAlreadyDeclaredException: it was declared before.
            InvalidParameterException: the name is empty.
            InvalidParameterTypeException: the override is of another type.
            InvalidParameterValueException: the descriptor or a callback refused the value.
        """
        if value is None and descriptor is None:
            return self.declare_parameters("", [(name,)], ignore_override)[0]
        if descriptor is None:
            descriptor = interfaces.rcl_interfaces.msg.ParameterDescriptor()
        return self.declare_parameters("", [(name, value, descriptor)], ignore_override)[0]

    def declare_parameters(
        self, namespace: str, parameters: Iterable[tuple[Any, ...]], ignore_override: bool = False
    ) -> list[Parameter]:
        """Declare parameters from tuples (name, default or type, descriptor), the last two optional.

        Args:
            namespace: put before every name, with a dot.
        """
        wanted: list[Parameter] = []
        descriptors: dict[str, Any] = {}
        for index, entry in enumerate(parameters):
            name, value, descriptor = self._ros_read_entry(index, entry, namespace)
            if not ignore_override and name in self._parameter_overrides:
                value = self._parameter_overrides[name].value
            wanted.append(Parameter(name, value=value))
            descriptors[name] = descriptor
        if again := [parameter.name for parameter in wanted if parameter.name in self._parameters]:
            raise ParameterAlreadyDeclaredException(again)
        for parameter in wanted:
            result = self._ros_commit([parameter], descriptors)
            if not result.successful:
                if result.reason.startswith(WRONG_TYPE):
                    expected = Type(descriptors[parameter.name].type).name
                    raise InvalidParameterTypeException(parameter, expected)
                raise InvalidParameterValueException(parameter.name, parameter.value, result.reason)
        return [self._parameters[parameter.name] for parameter in wanted]

    def _ros_read_entry(self, index: int, entry: tuple[Any, ...], namespace: str) -> tuple[str, Any, Any]:
        """Return full name, value and descriptor, which has its type then."""
        if not 1 <= len(entry) <= 3:
            raise TypeError(
                f"Invalid parameter tuple length at index {index} in parameters list: {entry}; "
                "expecting length between 1 and 3"
            )
        name, value, descriptor = (*entry, None, None)[:3] if len(entry) < 3 else entry
        if not isinstance(name, str):
            raise TypeError(f"First element {name} at index {index} in parameters list is not a str.")
        name = f"{namespace}.{name}" if namespace else name
        validate_parameter_name(name)
        kind = interfaces.rcl_interfaces.msg.ParameterDescriptor
        if len(entry) < 3:
            descriptor = kind()
        elif not isinstance(descriptor, kind):
            raise TypeError(
                f"Third element {descriptor} at index {index} in parameters list is not a ParameterDescriptor."
            )
        if len(entry) == 1:
            warnings.warn(NAME_ONLY.format(name), stacklevel=4)
            descriptor.dynamic_typing = True
        if isinstance(value, Type):
            if value is Type.NOT_SET:
                raise ValueError(f"Cannot declare parameter {{{name}}} as statically typed of type NOT_SET")
            if descriptor.dynamic_typing:
                raise ValueError(
                    f"When declaring parameter {{{name}}} passing a descriptor with `dynamic_typing=True` is not "
                    "allowed when the parameter type is provided"
                )
            descriptor.type = int(value)
            return name, None, descriptor
        if isinstance(value, interfaces.rcl_interfaces.msg.ParameterValue):
            value = parameter_value_to_python(value)
        if not descriptor.dynamic_typing:
            descriptor.type = int(Type.from_parameter_value(value))
            if descriptor.type == Type.NOT_SET:
                raise ValueError(
                    "Cannot declare a statically typed parameter with default value of type PARAMETER_NOT_SET"
                )
        return name, value, descriptor

    def undeclare_parameter(self, name: str) -> None:
        """Forget a parameter.

        Raises:
            ParameterNotDeclaredException: there is none.
            ParameterImmutableException: it is read-only.
        """
        if name not in self._parameters:
            raise ParameterNotDeclaredException(name)
        if self._descriptors[name].read_only:
            raise ParameterImmutableException(name)
        del self._parameters[name], self._descriptors[name]

    def has_parameter(self, name: str) -> bool:
        return name in self._parameters
