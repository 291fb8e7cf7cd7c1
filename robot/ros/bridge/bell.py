"""Something to poll beside sockets, that any thread and any signal handler may ring."""

from __future__ import annotations

import contextlib
import os


class Bell:
    """An eventfd that stays open for as long as somebody has this object: a late ring never hits another file."""

    __slots__ = ("fd",)

    def __init__(self) -> None:
        self.fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def ring(self) -> None:
        os.eventfd_write(self.fd, 1)

    def silence(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self.fd)

    def __del__(self) -> None:
        if hasattr(self, "fd"):
            os.close(self.fd)
