"""Keep the processes of a demo: start them, restart those that may die, end all when another dies, leave nothing."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import TracebackType

from dashboard import rundir

log = logging.getLogger(__name__)

BACKOFF_S = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Wait before each restart in a row [s]; the last one repeats."""
SETTLED_S = 20.0
"""A process that has lived this long starts its next back-off from the beginning [s]."""
STILLBORN_S = 3.0
"""A process that dies within this time was not able to start [s]."""
STILLBORN_LIMIT = 4
"""So many failed starts in a row end the run: a restart does not mend a wrong setting."""
TAIL_BYTES = 2000


class OnDeath(StrEnum):
    """What the death of a process means."""

    RESTART = "restart"
    ENDS_ALL = "ends_all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One process to keep. `environment` is added to the supervisor's own."""

    name: str
    argv: tuple[str, ...]
    on_death: OnDeath = OnDeath.RESTART
    environment: Mapping[str, str] = field(default_factory=dict)


class ProcessDiedError(Exception):
    """A process without which the run cannot go on has died; `code` is the fault's key."""

    code = "process_died"

    def __init__(self, name: str, how: str, log_path: Path, last_lines: str) -> None:
        super().__init__(f"{name} {how}; its log is {log_path}" + (f"\n{last_lines}" if last_lines else ""))
        self.name = name


@dataclass(slots=True, kw_only=True)
class _Kept:
    program: Program
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    restart_at: float = 0.0
    deaths_in_row: int = 0
    stillborn_in_row: int = 0
    restarts: int = 0
    stopping: bool = False


class Supervisor:
    """Keeps programs until `close`. One thread: the owner calls `poll` a few times a second.

    Args:
        logs: folder for one log per program.
        monotonic: seconds that never step back.
        base: where the run directory is made; a folder in memory when None.
    """

    def __init__(self, *, logs: Path, monotonic: Callable[[], float], base: Path | None = None) -> None:
        self._monotonic = monotonic
        self._logs = logs
        logs.mkdir(parents=True, exist_ok=True)
        self._kept: dict[str, _Kept] = {}
        self.run = rundir.make(base)
        self._reaper = subprocess.Popen(
            [sys.executable, "-m", "dashboard.reaper", str(self.run)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def restarts(self) -> dict[str, int]:
        """How often each program was restarted."""
        return {name: kept.restarts for name, kept in self._kept.items()}

    def pids(self) -> dict[str, int]:
        """Return the running programs: name → process id."""
        return {name: kept.process.pid for name, kept in self._kept.items() if kept.process is not None}

    def log_path(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def start(self, program: Program) -> None:
        """Start `program` and keep it.

        Raises:
            ValueError: a program of that name is kept already.
        """
        if program.name in self._kept:
            raise ValueError(f"expected a new name, got '{program.name}', which is kept already: {sorted(self._kept)}")
        self.log_path(program.name).write_bytes(b"")
        kept = _Kept(program=program)
        self._kept[program.name] = kept
        self._launch(kept)

    def poll(self) -> list[str]:
        """Look after the programs once and return the names of those that were found dead.

        Raises:
            ProcessDiedError: a program has died without which the run cannot go on, or one cannot be started.
        """
        found = []
        now = self._monotonic()
        for kept in self._kept.values():
            if kept.process is not None and kept.process.poll() is not None:
                found.append(kept.program.name)
                self._bury(kept, now)
            if kept.process is None and not kept.stopping and now >= kept.restart_at:
                kept.restarts += 1
                self._launch(kept)
        return found

    def stop(self, names: Iterable[str] | None = None, *, grace_s: float = 4.0) -> None:
        """Ask programs to end (SIGTERM), and kill those that live after `grace_s`; all of them without `names`."""
        chosen = [self._kept[name] for name in (self._kept if names is None else names)]
        for kept in chosen:
            kept.stopping = True
            if kept.process is not None:
                with contextlib.suppress(ProcessLookupError):
                    kept.process.send_signal(signal.SIGTERM)
        deadline = self._monotonic() + grace_s
        for kept in chosen:
            if kept.process is None:
                continue
            try:
                kept.process.wait(max(0.0, deadline - self._monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("%s did not end within %.1f s and was killed", kept.program.name, grace_s)
            # Its group may hold what it has started itself, whether it ended by itself or not.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(kept.process.pid, signal.SIGKILL)
            kept.process.wait()
            kept.process = None
        self._record()

    def close(self) -> None:
        """Stop everything and remove the run directory. May be called twice."""
        self.stop()
        if self._reaper.stdin is not None and not self._reaper.stdin.closed:
            self._reaper.stdin.close()
            self._reaper.wait()
        rundir.clear(self.run)

    def tail(self, name: str) -> str:
        """Return the last lines that a program wrote to its log."""
        with contextlib.suppress(OSError), self.log_path(name).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
            return "\n".join(file.read().decode("utf-8", errors="replace").strip().splitlines()[-8:])
        return ""

    def _launch(self, kept: _Kept) -> None:
        program = kept.program
        with self.log_path(program.name).open("ab") as output:
            kept.process = subprocess.Popen(
                [sys.executable, "-m", "dashboard.child", str(os.getpid()), *program.argv],
                env={**os.environ, **program.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        kept.started_at = self._monotonic()
        self._record()
        log.info("started %s as process %d", program.name, kept.process.pid)

    def _bury(self, kept: _Kept, now: float) -> None:
        assert kept.process is not None
        code = kept.process.returncode
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        name = kept.program.name
        lived = now - kept.started_at
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(kept.process.pid, signal.SIGKILL)
        kept.process = None
        self._record()
        if kept.program.on_death is OnDeath.ENDS_ALL:
            raise ProcessDiedError(name, how, self.log_path(name), self.tail(name))
        kept.stillborn_in_row = kept.stillborn_in_row + 1 if lived < STILLBORN_S else 0
        if kept.stillborn_in_row >= STILLBORN_LIMIT:
            how += f", {STILLBORN_LIMIT} times in a row within {STILLBORN_S:.0f} s of its start"
            raise ProcessDiedError(name, how, self.log_path(name), self.tail(name))
        kept.deaths_in_row = 0 if lived > SETTLED_S else kept.deaths_in_row
        wait = BACKOFF_S[min(kept.deaths_in_row, len(BACKOFF_S) - 1)]
        kept.deaths_in_row += 1
        kept.restart_at = now + wait
        log.warning("%s %s after %.1f s; starting it again in %.1f s", name, how, lived, wait)

    def _record(self) -> None:
        rundir.record(self.run, self.pids())
