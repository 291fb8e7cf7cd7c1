"""Supervision, with small programs in place of the real ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dashboard import rundir
from dashboard.supervise import STILLBORN_LIMIT, OnDeath, ProcessDiedError, Program, Supervisor

Until = Callable[..., None]

LIVE = "import signal; print('up', flush=True); signal.pause()"
DEAF = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True)\nwhile True: signal.pause()"
)
# Drops the kernel's promise, as a program that changes its user does.
UNBOUND = "import ctypes, signal; ctypes.CDLL(None).prctl(1, 0); print('up', flush=True); signal.pause()"
PARENT_OF_ONE = (
    "import subprocess, sys, signal; child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()']);"
    "print('up', child.pid, flush=True); signal.pause()"
)


def program(name: str, code: str, on_death: OnDeath = OnDeath.RESTART) -> Program:
    return Program(name=name, argv=(sys.executable, "-c", code), on_death=on_death)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    (tmp_path / "memory").mkdir()
    with Supervisor(logs=tmp_path / "log", monotonic=time.monotonic, base=tmp_path / "memory") as kept:
        yield kept


def wait_up(supervisor: Supervisor, until: Until, name: str, times: int = 1) -> None:
    until(lambda: supervisor.log_path(name).read_text().count("up") >= times, what=f"{name} starting")


def test_a_killed_program_is_started_again_and_counted(supervisor: Supervisor, until: Until) -> None:
    supervisor.start(program("eyes", LIVE))
    wait_up(supervisor, until, "eyes")
    first = supervisor.pids()["eyes"]
    os.kill(first, signal.SIGKILL)
    found: list[str] = []
    until(lambda: found.extend(supervisor.poll()) or supervisor.pids().get("eyes", first) != first, what="restart")
    wait_up(supervisor, until, "eyes", times=2)
    assert found == ["eyes"]
    assert supervisor.restarts == {"eyes": 1}


def test_the_death_of_the_cell_ends_the_run_and_says_why(supervisor: Supervisor, until: Until) -> None:
    supervisor.start(program("cell", LIVE + "; raise SystemExit('the joints are loose')", OnDeath.ENDS_ALL))
    wait_up(supervisor, until, "cell")
    os.kill(supervisor.pids()["cell"], signal.SIGSEGV)
    with pytest.raises(ProcessDiedError, match=r"cell was killed by SIGSEGV; its log is .*cell\.log\nup"):
        until(supervisor.poll)


def test_a_program_that_cannot_start_is_given_up_with_its_last_words(supervisor: Supervisor, until: Until) -> None:
    supervisor.start(program("brain", "raise SystemExit('the file is locked')"))
    with pytest.raises(
        ProcessDiedError, match=f"brain ended with exit code 1, {STILLBORN_LIMIT} times in a row"
    ) as died:
        until(lambda: supervisor.poll() and False)
    assert "the file is locked" in str(died.value)
    assert supervisor.restarts["brain"] == STILLBORN_LIMIT - 1


def test_a_program_that_does_not_exist_is_named(supervisor: Supervisor, until: Until) -> None:
    supervisor.start(Program(name="broker", argv=("/no/such/broker",), on_death=OnDeath.ENDS_ALL))
    with pytest.raises(ProcessDiedError, match="cannot run /no/such/broker: No such file"):
        until(supervisor.poll)


def test_stop_kills_a_program_that_ignores_it_and_what_programs_have_started(
    supervisor: Supervisor, until: Until
) -> None:
    supervisor.start(program("deaf", DEAF))
    supervisor.start(program("parent", PARENT_OF_ONE))
    wait_up(supervisor, until, "deaf")
    wait_up(supervisor, until, "parent")
    grandchild = int(supervisor.log_path("parent").read_text().split()[1])
    pids = [*supervisor.pids().values(), grandchild]
    supervisor.stop(grace_s=0.3)
    until(lambda: all(rundir.birth_of(pid) is None for pid in pids), within=30.0)
    assert supervisor.poll() == []


def test_stop_of_some_leaves_the_others(supervisor: Supervisor, until: Until) -> None:
    supervisor.start(program("eyes", LIVE))
    supervisor.start(program("ingest", LIVE))
    wait_up(supervisor, until, "ingest")
    supervisor.stop(["eyes"])
    supervisor.poll()
    assert list(supervisor.pids()) == ["ingest"]


def test_a_name_can_be_kept_once_only(supervisor: Supervisor) -> None:
    supervisor.start(program("eyes", LIVE))
    with pytest.raises(ValueError, match="expected a new name, got 'eyes'"):
        supervisor.start(program("eyes", LIVE))


def test_close_removes_the_run_directory(tmp_path: Path) -> None:
    with Supervisor(logs=tmp_path / "log", monotonic=time.monotonic, base=tmp_path) as supervisor:
        run = supervisor.run
        supervisor.start(program("eyes", LIVE))
        (run / "socket").touch()
        assert run.stat().st_mode & 0o077 == 0
    assert not run.exists()


PARENT = """
import signal, sys, time
from pathlib import Path
from dashboard.supervise import Program, Supervisor
folder = Path(sys.argv[1])
supervisor = Supervisor(logs=folder / "log", monotonic=time.monotonic, base=folder)
for name, code in zip(sys.argv[2::2], sys.argv[3::2]):
    supervisor.start(Program(name=name, argv=(sys.executable, "-c", code)))
