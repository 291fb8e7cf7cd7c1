"""A running `berrybrain demo` as tests see it: its words, its processes, and what it leaves behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboard import rundir
from telemetry.farm import default_farm_text

HOUSE = Path(__file__).resolve().parents[2]
DEADLINE_S = 240.0

SMALL = (
    ("length = 2.4", "length = 0.6"),
    ("port = 1883", "port = 0"),
    ("interval = 60.0 ", "interval = 2.0 "),
    ("interval = 300.0 ", "interval = 5.0 "),
)
"""One segment of bed, and sensors that report often enough for a run of a minute."""


class Demo:
    """One `berrybrain demo --headless --json` on a bed of one segment."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.data = folder / "data"
        self.memory = Path(tempfile.mkdtemp(prefix="bb-"))  # short: names of sockets have at most 107 characters
        farm = self.farm = folder / "farm.toml"
        text = default_farm_text()
        for old, new in SMALL:
            assert old in text, f"the default farm no longer says '{old}'"
            text = text.replace(old, new)
        farm.write_text(text, encoding="utf-8")
        code = "import sys; from dashboard.cli import main; main(sys.argv[1:])"
        options = ["--headless", "--json", "--scenario", "short", "--farm", str(farm), "--data", str(self.data)]
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, "demo", *options, *words],
            cwd=HOUSE,
            env={**os.environ, "XDG_RUNTIME_DIR": str(self.memory)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.out = ""
        self.lines: list[str] = []
        self._readers = [threading.Thread(target=read, daemon=True) for read in (self._read_out, self._read_err)]
        for reader in self._readers:
            reader.start()

    def _read_out(self) -> None:
        assert self.process.stdout is not None
        self.out = self.process.stdout.read()

    def _read_err(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.rstrip())

    def said(self, words: str) -> bool:
        """Tell whether a line for people holds `words`."""
        return any(words in line for line in list(self.lines))

    def pids(self) -> dict[str, int]:
        """Return the processes of the run: name → process id."""
        for run in self.memory.glob(f"{rundir.PREFIX}*"):
            return rundir.living(run)
        return {}

    def wait(self) -> int:
        """Wait for the end and return the exit code."""
        try:
            code = self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            pytest.fail(f"the demo did not end within {DEADLINE_S} s; it said:\n{self.story()}")
        for reader in self._readers:
            reader.join(10.0)
        return code

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(self.out)
        return report

    def story(self) -> str:
        """Return what the demo and its processes said, for the message of a failing test."""
        tails = [f"--- {path.name}\n{path.read_text()[-1500:]}" for path in sorted(self.data.glob("log/*.log"))]
        return "\n".join([*self.lines[-30:], *tails])

    def left(self) -> list[Path]:
        """Return what lies in the memory folder."""
        return sorted(self.memory.rglob("*"))


def starter(folders: pytest.TempPathFactory) -> Iterator[Callable[..., Demo]]:
    """Yield a function that starts a demo; what still runs at the end is killed."""
    started: list[Demo] = []

    def start(*words: str) -> Demo:
        started.append(Demo(folders.mktemp("demo"), *words))
        return started[-1]

    yield start
    for one in started:
        one.kill()
        shutil.rmtree(one.memory, ignore_errors=True)


@pytest.fixture
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Demo]]:
    """Return a function that starts a demo for one test."""
    yield from starter(tmp_path_factory)


@pytest.fixture(scope="module")
def demos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Demo]]:
    """Return a function that starts a demo whose outcome several tests look at."""
    yield from starter(tmp_path_factory)
