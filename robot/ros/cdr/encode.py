"""Generate encoders: `out` is a bytearray that begins with the 4 bytes of the encapsulation header."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sized
from typing import Any

import numpy as np

from robot.ros.cdr.layout import FORMATS, SIZES, Generator, Lookup, compile_function
from robot.ros.fields import FieldError
from robot.ros.idl import Field, Message, Type

_PAD = tuple(bytes(n) for n in range(8))


def _encode_wide(text: str) -> bytes:
    """One uint32 per UTF-16 code unit, as rosidl_typesupport_fastrtps writes it."""
    units = np.frombuffer(text.encode("utf-16-le"), "<u2")
    return units.astype("<u4").tobytes()


def _wrong_length(name: str, items: Sized) -> FieldError:
    return FieldError(f"The '{name}' field was changed in place to {len(items)} items, which its type does not allow")


class _Encoder(Generator):
    def flush(self) -> None:
        if self.run:
            key, _, expressions = self.struct("pack")
            self.lines.append(f"out += {key}({', '.join(expressions)})")

    def pad(self, to: int) -> None:
        if to > 1:
            self.lines.append(f"out += PAD[(4 - len(out)) & {to - 1}]")

    def field(self, field: Field, expression: str) -> None:
        kind = field.type
        if not field.name:
            self.number("uint8", "0")
        elif kind.array:
            self.array(field, expression)
        elif kind.base in FORMATS:
            self.number(kind.base, expression)
        elif kind.is_primitive:
            self.string(kind, expression)
        else:
            name = self.name()
            self.lines.append(f"{name} = {expression}")
            self.message(self.lookup(kind.base), name)

    def string(self, kind: Type, expression: str) -> None:
        name = self.name()
        wide = kind.base == "wstring"
        self.lines.append(f"{name} = wide({expression})" if wide else f"{name} = {expression}.encode()")
        self.number("uint32", f"len({name}) >> 2" if wide else f"len({name}) + 1")
        self.flush()
        self.lines.append(f"out += {name}" if wide else f"out += {name}; out.append(0)")
        self.unknown()

    def array(self, field: Field, expression: str) -> None:
        kind, name = field.type, self.name()
        fixed = kind.array == "array"
        self.lines.append(f"{name} = {expression}")
        if kind.size:  # the setter has seen to it, but lists and arrays change
            self.lines.append(
                f"if len({name}) {'!=' if fixed else '>'} {kind.size}: raise wrong({field.name!r}, {name})"
            )
        if not fixed:
            self.number("uint32", f"len({name})")
        if kind.base in FORMATS:
            size = SIZES[kind.base]
            if fixed:
                self.align(size)
            self.flush()
            if not fixed and size == 8:
                self.lines.append(f"if {name}: out += PAD[(4 - len(out)) & 7]")
            plain = f"{name}.tobytes()" if fixed else name
            self.lines.append("out += " + {"bool": f"bytes({name})", "byte": f"b''.join({name})"}.get(kind.base, plain))
            self.advance(kind.size * size) if fixed else self.unknown(min(size, 4))
            return
        self.flush()
        if kind.base == "string":
            self.lines += [
                f"for s in {name}:",
                " s = s.encode(); out += PAD[-len(out) & 3]; out += U32(len(s) + 1); out += s; out.append(0)",
            ]
        elif kind.base == "wstring":
            self.lines += [
                f"for s in {name}:",
                " s = wide(s); out += PAD[-len(out) & 3]; out += U32(len(s) >> 2); out += s",
            ]
        else:
            item = self.name() + "_encode"
            self.namespace[item] = make_encoder(self.lookup(kind.base), self.lookup, aligned=1)
            self.lines += [f"for s in {name}: {item}(s, out)"]
        self.unknown()


def _new(lookup: Lookup, aligned: int) -> _Encoder:
    return _Encoder(
        lookup,
        {"PAD": _PAD, "U32": struct.Struct("<I").pack, "wide": _encode_wide, "wrong": _wrong_length},
        aligned=aligned,
    )


def make_encoder(spec: Message, lookup: Lookup, *, aligned: int) -> Callable[[Any, bytearray], None]:
    """Make `encode(message, out)` for a message whose position is a multiple of `aligned`."""
    generator = _new(lookup, aligned)
    generator.message(spec, "m")
    generator.flush()
    return compile_function("def f(m, out):", generator.lines, generator.namespace, spec)


def make_head_encoder(spec: Message, lookup: Lookup) -> Callable[[Any, bytearray], None]:
    """Make `encode(message, out)` for all but the octets of the last field, whose length it does write."""
    generator = _new(lookup, 8)
    for field in spec.fields[:-1]:
        generator.field(field, f"m._{field.name}")
    generator.number("uint32", f"len(m._{spec.fields[-1].name})")
    generator.flush()
    return compile_function("def f(m, out):", generator.lines, generator.namespace, spec)
