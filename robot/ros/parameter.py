"""Parameters: typed values by name, with the checks of declaring and setting them."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Any

import numpy as np

from robot.ros.exceptions import (
    InvalidParameterTypeException,
    InvalidParameterValueException,
    ParameterAlreadyDeclaredException,
    ParameterNotDeclaredException,
)


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

    @classmethod
    def from_parameter_value(cls, value: object) -> Type:
        """Return the type of a value; raises TypeError for one that no parameter can hold."""
        single = {bool: cls.BOOL, int: cls.INTEGER, float: cls.DOUBLE, str: cls.STRING, type(None): cls.NOT_SET}
        if (kind := single.get(type(value))) is not None:
            return kind
        if isinstance(value, list | tuple | array | np.ndarray):
            items = list(value)
            if items and all(isinstance(item, bytes) for item in items):
                return cls.BYTE_ARRAY
            for item_type, kind in _ARRAYS.items():
                if all(type(item) is item_type for item in items):
                    return kind
        raise TypeError(f"no parameter type holds {value!r}")


_ARRAYS = {bool: Type.BOOL_ARRAY, int: Type.INTEGER_ARRAY, float: Type.DOUBLE_ARRAY, str: Type.STRING_ARRAY}


ParameterType = Type


class Parameter:
    """A name with a typed value, as `rclpy.parameter.Parameter`."""

    Type = Type

    def __init__(self, name: str, type_: ParameterType | None = None, value: Any = None) -> None:
        kind = ParameterType.from_parameter_value(value) if type_ is None else ParameterType(type_)
        if type_ is not None and value is not None and ParameterType.from_parameter_value(value) != kind:
            raise ValueError(f"parameter {name}: expected {kind.name}, got {value!r}")
        self.name = name
        self.type_ = kind
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Parameter) and (self.name, self.type_, self.value) == (
            other.name,
            other.type_,
            other.value,
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Parameter({self.name!r}, {self.type_.name}, {self.value!r})"


SetCallback = Callable[[list[Parameter]], Any]


class Parameters:
    """The declared parameters of one node."""

    def __init__(self, overrides: Iterable[Parameter] = ()) -> None:
        self._overrides = {parameter.name: parameter for parameter in overrides}
        self._declared: dict[str, Parameter] = {}
        self._types: dict[str, Type] = {}
        self.callbacks: list[SetCallback] = []

    def declare(self, name: str, value: Any, *, dynamic: bool = False) -> Parameter:
        """Declare a parameter with its default, or a `Type` without one; an override of the same type wins."""
        if name in self._declared:
            raise ParameterAlreadyDeclaredException(f"parameter {name!r} is already declared")
        kind = value if isinstance(value, Type) else Type.from_parameter_value(value)
        parameter = Parameter(name, None, None if isinstance(value, Type) else value)
        override = self._overrides.get(name)
        if override is not None:
            if kind not in (Type.NOT_SET, override.type_) and not dynamic:
                raise InvalidParameterTypeException(f"parameter {name}: expected {kind.name}, got {override}")
            parameter = override
        self._types[name] = Type.NOT_SET if dynamic else kind
        self._declared[name] = parameter
        return parameter

    def undeclare(self, name: str) -> None:
        self.get(name)
        del self._declared[name], self._types[name]

    def has(self, name: str) -> bool:
        return name in self._declared

    def get(self, name: str) -> Parameter:
        if name not in self._declared:
            raise ParameterNotDeclaredException(f"parameter {name!r} is not declared; there are {self.names()}")
        return self._declared[name]

    def names(self) -> list[str]:
        return sorted(self._declared)

    def set(self, parameter: Parameter) -> None:
        """Set one parameter.

        Raises:
            InvalidParameterTypeException: another type than declared.
            InvalidParameterValueException: a callback refused it.
        """
        self.get(parameter.name)
        kind = self._types[parameter.name]
        if kind not in (Type.NOT_SET, parameter.type_):
            raise InvalidParameterTypeException(f"parameter {parameter.name}: expected {kind.name}, got {parameter}")
        for callback in self.callbacks:
            result = callback([parameter])
            if not result.successful:
                raise InvalidParameterValueException(f"parameter {parameter.name}: {result.reason}")
        self._declared[parameter.name] = parameter
