"""What encoder and decoder generators share: sizes, alignment, and runs of numbers that become one `struct`."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from robot.ros.idl import Field, Message, Type

FORMATS = {
    "bool": "?", "byte": "c", "char": "B", "float32": "f", "float64": "d", "int8": "b", "uint8": "B", "int16": "h",
    "uint16": "H", "int32": "i", "uint32": "I", "int64": "q", "uint64": "Q",
}  # fmt: skip
SIZES = {name: struct.calcsize("<" + code) for name, code in FORMATS.items()}
DUMMY = Field(name="", type=Type(base="uint8"))  # an empty IDL struct has one hidden octet

Lookup = Callable[[str], Message]


class Generator:
    """State shared by both directions: lines, the pending run of numbers and what is known of the position."""

    def __init__(self, lookup: Lookup, namespace: dict[str, Any], *, aligned: int) -> None:
        self.lookup = lookup
        self.namespace = namespace
        self.lines: list[str] = []
        self.run: list[tuple[str, str]] = []
        self.modulus, self.residue = aligned, 0
        self.count = 0

    def name(self) -> str:
        self.count += 1
        return f"v{self.count}"

    def align(self, to: int) -> None:
        if self.modulus % to == 0:
            if pad := -self.residue % to:
                self.run.append((f"{pad}x", ""))
                self.advance(pad)
            return
        self.flush()
        self.pad(to)
        self.modulus, self.residue = to, 0

    def advance(self, size: int) -> None:
        self.residue = (self.residue + size) % self.modulus

    def unknown(self, modulus: int = 1) -> None:
        self.modulus, self.residue = modulus, 0

    def number(self, base: str, expression: str) -> None:
        self.align(SIZES[base])
        self.run.append((FORMATS[base], expression))
        self.advance(SIZES[base])

    def struct(self, attribute: str) -> tuple[str, int, list[str]]:
        code = "<" + "".join(code for code, _ in self.run)
        packer = struct.Struct(code)
        key = f"{attribute}_{len(self.namespace)}"
        self.namespace[key] = getattr(packer, attribute)
        expressions = [expression for _, expression in self.run if expression]
        self.run = []
        return key, packer.size, expressions

    def message(self, spec: Message, expression: str) -> None:
        for field in spec.fields or (DUMMY,):
            self.field(field, f"{expression}._{field.name}" if field.name else "")

    def flush(self) -> None:
        raise NotImplementedError

    def pad(self, to: int) -> None:
        raise NotImplementedError

    def field(self, field: Field, expression: str) -> None:
        raise NotImplementedError


def compile_function(head: str, lines: list[str], namespace: dict[str, Any], spec: Message) -> Callable[..., Any]:
    source = "\n".join([head, *("    " + line for line in lines)])
    exec(compile(source, f"<cdr of {spec.name}>", "exec"), namespace)
    function: Callable[..., Any] = namespace["f"]
    return function
