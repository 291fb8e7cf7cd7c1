"""The folder where contexts find each other: looked through when it changed; dead ones are noticed when it did not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from robot.ros.transport.directory import ORPHAN_AGE, SETTLED, Directory

CHILD = """
import sys
from pathlib import Path
from robot.ros.transport.directory import Directory
Directory(Path(sys.argv[1]), "bb").appear()
print("there", flush=True)
sys.stdin.read()
"""


def _directory(folder: Path, name: str) -> Directory:
    made = Directory(folder, name)
    made.appear()
    return made


def _age(folder: Path, seconds: float) -> None:
    """Let a folder look as if it had not changed for a while."""
    then = time.time() - seconds
    os.utime(folder, (then, then))


def test_a_context_that_comes_or_goes_is_noticed_although_the_folder_was_looked_through_just_before(
    tmp_path: Path,
) -> None:
    first = _directory(tmp_path, "aa")
    assert first.peers() == set()
    second = _directory(tmp_path, "bb")  # within the same tick of the file system's clock, as likely as not
    assert first.peers() == {"bb"}
    _age(tmp_path, 10 * SETTLED)
    assert first.peers() == first.peers() == {"bb"}
    third = _directory(tmp_path, "cc")
    assert first.peers() == {"bb", "cc"}
    second.close()
    assert first.peers() == {"cc"}
    third.close()
    first.close()
    assert list(tmp_path.iterdir()) == []


def test_a_killed_context_is_noticed_where_no_file_came_or_went(tmp_path: Path) -> None:
    first = _directory(tmp_path, "aa")
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None and child.stdout.readline() == "there\n"
    _age(tmp_path, 10 * SETTLED)
    assert first.peers() == first.peers() == {"bb"}
    child.kill()
    child.wait()
    assert first.peers() == set()
    assert [path.name for path in tmp_path.iterdir()] == ["aa.lock"]
    first.close()


def test_half_made_records_are_removed_once_they_are_old(tmp_path: Path) -> None:
    first = _directory(tmp_path, "aa")
    left = [tmp_path / "dd.new", tmp_path / "ee.sock"]
    for path in left:
        path.touch()
    assert first.peers() == set() and all(path.exists() for path in left)
    for path in left:
        _age(path, 2 * ORPHAN_AGE)
    _age(tmp_path, 0.0)
    assert first.peers() == set() and not any(path.exists() for path in left)
    first.close()


def test_a_folder_that_somebody_removed_holds_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "0"
    folder.mkdir()
    first = _directory(folder, "aa")
    second = _directory(folder, "bb")
    assert first.peers() == {"bb"}
    listed = Path.iterdir

    def too_late(path: Path) -> Iterator[Path]:
        shutil.rmtree(path)
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", too_late)
    folder.touch()  # it is listed once more, and gone by then
    assert first.peers() == set()
    assert first.peers() == set()
    first.close()
    second.close()
