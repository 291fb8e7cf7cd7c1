"""How encoded messages travel: a transport carries frames between contexts and runs a context's callbacks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from robot.ros.graph import Endpoint
from robot.ros.scheduler import Scheduler
from robot.ros.transport.frame import Buffer, Frame, Split

if TYPE_CHECKING:
    from robot.ros.transport.ring import Loan


class Receiver(Protocol):
    """What a transport tells its context.

    Attributes:
        takers: by the gid of a remote publisher, who takes its frames of DATA whole. A frame of one that is not there
            goes to `on_frame`, which may add it.
        hearers: the same, who takes its frames of DATA one by one, read: frame, payload, peer.
    """

    @property
    def takers(self) -> dict[bytes, list[Callable[[Sequence[bytes]], None]]]: ...

    @property
    def hearers(self) -> dict[bytes, list[Callable[[Frame, Buffer, str], None]]]: ...

    def on_peer(self, peer: str, endpoints: Iterable[Endpoint]) -> None:
        """A peer announced all its endpoints; the announcement replaces its last one."""

    def on_peer_lost(self, peer: str) -> None: ...

    def on_frame(self, peer: str, frame: Frame, payload: Buffer) -> None: ...

    def announced(self) -> list[Endpoint]:
        """All local endpoints, as peers should see them."""
        ...


class Transport(Protocol):
    """Carry frames to other contexts.

    Attributes:
        scheduler: clock and queue of the context.
        prefix: 8 bytes that make identifiers unique in the domain.
        external: something outside runs the scheduler; no executor spins.
        handing_over: the thread on which `poll` hands over what came or is due, and returns then; 0 = none.
    """

    scheduler: Scheduler
    prefix: bytes
    external: bool
    closed: bool
    handing_over: int

    def open(self, receiver: Receiver) -> None: ...

    def changed(self) -> None:
        """The local endpoints changed: announce them before any further frame."""

    def send(self, peers: Sequence[str], frame: Frame, payload: Buffer | Split, keep: Collection[str] = ()) -> None:
        """Send a frame to peers. Those in `keep` get DATA even where others that are as far behind would miss it."""

    def send_whole(self, peers: Sequence[str], data: bytes | bytearray) -> None:
        """Send a frame of DATA that is packed already and not large.

        Args:
            peers: the same list for all of a publisher's frames, as long as they go to the same peers.
        """

    def hold(self, peers: Sequence[str], data: bytes | bytearray) -> bool:
        """Do as `send_whole`, at once, or very soon where many follow each other; False: something is to be done first.

        The caller then looks at the transport if it `is_stale`, and sends the frame.
        """
        ...

    def lend(self, size: int) -> Loan | None:
        """Lend shared memory for the octets [B] of a message; None when there is none, or none left."""

    def poll(self, timeout: float | None, waiting: int = 0) -> None:
        """Take in what arrived and what is due, waiting at most `timeout` seconds (None: for ever) for the first.

        Does nothing when the transport is driven from outside.

        Args:
            waiting: messages that were taken in and wait for their callbacks; so many fewer are taken in now.
        """

    def until_due(self) -> float | None:
        """Return the seconds until something posted is due, None when nothing is."""
        ...

    def take_in(self) -> bool:
        """Take in what has arrived and run nothing that is due; no effect while another thread polls.

        Returns:
            Whether anything had arrived.
        """
        ...

    def is_stale(self) -> bool:
        """Tell whether nobody has polled for a while."""
        ...

    def wake(self) -> None:
        """End a `poll` that waits; callable from any thread and from signal handlers."""

    def close(self) -> None: ...
