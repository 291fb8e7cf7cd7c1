"""`berrybrain robot` on stand-in devices behind real ports: it comes up stopped, loses its arm, and ends in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dashboard.cli import main
from dashboard.rundir import PREFIX
from robot.safety import State
from telemetry.farm import default_farm_text

DEADLINE_S = 240.0
HOUSE = Path(__file__).resolve().parents[2]


class Running:
    """One program with its words in a file and a pipe to its input."""

    def __init__(self, folder: Path, name: str, environment: dict[str, str], *words: str) -> None:
        self._log = folder / f"{name}.log"
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, *words],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment, "PYTHONUNBUFFERED": "1"},
                cwd=folder,
                text=True,
            )

    @property
    def words(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def type(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def until(self, true: Callable[[str], bool], *, each: Callable[[], None] = lambda: None) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not true(self.words):
            assert self.process.poll() is None, self.words
            assert time.monotonic() < deadline, self.words
            each()
            time.sleep(0.2)

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE_S)


def told(words: str) -> str:
    """Return the last state that the robot has told."""
    return [line for line in words.splitlines() if line.split(" ")[0] in list(State)][-1]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[tuple[Running, Running, Path]]:
    """Stand-in devices, a robot on them, and its folder in memory."""
    pytest.importorskip("serial", reason="pip install 'berrybrain[servo]'")
    with tempfile.TemporaryDirectory(prefix="bb-") as short:  # names of sockets have at most 107 characters
        environment = {"XDG_RUNTIME_DIR": short, "PYTHONPATH": str(HOUSE)}
        farm = default_farm_text().replace("port = 1883", "port = 0").replace("length = 2.4", "length = 0.6")
        (tmp_path / "farm.toml").write_text(farm, encoding="utf-8")
        devices = Running(tmp_path, "devices", environment, "-m", "sim.devices", "--wiring", "machine.toml")
        devices.until(lambda words: "berrybrain robot" in words)
        command = ("-c", "from dashboard.cli import main; main()", "robot", "--hardware", "ur", "--button")
        robot = Running(tmp_path, "robot", environment, *command, "--wiring", "machine.toml", "--data", "data")
        try:
            yield devices, robot, Path(short)
        finally:
            for running in (robot, devices):
                running.process.kill()
                running.process.wait()


@pytest.mark.e2e
@pytest.mark.timeout(900)
def test_it_comes_up_stopped_loses_its_arm_and_ends_in_order(machine: tuple[Running, Running, Path]) -> None:
    devices, robot, memory = machine
    robot.until(lambda words: "FAULT" in words and "not_homed" in words)
    assert "READY" not in robot.words, "nothing is enabled before somebody has answered"
    # A machine as busy as this one may stop again for its own reasons: Enter is pressed until it took.
    robot.until(lambda words: "\nREADY" in words, each=lambda: robot.type(""))
    devices.type("unplug")
    devices.until(lambda words: "cable: unplug" in words)
    robot.until(lambda words: "hardware_lost" in told(words))
    ready = robot.words.count("\nREADY")  # before the plug: an Enter that still waits may answer at once
    devices.type("plug")
    devices.until(lambda words: "cable: plug" in words)
    robot.until(lambda words: words.count("\nREADY") > ready, each=lambda: robot.type(""))
    assert robot.end() == 0
    assert robot.words.rstrip().endswith("ending")
    assert not list(memory.glob(f"{PREFIX}*")), "the run directory is gone"


@pytest.mark.e2e
def test_an_arm_that_cannot_turn_its_tool_freely_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = (HOUSE / "robot" / "hardware" / "README.md").read_text(encoding="utf-8")
    (tmp_path / "machine.toml").write_text(readme.split("```toml\n")[1].split("```")[0], encoding="utf-8")
    (tmp_path / "farm.toml").write_text(default_farm_text().replace("port = 1883", "port = 0"), encoding="utf-8")
    words = ["--wiring", str(tmp_path / "machine.toml"), "--data", str(tmp_path)]
    with pytest.raises(SystemExit) as ended:
        main(["robot", "--hardware", "feetech:/dev/nowhere", *words])
    assert ended.value.code == 2
    assert "got so101 with 5" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main(["robot", "--hardware", "crane", *words])
    assert ended.value.code == 2
    assert "expected one of feetech, dynamixel, ur, xarm" in capsys.readouterr().err
