"""The guard against another package called `robot`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from dashboard.cli.guard import foreign_packages

HOUSE = Path(__file__).resolve().parents[2]


def berrybrain(*words: str, path: str, folder: Path) -> subprocess.CompletedProcess[str]:
    code = "import sys; from dashboard.cli import main; main(sys.argv[1:])"
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_guard_is_quiet_when_all_packages_are_ours() -> None:
    assert foreign_packages() == []


def test_the_command_refuses_to_run_when_another_robot_package_hides_ours(tmp_path: Path) -> None:
    fake = tmp_path / "site" / "robot"
    fake.mkdir(parents=True)
    (fake / "__init__.py").write_text('"""Robot Framework."""\n')
    done = berrybrain("init", str(tmp_path), path=f"{fake.parent}{os.pathsep}{HOUSE}", folder=tmp_path)
    assert done.returncode == 1
    assert str(fake) in done.stderr
    assert "pip uninstall robotframework" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "farm.toml").exists()


def test_the_guard_names_a_package_without_an_init_file(tmp_path: Path) -> None:
    lines = foreign_packages(house=tmp_path)
    assert len(lines) == 5
    assert all(str(tmp_path) in line for line in lines)
