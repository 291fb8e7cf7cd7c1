"""What the operating system can give a control loop: a real-time class, locked memory, sleep to an absolute instant."""

from __future__ import annotations

import ctypes
import gc
import os

PRIORITY = 80
"""Of SCHED_FIFO, 1-99; above interrupt threads (50), below the kernel's own watchdogs (99)."""

MCL_CURRENT, MCL_FUTURE = 1, 2
CLOCK_MONOTONIC, TIMER_ABSTIME = 1, 1


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


def real_time_class(priority: int = PRIORITY) -> str:
    """Put this process into SCHED_FIFO; return why not, or an empty text."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
    except OSError as error:
        return (
            f"not in the real-time class SCHED_FIFO ({error.strerror}): ticks will come late on a busy machine; "
            "permit it with LimitRTPRIO=90 in the service, or as root: setcap cap_sys_nice+ep on the interpreter"
        )
    return ""


def helper_class() -> None:
    """Put the calling thread below the loop's, but not back among everybody else.

    Python's threads share one lock: a helper that others keep from running while it holds that lock holds up the loop.
    In the real-time class it runs on and gives the lock up when it is asked to.
    """
    if os.sched_getscheduler(0) == os.SCHED_FIFO:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def lock_memory() -> str:
    """Keep this process's memory, present and future, from being paged out; return why not, or an empty text."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(MCL_CURRENT | MCL_FUTURE) == 0:
        return ""
    why = os.strerror(ctypes.get_errno())
    return f"memory is not locked ({why}): a page fault may hold up a tick; permit it with LimitMEMLOCK=infinity"


def no_collections() -> None:
    """Collect garbage once and then never again; what the loop makes is freed by counting."""
    gc.collect()
    gc.freeze()
    gc.disable()


class AbsoluteSleep:
    """Sleeps to an instant of the monotonic clock without drifting; one structure, allocated once."""

    def __init__(self) -> None:
        self._sleep = ctypes.CDLL(None, use_errno=True).clock_nanosleep
        self._until = _Timespec(0, 0)
        self._pointer = ctypes.byref(self._until)

    def until(self, nanoseconds: int) -> None:
        """Return at that instant of `time.monotonic_ns`, or at once when it has passed."""
        self._until.seconds, self._until.nanoseconds = divmod(nanoseconds, 1_000_000_000)
        while self._sleep(CLOCK_MONOTONIC, TIMER_ABSTIME, self._pointer, None) == 4:  # EINTR: a signal came
            pass
