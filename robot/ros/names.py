"""Validate names of nodes and topics and expand them to full names.

The rules are those of https://design.ros2.org/articles/topic_and_service_names.html.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")


class InvalidNameError(ValueError):
    """A node, namespace or topic name that the rules of ROS forbid."""


def validate_node_name(name: str) -> str:
    if not _TOKEN.match(name) or len(name) > 255:
        raise InvalidNameError(f"expected a node name of letters, digits and '_', got {name!r}")
    return name


def validate_namespace(namespace: str) -> str:
    if not namespace.startswith("/") or (namespace != "/" and not all(map(_TOKEN.match, namespace[1:].split("/")))):
        raise InvalidNameError(f"expected a namespace such as '/' or '/robot', got {namespace!r}")
    return namespace


def expand_namespace(namespace: str) -> str:
    """Make a namespace absolute: '' and 'robot' become '/' and '/robot'."""
    return validate_namespace(namespace if namespace.startswith("/") else "/" + namespace)


def full_node_name(name: str, namespace: str) -> str:
    return f"{namespace.rstrip('/')}/{name}"


def expand_topic_name(topic: str, node_name: str, namespace: str) -> str:
    """Expand a relative ('a/b'), private ('~/a') or absolute ('/a') name, with '{node}' and '{ns}' replaced."""
    text = topic.replace("{node}", node_name).replace("{ns}", namespace).replace("{namespace}", namespace)
    if text == "~" or text.startswith("~/"):
        text = full_node_name(node_name, namespace) + text[1:]
    elif not text.startswith("/"):
        text = full_node_name(text, namespace)
    if not all(map(_TOKEN.match, text[1:].split("/"))):
        raise InvalidNameError(f"expected a topic name such as 'a/b', '~/a' or '/a', got {topic!r}")
    return text
