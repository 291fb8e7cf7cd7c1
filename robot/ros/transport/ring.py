"""The writer's side of shared memory: rings of slots that payloads are copied into, or written in by who borrows one.

A slot is used again when every reader it was announced to has given it back and no view that was lent of it is left.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
from collections import deque
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from robot.ros.transport.frame import Buffer, Split
from robot.ros.transport.shared import COLUMNS, CONTROL, DESCRIPTOR, LAG_MAX, SLOTS, THRESHOLD, Hold

HEAD_ROOM = 4096  # bytes before the octets of a borrowed slot, for what precedes them in the message
LENT_MAX = SLOTS // 2  # slots of a ring on loan at a time


class Loan(Split):
    """A payload whose tail lies in shared memory already; its head is put before that when it is sent.

    Attributes:
        octets: the borrowed memory. The slot is lent for as long as this, or a view of it, is held by anybody.
    """

    __slots__ = ("octets", "ring", "slot")

    def __init__(self, ring: Ring, slot: int, octets: npt.NDArray[np.uint8]) -> None:
        self.head, self.tail, self._whole = b"", octets.data, None
        self.ring, self.slot, self.octets = ring, slot, octets


class Ring:
    """The writer's side of one memfd."""

    def __init__(self, slot_size: int) -> None:
        self.slot_size = slot_size
        size = CONTROL + SLOTS * slot_size
        self.fd = os.memfd_create("berrybrain-ring", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.fd, size)
        fcntl.fcntl(self.fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        self.inode = os.fstat(self.fd).st_ino
        self._pid = os.getpid()
        self._map = mmap.mmap(self.fd, size)
        self._control = memoryview(self._map)[:CONTROL].cast("Q")
        self._columns: dict[str, int] = {}
        self._free = list(range(SLOTS - 1, -1, -1))  # the one used last is on top, its memory still in the cache
        self._owed: dict[int, int] = {}  # how many readers have yet to give a slot back
        self._debts: dict[str, deque[tuple[int, int]]] = {}  # which those are, and the number a reader writes to do so
        self._lent: dict[int, Hold] = {}
        self._unlent: deque[int] = deque()  # filled by whatever thread drops the last view
        self._sequence = 0

    def _reclaim(self, *, all_: bool = False) -> None:
        """Free the slots that readers have given back: those in the order of their numbers, or really all."""
        while self._unlent:
            slot = self._unlent.popleft()
            del self._lent[slot]
            if slot not in self._owed:
                self._free.append(slot)
        control = self._control
        for peer, debts in self._debts.items():
            cells = SLOTS * (1 + self._columns[peer])
            while debts:
                slot, number = debts[0]
                if control[cells + slot] < number:
                    break
                debts.popleft()
                self._settle(slot)
            if all_:
                for _ in range(len(debts)):
                    slot, number = debts.popleft()
                    if control[cells + slot] >= number:
                        self._settle(slot)
                    else:
                        debts.append((slot, number))

    def _settle(self, slot: int) -> None:
        """One of the readers that a slot was announced to has given it back."""
        left = self._owed.pop(slot) - 1
        if left:
            self._owed[slot] = left
        elif slot not in self._lent:
            self._free.append(slot)

    def _takers(self, peers: Iterable[str]) -> list[str]:
        """List those peers that have a column and are not behind."""
        takers = []
        for peer in peers:
            debts = self._debts.get(peer)
            if debts is None:
                free = set(range(COLUMNS)) - set(self._columns.values())
                if not free:
                    continue
                self._columns[peer] = min(free)
                debts = self._debts[peer] = deque()
            if len(debts) >= LAG_MAX:
                self._reclaim(all_=True)
            if len(debts) < LAG_MAX:
                takers.append(peer)
        return takers

    def forget(self, peer: str) -> None:
        """A reader is gone: its slots are free and its column may serve another."""
        self._reclaim()
        column = self._columns.pop(peer, None)
        if column is not None:
            for slot, _ in self._debts.pop(peer):
                self._settle(slot)
            for slot in range(SLOTS):
                self._control[SLOTS * (1 + column) + slot] = 0

    def lend(self, size: int) -> Loan | None:
        """Lend a slot for octets of this size; None when too many are lent or held by readers."""
        self._reclaim()
        if not self._free:
            self._reclaim(all_=True)
        if len(self._lent) >= LENT_MAX or not self._free:
            return None
        slot = self._free.pop()
        self._control[slot] = 0
        octets = np.frombuffer(self._map, np.uint8, size, CONTROL + slot * self.slot_size + HEAD_ROOM)
        unlent = self._unlent
        hold = self._lent[slot] = Hold(octets, lambda hold: unlent.append(hold.slot))
        hold.slot = slot
        return Loan(self, slot, octets)

    def put(self, payload: Buffer | Split, peers: Iterable[str]) -> dict[str, bytes]:
        """Write a payload and return the descriptors for those peers that can take it."""
        if isinstance(payload, Loan):  # the slots that came back were looked for when it was lent
            if not (takers := self._takers(peers)):
                return {}
            slot, head = payload.slot, payload.head
            start = CONTROL + slot * self.slot_size + HEAD_ROOM
            self._map[start - len(head) : start] = head
            return self._announce(slot, HEAD_ROOM - len(head), len(head) + payload.octets.size, takers)
        self._reclaim(all_=len(self._free) <= 1)
        takers = self._takers(peers)
        if not (takers and self._free):
            return {}
        slot = self._free.pop()
        self._control[slot] = 0
        start = CONTROL + slot * self.slot_size
        for piece in (payload.head, payload.tail) if isinstance(payload, Split) else (payload,):
            self._map[start : start + len(piece)] = piece
            start += len(piece)
        return self._announce(slot, 0, len(payload), takers)

    def _announce(self, slot: int, offset: int, length: int, takers: list[str]) -> dict[str, bytes]:
        self._sequence += 1
        number = self._control[slot] = self._sequence
        self._owed[slot] = len(takers)
        descriptors = {}
        for peer in takers:
            self._debts[peer].append((slot, number))
            descriptors[peer] = DESCRIPTOR.pack(
                self._pid, self.fd, self.inode, self._columns[peer], slot, number, self.slot_size, offset, length
            )
        return descriptors

    def take_back(self, peer: str) -> None:
        """The latest descriptor for a peer did not reach it."""
        if self._debts[peer]:
            self._settle(self._debts[peer].pop()[0])

    def close(self) -> None:
        self._control.release()
        with contextlib.suppress(BufferError):  # somebody has borrowed a slot: the last view of it unmaps the ring
            self._map.close()
        os.close(self.fd)


def _slot_size(length: int) -> int:
    return 1 << (max(length, THRESHOLD) - 1).bit_length()


class Writer:
    """All rings of one context, one per size: powers of two from the threshold up."""

    def __init__(self) -> None:
        self._rings: dict[int, Ring] = {}
        self._latest: Ring | None = None

    def _ring(self, length: int) -> Ring:
        ring = self._latest
        if ring is not None and ring.slot_size // 2 < length <= ring.slot_size:  # nearly always the same size
            return ring
        size = _slot_size(length)
        ring = self._rings.get(size)
        if ring is None:
            ring = self._rings[size] = Ring(size)
        return ring

    def lend(self, size: int) -> Loan | None:
        """Lend memory for the octets of a message; None when too much is lent or held by readers."""
        return self._ring(HEAD_ROOM + size).lend(size)

    def put(self, payload: Buffer | Split, peers: Iterable[str]) -> dict[str, bytes]:
        """Write a payload, unless it is a loan, and return the descriptors for those peers that can take it."""
        self._latest = payload.ring if isinstance(payload, Loan) else self._ring(len(payload))
        return self._latest.put(payload, peers)

    def take_back(self, peer: str) -> None:
        """The descriptor of what was put last did not reach a peer."""
        if self._latest is not None:
            self._latest.take_back(peer)

    def forget(self, peer: str) -> None:
        for ring in self._rings.values():
            ring.forget(peer)

    def close(self) -> None:
        for ring in self._rings.values():
            ring.close()
        self._rings.clear()
        self._latest = None
