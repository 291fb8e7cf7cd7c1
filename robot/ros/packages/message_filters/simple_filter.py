"""Filters: they hand messages to the callbacks registered with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from robot.ros.clock import ROSClock
from robot.ros.logging import get_logger
from robot.ros.time import Time


class SimpleFilter:
    """Calls what is registered with each of its messages."""

    def __init__(self) -> None:
        self.callbacks: dict[int, tuple[Callable[..., Any], tuple[Any, ...]]] = {}

    def registerCallback(self, cb: Callable[..., Any], *args: Any) -> int:
        """Call `cb(message …, *args)` from now on; return its number."""
        number = max(self.callbacks, default=-1) + 1
        self.callbacks[number] = (cb, args)
        return number

    def unregisterCallback(self, number: int) -> None:
        """Call no longer what was registered under that number."""
        self.callbacks.pop(number, None)

    def signalMessage(self, *msg: Any) -> None:
        for callback, arguments in list(self.callbacks.values()):
            callback(*msg, *arguments)


class Subscriber(SimpleFilter):
    """A subscription as a filter: `Subscriber(node, msg_type, topic, qos_profile=10)`; its other names too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        self.node, _, self.topic = args[:3]
        if len(args) < 4:
            kwargs.setdefault("qos_profile", 10)
        self.sub = self.node.create_subscription(*args[1:3], self.callback, *args[3:], **kwargs)

    def callback(self, msg: Any) -> None:
        self.signalMessage(msg)

    def getTopic(self) -> str:
        return str(self.topic)

    def __getattr__(self, key: str) -> Any:
        if key == "sub":
            raise AttributeError(key)
        return getattr(self.sub, key)


class Chain(SimpleFilter):
    """Filters one behind the other; what the last lets through comes out."""

    def __init__(self, message_filter: SimpleFilter | None = None) -> None:
        super().__init__()
        self.incoming_connection: int | None = None
        self._filters: list[Any] = []
        self._last: int | None = None
        if message_filter is not None:
            self.connectInput(message_filter)

    def connectInput(self, message_filter: SimpleFilter) -> None:
        if self.incoming_connection is not None:
            raise RuntimeError("Already connected")
        self.incoming_connection = message_filter.registerCallback(self.add)

    def add(self, message: Any) -> None:
        if self._filters:
            self._filters[0].add(message)
        else:
            self.signalMessage(message)

    def addFilter(self, message_filter: Any) -> None:
        if self._filters and self._last is not None:
            self._filters[-1].callbacks.pop(self._last)
            self._filters[-1].registerCallback(message_filter.add)
        self._filters.append(message_filter)
        self._last = message_filter.registerCallback(self.signalMessage)

    def getFilter(self, index: int) -> Any:
        return self._filters[index]


def stamp_of(message: Any, who: str, *, allow_headerless: bool) -> Time | None:
    """Return a message's stamp, the time now when it has none and that is allowed, else None."""
    stamp = getattr(getattr(message, "header", None), "stamp", None)
    if stamp is not None:
        return stamp if hasattr(stamp, "nanoseconds") else Time.from_msg(stamp)
    if allow_headerless:
        return ROSClock().now()
    get_logger(who).warning(
        "can not use message filters for messages without timestamp information when 'allow_headerless' is disabled. "
        "auto assign ROSTIME to headerless messages once enabling constructor option of 'allow_headerless'."
    )
    return None
