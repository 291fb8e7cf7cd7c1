"""Parse ROS 2 interface files (.msg, .srv, .action) into specifications.

`type name [default]` is a field, `type NAME=value` a constant, `---` separates the parts of services and actions
(https://docs.ros.org/en/rolling/Concepts/Basic/About-Interfaces.html).
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

PRIMITIVES = [
    "bool",
    "byte",
    "char",
    "float32",
    "float64",
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "string",
    "wstring",
]
PARTS = {"msg": 1, "srv": 2, "action": 3}

_TYPE = re.compile(r"^(?P<base>[A-Za-z]\w*(?:/[A-Za-z]\w*){0,2})(?:<=(?P<sbound>\d+))?(?:\[(?P<array>(?:<=)?\d*)\])?$")
_CONSTANT = re.compile(r"^(?P<type>\S+)\s+(?P<name>[A-Z][A-Z0-9_]*)\s*=\s*(?P<value>.*)$")
_FIELD = re.compile(r"^(?P<type>\S+)\s+(?P<name>[a-z][a-z0-9_]*)(?:\s+(?P<default>.+))?$")


class InterfaceError(ValueError):
    """An interface file or an interface name that cannot be understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """A field's type.

    Attributes:
        base: a primitive's name or a full message name such as `std_msgs/msg/Header`.
        string_bound: most characters of a bounded string, 0 = unbounded.
        array: "" for a single value, "array" for a fixed length, "sequence" for a variable one.
        size: fixed length of an array or bound of a sequence, 0 = unbounded.
    """

    base: str
    string_bound: int = 0
    array: str = ""
    size: int = 0

    @property
    def is_primitive(self) -> bool:
        return self.base in PRIMITIVES


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    name: str
    type: Type
    default: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    name: str
    type: Type
    value: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message: `name` in full, for example `sensor_msgs/msg/Image` or `std_srvs/srv/Trigger_Request`."""

    name: str
    fields: tuple[Field, ...] = ()
    constants: tuple[Constant, ...] = ()


def parse_type(text: str, package: str) -> Type:
    """Read a type such as `geometry_msgs/Pose[<=3]`; a bare message name belongs to `package`."""
    match = _TYPE.match(text)
    if match is None:
        raise InterfaceError(f"expected a type such as float64, string<=10 or pkg/Name[3], got {text!r}")
    base = match["base"]
    if base not in PRIMITIVES:
        parts = base.split("/")
        base = {1: f"{package}/msg/{base}", 2: f"{parts[0]}/msg/{parts[-1]}"}.get(len(parts), base)
    elif match["sbound"] and base not in ("string", "wstring"):
        raise InterfaceError(f"only string and wstring have a bound, got {text!r}")
    array = match["array"]
    size = int(array.removeprefix("<=") or 0) if array is not None else 0
    kind = "" if array is None else "array" if array and not array.startswith("<=") else "sequence"
    return Type(base=base, string_bound=int(match["sbound"] or 0), array=kind, size=size)


def parse_value(text: str, kind: Type) -> object:
    """Read a default or constant in the words of interface files: `true`, `-2`, `"text"`, `[1, 2]`."""
    text = text.strip()
    single = Type(base=kind.base, string_bound=kind.string_bound)
    if kind.array:
        if kind.base in ("string", "wstring"):
            return [str(item) for item in ast.literal_eval(text)]
        return [parse_value(item, single) for item in text.strip("[]").split(",") if item.strip()]
    if kind.base in ("string", "wstring"):
        return str(ast.literal_eval(text)) if text[:1] in ("'", '"') else text
    if kind.base == "bool":
        if text.lower() not in ("true", "false", "0", "1"):
            raise InterfaceError(f"expected a bool (true, false, 0, 1), got {text!r}")
        return text.lower() in ("true", "1")
    if kind.base in ("float32", "float64"):
        return float(text)
    number = int(text, 0)
    return bytes([number]) if kind.base == "byte" else number


def _without_comment(line: str) -> str:
    quote = ""
    for at, char in enumerate(line):
        if quote:
            quote = "" if char == quote and line[at - 1] != "\\" else quote
        elif char in "\"'":
            quote = char
        elif char == "#":
            return line[:at].strip()
    return line.strip()


def parse_message(text: str, name: str) -> Message:
    """Read one part of an interface file as the message `name`."""
    package = name.split("/", maxsplit=1)[0]
    fields: list[Field] = []
    constants: list[Constant] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = _without_comment(raw)
        if not line:
            continue
        try:
            if match := _CONSTANT.match(line):
                kind = parse_type(match["type"], package)
                constants.append(Constant(name=match["name"], type=kind, value=parse_value(match["value"], kind)))
            elif match := _FIELD.match(line):
                kind = parse_type(match["type"], package)
                default = None if match["default"] is None else parse_value(match["default"], kind)
                fields.append(Field(name=match["name"], type=kind, default=default))
            else:
                raise InterfaceError(f"expected 'type name [default]' or 'type NAME=value', got {line!r}")
        except (ValueError, SyntaxError) as error:
            raise InterfaceError(f"{name}, line {number}: {error}") from error
    return Message(name=name, fields=tuple(fields), constants=tuple(constants))


def parse_interface(text: str, name: str) -> dict[str, Message]:
    """Read a whole file into every message it implies, by full name.

    Args:
        text: the file's contents.
        name: full interface name, for example `control_msgs/action/GripperCommand`.
    """
    kind = name.split("/")[1]
    parts = re.split(r"(?m)^---[ \t]*$", text)
    if len(parts) != PARTS[kind]:
        raise InterfaceError(f"{name}: expected {PARTS[kind]} parts separated by '---', got {len(parts)}")
    if kind == "msg":
        messages = [parse_message(parts[0], name)]
    elif kind == "srv":
        messages = _service(
            name, parse_message(parts[0], f"{name}_Request"), parse_message(parts[1], f"{name}_Response")
        )
    else:
        messages = _action(name, parts)
    return {message.name: message for message in messages}


def _field(name: str, base: str, **more: object) -> Field:
    return Field(name=name, type=Type(base=base, **more))  # type: ignore[arg-type]


def _service(name: str, request: Message, response: Message) -> list[Message]:
    event = Message(
        name=f"{name}_Event",
        fields=(
            _field("info", "service_msgs/msg/ServiceEventInfo"),
            _field("request", request.name, array="sequence", size=1),
            _field("response", response.name, array="sequence", size=1),
        ),
    )
    return [request, response, event]


def _action(name: str, parts: list[str]) -> list[Message]:
    goal, result, feedback = (
        parse_message(text, f"{name}_{part}") for text, part in zip(parts, ("Goal", "Result", "Feedback"), strict=True)
    )
    goal_id = _field("goal_id", "unique_identifier_msgs/msg/UUID")
    send, get = f"{name}_SendGoal", f"{name}_GetResult"
    return [
        goal,
        result,
        feedback,
        *_service(
            send,
            Message(name=f"{send}_Request", fields=(goal_id, _field("goal", goal.name))),
            Message(
                name=f"{send}_Response",
                fields=(_field("accepted", "bool"), _field("stamp", "builtin_interfaces/msg/Time")),
            ),
        ),
        *_service(
            get,
            Message(name=f"{get}_Request", fields=(goal_id,)),
            Message(name=f"{get}_Response", fields=(_field("status", "int8"), _field("result", result.name))),
        ),
        Message(name=f"{name}_FeedbackMessage", fields=(goal_id, _field("feedback", feedback.name))),
    ]
