"""End a bag whose recorder was killed: all up to its last whole chunk is kept.

A recorder writes out a chunk every second and holds a lock on the file, so that nobody ends a bag that is being made.
"""

from __future__ import annotations

import fcntl
import logging
import shutil
import struct
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from robot.ros.idl import InterfaceError
from robot.ros.interfaces import registry
from robot.ros.tools.session import ToolError

if TYPE_CHECKING:
    from rosbags.interfaces import Connection

log = logging.getLogger(__name__)

MAGIC = b"\x89MCAP0\r\n"
RECORD = struct.Struct("<BQ")  # kind and length of what follows (mcap.dev/spec, "Records")
FOOTER, DATA_END = 0x02, 0x0F
WITHOUT_SUMMARY = RECORD.pack(FOOTER, 20) + bytes(20) + MAGIC


def lock(file: BinaryIO) -> bool:
    """Take the lock of a bag that is being made, for as long as the file is open; False when another has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def unfinished(folder: Path) -> Path | None:
    """Return the file of a bag that was never ended, None when there is none."""
    files = sorted(folder.glob("*.mcap")) if folder.is_dir() else []
    return files[0] if len(files) == 1 and not (folder / "metadata.yaml").exists() else None


def last_whole_record(file: BinaryIO) -> int:
    """Return where the last record of an MCAP file ends that is there to its end.

    Raises:
        ToolError: it is no such file.
    """
    size = file.seek(0, 2)
    file.seek(0)
    if file.read(len(MAGIC)) != MAGIC:
        raise ToolError("not an MCAP file")
    end = len(MAGIC)
    while end + RECORD.size <= size:
        file.seek(end)
        kind, length = RECORD.unpack(file.read(RECORD.size))
        if kind in (DATA_END, FOOTER) or end + RECORD.size + length > size:
            break
        end += RECORD.size + length
    return end


def finish(path: Path) -> None:
    """Write a bag's index and metadata anew from what is in its file.

    Raises:
        ToolError: it is being recorded, or cannot be read.
    """
    from rosbags.rosbag2 import ReaderError, StoragePlugin, Writer
    from rosbags.rosbag2.storage_mcap import McapReader

    with path.open("rb") as torn, tempfile.TemporaryDirectory(dir=path.parent.parent) as name:
        if not lock(torn):
            raise ToolError(f"{path} is being recorded")
        end = last_whole_record(torn)
        torn.seek(0)
        whole, made = Path(name) / "whole.mcap", Path(name) / path.parent.name
        with whole.open("wb") as copy:
            shutil.copyfileobj(torn, copy)
            copy.truncate(end)
            copy.seek(end)
            copy.write(WITHOUT_SUMMARY)
        reader = McapReader(whole)
        try:
            reader.open()
            writer = Writer(made, version=9, storage_plugin=StoragePlugin.MCAP)
            writer.open()
            connections = {c.id: _same_in(writer, c) for c in reader.connections}
            for connection, stamp, data in reader.messages_scan(reader.connections):
                writer.write(connections[connection.id], stamp, data)
            writer.close()
            log.warning("%s was not ended: kept %d messages", path, sum(writer.counts.values()))
        except (ReaderError, InterfaceError, OSError, ValueError) as error:
            raise ToolError(f"{path} cannot be read: {error}") from error
        (made / f"{made.name}.mcap").replace(path)
        (made / "metadata.yaml").replace(path.parent / "metadata.yaml")


def _same_in(writer: Any, connection: Connection) -> Any:
    if not registry.has(connection.msgtype.split("/")[0]):
        registry.define(connection.msgtype, connection.msgdef.data)
    return writer.add_connection(
        connection.topic,
        connection.msgtype,
        msgdef=connection.msgdef.data,
        rihs01=registry.hash(connection.msgtype),
        offered_qos_profiles=connection.ext.offered_qos_profiles,
    )
