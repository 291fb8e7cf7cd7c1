"""`berrybrain detect` on photographs that the test draws itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from dashboard.cli import main


def picture(path: Path, *, berry: tuple[int, int, int] = (200, 25, 35), size: tuple[int, int] = (480, 640)) -> Path:
    """Draw a leaf-green ground with one heart-shaped fruit of the given RGB, centre (320, 240), about 90 px wide."""
    rng = np.random.default_rng(7)
    canvas = np.empty((*size, 3), np.uint8)
    canvas[:] = (60, 95, 45)
    noise = rng.normal(0.0, 6.0, canvas.shape)
    t = np.linspace(0.0, 2.0 * np.pi, 80)
    outline = np.stack([320 + 45 * np.sin(t), 240 + 55 * np.cos(t) * (1.0 - 0.12 * np.sin(t) ** 2)], axis=1)
    cv2.fillPoly(canvas, [outline.astype(np.int32)], berry)
    canvas = np.clip(canvas + noise, 0, 255).astype(np.uint8)
    assert cv2.imwrite(str(path), canvas[..., ::-1])
    return path


def detect(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[dict[str, Any]], str]:
    with pytest.raises(SystemExit) as stop:
        main(["detect", "--json", *words])
    out, err = capsys.readouterr()
    return int(stop.value.code or 0), [json.loads(line) for line in out.splitlines()], err


def test_a_ripe_berry_is_found_where_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = str(picture(tmp_path / "ripe.png"))
    code, [line], _ = detect(capsys, name)
    assert code == 0
    assert (line["image"], line["width"], line["height"]) == (name, 640, 480)
    best = line["berries"][0]
    assert best["box"] == pytest.approx([275, 185, 365, 295], abs=12)
    assert best["stage"] == "ripe"
    assert best["ripeness"] > 0.75
    assert 0.35 < best["score"] <= 1.0
    assert best["polygon"] is None or len(best["polygon"]) >= 3
    assert set(best) == {"box", "score", "ripeness", "stage", "polygon", "peduncle"}


def test_classes_are_told_when_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, [line], _ = detect(capsys, str(picture(tmp_path / "ripe.png")), "--grades")
    assert code == 0
    assert {b["grade"] for b in line["berries"]} <= {"extra", "first", "second", "below", None}
    with pytest.raises(SystemExit):
        main(["detect", "--grades", str(tmp_path / "ripe.png")])
    assert "best class still possible" in capsys.readouterr().out


def test_the_name_is_printed_as_it_was_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    picture(tmp_path / "草莓 1.png")
    monkeypatch.chdir(tmp_path)
    _, [line], _ = detect(capsys, "./草莓 1.png")
    assert line["image"] == "./草莓 1.png"


def test_a_picture_without_berries_has_an_empty_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, [line], _ = detect(capsys, "--threshold", "0.35", str(picture(tmp_path / "leaf.png", berry=(60, 95, 45))))
    assert (code, line["berries"]) == (0, [])


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda color: color // 20, "camera_dark"),
        (lambda color: np.full_like(color, 255), "camera_bright"),
        (lambda color: cv2.GaussianBlur(color, (0, 0), 25.0), "camera_blurred"),
    ],
)
def test_a_picture_too_bad_to_trust_is_said_to_be_so(
    spoil: Callable[[Any], Any], fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = picture(tmp_path / "good.png"), tmp_path / "bad.png"
    assert cv2.imwrite(str(bad), spoil(cv2.imread(str(good))))
    code, [told, clean], _ = detect(capsys, "--detector", "baseline", str(bad), str(good))
    assert (code, told["faults"]) == (0, [fault])
    assert "faults" not in clean
    for grades in ([], ["--grades"]):
        with pytest.raises(SystemExit):
            main(["detect", "--detector", "baseline", *grades, str(bad), str(good)])
        first, second = capsys.readouterr().out.splitlines()
        assert f"; {fault}: The picture is" in first
        assert fault not in second


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "no such file"), (b"", "empty"), (b"GIF, but not really", "none of them"), (b"cut", "truncated")],
)
def test_a_file_that_is_no_picture_is_named_and_the_others_are_looked_at(
    content: bytes | None, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = picture(tmp_path / "good.png"), tmp_path / "bad.png"
    if content == b"cut":
        content = good.read_bytes()[:2000]
    if content is not None:
        bad.write_bytes(content)
    code, lines, err = detect(capsys, str(bad), str(good))
    assert code == 1
    assert [line["image"] for line in lines] == [str(good)]
    assert str(bad) in err
    assert reason in err
    assert "Traceback" not in err


def test_annotated_pictures_are_written_and_differ_from_the_originals(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other").mkdir()
    first, second = picture(tmp_path / "a.png"), picture(tmp_path / "other" / "a.png")
    code, _, _ = detect(capsys, str(first), str(second), "--annotate", str(tmp_path / "drawn"))
    assert code == 0
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == ["a-2.jpg", "a.jpg"]
    drawn, original = cv2.imread(str(tmp_path / "drawn" / "a.jpg")), cv2.imread(str(first))
    assert drawn.shape == original.shape
    assert np.abs(drawn.astype(int) - original.astype(int)).max() > 80


def test_an_annotate_folder_that_cannot_be_made_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    code, lines, err = detect(capsys, str(picture(tmp_path / "a.png")), "--annotate", str(tmp_path / "file" / "drawn"))
    assert (code, lines) == (1, [])
    assert "name another folder" in err
    assert len(err.splitlines()) == 1


def test_no_picture_at_all_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = detect(capsys)
    assert code == 2
    assert "PICTURE" in err
