"""Call back when parameters change, of any node."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from robot.ros.interfaces import rcl_interfaces
from robot.ros.qos import QoSProfile, qos_profile_parameter_events

if TYPE_CHECKING:
    from robot.ros.callback_groups import CallbackGroup
    from robot.ros.event_handler import SubscriptionEventCallbacks
    from robot.ros.node import Node
    from robot.ros.qos_overriding_options import QoSOverridingOptions

GONE = "Callback doesn't exist"


@dataclass(eq=False)
class ParameterCallbackHandle:
    """A callback for one parameter of one node; it gets rcl_interfaces/msg/Parameter."""

    parameter_name: str
    node_name: str
    callback: Callable[[Any], object]


@dataclass(eq=False)
class ParameterEventCallbackHandle:
    """A callback for all events; it gets rcl_interfaces/msg/ParameterEvent."""

    callback: Callable[[Any], object]


class Callbacks:
    """The callbacks of a handler, the latest first."""

    def __init__(self) -> None:
        self.parameter_callbacks: dict[tuple[str, str], list[ParameterCallbackHandle]] = {}
        self.event_callbacks: list[ParameterEventCallbackHandle] = []
        self._lock = threading.RLock()

    def event_callback(self, event: Any) -> None:
        """Call back for an event what was asked for."""
        with self._lock:
            named = [(key, tuple(handles)) for key, handles in self.parameter_callbacks.items()]
            every = tuple(self.event_callbacks)
        for (parameter_name, node_name), handles in named:
            parameter = ParameterEventHandler.get_parameter_from_event(event, parameter_name, node_name)
            if parameter is not None:
                for handle in handles:
                    handle.callback(parameter)
        for any_handle in every:
            any_handle.callback(event)

    def add_parameter_callback(
        self, parameter_name: str, node_name: str, callback: Callable[[Any], object]
    ) -> ParameterCallbackHandle:
        handle = ParameterCallbackHandle(parameter_name, node_name, callback)
        with self._lock:
            self.parameter_callbacks.setdefault((parameter_name, node_name), []).insert(0, handle)
        return handle

    def remove_parameter_callback(self, handle: ParameterCallbackHandle) -> None:
        key = (handle.parameter_name, handle.node_name)
        with self._lock:
            if handle not in self.parameter_callbacks.get(key, ()):
                raise RuntimeError(GONE)
            self.parameter_callbacks[key].remove(handle)
            if not self.parameter_callbacks[key]:
                del self.parameter_callbacks[key]

    def add_parameter_event_callback(self, callback: Callable[[Any], object]) -> ParameterEventCallbackHandle:
        handle = ParameterEventCallbackHandle(callback)
        with self._lock:
            self.event_callbacks.insert(0, handle)
        return handle

    def remove_parameter_event_callback(self, handle: ParameterEventCallbackHandle) -> None:
        with self._lock:
            if handle not in self.event_callbacks:
                raise RuntimeError(GONE)
            self.event_callbacks.remove(handle)


class ParameterEventHandler:
    """Watch parameters, as `rclpy.parameter_event_handler.ParameterEventHandler`.

    Args:
        node: subscribes to `/parameter_events`; the options are those of `create_subscription`.
    """

    Callbacks = Callbacks

    def __init__(  # noqa: PLR0917 (rclpy's order)
        self,
        node: Node,
        qos_profile: QoSProfile = qos_profile_parameter_events,
        callback_group: CallbackGroup | None = None,
        event_callbacks: SubscriptionEventCallbacks | None = None,
        qos_overriding_options: QoSOverridingOptions | None = None,
        raw: bool = False,
    ) -> None:
        self.node = node
        self.qos_profile = qos_profile
        self._callbacks = Callbacks()
        self.parameter_event_subscription = node.create_subscription(
            rcl_interfaces.msg.ParameterEvent,
            "/parameter_events",
            self._callbacks.event_callback,
            qos_profile,
            callback_group=callback_group,
            event_callbacks=event_callbacks,
            qos_overriding_options=qos_overriding_options,
            raw=raw,
        )

    def configure_nodes_filter(self, node_names: Sequence[str] | None = None) -> bool:
        """Hear only of these nodes (full names, or relative to this node's namespace); none named = of all again."""
        names = [self._resolve_path(name) for name in node_names or ()]
        expression = " OR ".join(f"node = %{index}" for index in range(len(names)))
        self.parameter_event_subscription.set_content_filter(expression, [f"'{name}'" for name in names])
        return True

    def destroy(self) -> None:
        self.node.destroy_subscription(self.parameter_event_subscription)

    @staticmethod
    def get_parameter_from_event(event: Any, parameter_name: str, node_name: str) -> Any | None:
        """Return the rcl_interfaces/msg/Parameter that is new or changed, None when the event is not about it."""
        if event.node == node_name:
            for parameter in ParameterEventHandler.get_parameters_from_event(event):
                if parameter.name == parameter_name:
                    return parameter
        return None

    @staticmethod
    def get_parameters_from_event(event: Any) -> Iterator[Any]:
        """Give every rcl_interfaces/msg/Parameter that is new or changed."""
        yield from chain(event.new_parameters, event.changed_parameters)

    def add_parameter_callback(
        self, parameter_name: str, node_name: str, callback: Callable[[Any], object]
    ) -> ParameterCallbackHandle:
        """Call back when one parameter changes.

        Args:
            node_name: full, or relative to this node's namespace; "" = this node.
        """
        return self._callbacks.add_parameter_callback(parameter_name, self._resolve_path(node_name), callback)

    def remove_parameter_callback(self, handle: ParameterCallbackHandle) -> None:
        """Remove a callback; raises RuntimeError when it is not there."""
        self._callbacks.remove_parameter_callback(handle)

    def add_parameter_event_callback(self, callback: Callable[[Any], object]) -> ParameterEventCallbackHandle:
        """Call back at every event."""
        return self._callbacks.add_parameter_event_callback(callback)

    def remove_parameter_event_callback(self, handle: ParameterEventCallbackHandle) -> None:
        """Remove a callback; raises RuntimeError when it is not there."""
        self._callbacks.remove_parameter_event_callback(handle)

    def _resolve_path(self, node_path: str | None = None) -> str:
        if not node_path:
            return self.node.get_fully_qualified_name()
        if node_path.startswith("/"):
            return node_path
        return f"{self.node.get_namespace().rstrip('/')}/{node_path}"
