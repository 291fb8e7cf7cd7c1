"""End a bag whose recorder was killed: all up to its last whole chunk is kept.

A recorder writes out a chunk every second and holds a lock on the file, so that nobody ends a bag that is being made.
Recorders of others hold none: a file that some process has open for writing, or that was written a moment ago, is left
alone. What was torn is kept beside the bag, with `.torn` behind its name.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shutil
import struct
import tempfile
import time
from itertools import count
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
QUIET_S = 5.0  # since a file was last written; a recorder that is not seen in /proc may still be at work before
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


def is_being_written(path: Path) -> bool:
    """Tell whether a process of this user has a file open for writing."""
    file = path.stat()
    for folder in Path("/proc").glob("[0-9]*/fd"):
        with contextlib.suppress(OSError):  # another user's, or it has ended
            if any(_writes(handle, file) for handle in folder.iterdir()):
                return True
    return False


def _writes(handle: Path, file: os.stat_result) -> bool:
    try:
        if not os.path.samestat(handle.stat(), file):
            return False
        text = (handle.parents[1] / "fdinfo" / handle.name).read_text(encoding="ascii")
    except OSError:  # it was closed meanwhile
        return False
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return int(fields["flags"], 8) & os.O_ACCMODE != os.O_RDONLY


def finish(path: Path) -> None:
    """Write a bag's index and metadata anew from what is in its file, which is kept under another name.

    Raises:
        ToolError: it is being recorded, cannot be read, or its folder cannot be written.
    """
    path = path.resolve()
    try:
        with path.open("rb") as torn, tempfile.TemporaryDirectory(dir=path.parent.parent) as name:
            _refuse_if_recorded(path, torn)
            made = Path(name) / path.parent.name
            kept = _rewrite(path, torn, Path(name) / "whole.mcap", made)
            backup = _free_name(path)
            path.rename(backup)
            (made / f"{made.name}.mcap").replace(path.parent / f"{made.name}.mcap")  # as its metadata call it
            (made / "metadata.yaml").replace(path.parent / "metadata.yaml")
            log.warning("%s was not ended: kept %d messages, and the file as it was in %s", path, kept, backup.name)
    except OSError as error:
        raise ToolError(f"{path} was not ended, and cannot be here: {error}") from error


def _refuse_if_recorded(path: Path, torn: BinaryIO) -> None:
    if not lock(torn) or is_being_written(path):
        raise ToolError(f"{path} is being recorded")
    age = time.time() - path.stat().st_mtime
    if abs(age) < QUIET_S:
        raise ToolError(
            f"{path} may still be being recorded: it was written {age:.1f} s ago. Try again after {QUIET_S:.0f} s"
        )


def _free_name(path: Path) -> Path:
    names = (path.with_name(f"{path.name}.torn{number or ''}") for number in count())
    return next(name for name in names if not name.exists())


def _rewrite(path: Path, torn: BinaryIO, whole: Path, made: Path) -> int:
    """Copy what is whole of a torn file to `whole`, and its messages to a new bag `made`; return how many these are."""
    from rosbags.rosbag2 import ReaderError, StoragePlugin, Writer
    from rosbags.rosbag2.storage_mcap import McapReader

    end = last_whole_record(torn)
    torn.seek(0)
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
    except (ReaderError, InterfaceError, ValueError) as error:
        raise ToolError(f"{path} cannot be read: {error}") from error
    return sum(writer.counts.values())


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
