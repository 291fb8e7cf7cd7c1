"""Parameters from YAML: files of `node: ros__parameters: …` and single assignments `[node:]name:=value`.

Scalars are typed as ROS does: quoted text is a string, `1e3` a double, `yes` a bool; lists have one type, integers
among doubles become doubles.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

Value = bool | int | float | str | list[Any] | None
Overrides = list[tuple[str, dict[str, Value]]]  # node pattern, values by parameter name; later ones win

ANY_NODE = "/**"
PARAMETERS_KEY = "ros__parameters"
_BOOLS = dict.fromkeys(("true", "y", "yes", "on"), True) | dict.fromkeys(("false", "n", "no", "off"), False)
_INTEGER = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$")
_FLOAT = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$")
_SPECIAL = re.compile(r"[-+]?\.?(inf|nan)$", re.IGNORECASE)


def read_value(text: str) -> Value:
    """Read the YAML text of one value; raises ValueError."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ValueError(f"expected YAML, got {text!r}: {error}") from error
    return "" if node is None else _value(node)


def _value(node: yaml.Node) -> Value:
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return _list([_value(item) for item in node.value], node)
    raise ValueError(f"expected a scalar or a list, got a mapping{_where(node)}")


def _scalar(node: yaml.ScalarNode) -> Value:
    text: str = node.value
    if node.style in ("'", '"', "|", ">") or (node.tag.endswith(":str") and node.start_mark.buffer and _tagged(node)):
        return text
    if text.lower() in _BOOLS:
        return _BOOLS[text.lower()]
    if text.lower() in ("", "~", "null"):
        return None
    if _INTEGER.match(text) and not node.tag.endswith(":float"):
        digits = text.lstrip("+-")
        number = int(text, 0) if digits == "0" or digits[0] != "0" or digits[1] in "xX" else int(text, 8)
        if -(2**63) <= number < 2**63:
            return number
    if _FLOAT.match(text):
        return float(text)
    if _SPECIAL.match(text):
        return float(text.replace(".", "", 1) if "." in text else text)
    return text


def _tagged(node: yaml.Node) -> bool:
    """Tell whether a scalar bears `!!str` in the text."""
    return str(node.start_mark.buffer)[node.start_mark.index :].startswith("!!str")


def _list(items: list[Value], node: yaml.Node) -> list[Any]:
    if items and all(type(item) in (int, float) for item in items) and any(type(item) is float for item in items):
        return [float(item) for item in items]  # type: ignore[arg-type]
    if len({type(item) for item in items}) > 1 or any(isinstance(item, list | None) for item in items):
        raise ValueError(f"expected a list of values of one type, got {items}{_where(node)}")
    return items


def _where(node: yaml.Node) -> str:
    return f" at line {node.start_mark.line + 1}"


def read_assignment(text: str) -> tuple[str, dict[str, Value]]:
    """Read `[node:]name:=value`."""
    left, mark, value = text.partition(":=")
    node, _, name = left.rpartition(":")
    if not mark or not name or not value:  # an empty text is written '""'
        raise ValueError(f"expected [node:]name:=value, got {text!r}")
    return _full(node) if node else ANY_NODE, {name: read_value(value)}


def _full(node: str) -> str:
    return node if node.startswith("/") else f"/{node}"


def read_file(path: Path) -> Overrides:
    """Read a parameter file, in its order."""
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {error}") from error
    if root is None:
        return []
    if not isinstance(root, yaml.MappingNode):
        raise ValueError(f"{path}: expected nodes with {PARAMETERS_KEY}, got {root.tag}")
    found: Overrides = []
    _nodes(root, "", found, path)
    return found


def _nodes(mapping: yaml.MappingNode, prefix: str, found: Overrides, path: Path) -> None:
    for key, value in mapping.value:
        if key.value == PARAMETERS_KEY:
            if not prefix or not isinstance(value, yaml.MappingNode):
                raise ValueError(f"{path}: expected a node with a mapping {PARAMETERS_KEY}{_where(key)}")
            values: dict[str, Value] = {}
            _flatten(value, "", values)
            found.append((prefix, values))
        elif isinstance(value, yaml.MappingNode):
            _nodes(value, f"{prefix}/{key.value.lstrip('/')}", found, path)
        else:
            raise ValueError(f"{path}: expected {PARAMETERS_KEY} under '{prefix or key.value}'{_where(key)}")


def _flatten(mapping: yaml.MappingNode, prefix: str, values: dict[str, Value]) -> None:
    for key, value in mapping.value:
        name = f"{prefix}{key.value}"
        if isinstance(value, yaml.MappingNode):
            _flatten(value, f"{name}.", values)
        else:
            values[name] = _value(value)


def matches(pattern: str, full_name: str) -> bool:
    """Tell whether a node's full name fits a pattern, in which `*` is one token and `**` any number of them."""
    text = re.escape(pattern).replace(r"/\*\*", r"(/\w+)*").replace(r"\*", r"\w+")
    return re.fullmatch(text, full_name) is not None


def values_for(overrides: Iterable[tuple[str, dict[str, Value]]], full_name: str) -> dict[str, Value]:
    """Return the values meant for a node; the later of two wins."""
    found: dict[str, Value] = {}
    for pattern, values in overrides:
        if matches(pattern, full_name):
            found.update(values)
    return found
