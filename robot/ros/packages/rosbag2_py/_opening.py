"""Open a bag for reading, whatever its storage, and tell its metadata; faults come as RuntimeError, in words."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from robot.ros.duration import Duration
from robot.ros.packages.rosbag2_py._qos import from_bag
from robot.ros.packages.rosbag2_py._storage import (
    STORAGES,
    BagMetadata,
    FileInformation,
    StorageOptions,
    TopicInformation,
    TopicMetadata,
)
from robot.ros.time import Time
from robot.ros.tools.bag import need_rosbags, open_bag
from robot.ros.tools.session import ToolError

if TYPE_CHECKING:
    from rosbags.rosbag2 import Reader

METADATA = "metadata.yaml"
FAULTS = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    EOFError,
    ArithmeticError,
    struct.error,
    sqlite3.Error,
)  # of damaged files


@contextmanager
def said_as_runtime_error(uri: object) -> Iterator[None]:
    """Turn what rosbags raises for bags that are damaged or not there into RuntimeError."""
    try:
        need_rosbags()
        from rosbags.rosbag2 import ReaderError, WriterError, reader

        unpacking = getattr(getattr(reader, "zstd", None), "ZstdError", ReaderError)
        try:
            yield
        except (ReaderError, WriterError, unpacking, *FAULTS) as error:
            raise RuntimeError(f"the bag {uri}: {error}") from error
    except ToolError as error:
        raise RuntimeError(str(error)) from error


def check_storage(options: StorageOptions) -> None:
    """Raise RuntimeError for options that name no place or a storage that is not known."""
    if not str(options.uri):
        raise RuntimeError("the URI of the bag is empty; give the path of its folder")
    if options.storage_id not in ("", *STORAGES):
        raise RuntimeError(f"no storage is called {options.storage_id!r}; there are {', '.join(STORAGES)}")


def open_reader(options: StorageOptions) -> Reader:
    """Return an open reader of a folder, or of the one file that is named.

    Raises:
        RuntimeError: no bag, a damaged one, or one in another storage than asked for.
    """
    check_storage(options)
    path = Path(options.uri)
    with said_as_runtime_error(path):
        reader = _open_file(path) if path.is_file() else open_bag(path)
    if options.storage_id and options.storage_id != (found := storage_of(path)):
        reader.close()
        raise RuntimeError(f"the bag {path} is kept in {found}, not in {options.storage_id}; leave storage_id empty")
    return reader


def _open_file(path: Path) -> Reader:
    from rosbags.rosbag2 import Reader, ReaderError

    try:
        reader = Reader(path)
        reader.open()
    except (ReaderError, *FAULTS) as error:
        raise RuntimeError(
            f"the file {path} cannot be read: {error}. If its recorder was killed, open its folder instead"
        ) from error
    return reader


def storage_of(path: Path) -> str:
    """Return in which storage an existing bag is."""
    if path.is_file():
        return STORAGES[path.suffix == ".db3"]
    return str(_written(path).get("storage_identifier", ""))


def _written(path: Path) -> dict[str, Any]:
    if path.is_file():
        return {"storage_identifier": storage_of(path), "relative_file_paths": [path.name]}
    with said_as_runtime_error(path):
        text = (path / METADATA).read_text(encoding="utf-8")
        return dict(yaml.safe_load(text)["rosbag2_bagfile_information"])


def metadata_of(reader: Reader, path: Path) -> BagMetadata:
    """Return what is known of an open bag."""
    written, folder = _written(path), path.parent if path.is_file() else path
    files = [folder / Path(name).name for name in written["relative_file_paths"]]
    start, duration = Time(nanoseconds=reader.start_time), Duration(nanoseconds=max(0, reader.duration - 1))
    known = written.get("files") or []
    return BagMetadata(
        version=written.get("version", BagMetadata().version),
        bag_size=sum(file.stat().st_size for file in files if file.exists()),
        storage_identifier=written["storage_identifier"],
        relative_file_paths=list(written["relative_file_paths"]),
        files=[_file(entry) for entry in known]
        or [FileInformation(file.name, start, duration, reader.message_count) for file in files[:1]],
        duration=duration,
        starting_time=start,
        message_count=reader.message_count,
        topics_with_message_count=[TopicInformation(topic_of(c), c.msgcount) for c in reader.connections],
        compression_format=written.get("compression_format") or "",
        compression_mode=(written.get("compression_mode") or "").upper(),
        custom_data=dict(written.get("custom_data") or {}),
        ros_distro=written.get("ros_distro") or "",
    )


def _file(entry: dict[str, Any]) -> FileInformation:
    return FileInformation(
        entry["path"],
        Time(nanoseconds=entry["starting_time"]["nanoseconds_since_epoch"]),
        Duration(nanoseconds=entry["duration"]["nanoseconds"]),
        entry["message_count"],
    )


def topic_of(connection: Any) -> TopicMetadata:
    extra = connection.ext
    return TopicMetadata(
        connection.id,
        connection.topic,
        connection.msgtype,
        extra.serialization_format,
        [from_bag(kept) for kept in extra.offered_qos_profiles],
        connection.digest,
    )
