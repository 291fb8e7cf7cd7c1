"""Generate message classes in rosidl's Python mapping from specifications.

Each class has keyword construction with defaults, checked properties over private slots, constants as attributes,
`get_fields_and_field_types`, and its codec as `_encode` and `_decode`.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable
from typing import Any

import numpy as np

from robot.ros import fields
from robot.ros.cdr import make_decode, make_encode, make_head, tail_field
from robot.ros.cdr.encode import make_encoder
from robot.ros.cdr.layout import FORMATS, Lookup
from robot.ros.idl import Field, Message, Type
from robot.ros.message import MessageBase, field_type_name, metaclass

LIST_ITEMS = {"bool": "bool", "byte": "bytes"}


class _Source:
    """The text of one class and the names it uses."""

    def __init__(self, spec: Message, classes: Callable[[str], type]) -> None:
        self.spec = spec
        self.classes = classes
        self.namespace: dict[str, Any] = {**vars(fields), "array": array, "np": np}
        self.short = spec.name.split("/")[-1]

    def text(self) -> str:
        names = [field.name for field in self.spec.fields]
        arguments = ", ".join(f"{name}=..." for name in names)  # `...`: the default; None is refused
        lines = [
            f"class {self.short}(Message, metaclass=Metaclass):",
            f"    __slots__ = {['_' + name for name in names]!r}",
            f"    def __init__(self{', *, ' + arguments if names else ''}, **_others):",
            "        if _others: self._refuse(_others)",
        ]
        for field in self.spec.fields:
            lines.append(f"        if {field.name} is ...: self._{field.name} = {self.default(field)}")
            lines.append(f"        else: self.{field.name} = {field.name}")
        for field in self.spec.fields:
            lines += [
                "    @property",
                f"    def {field.name}(self): return self._{field.name}",
                f"    @{field.name}.setter",
                f"    def {field.name}(self, value): {self.setter(field)}",
            ]
        return "\n".join(lines)

    def nested(self, kind: Type) -> str:
        key = "M_" + kind.base.replace("/", "_")
        self.namespace[key] = self.classes(kind.base)
        return key

    def default(self, field: Field) -> str:
        kind = field.type
        if field.default is not None:
            prototype = f"D_{field.name}"
            self.namespace[prototype] = self.prototype(kind, field.default)
            copy = {"array": ".copy()", "sequence": "[:]"}.get(kind.array, "")
            is_list = kind.array and (kind.base in LIST_ITEMS or kind.base not in FORMATS)
            return prototype + ("[:]" if is_list else copy)
        if not kind.is_primitive:
            name = self.nested(kind)
            if kind.array == "array":
                return f"[{name}() for _ in range({kind.size})]"
            return "[]" if kind.array else f"{name}()"
        single = {"bool": "False", "byte": "b'\\0'", "string": "''", "wstring": "''"}.get(kind.base, "0")
        single = "0.0" if kind.base.startswith("float") else single
        if not kind.array:
            return single
        if kind.base in LIST_ITEMS or kind.base not in FORMATS:
            return f"[{single}] * {kind.size}" if kind.array == "array" else "[]"
        code = FORMATS[kind.base]
        return f"np.zeros({kind.size}, '<{code}')" if kind.array == "array" else f"array('{code}')"

    def prototype(self, kind: Type, value: object) -> object:
        if not kind.array or kind.base in LIST_ITEMS or kind.base not in FORMATS:
            return value
        assert isinstance(value, list)
        code = FORMATS[kind.base]
        return np.array(value, f"<{code}") if kind.array == "array" else array(code, value)

    def setter(self, field: Field) -> str:
        kind, slot = field.type, f"self._{field.name}"
        name = field.name
        size, bound = (kind.size, 0) if kind.array == "array" else (0, kind.size)
        if not kind.is_primitive:
            item = self.nested(kind)
            if kind.array:
                return f"{slot} = as_list(value, {item}, {size}, {bound}, '{name}')"
            return f"{slot} = value if type(value) is {item} else as_message(value, {item}, '{name}')"
        if kind.base in ("string", "wstring"):
            if kind.array:
                return f"{slot} = as_texts(value, {size}, {bound}, {kind.string_bound}, '{name}')"
            return f"{slot} = as_text(value, {kind.string_bound}, '{name}')"
        if kind.array:
            if kind.base in LIST_ITEMS:
                return f"{slot} = as_list(value, {LIST_ITEMS[kind.base]}, {size}, {bound}, '{name}')"
            if size:
                return f"{slot} = as_fixed(value, '<{FORMATS[kind.base]}', {size}, '{name}')"
            if kind.base in ("uint8", "char"):
                return f"{slot} = as_octets(value, {bound}, '{name}')"
            return f"{slot} = as_numbers(value, '{FORMATS[kind.base]}', {bound}, '{name}')"
        if kind.base == "float64":
            return f"{slot} = value if type(value) is float else as_float(value, '{name}')"
        if kind.base == "float32":
            return f"{slot} = as_float32(value, '{name}')"
        if kind.base in LIST_ITEMS:
            return f"{slot} = as_{kind.base}(value, '{name}')"
        low, high = fields.INTEGER_RANGES[kind.base]
        return f"{slot} = as_int(value, {low}, {high}, '{name}')"


def snake_case(name: str) -> str:
    """Spell `AddTwoInts` as rosidl names its modules: `add_two_ints`."""
    split = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", split).lower()


def module_name(name: str) -> str:
    """Name the module rosidl puts an interface in: `std_msgs.msg._string`."""
    package, kind, short = name.split("/")
    return f"{package}.{kind}._{snake_case(short if kind == 'msg' else short.split('_')[0])}"


def make_class(
    spec: Message, lookup: Lookup, classes: Callable[[str], type], views: Callable[[], bool] = lambda: True
) -> type:
    """Make the class of `spec`.

    Args:
        spec: the message.
        lookup: gives the specification of a full message name.
        classes: gives the class of a full message name; it is asked for nested messages.
        views: says, at the first decoding, whether large `uint8[]` are views of what came.
    """
    source = _Source(spec, classes)
    source.namespace.update(Message=MessageBase, Metaclass=metaclass(spec.name))
    exec(compile(source.text(), f"<class of {spec.name}>", "exec"), source.namespace)
    made: type = source.namespace[source.short]
    constants = {
        **{constant.name: constant.value for constant in spec.constants},
        **{
            f"{field.name.upper()}__DEFAULT": source.prototype(field.type, field.default)
            for field in spec.fields
            if field.default is not None
        },
    }
    attributes = {
        "__module__": module_name(spec.name),
        "_TYPE_NAME": spec.name,
        "_SPEC": spec,
        "_fields_and_field_types": {field.name: field_type_name(field.type) for field in spec.fields},
        **constants,
        "_CONSTANTS": frozenset(constants),
    }
    for attribute, value in attributes.items():
        setattr(made, attribute, value)
    known = {spec.name: made}
    made._TAIL = tail_field(spec)  # type: ignore[attr-defined]
    if tail_field(spec):
        _compile_late(made, "_encode_head", lambda: make_head(spec, lookup))
    _compile_late(made, "_encode", lambda: make_encode(spec, lookup))
    _compile_late(made, "_encode_into", lambda: make_encoder(spec, lookup, aligned=8))
    _compile_late(
        made,
        "_decode",
        lambda: make_decode(spec, lookup, lambda name: known.get(name) or classes(name), views=views()),
    )
    return made


def _compile_late(made: type, name: str, make: Callable[[], Callable[..., Any]]) -> None:
    """Give a class a function that is compiled at its first call: most messages of a program are never sent."""

    def first(*arguments: Any) -> Any:
        compiled = make()
        setattr(made, name, staticmethod(compiled))
        return compiled(*arguments)

    setattr(made, name, staticmethod(first))
