"""`berrybrain sim render` writes a folder that says what lies where, and refuses what it cannot do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dashboard.cli import main


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["sim", "render", *words])
    return int(stop.value.code or 0)


def test_the_folder_holds_the_pictures_that_its_manifest_names(tmp_path: Path) -> None:
    out = tmp_path / "set"
    assert run("--out", str(out), "--pictures", "2", "--seed", "7", "--size", "160x120", "--first", "5") == 0
    names = [p["name"] for p in json.loads((out / "manifest.json").read_text())["pictures"]]
    assert [n.rsplit("_", 1)[1] for n in names] == ["00005", "00006"]
    for folder, ending in (("images", "jpg"), ("masks", "png"), ("depth_measured", "png"), ("truth", "json")):
        assert sorted(p.stem for p in (out / folder).iterdir()) == names
        assert all(p.suffix == f".{ending}" for p in (out / folder).iterdir())


def test_only_near_views_of_one_kind_of_bed_are_drawn_where_that_is_asked_for(tmp_path: Path) -> None:
    out = tmp_path / "set"
    assert run("--out", str(out), "--pictures", "4", "--size", "96x72", "--near", "--culture", "soil") == 0
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["near"], manifest["culture"]) == (True, "soil")
    assert [(p["scene"], p["culture"]) for p in manifest["pictures"]] == [(0, "soil")] * 2 + [(1, "soil")] * 2


def test_a_folder_with_something_in_it_is_not_written_into(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("keep", encoding="utf-8")
    assert run("--out", str(tmp_path)) == 1
    assert "not an empty folder" in capsys.readouterr().err


@pytest.mark.parametrize("size", ["640", "0x480", "9000x9000"])
def test_a_size_that_cannot_be_drawn_is_a_wrong_call(size: str, tmp_path: Path) -> None:
    assert run("--out", str(tmp_path / "set"), "--size", size) == 2
