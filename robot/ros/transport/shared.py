"""Large payloads in shared memory: written once, read in place, by as many contexts as want them.

A ring is an anonymous file (memfd) of equal slots, so nothing is left behind when processes are killed. Readers open it
through /proc/<pid>/fd. The writer uses a slot again only when every reader it was announced to has given it back; each
reader gives back by writing the slot's sequence number into its own column of the control page, so no cell has two
writers. A reader that lags misses messages; it never sees one change under its eyes.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from robot.ros.transport.frame import Buffer, Split

THRESHOLD = 64 * 1024  # bytes; smaller payloads go through the socket
SLOTS = 16
COLUMNS = 30
CONTROL = 4096  # bytes: the current sequence of each slot, then a column per reader
HELD_MAX = 3  # slots a reader keeps in place; beyond, it copies
LAG_MAX = HELD_MAX + 4  # slots a reader may owe before it misses messages

_DESCRIPTOR = struct.Struct("<IIQIIQQQ")  # pid, fd, inode, column, slot, sequence, slot size, length


class SharedMemoryError(ValueError):
    """A descriptor that leads nowhere, or to something else than it says."""


class _Ring:
    """The writer's side of one memfd."""

    def __init__(self, slot_size: int) -> None:
        self.slot_size = slot_size
        size = CONTROL + SLOTS * slot_size
        self.fd = os.memfd_create("berrybrain-ring", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.fd, size)
        fcntl.fcntl(self.fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        self.inode = os.fstat(self.fd).st_ino
        self._map = mmap.mmap(self.fd, size)
        self._control = memoryview(self._map)[:CONTROL].cast("Q")
        self._columns: dict[str, int] = {}
        self._announced: list[dict[str, int]] = [{} for _ in range(SLOTS)]
        self._sequence = 0
        self._latest = 0

    def _owed(self, slot: int) -> dict[str, int]:
        announced = self._announced[slot]
        for peer in list(announced):
            if self._control[SLOTS * (1 + self._columns[peer]) + slot] >= announced[peer]:
                del announced[peer]
        return announced

    def forget(self, peer: str) -> None:
        """A reader is gone: its slots are free and its column may serve another."""
        column = self._columns.pop(peer, None)
        if column is not None:
            for announced in self._announced:
                announced.pop(peer, None)
            for slot in range(SLOTS):
                self._control[SLOTS * (1 + column) + slot] = 0

    def put(self, payload: Buffer | Split, peers: Iterable[str]) -> dict[str, bytes]:
        """Write a payload and return the descriptors for those peers that can take it."""
        owed = [self._owed(slot) for slot in range(SLOTS)]
        slot = next((slot for slot in range(SLOTS) if not owed[slot]), None)
        if slot is None:
            return {}
        takers = []
        for peer in peers:
            if peer not in self._columns:
                free = set(range(COLUMNS)) - set(self._columns.values())
                if not free:
                    continue
                self._columns[peer] = min(free)
            if sum(peer in debt for debt in owed) < LAG_MAX:
                takers.append(peer)
        if not takers:
            return {}
        self._sequence += 1
        start = CONTROL + slot * self.slot_size
        self._control[slot] = 0
        pieces = (payload.head, payload.tail) if isinstance(payload, Split) else (payload,)
        for piece in pieces:
            self._map[start : start + len(piece)] = piece
            start += len(piece)
        self._control[slot] = self._sequence
        self._announced[slot] = dict.fromkeys(takers, self._sequence)
        self._latest = slot
        return {
            peer: _DESCRIPTOR.pack(
                os.getpid(),
                self.fd,
                self.inode,
                self._columns[peer],
                slot,
                self._sequence,
                self.slot_size,
                len(payload),
            )
            for peer in takers
        }

    def take_back(self, peer: str) -> None:
        """The latest descriptor did not reach a peer."""
        self._announced[self._latest].pop(peer, None)

    def close(self) -> None:
        self._control.release()
        self._map.close()
        os.close(self.fd)


def _slot_size(payload: Buffer | Split) -> int:
    return 1 << (max(len(payload), THRESHOLD) - 1).bit_length()


class Writer:
    """All rings of one context, one per size: powers of two from the threshold up."""

    def __init__(self) -> None:
        self._rings: dict[int, _Ring] = {}

    def put(self, payload: Buffer | Split, peers: Iterable[str]) -> dict[str, bytes]:
        size = _slot_size(payload)
        ring = self._rings.get(size)
        if ring is None:
            ring = self._rings[size] = _Ring(size)
        return ring.put(payload, peers)

    def take_back(self, payload: Buffer | Split, peer: str) -> None:
        """The descriptor of the payload that was put last did not reach a peer."""
        self._rings[_slot_size(payload)].take_back(peer)

    def forget(self, peer: str) -> None:
        for ring in self._rings.values():
            ring.forget(peer)

    def close(self) -> None:
        for ring in self._rings.values():
            ring.close()
        self._rings.clear()


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
            self.control: Any = np.frombuffer(mmap.mmap(handle, CONTROL), np.uint64)
        finally:
            os.close(handle)
        self.held = 0
        self._ring = Path(f"/proc/{pid}/fd/{fd}"), inode

    def is_there(self) -> bool:
        """Tell whether the owner still has the ring."""
        path, inode = self._ring
        try:
            return path.stat().st_ino == inode
        except OSError:
            return False

    def give_back(self, cell: int, sequence: int) -> None:
        self.held -= 1
        self.control[cell] = sequence


class Reader:
    """The rings of others that this context has mapped."""

    def __init__(self) -> None:
        self._mappings: dict[tuple[str, int], _Mapping] = {}

    def get(self, peer: str, descriptor: memoryview) -> memoryview:
        """Return a payload in place; its slot is given back when the last view of it is gone.

        Raises:
            SharedMemoryError: the descriptor is damaged, its owner gone or its slot used again.
        """
        if len(descriptor) != _DESCRIPTOR.size:
            raise SharedMemoryError(f"expected a descriptor of {_DESCRIPTOR.size} bytes, got {len(descriptor)}")
        pid, fd, inode, column, slot, sequence, slot_size, length = _DESCRIPTOR.unpack(descriptor)
        if slot >= SLOTS or column >= COLUMNS or length > slot_size:
            raise SharedMemoryError(f"slot {slot}, column {column}, length {length} of {slot_size}: out of bounds")
        mapping = self._mappings.get((peer, inode))
        if mapping is None:
            mapping = self._mappings[peer, inode] = _Mapping(pid, fd, inode, slot_size)
        if mapping.control[slot] != sequence:
            raise SharedMemoryError(f"slot {slot} holds message {mapping.control[slot]}, {sequence} was announced")
        start = CONTROL + slot * slot_size
        if start + length > mapping.data.size:
            raise SharedMemoryError(f"slot {slot} of {slot_size} bytes lies outside the ring")
        cell = SLOTS * (1 + column) + slot
        view = mapping.data[start : start + length]
        mapping.held += 1
        if mapping.held > HELD_MAX:
            copy = view.tobytes()
            mapping.give_back(cell, sequence)
            return memoryview(copy)
        owner = weakref.finalize(view, mapping.give_back, cell, sequence)
        owner.atexit = False
        return view.data

    def forget(self, peer: str) -> None:
        """Unmap the rings of a peer that has gone, and those of unnamed owners that are there no more."""
        for key, mapping in list(self._mappings.items()):
            if key[0] == peer or (not key[0] and not mapping.is_there()):
                del self._mappings[key]

    def close(self) -> None:
        self._mappings.clear()
