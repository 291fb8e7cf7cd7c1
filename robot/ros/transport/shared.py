"""Large payloads in shared memory: written once, read in place, by as many contexts as want them.

A ring is an anonymous file (memfd) of equal slots, so nothing is left behind when processes are killed. Readers open it
through /proc/<pid>/fd. The writer (`ring`) uses a slot again only when every reader it was announced to has given it
back; each reader gives back by writing the slot's sequence number into its own column of the control page, so no cell
has two writers. A reader that lags misses messages; it never sees one change under its eyes.
"""

from __future__ import annotations

import mmap
import os
import struct
import weakref
from pathlib import Path
from typing import Any

import numpy as np

from robot.ros.transport.frame import Buffer

THRESHOLD = 64 * 1024  # bytes; smaller payloads go through the socket
SLOTS = 32
COLUMNS = 30
CONTROL = 8192  # bytes: the current sequence of each slot, then a column per reader
HELD_MAX = 8  # slots a reader keeps in place; beyond, it copies
LAG_MAX = HELD_MAX + 4  # slots a reader may owe before it misses messages

DESCRIPTOR = struct.Struct("<IIQIIQQQQ")  # pid, fd, inode, column, slot, sequence, slot size, offset in it, length


class SharedMemoryError(ValueError):
    """A descriptor that leads nowhere, or to something else than it says."""


class Hold(weakref.ref[Any]):
    """Watches the array that all views of a slot hold on to; whoever keeps this is told when the last one is gone."""

    __slots__ = ("cell", "control", "holds", "sequence", "slot")
    slot: int
    control: memoryview
    cell: int
    sequence: int
    holds: dict[int, Hold]


def _give_back(hold: Hold) -> None:
    hold.holds.pop(hold.cell, None)
    hold.control[hold.cell] = hold.sequence


class _Mapping:
    """The reader's side of one memfd."""

    def __init__(self, pid: int, fd: int, inode: int, slot_size: int) -> None:
        try:
            handle = os.open(f"/proc/{pid}/fd/{fd}", os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise SharedMemoryError(f"cannot open shared memory of process {pid}: {error}") from error
        try:
            status = os.fstat(handle)
            size = CONTROL + SLOTS * slot_size
            if status.st_ino != inode or status.st_size != size:
                raise SharedMemoryError(f"process {pid}, descriptor {fd}: not the announced ring")
            self.data = np.frombuffer(mmap.mmap(handle, size, prot=mmap.PROT_READ), np.uint8)
            self.control = memoryview(mmap.mmap(handle, CONTROL)).cast("Q")
        finally:
            os.close(handle)
        self.slot_size = slot_size
        self.holds: dict[int, Hold] = {}
        self._ring = Path(f"/proc/{pid}/fd/{fd}"), inode

    def is_there(self) -> bool:
        """Tell whether the owner still has the ring."""
        path, inode = self._ring
        try:
            return path.stat().st_ino == inode
        except OSError:
            return False


class Reader:
    """The rings of others that this context has mapped."""

    def __init__(self) -> None:
        self._mappings: dict[tuple[str, int], _Mapping] = {}

    def get(self, peer: str, descriptor: Buffer) -> memoryview:
        """Return a payload in place; its slot is given back when the last view of it is gone.

        Raises:
            SharedMemoryError: the descriptor is damaged, its owner gone or its slot used again.
        """
        if len(descriptor) != DESCRIPTOR.size:
            raise SharedMemoryError(f"expected a descriptor of {DESCRIPTOR.size} bytes, got {len(descriptor)}")
        pid, fd, inode, column, slot, sequence, slot_size, offset, length = DESCRIPTOR.unpack(descriptor)
        end = offset + length
        if slot >= SLOTS or column >= COLUMNS or end > slot_size:
            raise SharedMemoryError(
                f"slot {slot}, column {column}, {length} bytes from {offset} of {slot_size}: out of bounds"
            )
        mapping = self._mappings.get((peer, inode))
        if mapping is None:
            mapping = self._mappings[peer, inode] = _Mapping(pid, fd, inode, slot_size)
        elif mapping.slot_size != slot_size:
            raise SharedMemoryError(f"a slot of {slot_size} bytes in a ring of slots of {mapping.slot_size}")
        control = mapping.control
        if control[slot] != sequence:
            raise SharedMemoryError(f"slot {slot} holds message {control[slot]}, {sequence} was announced")
        begins, cell, holds = CONTROL + slot * slot_size, SLOTS * (1 + column) + slot, mapping.holds
        view = mapping.data[begins + offset : begins + end]
        if len(holds) >= HELD_MAX:
            copy = view.tobytes()
            control[cell] = sequence
            return memoryview(copy)
        hold = holds[cell] = Hold(view, _give_back)
        hold.control, hold.cell, hold.sequence, hold.holds = control, cell, sequence, holds
        return view.data

    def forget(self, peer: str) -> None:
        """Unmap the rings of a peer that has gone, and those of unnamed owners that are there no more."""
        for key, mapping in list(self._mappings.items()):
            if key[0] == peer or (not key[0] and not mapping.is_there()):
                del self._mappings[key]

    def close(self) -> None:
        self._mappings.clear()
