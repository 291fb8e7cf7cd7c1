"""What a system refuses the control loop is told with the way to permit it, and the loop runs all the same."""

from __future__ import annotations

import ctypes
import errno
import gc
import os
from collections.abc import Iterator
from typing import Any

import pytest

from robot.loop import bench
from robot.loop.realtime import lock_memory, real_time_class


class Libc:
    """A C library that locks no memory; it sleeps as the real one does."""

    def __init__(self, real: Any) -> None:
        self.clock_nanosleep = real.clock_nanosleep

    def mlockall(self, _: int) -> int:
        ctypes.set_errno(errno.ENOMEM)
        return -1


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def forbidden(*_: Any) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    libc = Libc(ctypes.CDLL(None, use_errno=True))
    monkeypatch.setattr(os, "sched_setscheduler", forbidden)
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: libc)
    yield
    gc.enable()
    gc.unfreeze()


@pytest.mark.usefixtures("strict")
def test_what_is_refused_is_told_with_the_way_to_permit_it() -> None:
    assert "Operation not permitted" in real_time_class()
    assert "LimitRTPRIO" in real_time_class()
    assert "Cannot allocate memory" in lock_memory()
    assert "LimitMEMLOCK" in lock_memory()


@pytest.mark.usefixtures("strict")
def test_the_loop_runs_without_what_is_refused_and_its_figures_say_so() -> None:
    found = bench.measure(0.8, 50.0)
    assert (found["scheduler"], found["memory_locked"]) == ("SCHED_OTHER", False)
    assert len(found["refused"]) == 2
    assert found["ticks"] > 0
