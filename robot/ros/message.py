"""What every generated message, service and action class shares, in the shape rosidl_generator_py gives them."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from copy import deepcopy
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from robot.ros.idl import Message, Type

if TYPE_CHECKING:
    from robot.ros.packages.rosidl_parser.definition import AbstractNestableType, SlotType

IDL_NAMES = {"bool": "boolean", "byte": "octet", "char": "uint8", "float32": "float", "float64": "double"}
SHOWN = 4096  # items of a large sequence that `repr` writes out


def field_type_name(kind: Type) -> str:
    """Name a type as `get_fields_and_field_types` does: `sequence<double, 3>`, `string<22>`, `std_msgs/Header`."""
    if kind.is_primitive:
        name = IDL_NAMES.get(kind.base, kind.base)
    else:
        package, _, message = kind.base.split("/")
        name = f"{package}/{message}"
    if kind.string_bound:
        name += f"<{kind.string_bound}>"
    if kind.array == "array":
        return f"{name}[{kind.size}]"
    if kind.array:
        return f"sequence<{name}, {kind.size}>" if kind.size else f"sequence<{name}>"
    return name


def slot_type(kind: Type) -> SlotType:
    """Describe a type with the classes of `rosidl_parser.definition`."""
    from robot.ros.packages.rosidl_parser import definition as d

    single: AbstractNestableType
    if kind.base == "string":
        single = d.BoundedString(kind.string_bound) if kind.string_bound else d.UnboundedString()
    elif kind.base == "wstring":
        single = d.BoundedWString(kind.string_bound) if kind.string_bound else d.UnboundedWString()
    elif kind.is_primitive:
        single = d.BasicType(IDL_NAMES.get(kind.base, kind.base))
    else:
        *namespaces, name = kind.base.split("/")
        single = d.NamespacedType(namespaces, name)
    if kind.array == "array":
        return d.Array(single, kind.size)
    if kind.array:
        return d.BoundedSequence(single, kind.size) if kind.size else d.UnboundedSequence(single)
    return single


class TypeSupport:
    """Stands where rosidl keeps a pointer to its C functions; ours are methods of the class itself."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<type support of {self.name}>"


class InterfaceMeta(type):
    """The metaclass rclpy looks for: each class has its own subclass of it."""

    _CREATE_ROS_MESSAGE: ClassVar[object] = None
    _CONVERT_FROM_PY: ClassVar[object] = None
    _CONVERT_TO_PY: ClassVar[object] = None
    _DESTROY_ROS_MESSAGE: ClassVar[object] = None
    _TYPE_SUPPORT: ClassVar[TypeSupport | None] = None
    _CONSTANTS: frozenset[str] = frozenset()

    def __setattr__(cls, name: str, value: Any) -> None:
        if name in cls._CONSTANTS:
            raise AttributeError(f"{cls.__name__}.{name} is a constant")
        super().__setattr__(name, value)

    @classmethod
    def __import_type_support__(cls) -> None:
        """Do nothing: there is nothing to load."""


class GroupMeta(InterfaceMeta):
    """The metaclass of services and actions, which make the classes they consist of when those are asked for."""

    _PARTS: ClassVar[dict[str, Callable[[], Any]]] = {}

    def __getattr__(cls, name: str) -> Any:
        parts = type(cls)._PARTS
        if name not in parts:
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")
        made = parts[name]()
        setattr(cls, name, made)
        return made

    def __dir__(cls) -> list[str]:
        return [*super().__dir__(), *type(cls)._PARTS]


def metaclass(name: str, base: type[InterfaceMeta] = InterfaceMeta, **members: Any) -> type[InterfaceMeta]:
    """Make the metaclass of the interface with this full name."""
    short = name.rsplit("/", maxsplit=1)[-1]
    return type(f"Metaclass_{short}", (base,), {"_TYPE_SUPPORT": TypeSupport(name), **members})


class _SlotTypes:
    """`SLOT_TYPES`, worked out when it is first asked for."""

    def __get__(self, instance: object, owner: type[MessageBase]) -> tuple[SlotType, ...]:
        made = tuple(slot_type(field.type) for field in owner._SPEC.fields)
        owner.SLOT_TYPES = made  # type: ignore[assignment]
        return made


class ArgumentError(AssertionError, TypeError):
    """A constructor's argument that is no field. An AssertionError too, because that is what rosidl's classes raise."""


class MessageBase:
    """What every generated message shares."""

    __slots__ = ()
    _TYPE_NAME: str
    _TAIL: str
    _SPEC: Message
    _encode: Callable[[Any], bytearray]
    _encode_into: Callable[[Any, bytearray], None]
    _decode: Callable[[Any], Any]
    _fields_and_field_types: dict[str, str]
    SLOT_TYPES = _SlotTypes()

    @classmethod
    def get_fields_and_field_types(cls) -> dict[str, str]:
        return dict(cls._fields_and_field_types)

    def _refuse(self, others: dict[str, Any]) -> None:
        """Raise for constructor's arguments that are no fields; `check_fields` is taken, fields are always checked."""
        names = sorted(others.keys() - {"check_fields"})
        if names:
            known = ", ".join(self._fields_and_field_types) or "none"
            raise ArgumentError(f"Invalid arguments passed to constructor: {', '.join(names)} (fields: {known})")

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return False
        return all(_same(getattr(self, f.name), getattr(other, f.name)) for f in self._SPEC.fields)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        parts = ", ".join(f"{field.name}={_text(getattr(self, field.name))}" for field in self._SPEC.fields)
        return f"{self._TYPE_NAME.replace('/', '.')}({parts})"

    def __copy__(self) -> Any:
        made = object.__new__(type(self))
        for field in self._SPEC.fields:
            setattr(made, f"_{field.name}", getattr(self, f"_{field.name}"))
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """Copy everything; a view of received bytes becomes an array of its own."""
        made = object.__new__(type(self))
        for field in self._SPEC.fields:
            value = getattr(self, f"_{field.name}")
            own = array("B", value.tobytes()) if isinstance(value, memoryview) else deepcopy(value, memo)
            setattr(made, f"_{field.name}", own)
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self._TYPE_NAME, bytes(type(self)._encode(self)))


def _restore(name: str, data: bytes) -> Any:
    from robot.ros.interfaces import get_message

    return get_message(name)._decode(data)


def _same(one: object, other: object) -> bool:
    if isinstance(one, np.ndarray):
        return np.array_equal(one, np.asarray(other))
    return bool(one == other)


def _text(value: object) -> str:
    if not isinstance(value, memoryview | array):
        return repr(value)
    if len(value) <= SHOWN:
        return repr(value.tolist())
    return f"{repr(value[:SHOWN].tolist())[:-1]}, ... {len(value)} items]"


def group(name: str, *, module: str, kind: str, **parts: Callable[[], Any]) -> type:
    """Make a service's or action's class, which only holds the classes it is made of.

    Args:
        parts: functions that make these.
    """

    def refuse(self: object) -> None:
        raise NotImplementedError(f"{kind} classes can not be instantiated")

    members = {"__module__": module, "_TYPE_NAME": name, "__slots__": (), "__init__": refuse}
    return metaclass(name, GroupMeta, _PARTS=parts)(name.rsplit("/", maxsplit=1)[-1], (), members)
