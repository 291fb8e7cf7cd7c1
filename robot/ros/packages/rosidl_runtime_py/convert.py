"""Turn messages into dictionaries, YAML and CSV, in the words of `ros2 topic echo`."""

from __future__ import annotations

import re
import sys
from array import array
from collections import OrderedDict
from typing import Any

import numpy as np
import yaml

LISTS = (list, tuple, array, np.ndarray, memoryview)
_ELEMENT = re.compile(r"sequence<(?P<sequence>[^,>]+(?:<\d+>)?)(?:, \d+)?>|(?P<array>.+)\[\d+\]")


class _Dumper(yaml.SafeDumper):
    """Writes ordered dictionaries as plain mappings and repeats what occurs twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(
    OrderedDict, lambda dumper, data: dumper.represent_mapping("tag:yaml.org,2002:map", data.items(), flow_style=None)
)


def get_message_slot_types(msg: Any) -> OrderedDict[str, Any]:
    """Return the slot type of each field."""
    return OrderedDict(zip((name[1:] for name in msg.__slots__), msg.SLOT_TYPES, strict=True))


def message_to_yaml(
    msg: Any,
    *,
    truncate_length: int | None = None,
    no_arr: bool = False,
    no_str: bool = False,
    flow_style: bool = False,
) -> str:
    """Return a message as a YAML document.

    Args:
        truncate_length: longest sequence and text written out; None = any.
        no_arr, no_str: write the length of sequences, or texts, instead of what they hold.
        flow_style: on one line.
    """
    values = message_to_ordereddict(msg, truncate_length=truncate_length, no_arr=no_arr, no_str=no_str)
    return dump_yaml(values, flow_style=flow_style)


def dump_yaml(values: Any, *, flow_style: bool = False) -> str:
    text: str = yaml.dump(
        values,
        Dumper=_Dumper,
        allow_unicode=True,
        width=sys.maxsize,
        default_flow_style=flow_style,
        sort_keys=False,
    )
    return text


def message_to_ordereddict(
    msg: Any, *, truncate_length: int | None = None, no_arr: bool = False, no_str: bool = False
) -> OrderedDict[str, Any]:
    """Return a message as nested dictionaries of plain Python values."""
    return OrderedDict(
        (name, _plain(getattr(msg, name), kind, truncate_length, no_arr=no_arr, no_str=no_str))
        for name, kind in msg.get_fields_and_field_types().items()
    )


def _plain(value: Any, kind: str, length: int | None, *, no_arr: bool, no_str: bool) -> Any:
    if isinstance(value, bytes):
        value = "".join(map(chr, value))
    if isinstance(value, str):
        if no_str:
            return f"<string length: <{len(value)}>>"
        return value if length is None or len(value) <= length else value[:length] + "..."
    if isinstance(value, LISTS):
        if no_arr:
            return _abbreviated(value, kind)
        match = _ELEMENT.fullmatch(kind)
        element = (match["sequence"] or match["array"]) if match else kind
        shown = value if length is None else value[:length]
        items = [_plain(item, element, length, no_arr=no_arr, no_str=no_str) for item in shown]
        return items if len(items) == len(value) else [*items, "..."]
    if isinstance(value, np.generic):
        return value.item()
    if hasattr(value, "get_fields_and_field_types"):
        return message_to_ordereddict(value, truncate_length=length, no_arr=no_arr, no_str=no_str)
    return value


def _abbreviated(value: Any, kind: str) -> str:
    match = _ELEMENT.fullmatch(kind)
    if match and match["array"]:
        return f"<array type: {kind}>"
    return f"<sequence type: {match['sequence'] if match else kind}, length: {len(value)}>"


def message_to_csv(msg: Any, *, truncate_length: int | None = None, no_arr: bool = False, no_str: bool = False) -> str:
    """Return all values of a message in one line, separated by commas."""
    values = message_to_ordereddict(msg, truncate_length=truncate_length, no_arr=no_arr, no_str=no_str)
    return ",".join(_flat(values))


def _flat(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _flat(item)]
    if isinstance(value, list):
        return [text for item in value for text in _flat(item)]
    return [str(value)]
