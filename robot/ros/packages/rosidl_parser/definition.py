"""The types of fields as rosidl_parser names them: what `SLOT_TYPES` of a message class holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

BOOLEAN_TYPE, OCTET_TYPE = "boolean", "octet"
FLOATING_POINT_TYPES = ("float", "double", "long double")
CHARACTER_TYPES = ("char", "wchar")
SIGNED_EXPLICIT_INTEGER_TYPES = SIGNED_INTEGER_TYPES = ("int8", "int16", "int32", "int64")
UNSIGNED_EXPLICIT_INTEGER_TYPES = UNSIGNED_INTEGER_TYPES = ("uint8", "uint16", "uint32", "uint64")
EXPLICIT_INTEGER_TYPES = INTEGER_TYPES = SIGNED_INTEGER_TYPES + UNSIGNED_INTEGER_TYPES
BASIC_TYPES = (*INTEGER_TYPES, *FLOATING_POINT_TYPES, *CHARACTER_TYPES, BOOLEAN_TYPE, OCTET_TYPE)
EMPTY_STRUCTURE_REQUIRED_MEMBER_NAME = "structure_needs_at_least_one_member"


class AbstractType:
    """Any type."""


class AbstractNestableType(AbstractType):
    """A type that arrays and sequences can hold."""


@dataclass(frozen=True)
class BasicType(AbstractNestableType):
    typename: str


@dataclass(frozen=True)
class NamedType(AbstractNestableType):
    name: str


class NamespacedType(AbstractNestableType):
    """A message: `NamespacedType(["std_msgs", "msg"], "Header")`."""

    def __init__(self, namespaces: list[str], name: str) -> None:
        self.namespaces, self.name = list(namespaces), name

    def namespaced_name(self) -> tuple[str, ...]:
        return (*self.namespaces, self.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NamespacedType) and self.namespaced_name() == other.namespaced_name()

    def __hash__(self) -> int:
        return hash(self.namespaced_name())

    def __repr__(self) -> str:
        return f"NamespacedType({self.namespaces!r}, {self.name!r})"


class AbstractGenericString(AbstractNestableType):
    """A string of any width."""

    def has_maximum_size(self) -> bool:
        return hasattr(self, "maximum_size")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, vars(self).values()))})"


class AbstractString(AbstractGenericString):
    """A string of 8-bit characters."""


class AbstractWString(AbstractGenericString):
    """A string of 16-bit characters."""


class UnboundedString(AbstractString):
    """`string`."""


class UnboundedWString(AbstractWString):
    """`wstring`."""


class BoundedString(AbstractString):
    """`string<=N`."""

    def __init__(self, maximum_size: int) -> None:
        self.maximum_size = maximum_size


class BoundedWString(AbstractWString):
    """`wstring<=N`."""

    def __init__(self, maximum_size: int) -> None:
        self.maximum_size = maximum_size


class AbstractNestedType(AbstractType):
    """An array or a sequence of `value_type`."""

    value_type: AbstractNestableType

    def has_maximum_size(self) -> bool:
        return hasattr(self, "maximum_size") or hasattr(self, "size")


@dataclass(frozen=True)
class Array(AbstractNestedType):
    value_type: AbstractNestableType
    size: int


class AbstractSequence(AbstractNestedType):
    """A sequence with or without a bound."""


@dataclass(frozen=True)
class UnboundedSequence(AbstractSequence):
    value_type: AbstractNestableType


@dataclass(frozen=True)
class BoundedSequence(AbstractSequence):
    value_type: AbstractNestableType
    maximum_size: int


SlotType: TypeAlias = AbstractNestableType | AbstractNestedType
