"""Remap rules: `[node:]match:=replacement` for topics and services, `__node:=name`, `__ns:=/namespace`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from robot.ros import validate_namespace, validate_node_name, validate_topic_name
from robot.ros.expand_topic_name import expand_topic_name

NODE, NAMESPACE, TOPIC, SERVICE = "node", "namespace", "topic", "service"
_SCHEMES = {"rostopic://": (TOPIC,), "rosservice://": (SERVICE,)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule.

    Attributes:
        kinds: what it renames.
        node: the only node it is for, "" = every one.
        match: the name replaced, as written; "" for nodes and namespaces.
    """

    kinds: tuple[str, ...]
    node: str
    match: str
    replacement: str


def parse_rule(text: str) -> Rule:
    """Read a rule; raises ValueError saying what is wrong."""
    left, mark, replacement = text.partition(":=")
    if not mark or not left or not replacement or ":=" in replacement:
        raise ValueError(f"Couldn't parse remap rule: '{text}'. Expected [node:]from:=to")
    kinds: tuple[str, ...] = (TOPIC, SERVICE)
    node = ""
    if not left.startswith(tuple(_SCHEMES)):
        head, mark, tail = left.partition(":")
        if mark and not tail.startswith("//"):
            node, left = head, tail
            _refuse(validate_node_name.find_fault(node), node)
    for scheme, meant in _SCHEMES.items():
        if left.startswith(scheme):
            left, kinds = left.removeprefix(scheme), meant
            replacement = replacement.removeprefix(scheme)
    if left in ("__node", "__name"):
        _refuse(validate_node_name.find_fault(replacement), replacement)
        return Rule(kinds=(NODE,), node=node, match="", replacement=replacement)
    if left == "__ns":
        _refuse(validate_namespace.find_fault(replacement), replacement)
        return Rule(kinds=(NAMESPACE,), node=node, match="", replacement=replacement)
    for name in (left, replacement):
        _refuse(validate_topic_name.find_fault(name), name)
    return Rule(kinds=kinds, node=node, match=left, replacement=replacement)


def _refuse(fault: tuple[str, int] | None, name: str) -> None:
    if fault is not None:
        raise ValueError(f"'{name}': {fault[0]}")


def remap_node(rules: Iterable[Rule], kind: str, name: str) -> str | None:
    """Return what the first rule makes of the name (NODE) or the namespace (NAMESPACE) of node `name`."""
    for rule in rules:
        if kind in rule.kinds and rule.node in ("", name):
            return rule.replacement
    return None


def remap_name(rules: Iterable[Rule], kind: str, full: str, node: str, namespace: str) -> str:
    """Rename a full topic or service name by the first rule that matches it."""
    for rule in rules:
        if kind in rule.kinds and rule.node in ("", node) and full == expand_topic_name(rule.match, node, namespace):
            return expand_topic_name(rule.replacement, node, namespace)
    return full
