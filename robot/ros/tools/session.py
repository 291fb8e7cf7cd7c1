"""A context with one hidden node, for tools that look at a running system and go."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any

from robot.ros.context import Context
from robot.ros.executors import SingleThreadedExecutor
from robot.ros.interfaces import registry
from robot.ros.node import Node
from robot.ros.topic_or_service_is_hidden import topic_or_service_is_hidden
from robot.ros.transport.zeromq import ZeroMQ

LOOK_S = 2.0  # how long the graph is listened to at most before it is shown
GRACE_S = 0.1  # how much longer than until every context has told what it has
STEP_S = 0.05


class ToolError(Exception):
    """What a tool cannot do, in words for the person who asked."""


class Session:
    """Used in a `with` statement.

    Args:
        look_s: how long `look` listens to the graph [s].
    """

    def __init__(self, *, look_s: float = LOOK_S) -> None:
        self.look_s = look_s
        self.context = Context()
        self.context.init(args=[])
        self.node = Node(
            f"_berrybrain_{os.getpid()}",
            context=self.context,
            enable_rosout=False,
            start_parameter_services=False,
            use_global_arguments=False,
        )
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.executor.shutdown()
        self.node.destroy_node()
        self.context.try_shutdown()

    # --- waiting

    def spin_until(self, condition: Callable[[], bool], timeout_s: float | None = None) -> bool:
        """Run callbacks until the condition holds; return whether it does when the time is over."""
        end = None if timeout_s is None else time.monotonic() + timeout_s
        while not condition():
            left = STEP_S if end is None else min(STEP_S, end - time.monotonic())
            if left <= 0.0 or not self.context.ok():
                return condition()
            self.executor.spin_once(timeout_sec=left)
        return True

    def look(self, condition: Callable[[], bool] | None = None) -> None:
        """Listen to the graph until the condition holds; without one, until every context has told what it has."""
        self.spin_until(condition or self._is_known, self.look_s)
        if condition is None:
            self.spin_until(lambda: False, GRACE_S)

    def _is_known(self) -> bool:
        told = {peer for peer, _ in self.context.bus.endpoints()}
        transport = self.context.transport
        return not isinstance(transport, ZeroMQ) or told >= set(transport.peers())

    # --- names and types

    def topics(self, *, hidden: bool = False) -> dict[str, list[str]]:
        return _visible(self.node.get_topic_names_and_types(), hidden=hidden)

    def services(self, *, hidden: bool = False) -> dict[str, list[str]]:
        own = self.node.get_fully_qualified_name() + "/"
        found = [pair for pair in self.node.get_service_names_and_types() if not pair[0].startswith(own)]
        return _visible(found, hidden=hidden)

    def actions(self) -> dict[str, list[str]]:
        """Return the types of each action, known by the services it is made of."""
        suffix = "/_action/send_goal"
        return {
            name.removesuffix(suffix): [kind.removesuffix("_SendGoal") for kind in kinds]
            for name, kinds in self.node.get_service_names_and_types()
            if name.endswith(suffix)
        }

    def nodes(self, *, hidden: bool = False) -> list[str]:
        own = self.node.get_fully_qualified_name()
        names = sorted(set(self.node.get_fully_qualified_node_names()) - {own})
        return names if hidden else [name for name in names if not name.rpartition("/")[2].startswith("_")]

    def resolve(self, name: str) -> str:
        return name if name.startswith("/") else f"/{name}"

    def type_of(self, what: str, name: str, known: Callable[[], dict[str, list[str]]], given: str | None) -> str:
        """Return the full type of a topic, service or action: the one given, else the one the graph shows."""
        if given is not None:
            return full_type(given, what)
        full = self.resolve(name)
        self.look(lambda: full in known())
        found: list[str] = self.one_of(what, full, known())
        return found[0]

    def one_of(self, what: str, name: str, known: dict[str, Any]) -> Any:
        if name in known:
            return known[name]
        raise ToolError(missing(what, name, known))

    # --- services

    def call(self, kind: Any, name: str, request: Any, timeout_s: float | None = 5.0) -> Any:
        """Call a service and return its response.

        Raises:
            ToolError: it is not there or does not answer.
        """
        client = self.node.create_client(kind, name)
        try:
            if not self.spin_until(client.service_is_ready, timeout_s):
                known = self.services(hidden=True)
                others = [other for other in known.get(name, ()) if other != kind._TYPE_NAME]
                if others:
                    raise ToolError(f"the service {name} is of type {', '.join(others)}, not {kind._TYPE_NAME}")
                raise ToolError(missing("service", name, known))
            future = client.call_async(request)
            if not self.spin_until(future.done, timeout_s):
                raise ToolError(f"the service {name} did not answer within {timeout_s} s")
            return future.result()
        finally:
            self.node.destroy_client(client)


def _visible(pairs: Iterable[tuple[str, list[str]]], *, hidden: bool) -> dict[str, list[str]]:
    return {name: kinds for name, kinds in pairs if hidden or not topic_or_service_is_hidden(name)}


def missing(what: str, name: str, known: Iterable[str]) -> str:
    """Say that there is no such thing, what is nearest to it, and what there is."""
    names = sorted(set(known) - {name})  # a client that waits for a service shows its name too
    near = get_close_matches(name, names, n=1)
    if near:
        return f"there is no {what} {name}; did you mean {near[0]}?"
    if not names:
        return f"there is no {what} {name}: nothing of the kind runs in this domain (ROS_DOMAIN_ID, BERRYBRAIN_ROS_DIR)"
    return f"there is no {what} {name}; there are {', '.join(names[:12])}{' …' if len(names) > 12 else ''}"


def full_type(name: str, what: str) -> str:
    """Complete `std_msgs/String` to `std_msgs/msg/String`."""
    parts = name.split("/")
    kind = {"service": "srv", "action": "action"}.get(what, "msg")
    return f"{parts[0]}/{kind}/{parts[1]}" if len(parts) == 2 else name


def load(name: str) -> Any:
    """Return an interface's class; a ToolError names the nearest."""
    try:
        return registry.get(name)
    except ValueError as error:
        raise ToolError(f"{error} (own interface files: $BERRYBRAIN_INTERFACES or --interfaces)") from error
