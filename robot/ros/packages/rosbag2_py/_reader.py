"""Read a bag's messages one after the other, by time, forwards or backwards."""

from __future__ import annotations

import contextlib
import re
import weakref
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from robot.ros.idl import InterfaceError
from robot.ros.interfaces import registry
from robot.ros.packages.rosbag2_py._opening import metadata_of, open_reader, said_as_runtime_error
from robot.ros.packages.rosbag2_py._storage import (
    STORAGES,
    BagMetadata,
    ConverterOptions,
    MessageDefinition,
    ReadOrder,
    ReadOrderSortBy,
    StorageFilter,
    StorageOptions,
    TopicMetadata,
)

if TYPE_CHECKING:
    from rosbags.rosbag2 import Reader

BLOCK = 256  # messages held at once when reading backwards
Message = tuple[Any, int, bytes]  # connection, time of reception [ns], CDR


def get_registered_readers() -> set[str]:
    return set(STORAGES)


class SequentialReader:
    """Reads from where it is: a filter or an order that is set holds from the last message on.

    Messages are in the order of their times of reception. A folder whose recorder was killed is ended first, as by
    `berrybrain ros bag`. Types that are not known here are learnt from the bag, so that `get_message` finds
    them, and a writer gives their definitions on.
    """

    def __init__(self) -> None:
        self._bag: Reader | None = None
        self._path = Path()
        self._end = weakref.finalize(self, _nothing)
        self._start_over()

    def _start_over(self) -> None:
        self._filter, self._reverse = StorageFilter(), False
        self._at: int | None = None  # time of the last message, or sought [ns]; None = not begun
        self._passed: Counter[int] = Counter()  # messages of that time that were read, by connection
        self._drop()

    def _drop(self) -> None:
        self._coming: Iterator[Message] | None = None
        self._next: Message | None = None

    # --- open and close

    def open(self, storage_options: StorageOptions, converter_options: ConverterOptions | None = None) -> None:
        """Open a bag from its beginning, after closing one that is open.

        Raises:
            RuntimeError: no bag, a damaged one, an unknown storage, or a format that would need a converter.
        """
        (converter_options or ConverterOptions()).check()
        self.close()
        self._bag = open_reader(storage_options)
        self._end = weakref.finalize(self, self._bag.close)
        self._path = Path(storage_options.uri)
        self._start_over()
        try:
            self._metadata = metadata_of(self._bag, self._path)
        except RuntimeError:
            self.close()
            raise
        for connection in self._bag.connections:
            if connection.msgdef.format.name == "MSG" and not registry.has(connection.msgtype.split("/")[0]):
                with contextlib.suppress(InterfaceError):  # then get_message says that it is not known
                    registry.define(connection.msgtype, connection.msgdef.data)

    def open_uri(self, uri: str) -> None:
        self.open(StorageOptions(uri))

    def close(self) -> None:
        self._bag = None
        self._drop()
        self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _opened(self, what: str) -> Reader:
        if self._bag is None:
            raise RuntimeError(f"Bag is not open. Call open() before {what}.")
        return self._bag

    # --- read

    def has_next(self) -> bool:
        return self._peek() is not None

    def read_next(self) -> tuple[str, bytes, int]:
        """Return topic, message as CDR, and time of reception [ns].

        Raises:
            RuntimeError: the bag is not open, at its end, or damaged here.
        """
        message = self._peek()
        if message is None:
            raise RuntimeError("Bag is at end. No next message.")
        connection, stamp, data = message
        if stamp != self._at:
            self._at = stamp
            self._passed.clear()
        self._passed[connection.id] += 1
        self._next = None
        return connection.topic, bytes(data), stamp

    def _peek(self) -> Message | None:
        bag = self._opened("reading")
        if self._coming is None:
            self._coming = self._messages(bag)
        if self._next is None:
            try:
                self._next = next(self._coming, None)
            except RuntimeError:
                self._drop()  # what is damaged is no end: the next call says so again
                raise
        return self._next

    def _messages(self, bag: Reader) -> Iterator[Message]:
        """Yield what comes after the last message that was read, of the topics wanted."""
        wanted = [connection for connection in bag.connections if _passes(self._filter, connection.topic)]
        if not wanted:
            return
        at, left = self._at, self._passed.copy()
        with said_as_runtime_error(self._path):
            for message in _backwards(bag, wanted, at) if self._reverse else bag.messages(wanted, at):
                if message[1] == at and left[message[0].id]:
                    left[message[0].id] -= 1
                else:
                    yield message

    # --- choose

    def set_filter(self, storage_filter: StorageFilter) -> None:
        """Read only some topics from here on.

        Raises:
            RuntimeError: the bag is not open.
            ValueError: a regular expression that is none.
        """
        self._opened("setting filter")
        for pattern in (storage_filter.regex, storage_filter.regex_to_exclude):
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"expected a regular expression, got {pattern!r}: {error}") from error
        self._filter = storage_filter
        self._drop()

    def reset_filter(self) -> None:
        self.set_filter(StorageFilter())

    def seek(self, timestamp: int) -> None:
        """Go to the first message received at a time [ns] or later; reading backwards, then or earlier."""
        self._opened("seeking time")
        self._at = int(timestamp)
        self._passed.clear()
        self._drop()

    def set_read_order(self, order: ReadOrder) -> bool:
        """Read on in another direction, with the messages of the last one's time again; False for other sortings."""
        self._opened("setting read order")
        if order.sort_by != ReadOrderSortBy.ReceivedTimestamp:
            return False
        if order.reverse != self._reverse:
            self._reverse = order.reverse
            self._passed.clear()
            self._drop()
        return True

    # --- describe

    def get_metadata(self) -> BagMetadata:
        self._opened("reading")
        return self._metadata

    def get_all_topics_and_types(self) -> list[TopicMetadata]:
        self._opened("reading")
        return [found.topic_metadata for found in self._metadata.topics_with_message_count]

    def get_all_message_definitions(self) -> list[MessageDefinition]:
        """Return the text of each type's interface files, as the bag carries it."""
        found = {connection.msgtype: connection for connection in self._opened("reading").connections}
        return [
            MessageDefinition(
                name, {"MSG": "ros2msg", "IDL": "ros2idl"}.get(c.msgdef.format.name, "unknown"), c.msgdef.data, c.digest
            )
            for name, c in found.items()
        ]


SequentialCompressionReader = SequentialReader  # what is compressed is told by the bag


def _nothing() -> None:
    """End a reader that has opened no bag."""


def _passes(chosen: StorageFilter, topic: str) -> bool:
    named = [*chosen.topics, *chosen.services_events, *chosen.actions]
    left_out = [*chosen.exclude_topics, *chosen.exclude_service_events, *chosen.exclude_actions]
    if topic in left_out or (chosen.regex_to_exclude and re.fullmatch(chosen.regex_to_exclude, topic)):
        return False
    if topic in named or not (named or chosen.regex):
        return True
    return bool(chosen.regex and re.fullmatch(chosen.regex, topic))


def _backwards(bag: Reader, wanted: list[Any], last: int | None) -> Iterator[Message]:
    """Yield messages from the latest on, a block at a time; the times are read through first."""
    stop = None if last is None else last + 1
    stamps = sorted(stamp for _, stamp, _ in bag.messages(wanted, stop=stop))
    while stamps:
        first, end = stamps[-BLOCK:][0], stamps[-1] + 1
        block = sorted(bag.messages(wanted, first, end), key=lambda message: message[1])
        yield from reversed(block)
        del stamps[bisect_left(stamps, first) :]
