"""Write a bag, message by message, as the bytes they are given as."""

from __future__ import annotations

import logging
import time
import weakref
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from robot.ros.idl import InterfaceError
from robot.ros.interfaces import registry
from robot.ros.packages.rosbag2_py._compression_options import CompressionMode, CompressionOptions
from robot.ros.packages.rosbag2_py._opening import FAULTS, check_storage, said_as_runtime_error
from robot.ros.packages.rosbag2_py._qos import for_bag
from robot.ros.packages.rosbag2_py._storage import (
    CDR,
    STORAGES,
    ConverterOptions,
    StorageOptions,
    TopicMetadata,
    get_default_storage_id,
)
from robot.ros.tools import bag_repair
from robot.ros.tools.bag import WRITE_EVERY_S, definition, write_out

if TYPE_CHECKING:
    from rosbags.interfaces import Connection
    from rosbags.rosbag2 import Writer

log = logging.getLogger(__name__)

NOT_DONE = (
    "max_bagfile_size",
    "max_bagfile_duration",
    "snapshot_mode",
    "max_recording_size",
    "max_recording_duration",
    "max_recording_messages",
)
NO_HASH = "-"  # rosbags wants one to begin with


def get_registered_writers() -> set[str]:
    return set(STORAGES)


def get_registered_compressors() -> set[str]:
    return {"zstd"}


def get_registered_serializers() -> set[str]:
    return {CDR}


