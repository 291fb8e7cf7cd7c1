"""The set-up that `make demo` and `make test` run, on machines that lack something."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[2]
TOOLS = ("sh", "dirname", "id", "cat", "cksum", "rm", "env", "mkdir", "pwd")


class Machine:
    """A folder of programs that stands for a machine: the set-up finds nothing else on its PATH."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.clone = folder / "clone"
        self.log = folder / "calls"
        (self.clone / ".ci").mkdir(parents=True)
        self.bin.mkdir()
        shutil.copy(HOUSE / ".ci" / "setup", self.clone / ".ci" / "setup")
        (self.clone / "pyproject.toml").write_text("[project]\n")
        for tool in TOOLS:
            found = shutil.which(tool)
            if found:
                (self.bin / tool).symlink_to(found)

    def program(self, name: str, body: str) -> None:
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>"{self.log}"\n{body}\n')
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def setup(self, purpose: str = "demo") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.bin / "sh"), ".ci/setup", purpose],
            cwd=self.clone,
            env={"PATH": str(self.bin), "HOME": os.environ.get("HOME", "/")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def calls(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_an_old_python_is_named_with_the_way_out(machine: Machine) -> None:
    machine.program("python3", 'case "$*" in *version_info*) exit 1 ;; -V) echo "Python 3.9.2" ;; esac')
    done = machine.setup()
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed, python3 is Python 3.9.2" in done.stderr
    assert "make demo PYTHON=python3.12" in done.stderr


def test_no_python_at_all_is_one_line(machine: Machine) -> None:
    done = machine.setup()
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "berrybrain set-up: python3 was not found; install it with: sudo apt-get install python3 python3-venv"
    ]


def test_without_rights_the_missing_package_is_named_and_nothing_is_asked(machine: Machine) -> None:
    """A Debian without python3-venv, a user who is not root and whose sudo wants a password."""
    machine.program("python3", 'case "$*" in *ensurepip*) exit 1 ;; *print*) echo 3.11 ;; esac')
    machine.program("id", "echo 1000")
    machine.program("sudo", "exit 1")
    machine.program("apt-get", "exit 0")
    done = machine.setup()
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("type: sudo apt-get install python3.11-venv")
    assert all(call.startswith("sudo -n ") for call in machine.calls() if call.startswith("sudo"))
    assert not any(call.startswith("apt-get") for call in machine.calls())


def test_with_password_less_sudo_the_missing_package_is_installed(machine: Machine) -> None:
    machine.program("python3", 'case "$*" in *ensurepip*) exit 1 ;; *print*) echo 3.11 ;; *venv*) exit 7 ;; esac')
    machine.program("id", "echo 1000")
    machine.program("sudo", 'shift; exec "$@"')
    machine.program("true", "exit 0")
    machine.program("apt-get", "exit 0")
    machine.setup()
    assert "apt-get install -y -q --no-install-recommends python3.11-venv" in machine.calls()


def test_a_wrong_purpose_is_refused(machine: Machine) -> None:
    done = machine.setup("deploy")
    assert done.returncode == 1
    assert "expected demo, test or check, got 'deploy'" in done.stderr
