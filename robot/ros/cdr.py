"""Generate fast XCDR1 (little endian) encoders and decoders from message specifications.

The code works on the private slots of the classes made in `generate`. Neighbouring numbers, also those of nested
messages, share one precompiled `struct`; padding is static where the position is known modulo the alignment. Decoding
copies nothing of `uint8[]`: the field is a read-only view of the received buffer.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable
from typing import Any

import numpy as np

from robot.ros.idl import Field, Message, Type

HEADER = b"\x00\x01\x00\x00"

FORMATS = {
    "bool": "?", "byte": "c", "char": "B", "float32": "f", "float64": "d", "int8": "b", "uint8": "B", "int16": "h",
    "uint16": "H", "int32": "i", "uint32": "I", "int64": "q", "uint64": "Q",
}  # fmt: skip
SIZES = {name: struct.calcsize("<" + code) for name, code in FORMATS.items()}
DUMMY = Field(name="", type=Type(base="uint8"))  # an empty IDL struct has one hidden octet

Lookup = Callable[[str], Message]


class CdrError(ValueError):
    """Bytes that are not the expected message."""


def _encode_wide(text: str) -> bytes:
    """One uint32 per UTF-16 code unit, as rosidl_typesupport_fastrtps writes it."""
    units = np.frombuffer(text.encode("utf-16-le"), "<u2")
    return units.astype("<u4").tobytes()


def _decode_wide(data: memoryview) -> str:
    return np.frombuffer(data, "<u4").astype("<u2").tobytes().decode("utf-16-le")


class _Generator:
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


class _Encoder(_Generator):
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
            self.array(kind, expression)
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

    def array(self, kind: Type, expression: str) -> None:
        name = self.name()
        fixed = kind.array == "array"
        self.lines.append(f"{name} = {expression}")
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
            self.namespace[item] = item_encoder(self.lookup(kind.base), self.lookup)
            self.lines += [f"for s in {name}: {item}(s, out)"]
        self.unknown()


class _Decoder(_Generator):
    def __init__(self, lookup: Lookup, namespace: dict[str, Any], *, aligned: int) -> None:
        super().__init__(lookup, namespace, aligned=aligned)
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
            self.namespace[item] = item_decoder(self.lookup(kind.base), self.lookup, classes)
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
        elif code == "B":
            self.lines.append(f"{name} = b[p:e]")
        else:
            self.lines.append(f"{name} = array('{code}'); {name}.frombytes(b[p:e])")
        self.lines.append("p = e")
        self.advance(kind.size * size) if fixed else self.unknown(min(size, 4))


_PAD = tuple(bytes(n) for n in range(8))


def _compile(head: str, lines: list[str], namespace: dict[str, Any], spec: Message) -> Callable[..., Any]:
    source = "\n".join([head, *("    " + line for line in lines)])
    exec(compile(source, f"<cdr of {spec.name}>", "exec"), namespace)
    function: Callable[..., Any] = namespace["f"]
    return function


def _encoder(spec: Message, lookup: Lookup, *, aligned: int) -> Callable[[Any, bytearray], None]:
    namespace: dict[str, Any] = {"PAD": _PAD, "U32": struct.Struct("<I").pack, "wide": _encode_wide}
    generator = _Encoder(lookup, namespace, aligned=aligned)
    generator.message(spec, "m")
    generator.flush()
    return _compile("def f(m, out):", generator.lines, namespace, spec)


def _decoder(
    spec: Message, lookup: Lookup, classes: Callable[[str], type], *, aligned: int
) -> Callable[[memoryview, int], tuple[Any, int]]:
    namespace: dict[str, Any] = {
        "U32": struct.Struct("<I").unpack_from, "new": object.__new__, "array": array, "unwide": _decode_wide,
        "frombuffer": np.frombuffer,
    }  # fmt: skip
    generator = _Decoder(lookup, namespace, aligned=aligned)
    generator.build(spec, "m", classes)
    generator.flush()
    return _compile("def f(b, p):", [*generator.lines, *generator.builds, "return m, p"], namespace, spec)


def tail_field(spec: Message) -> str:
    """Name the last field when it is a sequence of octets: its bytes may follow those of `make_head_encoder`."""
    last = spec.fields[-1] if spec.fields else DUMMY
    return last.name if last.type.array == "sequence" and FORMATS.get(last.type.base) == "B" else ""


def make_head_encoder(spec: Message, lookup: Lookup) -> Callable[[Any], bytearray]:
    """Make `encode(message)` for all but the octets of the last field, whose length it does write."""
    namespace: dict[str, Any] = {"PAD": _PAD, "U32": struct.Struct("<I").pack, "wide": _encode_wide}
    generator = _Encoder(lookup, namespace, aligned=8)
    for field in spec.fields[:-1]:
        generator.field(field, f"m._{field.name}")
    generator.number("uint32", f"len(m._{spec.fields[-1].name})")
    generator.flush()
    encode_body = _compile("def f(m, out):", generator.lines, namespace, spec)

    def encode(message: Any) -> bytearray:
        out = bytearray(HEADER)
        encode_body(message, out)
        return out

    return encode


def item_encoder(spec: Message, lookup: Lookup) -> Callable[[Any, bytearray], None]:
    """Make `encode(message, out)` for a message that starts at an unknown position."""
    return _encoder(spec, lookup, aligned=1)


def item_decoder(
    spec: Message, lookup: Lookup, classes: Callable[[str], type]
) -> Callable[[memoryview, int], tuple[Any, int]]:
    """Make `decode(buffer, position) -> (message, position)` for a message that starts at an unknown position."""
    return _decoder(spec, lookup, classes, aligned=1)


def make_codec(
    spec: Message, lookup: Lookup, classes: Callable[[str], type]
) -> tuple[Callable[[Any], bytearray], Callable[[Any], Any]]:
    """Make `encode(message) -> bytearray` and `decode(bytes-like) -> message`, both with the encapsulation header."""
    encode_body = _encoder(spec, lookup, aligned=8)
    decode_body = _decoder(spec, lookup, classes, aligned=8)

    def encode(message: Any) -> bytearray:
        out = bytearray(HEADER)
        encode_body(message, out)
        return out

    def decode(data: Any) -> Any:
        view = memoryview(data).toreadonly()
        if bytes(view[:2]) != HEADER[:2]:
            raise CdrError(
                f"{spec.name}: expected little-endian XCDR1 (header 0001), got {bytes(view[:4]).hex() or 'nothing'}"
            )
        body = view[4:]
        try:
            message, end = decode_body(body, 0)
        except (struct.error, ValueError, OverflowError, MemoryError) as error:
            raise CdrError(f"{spec.name}: {error}") from error
        if end > len(body):
            raise CdrError(f"{spec.name}: expected {end} bytes, got {len(body)}")
        return message

    return encode, decode
