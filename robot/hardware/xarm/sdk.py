"""The maker's command layer on a connection of ours: no threads, no wait but for an answer."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from robot.hardware import HardwareError
from robot.hardware.ur.rtde import Stream

PORT = 502
ANSWER = 0.1
"""An answer takes about a millisecond; after this the controller counts as lost [s]."""

PATIENCE = 1.0
"""Of the SDK, by its own clock [s]. Longer than `ANSWER`, for which the port looks after itself: the SDK begins to
count before it looks whether an answer is there, and a process that others kept from running would lose an arm that
has answered."""

LENGTH_AT, HEAD = slice(4, 6), 6
LONGEST, SHORTEST = 512, HEAD + 2
OK, ERROR, WARNING, INVALID = 0, 1, 2, 10
"""The SDK's codes of an answer; beside an error or a warning at the controller it holds what was asked."""


class Commands(Protocol):
    """The part of `xarm.core.wrapper.UxbusCmdTcp` that is used. An answer is its code, then its values."""

    @property
    def state_is_ready(self) -> bool: ...

    def set_timeout(self, timeout: float) -> object: ...
    def get_version(self) -> list[int]: ...
    def get_joint_states(self, num: int) -> list[float]: ...
    def get_err_code(self) -> list[int]: ...
    def clean_err(self) -> list[int]: ...
    def clean_war(self) -> list[int]: ...
    def motion_en(self, axis_id: int, enable: bool) -> list[int]: ...
    def set_mode(self, mode: int) -> list[int]: ...
    def set_state(self, value: int) -> list[int]: ...
    def move_servoj(self, mvjoint: list[float], mvvelo: float, mvacc: float, mvtime: float) -> list[int]: ...


def take(buffer: bytearray) -> bytes | None:
    """Take the first whole frame off the buffer; None when there is none yet.

    A frame is a Modbus-TCP head (transaction, protocol 2, length of what follows; each uint16), a register, the
    controller's state and what it answers.

    Raises:
        OSError: the stream is out of step.
    """
    if len(buffer) < HEAD:
        return None
    length = int.from_bytes(buffer[LENGTH_AT], "big")
    if not 0 < length <= LONGEST:
        raise OSError(f"a frame of {length} octets from the controller")
    if len(buffer) < HEAD + length:
        return None
    frame = bytes(buffer[: HEAD + length])
    del buffer[: HEAD + length]
    return frame


class FramePort:
    """What the SDK's command layer asks of a port: whole frames out of a stream.

    What has come is taken however late it is; only then is it asked whether the time for an answer is over.

    Args:
        monotonic: [s].
    """

    def __init__(self, stream: Stream, monotonic: Callable[[], float]) -> None:
        self._stream, self._monotonic, self._buffer = stream, monotonic, bytearray()
        self._until, self._looked = float("inf"), False

    def flush(self) -> None:
        """Nothing to do: late answers are told by their number."""

    def write(self, data: bytes) -> int:
        self._stream.send(bytes(data))
        self._until, self._looked = self._monotonic() + ANSWER, False
        return 0

    def read(self, timeout: float | None = None) -> bytes:
        """Return the next frame. Half a frame is kept for the next time.

        Args:
            timeout: what is left of the SDK's own patience; not used.

        Raises:
            OSError: none came within `ANSWER` of the question, or the stream is broken or out of step.
        """
        while True:
            frame = take(self._buffer)
            if frame is not None and len(frame) < SHORTEST:
                raise OSError(f"a frame of {len(frame)} octets from the controller, at least {SHORTEST} are needed")
            if frame is not None:
                return frame
            if self._looked and self._monotonic() > self._until:  # octets may come one by one
                raise TimeoutError(f"no answer within {ANSWER} s")
            self._looked = True
            self._buffer += self._stream.receive(wait=True)

    def close(self) -> None:
        self._stream.close()


@contextlib.contextmanager
def other_home() -> Iterator[None]:
    """Let the SDK make the folder that it makes when it is imported, and never uses, where nobody minds."""
    home = os.environ.get("HOME")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HOME"] = folder
        try:
            yield
        finally:
            if home is None:
                del os.environ["HOME"]
            else:
                os.environ["HOME"] = home


def commands(port: FramePort) -> Commands:
    """Return the SDK's command layer on a port.

    Raises:
        HardwareError: the SDK is not installed.
    """
    try:
        # it greets when it is imported, and logs to what stdout is then
        with contextlib.redirect_stdout(sys.stderr), other_home():
            from xarm.core.wrapper import UxbusCmdTcp
    except (ImportError, OSError) as error:
        detail = f"the maker's SDK is missing ({error}); type: pip install 'berrybrain[xarm]'"
        raise HardwareError("hardware_not_configured", detail) from error
    made: Any = UxbusCmdTcp(port)
    made.set_timeout(PATIENCE)
    layer: Commands = made
    return layer