(supervisor.run / "image-ring").write_bytes(b"pixels")
print(supervisor.run, *supervisor.pids().values(), flush=True)
signal.pause()
"""


def orphan(tmp_path: Path, until: Until) -> tuple[Path, list[int]]:
    """Start a supervisor with three programs in a process of its own, kill it, and return what it has left."""
    programs = {"live": LIVE, "deaf": DEAF, "unbound": UNBOUND}
    words = [word for pair in programs.items() for word in pair]
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path), *words], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    run, *pids = parent.stdout.readline().split()
    logs = [tmp_path / "log" / f"{name}.log" for name in programs]
    until(lambda: all("up" in path.read_text() for path in logs))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    return Path(run), [int(pid) for pid in pids]


def test_kill_9_of_the_parent_leaves_no_process_and_no_file_within_5_s(tmp_path: Path, until: Until) -> None:
    run, pids = orphan(tmp_path, until)
    until(lambda: all(rundir.birth_of(pid) is None for pid in pids), within=30.0, what="the end of all programs")
    until(lambda: not run.exists(), within=30.0, what="the end of the run directory")


def test_the_next_start_clears_what_a_dead_run_has_left(tmp_path: Path) -> None:
    """Parent and reaper are both dead: the folder and a program that nobody is bound to are still there."""
    stray = subprocess.Popen([sys.executable, "-c", LIVE], stdout=subprocess.DEVNULL, start_new_session=True)
    gone = subprocess.Popen([sys.executable, "-c", LIVE], stdout=subprocess.DEVNULL)
    left = tmp_path / f"{rundir.PREFIX}{os.getuid()}-left"
    left.mkdir()
    rundir.record(left, {"stray": stray.pid})
    (left / rundir.PROCESSES).rename(left / "kept")
    rundir.record(left, {"owner": gone.pid})
    (left / rundir.PROCESSES).rename(left / rundir.OWNER)
    (left / "kept").rename(left / rundir.PROCESSES)
    rundir.sweep(tmp_path)
    assert left.exists(), "a run whose owner lives must be left alone"
    gone.kill()
    gone.wait()
    run = rundir.make(tmp_path)
    assert stray.wait(5.0) == -signal.SIGKILL
    assert sorted(tmp_path.iterdir()) == [run]


def test_a_process_id_that_now_belongs_to_a_stranger_is_not_killed(tmp_path: Path) -> None:
    run = rundir.make(tmp_path)
    stranger = subprocess.Popen([sys.executable, "-c", LIVE], stdout=subprocess.DEVNULL, start_new_session=True)
    (run / rundir.PROCESSES).write_text(f'{{"eyes": [{stranger.pid}, 1]}}')
    assert rundir.clear(run) == []
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()
