"""Many small frames of one publisher as one, while it publishes faster than they can be sent one by one.

A flood begins when `BURST` frames have come at most `GAP` apart, so a message that comes alone, or with a few more,
goes at once. In a flood frames are held back until there are `MOST`, until anything else is sent or waited for, or
until the transport's own thread finds that none has left since it looked last, `LOOK` before; then the flood is over.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from robot.ros.transport.frame import BUNDLE, GID_SIZE, NEAR, PLAIN, SIZE, STAMP_TOP, Frame, FrameError, pack

BURST = 16  # frames in a row that go one by one
GAP = 50e-6  # [s] between two frames in a row
LOOK = 0.5e-3  # [s]
MOST = 32  # frames of a bundle
SMALL = 1024  # bytes of a frame in a bundle


class Flood:
    """What is held back. Its caller sees to it that one thread uses it at a time, but any may set `peers` to None.

    Attributes:
        peers: those of the publisher in flood, as the very list it always names; None when there is no flood.
        frames: in their order; there may be some left when the flood is over.
        row_of, row, last: to whom the last frame went, how many came in a row before it, and when it came.
    """

    __slots__ = ("_left", "_seen", "frames", "last", "peers", "row", "row_of")

    def __init__(self) -> None:
        self.peers: Sequence[str] | None = None
        self.frames: list[bytes | bytearray] = []
        self.row_of: Sequence[str] = ()
        self.last, self.row = 0.0, 0
        self._left = self._seen = 0

    def begins(self, peers: Sequence[str], now: float) -> bool:
        """Count a frame that comes now [s], when there is no flood; tell whether one begins with it."""
        self.row = self.row + 1 if peers is self.row_of and now - self.last < GAP else 0
        self.row_of, self.last = peers, now
        if self.row < BURST:
            return False
        self.peers = peers
        return True

    def take(self) -> tuple[bytes | bytearray, int]:
        """Return what is held back as one frame, and how many it is."""
        frames, self.frames = self.frames, []
        self._left += 1
        return (frames[0] if len(frames) == 1 else join(frames)), len(frames)

    def is_over(self) -> bool:
        """Tell whether nothing has left since this was asked last; then the flood is over."""
        if self._seen == self._left:
            self.peers, self.row = None, 0
            return True
        self._seen = self._left
        return False


def join(frames: Sequence[bytes | bytearray]) -> bytes:
    """Pack frames of one publisher as one: how many bytes each has, then the frames."""
    count = len(frames)
    header = pack(Frame(BUNDLE, bytes(frames[0][:GID_SIZE]), count))
    return b"".join((header, struct.pack(f"<{count}I", *map(len, frames)), *frames))


def split(data: bytes) -> list[bytes]:
    """Return the frames that were packed as one; raises FrameError."""
    gid, count = data[:GID_SIZE], int.from_bytes(data[GID_SIZE : GID_SIZE + 8], "little")
    start = SIZE + 4 * count
    if not 0 < count <= len(data):
        raise FrameError(f"a bundle of {count} frames in {len(data)} bytes")
    try:
        lengths = struct.unpack_from(f"<{count}I", data, SIZE)
    except struct.error as error:
        raise FrameError(f"a bundle that is cut off: {error}") from error
    frames = []
    for length in lengths:
        frame = data[start : start + length]
        start += length
        if not frame.startswith(gid) or frame[STAMP_TOP + 1 : SIZE] != PLAIN or frame[STAMP_TOP] > NEAR:
            raise FrameError(f"a bundle of {gid.hex()} that holds something else")
        frames.append(frame)
    if start != len(data):
        raise FrameError(f"a bundle of {start} bytes in {len(data)}")
    return frames
