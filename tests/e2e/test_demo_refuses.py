"""What stops a demo before it begins is one line that says what to do, and leaves nothing running."""

from __future__ import annotations

import fcntl
import os
import socket
from pathlib import Path

import pytest

from dashboard.cli import main
from dashboard.rundir import PREFIX, memory_folder
from telemetry.farm import default_farm_text


def demo(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main(["demo", "--headless", "--json", *words])
    out, err = capsys.readouterr()
    return int(stop.value.code or 0), out, err


def write_farm(folder: Path, old: str, new: str) -> Path:
    text = default_farm_text()
    assert old in text
    path = folder / "farm.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def nothing_left() -> object:
    """Fail when a test leaves a run directory behind."""
    mine = f"{PREFIX}{os.getuid()}-*"
    before = set(memory_folder().glob(mine))
    yield
    assert set(memory_folder().glob(mine)) <= before


def test_an_unknown_key_names_the_nearest_one_and_the_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    farm = write_farm(tmp_path, "ripeness_min = 0.80", "ripenes_min = 0.80")
    code, out, err = demo(capsys, "--farm", str(farm), "--data", str(tmp_path / "data"))
    assert (code, out) == (2, "")
    assert "ripenes_min" in err
    assert "ripeness_min" in err
    assert f"{farm}:" in err
    assert "Traceback" not in err


def test_a_dock_beside_the_rail_is_told_with_where_the_rail_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    farm = write_farm(tmp_path, "# dock = 0.0 ", "dock = 9.0 ")
    code, _, err = demo(capsys, "--farm", str(farm), "--data", str(tmp_path / "data"))
    assert code == 2
    assert "dock: expected a place on the rail, -0.6 to 3.4 m, got 9.0" in err


def test_a_farm_file_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = demo(capsys, "--farm", str(tmp_path / "no.toml"), "--data", str(tmp_path / "data"))
    assert code == 2
    assert "no.toml" in err
    assert "berrybrain init" in err


def test_the_farm_file_in_the_state_folder_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_farm(tmp_path, "plants_per_m = 4.2", "plants_per_m = -1.0")
    code, _, err = demo(capsys, "--data", str(tmp_path))
    assert code == 2
    assert "plants_per_m" in err


def test_a_port_in_use_is_named_with_the_way_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        farm = write_farm(tmp_path, "port = 1883", f"port = {port}")
        code, out, err = demo(capsys, "--farm", str(farm), "--data", str(tmp_path / "data"))
    assert (code, out) == (1, "")
    assert f"port {port}" in err
    assert "[mqtt] port" in err
    assert len(err.splitlines()) == 1


def test_a_state_folder_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = demo(capsys, "--data", str(tmp_path / "file" / "data"))
    assert code == 1
    assert "--data" in err
    assert len(err.splitlines()) == 1


def test_two_runs_never_share_a_state_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (tmp_path / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code, out, err = demo(capsys, "--data", str(tmp_path))
    assert (code, out) == (1, "")
    assert "another run uses" in err


def test_a_farm_without_a_robot_is_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = default_farm_text()
    start, end = text.index("[[robots]]"), text.index("# What is picked.")
    farm = tmp_path / "farm.toml"
    farm.write_text(text[:start] + text[end:], encoding="utf-8")
    code, _, err = demo(capsys, "--farm", str(farm), "--data", str(tmp_path / "data"))
    assert code == 2
    assert "[[robots]]" in err


def test_a_wrong_option_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = demo(capsys, "--seed", "minus one")
    assert code == 2
    assert "--seed" in err
