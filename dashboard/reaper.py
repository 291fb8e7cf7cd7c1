"""Outlive the supervisor to clean up after it: `python -m dashboard.reaper RUN_DIRECTORY`, with a pipe on stdin.

The pipe ends when the supervisor ends, even by kill -9; then every process of the run is killed and the run directory
removed.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from dashboard.rundir import clear


def main() -> None:
    """Wait for the end of stdin, then clear the run directory."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    run = Path(sys.argv[1])
    while os.read(sys.stdin.fileno(), 4096):
        pass
    clear(run)


if __name__ == "__main__":
    main()
