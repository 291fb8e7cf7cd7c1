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

    Args:
        monotonic: [s].
    """

    def __init__(self, stream: Stream, monotonic: Callable[[], float]) -> None:
        self._stream, self._monotonic, self._buffer = stream, monotonic, bytearray()

    def flush(self) -> None:
        """Nothing to do: late answers are told by their number."""

    def write(self, data: bytes) -> int:
        self._stream.send(bytes(data))
        return 0

    def read(self, timeout: float | None = None) -> bytes | int:
        """Return the next frame; -1 when none came in time, as the SDK has it. Half a frame is kept for the next time.

        Raises:
            OSError: the stream is broken or out of step.
        """
        until = self._monotonic() + (ANSWER if timeout is None else timeout)
        while True:
            frame = take(self._buffer)
            if frame is not None and len(frame) < SHORTEST:
                raise OSError(f"a frame of {len(frame)} octets from the controller, at least {SHORTEST} are needed")
            if frame is not None:
                return frame
            if self._monotonic() > until:  # octets may come one by one
                return -1
            try:
                self._buffer += self._stream.receive(wait=True)
            except TimeoutError:
                return -1

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
    made.set_timeout(ANSWER)
    layer: Commands = made
    return layer
