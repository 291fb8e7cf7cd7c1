"""What a bus of servos can be asked, and what its replies mean, whatever protocol it speaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class Port(Protocol):
    """A serial line. `read` returns fewer octets than asked for when the line stays silent for its timeout."""

    def write(self, data: bytes, /) -> object: ...

    def read(self, size: int, /) -> bytes: ...

    def reset_input_buffer(self) -> object: ...

    def reopen(self) -> object:
        """Open the line again after it was lost; raises `OSError` while it cannot be opened."""
        ...

    def close(self) -> object: ...


class BusError(Exception):
    """A reply that did not come, came damaged, or says that the servo refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one servo measures.

    Attributes:
        position: [ticks], counted on over whole turns.
        velocity: [ticks/s].
        load: share of the largest torque it can give, -1..1.
        fault: the servo reports overload, heat, voltage or a broken sensor.
    """

    position: int
    velocity: float
    load: float
    fault: bool


class Bus(Protocol):
    """One serial bus. Everything that waits for a reply raises `BusError` when it does not come in order."""

    ticks_per_turn: int

    def reopen(self) -> None:
        """Open a line that was lost again. Raises `BusError`."""
        ...

    def ping(self, servo: int) -> None: ...

    def prepare(self, servo: int, *, forceful: bool = False, turns: bool = False) -> None:
        """Set the mode, torque off: `forceful` servos obey `limit`, `turns` lets positions go over many turns.

        Without `turns` the servo keeps the range that was set in it.
        """
        ...

    def torque(self, servos: Sequence[int], *, on: bool) -> None: ...

    def limit(self, servo: int, share: float) -> None:
        """Let a servo use at most this share of its torque, 0..1."""
        ...

    def read(self, servos: Sequence[int]) -> list[Reading]: ...

    def move(self, goals: dict[int, int]) -> None:
        """Send goal positions [ticks]; nothing is answered."""
        ...

    def close(self) -> None: ...