class SequentialWriter:
    """Writes a new bag in one file, which ends with `close`, with the writer, or with the program.

    While messages come an MCAP file is written out every second, so that a killed program leaves what can be ended.
    """

    def __init__(self) -> None:
        self._bag: Writer | None = None
        self._compression = CompressionOptions()

    def open(self, storage_options: StorageOptions, converter_options: ConverterOptions | None = None) -> None:
        """Make the folder of a new bag.

        Raises:
            RuntimeError: it is there, cannot be made, the writer is open, or the options ask for what there is not.
        """
        if self._bag is not None:
            raise RuntimeError("the writer is open; call close() before another open()")
        check_storage(storage_options)
        (converter_options or ConverterOptions()).check()
        path = Path(storage_options.uri)
        if path.exists():
            raise RuntimeError(f"Bag directory already exists ({path}), can't overwrite existing bag")
        if ignored := [name for name in NOT_DONE if getattr(storage_options, name)]:
            log.warning("the bag %s is written in one file and whole: %s not looked at", path, ", ".join(ignored))
        with said_as_runtime_error(path):
            bag = self._make(path, storage_options)
            bag.open()
        self._bag, self._path = bag, path
        self._start_ns, self._end_ns = storage_options.start_time_ns, storage_options.end_time_ns
        self._topics: dict[str, Connection] = {}
        self._removed: dict[str, Connection] = {}
        self._file: Any = bag.storage if hasattr(bag.storage, "chunk") else None  # of MCAP
        if self._file is not None:
            bag_repair.lock(self._file.bio)
        self._written_at = time.monotonic()
        self._end = weakref.finalize(self, _end, bag, self._removed)

    def _make(self, path: Path, options: StorageOptions) -> Writer:
        from rosbags.rosbag2 import CompressionFormat, StoragePlugin, Writer
        from rosbags.rosbag2 import CompressionMode as Mode

        plugin = StoragePlugin[(options.storage_id or get_default_storage_id()).upper()]
        bag = Writer(path, version=9, storage_plugin=plugin)
        mode = Mode[self._compression.compression_mode.name]
        if mode == Mode.NONE and plugin == StoragePlugin.MCAP and options.storage_preset_profile.startswith("zstd"):
            mode = Mode.STORAGE
        bag.set_compression(mode, CompressionFormat.ZSTD)
        for key, value in options.custom_data.items():
            bag.set_custom_data(key, value)
        return bag

    def _opened(self, before: str) -> Writer:
        if self._bag is None:
            raise RuntimeError(f"Bag is not open. Call open() before {before}.")
        return self._bag

    def create_topic(self, topic_with_type: TopicMetadata) -> None:
        """Make a topic known, once; the definition of a type that is not known here stays empty.

        Raises:
            RuntimeError: the bag is not open, or the messages are to be of another format than CDR.
        """
        bag, name = self._opened("writing"), topic_with_type.name
        if name in self._topics:
            return
        if topic_with_type.serialization_format != CDR:
            raise RuntimeError(f"{name}: expected the format {CDR!r}, got {topic_with_type.serialization_format!r}")
        kind, kept = topic_with_type.type, self._removed.get(name)
        if kept is not None and kept.msgtype == kind:
            self._topics[name] = self._removed.pop(name)
            return
        try:
            text, digest = definition(kind), topic_with_type.type_description_hash or registry.hash(kind)
        except InterfaceError as error:
            log.warning("%s goes into the bag without the definition of its type: %s", name, error)
            text, digest = "", topic_with_type.type_description_hash
        profiles = for_bag(topic_with_type.offered_qos_profiles)
        with said_as_runtime_error(self._path):
            made = bag.add_connection(name, kind, msgdef=text, rihs01=digest or NO_HASH, offered_qos_profiles=profiles)
        self._topics[name] = bag.connections[-1] = made._replace(digest=digest)

    def remove_topic(self, topic_with_type: TopicMetadata) -> None:
        """Take a topic away; what was written of it stays.

        Raises:
            RuntimeError: the bag is not open, or has no such topic.
        """
        self._opened("removing")
        if topic_with_type.name not in self._topics:
            raise RuntimeError(f'Failed to remove the non-existing topic "{topic_with_type.name}"!')
        self._removed[topic_with_type.name] = self._topics.pop(topic_with_type.name)

    def write(self, topic_name: str, message: bytes, recv_timestamp: int, send_timestamp: int | None = None) -> None:
        """Write a message.

        Args:
            message: as CDR.
            recv_timestamp: when it came [ns].
            send_timestamp: taken and not kept; the file has the first time in its place.

        Raises:
            RuntimeError: the bag is not open, or `create_topic` was not called for the topic.
            TypeError, ValueError: the message is no bytes, or the time is before 1970.
        """
        bag = self._opened("writing")
        if not isinstance(message, bytes | bytearray | memoryview):
            raise TypeError(
                f"{topic_name}: expected a message as bytes (serialize_message), got {type(message).__name__}"
            )
        stamp = index(recv_timestamp)
        if stamp < 0:
            raise ValueError(f"{topic_name}: expected a time since 1970 [ns], got {stamp}")
        if topic_name not in self._topics:
            raise RuntimeError(f"Failed to write on topic '{topic_name}'. Call create_topic() before first write.")
        if stamp < self._start_ns or -1 < self._end_ns < stamp:
            return
        try:
            bag.write(self._topics[topic_name], stamp, message)
            if self._file is not None and time.monotonic() - self._written_at > WRITE_EVERY_S:
                write_out(self._file)
                self._written_at = time.monotonic()
        except FAULTS as error:
            raise RuntimeError(f"the bag {self._path}: {error}") from error

    def split_bagfile(self) -> None:
        """Raise RuntimeError: bags are one file here."""
        raise RuntimeError("a bag is written in one file here; close() the writer and open() another bag")

    def take_snapshot(self) -> bool:
        """Return False: no messages are held back to be written on demand."""
        return False

    def close(self) -> None:
        """End the bag, if one is open."""
        if self._bag is not None:
            self._bag = None
            with said_as_runtime_error(self._path):
                self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class SequentialCompressionWriter(SequentialWriter):
    """Compresses each file or each message with zstd."""

    def __init__(self, compression_options: CompressionOptions | None = None) -> None:
        super().__init__()
        self._compression = compression_options or CompressionOptions()
        wanted, mode = self._compression.compression_format, self._compression.compression_mode
        if mode != CompressionMode.NONE and wanted not in get_registered_compressors():
            raise RuntimeError(f"no compressor is called {wanted!r}; there is zstd")


def _end(bag: Writer, removed: dict[str, Connection]) -> None:
    """Write index and metadata, without topics that were removed before anything was written of them."""
    bag.connections[:] = [c for c in bag.connections if bag.counts[c.id] or c not in removed.values()]
    bag.close()
