"""Generate decoders: `b` is what follows the encapsulation header, `p` the position in it.

It is a read-only memoryview, or bytes where these are so few (`SMALL`) that no field keeps a view of them.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable
from typing import Any

import numpy as np

from robot.ros.cdr.layout import FORMATS, SIZES, Generator, Lookup, compile_function
from robot.ros.fields import SMALL
from robot.ros.idl import Message, Type

Decode = Callable[[Any, int], tuple[Any, int]]


def _decode_wide(data: memoryview) -> str:
    return np.frombuffer(data, "<u4").astype("<u2").tobytes().decode("utf-16-le")


class _Decoder(Generator):
    def __init__(self, lookup: Lookup, namespace: dict[str, Any], *, aligned: int, views: bool) -> None:
        super().__init__(lookup, namespace, aligned=aligned)
        self.views = views
        self.builds: list[str] = []

    def flush(self) -> None:
        if self.run:
            key, size, names = self.struct("unpack_from")
            target = f"{', '.join(names)}, = " if names else ""
            self.lines.append(f"{target}{key}(b, p); p += {size}")

    def pad(self, to: int) -> None:
        if to > 1:
            self.lines.append(f"p = (p + {to - 1}) & {-to}")

    def build(self, spec: Message, target: str, classes: Callable[[str], type]) -> None:
        """Decode a message's fields now and note the lines that put them together for the end."""
        values = []
        for field in spec.fields:
            name = self.name()
            if not field.type.array and not field.type.is_primitive:
                self.build(self.lookup(field.type.base), name, classes)
            else:
                self.value(field.type, name, classes)
            values.append((field.name, name))
        if not spec.fields:
            self.number("uint8", self.name())
        key = f"C_{len(self.namespace)}"
        self.namespace[key] = classes(spec.name)
        self.builds.append(f"{target} = new({key})")
        self.builds += [f"{target}._{field} = {name}" for field, name in values]

    def value(self, kind: Type, name: str, classes: Callable[[str], type]) -> None:
        if kind.array:
            self.array(kind, name, classes)
        elif kind.base in FORMATS:
            self.number(kind.base, name)
        else:
            wide = kind.base == "wstring"
            self.number("uint32", "n")
            self.flush()
            self.bound(kind.string_bound if wide else kind.string_bound and kind.string_bound + 1)
            self.lines.append(
                f"e = p + 4 * n; {name} = unwide(b[p:e]); p = e"
                if wide
                else f"e = p + n; {name} = str(b[p:e - 1], 'utf-8') if n else ''; p = e"
            )
            self.unknown()

    def bound(self, most: int) -> None:
        if most:
            self.lines.append(f"if n > {most}: raise ValueError(f'expected at most {most} items, got {{n}}')")

    def array(self, kind: Type, name: str, classes: Callable[[str], type]) -> None:
        fixed = kind.array == "array"
        if fixed:
            if kind.base in FORMATS:
                self.align(SIZES[kind.base])
            self.flush()
            self.lines.append(f"n = {kind.size}")
        else:
            self.number("uint32", "n")
            self.flush()
            self.bound(kind.size)
        if kind.base in FORMATS:
            self.numbers(kind, name, fixed=fixed)
            return
        self.lines += [f"{name} = []", "for _ in range(n):"]
        if kind.base == "string":
            self.lines += [
                " p = (p + 3) & -4; n, = U32(b, p); p += 4; e = p + n",
                f" {name}.append(str(b[p:e - 1], 'utf-8') if n else ''); p = e",
            ]
        elif kind.base == "wstring":
            self.lines.append(
                f" p = (p + 3) & -4; n, = U32(b, p); p += 4; e = p + 4 * n; {name}.append(unwide(b[p:e])); p = e"
            )
        else:
            item = self.name() + "_decode"
            self.namespace[item] = make_decoder(
                self.lookup(kind.base), self.lookup, classes, aligned=1, views=self.views
            )
            self.lines.append(f" s, p = {item}(b, p); {name}.append(s)")
        self.unknown()

    def numbers(self, kind: Type, name: str, *, fixed: bool) -> None:
        size, code = SIZES[kind.base], FORMATS[kind.base]
        if not fixed and size == 8:
            self.lines.append("if n: p = (p + 7) & -8")
        self.lines.append(f"e = p + n * {size}" if size > 1 else "e = p + n")
        if kind.base == "bool":
            self.lines.append(f"{name} = list(map(bool, b[p:e]))")
        elif kind.base == "byte":
            self.lines.append(f"{name} = [bytes((s,)) for s in b[p:e]]")
        elif fixed:
            self.lines.append(f"{name} = frombuffer(b, '<{code}', n, p).copy()")
        elif code == "B" and self.views:
            self.lines.append(f"{name} = b[p:e] if n > {SMALL} else array('B', bytes(b[p:e]))")
        else:
            self.lines.append(f"{name} = array('{code}'); {name}.frombytes(b[p:e])")
        self.lines.append("p = e")
        self.advance(kind.size * size) if fixed else self.unknown(min(size, 4))


def make_decoder(
    spec: Message, lookup: Lookup, classes: Callable[[str], type], *, aligned: int, views: bool = True
) -> Decode:
    """Make `decode(buffer, position) -> (message, position)` for a position that is a multiple of `aligned`.

    Args:
        views: let large `uint8[]` be views of the buffer; else they are arrays of their own.
    """
    namespace: dict[str, Any] = {
        "U32": struct.Struct("<I").unpack_from, "new": object.__new__, "array": array, "unwide": _decode_wide,
        "frombuffer": np.frombuffer,
    }  # fmt: skip
    generator = _Decoder(lookup, namespace, aligned=aligned, views=views)
    generator.build(spec, "m", classes)
    generator.flush()
    return compile_function("def f(b, p):", [*generator.lines, *generator.builds, "return m, p"], namespace, spec)
