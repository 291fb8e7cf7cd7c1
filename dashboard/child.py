"""Bind this process to its parent's life, then become another program: `python -m dashboard.child PARENT program …`.

The kernel sends SIGKILL when the parent dies, however it dies (prctl(2), PR_SET_PDEATHSIG). The setting survives exec,
but not a change of user; for programs that change user the reaper is the second net.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def bind_to_parent(parent: int) -> None:
    """Ask the kernel to kill this process when `parent` dies; leave at once when it is dead already.

    Raises:
        OSError: the kernel refused.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        os._exit(0)


def main() -> None:
    """Become the program that the arguments name."""
    if len(sys.argv) < 3:
        sys.exit("usage: python -m dashboard.child PARENT_PID PROGRAM [ARGUMENT …]")
    bind_to_parent(int(sys.argv[1]))
    try:
        os.execvp(sys.argv[2], sys.argv[2:])
    except OSError as error:
        sys.exit(f"cannot run {sys.argv[2]}: {error.strerror}")


if __name__ == "__main__":
    main()
