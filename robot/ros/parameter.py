"""Parameters: typed values by name, and their messages."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from enum import Enum, IntEnum
from pathlib import Path
from types import GenericAlias
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from robot.ros import interfaces
from robot.ros.arguments.parameters import ANY_NODE, Value, read_file, read_value
from robot.ros.borrowed import finder

PARAMETER_SEPARATOR_STRING = "."

AllowableParameterValue = (
    None | bool | int | float | str | Sequence[bytes] | Sequence[bool] | Sequence[int] | Sequence[float] | Sequence[str]
)


AllowableParameterValueT = TypeVar("AllowableParameterValueT")


class Type(IntEnum):
    """Parameter types, numbered as rcl_interfaces/msg/ParameterType."""

    NOT_SET = 0
    BOOL = 1
    INTEGER = 2
    DOUBLE = 3
    STRING = 4
    BYTE_ARRAY = 5
    BOOL_ARRAY = 6
    INTEGER_ARRAY = 7
    DOUBLE_ARRAY = 8
    STRING_ARRAY = 9

    __str__ = Enum.__str__
    __format__ = Enum.__format__

    @classmethod
    def from_parameter_value(cls, parameter_value: object) -> Type:
        """Return the type of a value; raises TypeError for one that no parameter can hold."""
        if parameter_value is None:
            return cls.NOT_SET
        for python, kind in _SINGLE.items():
            if isinstance(parameter_value, python):
                return kind
        if isinstance(parameter_value, list | tuple | array):
            for python, kind in _ARRAYS.items():
                if all(isinstance(item, python) for item in parameter_value):
                    return kind
            raise TypeError(f"The given value is not a list of one of the allowed types '{parameter_value}'.")
        raise TypeError(f"The given value is not one of the allowed types '{parameter_value}'.")

    def check(self, parameter_value: object) -> bool:
        """Tell whether a value is of this type."""
        if self is Type.NOT_SET:
            return parameter_value is None
        for python, kind in _SINGLE.items():
            if kind is self:
                return isinstance(parameter_value, python)
        python = next(python for python, kind in _ARRAYS.items() if kind is self)
        held = list | tuple | array if self in (Type.INTEGER_ARRAY, Type.DOUBLE_ARRAY) else list | tuple
        return (
            isinstance(parameter_value, held)
            and all(isinstance(item, python) for item in parameter_value)
            and (self is not Type.BYTE_ARRAY or all(len(item) == 1 for item in parameter_value))
        )


_SINGLE: dict[type, Type] = {bool: Type.BOOL, int: Type.INTEGER, float: Type.DOUBLE, str: Type.STRING}
_ARRAYS: dict[type, Type] = {
    bytes: Type.BYTE_ARRAY,
    bool: Type.BOOL_ARRAY,
    int: Type.INTEGER_ARRAY,
    float: Type.DOUBLE_ARRAY,
    str: Type.STRING_ARRAY,
}
_Kind = Type  # for annotations in `Parameter`, which has an attribute `Type`

_FIELDS: dict[Type, str] = {kind: f"{kind.name.lower()}_value" for kind in Type if kind is not Type.NOT_SET}


class Parameter:
    """A name with a typed value, as `rclpy.parameter.Parameter`.

    Args:
        type_: None = that of the value.

    Raises:
        TypeError: no parameter can hold the value.
        ValueError: type and value do not agree.
    """

    __class_getitem__: ClassVar[Any] = classmethod(GenericAlias)  # rclpy's is generic

    Type = Type

    def __init__(self, name: str, type_: _Kind | None = None, value: Any = None) -> None:
        if isinstance(value, np.ndarray):
            value = value.tolist()
        if type_ is None:
            type_ = Type.from_parameter_value(value)
        if not isinstance(type_, Type):
            raise TypeError(f"type must be an instance of '{Type!r}'")
        if not type_.check(value):
            raise ValueError(f"Type '{type_}' and value '{value}' do not agree")
        self._name, self._type_, self._value = name, type_, value

    @classmethod
    def from_parameter_msg(cls, param_msg: Any) -> Parameter:
        kind = Type(param_msg.value.type)
        return cls(param_msg.name, kind, getattr(param_msg.value, _FIELDS[kind]) if kind else None)

    @property
    def name(self) -> str:
        return self._name

    @property
    def type_(self) -> _Kind:
        return self._type_

    @property
    def value(self) -> Any:
        return self._value

    def get_parameter_value(self) -> Any:
        """Return rcl_interfaces/msg/ParameterValue."""
        message = interfaces.rcl_interfaces.msg.ParameterValue(type=int(self._type_))
        if self._type_:
            setattr(message, _FIELDS[self._type_], self._value)
        return message

    def to_parameter_msg(self) -> Any:
        """Return rcl_interfaces/msg/Parameter."""
        return interfaces.rcl_interfaces.msg.Parameter(name=self._name, value=self.get_parameter_value())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Parameter):
            return NotImplemented
        return (self._name, self._type_, self._value) == (other._name, other._type_, other._value)

    def __hash__(self) -> int:
        return hash((self._name, self._type_))

    def __repr__(self) -> str:
        return f"Parameter({self._name!r}, {self._type_.name}, {self._value!r})"


def get_parameter_value(string_value: str) -> Any:
    """Return rcl_interfaces/msg/ParameterValue of the type that the YAML text looks like; else a string."""
    try:
        value = read_value(string_value)
    except ValueError:
        value = None
    if value == []:
        return interfaces.rcl_interfaces.msg.ParameterValue(type=int(Type.BOOL_ARRAY))
    return Parameter("", value=string_value if value is None else value).get_parameter_value()


def parameter_value_to_python(parameter_value: Any) -> Any:
    """Return what a rcl_interfaces/msg/ParameterValue holds; raises RuntimeError for an unknown type."""
    try:
        kind = Type(parameter_value.type)
    except ValueError as error:
        raise RuntimeError(f"unexpected parameter type {parameter_value.type}") from error
    if kind is Type.NOT_SET:
        return None
    value = getattr(parameter_value, _FIELDS[kind])
    return value if kind in _SINGLE.values() else list(value)


def parameter_dict_from_yaml_file(
    parameter_file: str, use_wildcard: bool = False, target_nodes: Sequence[str] | None = None, namespace: str = ""
) -> dict[str, Any]:
    """Read rcl_interfaces/msg/Parameter by name from a file of `node: ros__parameters: …`.

    Args:
        use_wildcard: take what is under `/**` too; what is under a node's own name wins.
        target_nodes: the full names of the nodes to read; None = all.
        namespace: put before every name.

    Raises:
        RuntimeError: not such a file, or the nodes are not in it.
    """
    try:
        found = read_file(Path(parameter_file))
    except ValueError as error:
        raise RuntimeError(f"not a valid ROS parameter file: {error}") from error
    names = [node for node, _ in found if node != ANY_NODE]
    for wanted in target_nodes or ():
        if wanted not in names and "/" + wanted.lstrip("/") not in names:
            raise RuntimeError(f"Param file does not contain parameters for {wanted}, only for nodes: {names}")
    chosen = {"/" + node.lstrip("/") for node in target_nodes} if target_nodes else set(names)
    values: dict[str, Value] = {}
    selected = [(node, more) for node, more in found if node in chosen or (use_wildcard and node == ANY_NODE)]
    if not selected:
        raise RuntimeError("Param file does not contain selected parameters")
    for _, more in sorted(selected, key=lambda item: item[0] != ANY_NODE):
        values.update(more)
    return {
        namespace + name: Parameter(namespace + name, value=value).to_parameter_msg() for name, value in values.items()
    }


if not TYPE_CHECKING:
    __getattr__ = finder(__name__)
