"""What buffers share: transforming stamped objects of any registered type, and converting between types."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import TYPE_CHECKING, Any, ClassVar

from robot.ros.borrowed import finder
from robot.ros.duration import Duration

NO_WAIT = Duration()


class TypeException(Exception):  # noqa: N818 (tf2's name)
    """No function is registered that transforms or converts the type."""


class NotImplementedException(Exception):  # noqa: N818 (tf2's name)
    """A method that a subclass should have."""

    def __init__(self) -> None:
        super().__init__("CanTransform or LookupTransform not implemented")


class Stamped:
    """Any object with a header: for types that have none of their own."""

    def __init__(self, obj: Any, stamp: Any, frame_id: str) -> None:
        from robot.ros.interfaces import std_msgs

        self.header = std_msgs.msg.Header(frame_id=frame_id, stamp=stamp)
        self.obj = obj


class TransformRegistration:
    """Which function transforms which type; packages such as `tf2_geometry_msgs` fill it when they are imported."""

    functions: ClassVar[dict[type, Callable[[Any, Any], Any]]] = {}

    def add(self, key: type, callback: Callable[[Any, Any], Any]) -> None:
        self.functions[key] = callback

    def get(self, key: type) -> Callable[[Any, Any], Any]:
        if key not in self.functions:
            raise TypeException(
                f"Type {key.__module__}.{key.__name__} is not loaded or supported: import tf2_geometry_msgs, perhaps"
            )
        return self.functions[key]


class ConvertRegistration:
    """Which functions turn types into messages, messages into types, and one type into another."""

    to_msg: ClassVar[dict[type, Callable[[Any], Any]]] = {}
    from_msg: ClassVar[dict[type, Callable[[Any], Any]]] = {}
    convert: ClassVar[dict[tuple[type, type], Callable[[Any], Any]]] = {}

    def add_from_msg(self, key: type, callback: Callable[[Any], Any]) -> None:
        self.from_msg[key] = callback

    def add_to_msg(self, key: type, callback: Callable[[Any], Any]) -> None:
        self.to_msg[key] = callback

    def add_convert(self, key: tuple[type, type], callback: Callable[[Any], Any]) -> None:
        self.convert[key] = callback

    def get_from_msg(self, key: type) -> Callable[[Any], Any]:
        return self._get(self.from_msg, key)

    def get_to_msg(self, key: type) -> Callable[[Any], Any]:
        return self._get(self.to_msg, key)

    def get_convert(self, key: tuple[type, type]) -> Callable[[Any], Any]:
        return self._get(self.convert, key)

    @staticmethod
    def _get(table: dict[Any, Callable[[Any], Any]], key: Any) -> Callable[[Any], Any]:
        if key not in table:
            raise TypeException(f"Type {key} is not loaded or supported")
        return table[key]


def convert(a: Any, b_type: type) -> Any:
    """Turn `a` into `b_type`, directly or by way of a message; of its own type, into a copy."""
    table = ConvertRegistration()
    if (type(a), b_type) in table.convert:
        return table.get_convert((type(a), b_type))(a)
    return deepcopy(a) if type(a) is b_type else table.get_from_msg(b_type)(table.get_to_msg(type(a))(a))


class BufferInterface:
    """Transforms stamped objects with what a subclass looks up."""

    def __init__(self) -> None:
        self.registration = TransformRegistration()

    def transform(
        self, object_stamped: Any, target_frame: str, timeout: Any = NO_WAIT, new_type: type | None = None
    ) -> Any:
        """Return the object as seen from `target_frame`, converted to `new_type` if that is given."""
        do_transform = self.registration.get(type(object_stamped))
        header = object_stamped.header
        found = self.lookup_transform(target_frame, header.frame_id, header.stamp, timeout)
        result = do_transform(object_stamped, found)
        return result if new_type is None else convert(result, new_type)

    def transform_full(
        self,
        object_stamped: Any,
        target_frame: str,
        target_time: Any,
        fixed_frame: str,
        timeout: Any = NO_WAIT,
        new_type: type | None = None,
    ) -> Any:
        """Return the object as seen from `target_frame` at another time, taking `fixed_frame` as at rest between."""
        do_transform = self.registration.get(type(object_stamped))
        header = object_stamped.header
        found = self.lookup_transform_full(
            target_frame, target_time, header.frame_id, header.stamp, fixed_frame, timeout
        )
        result = do_transform(object_stamped, found)
        return result if new_type is None else convert(result, new_type)

    def lookup_transform(self, target_frame: str, source_frame: str, time: Any, timeout: Any = NO_WAIT) -> Any:
        raise NotImplementedException

    def lookup_transform_full(
        self,
        target_frame: str,
        target_time: Any,
        source_frame: str,
        source_time: Any,
        fixed_frame: str,
        timeout: Any = NO_WAIT,
    ) -> Any:
        raise NotImplementedException

    def can_transform(self, target_frame: str, source_frame: str, time: Any, timeout: Any = NO_WAIT) -> Any:
        raise NotImplementedException

    def can_transform_full(
        self,
        target_frame: str,
        target_time: Any,
        source_frame: str,
        source_time: Any,
        fixed_frame: str,
        timeout: Any = NO_WAIT,
    ) -> Any:
        raise NotImplementedException


if not TYPE_CHECKING:
    __getattr__ = finder(__name__)
