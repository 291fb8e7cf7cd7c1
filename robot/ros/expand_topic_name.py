"""Make full names of topics and services from those that users write."""

from __future__ import annotations

import re

from robot.ros import validate_namespace, validate_node_name, validate_topic_name
from robot.ros.names import check_text, full_node_name


def expand_topic_name(topic_name: str, node_name: str, node_namespace: str) -> str:
    """Expand a relative ('a/b'), private ('~/a') or absolute ('/a') name, with '{node}' and '{ns}' replaced.

    Raises:
        TypeError: one is not a str.
        ValueError: naming which of the three is invalid, and why.
    """
    for name in (topic_name, node_name, node_namespace):
        check_text(name)
    for what, value, fault in (
        ("topic name", topic_name, validate_topic_name.find_fault(topic_name)),
        ("node name", node_name, validate_node_name.find_fault(node_name)),
        ("node namespace", node_namespace, validate_namespace.find_fault(node_namespace)),
    ):
        if fault is not None:
            raise ValueError(f"{what} '{value}' is invalid: {fault[0]}, at character {fault[1]}")
    known = {"node": node_name, "ns": node_namespace, "namespace": node_namespace}

    def substitute(found: re.Match[str]) -> str:
        if found[1] not in known:
            raise ValueError(f"topic name '{topic_name}' is invalid: unknown substitution: {found[0]}")
        return known[found[1]]

    text = re.sub(r"\{(\w*)\}", substitute, topic_name)
    if text.startswith("~"):
        return full_node_name(node_name, node_namespace) + text[1:]
    return text if text.startswith("/") else full_node_name(text, node_namespace)
