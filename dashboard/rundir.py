"""The run directory of one demo: sockets, shared memory, clock, list of processes. Removing it leaves nothing behind.

It lies in memory (XDG_RUNTIME_DIR or /dev/shm), so that whatever a killed process leaves is removed with the folder.
The list of processes holds each one's start time, because a bare process id may belong to a stranger by the time it is
used.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import tempfile
from pathlib import Path

PREFIX = "berrybrain-"
OWNER = "owner.json"
PROCESSES = "processes.json"


def memory_folder() -> Path:
    """Return a folder in memory that this user may write to, else the folder for temporary files."""
    for candidate in (os.environ.get("XDG_RUNTIME_DIR", ""), "/dev/shm"):
        if candidate and os.access(candidate, os.W_OK | os.X_OK):
            return Path(candidate)
    return Path(tempfile.gettempdir())


def birth_of(pid: int) -> int | None:
    """Return when a process was started (ticks since boot, proc(5) field 22); None when it is gone or a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()
    return None if fields[0] in {"Z", "X"} else int(fields[19])


def make(base: Path | None = None) -> Path:
    """Make a run directory that belongs to this process, after removing those whose owners are dead."""
    folder = base or memory_folder()
    sweep(folder)
    run = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getuid()}-", dir=folder))
    _write(run / OWNER, {"owner": os.getpid()})
    return run


def record(run: Path, pids: dict[str, int]) -> None:
    """Write down which processes must end with this run."""
    _write(run / PROCESSES, pids)


def clear(run: Path) -> list[str]:
    """Kill the processes of `run` that still live, remove the folder, and return their names."""
    killed = [name for name, pid in living(run).items() if _kill_group(pid)]
    shutil.rmtree(run, ignore_errors=True)
    return killed


def living(run: Path) -> dict[str, int]:
    """Return the processes of `run` that are alive: name → process id."""
    return _alive(_read(run / PROCESSES))


def sweep(folder: Path) -> None:
    """Clear every run directory of this user whose owner is dead."""
    for run in folder.glob(f"{PREFIX}{os.getuid()}-*"):
        owner = _read(run / OWNER)
        if owner and not _alive(owner):
            clear(run)


def _write(path: Path, pids: dict[str, int]) -> None:
    text = json.dumps({name: [pid, birth_of(pid)] for name, pid in pids.items()})
    draft = path.with_suffix(".new")
    draft.write_text(text, encoding="ascii")
    draft.replace(path)


def _read(path: Path) -> dict[str, tuple[int, int]]:
    try:
        entries = json.loads(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return {}
    return {name: (pid, birth) for name, (pid, birth) in entries.items() if birth is not None}


def _alive(entries: dict[str, tuple[int, int]]) -> dict[str, int]:
    return {name: pid for name, (pid, birth) in entries.items() if birth_of(pid) == birth}


def _kill_group(pid: int) -> bool:
    """Kill a process and, when it leads a group, what it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
        return True
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False
