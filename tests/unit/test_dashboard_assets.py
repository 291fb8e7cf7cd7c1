"""The pages' files: a known one costs little, nothing outside their folder is reached, nothing leaves the machine."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from starlette.datastructures import Headers

from dashboard.assets import Assets
from dashboard.services import STATIC

GZIP = Headers({"accept-encoding": "gzip, br"})
ELSEWHERE = re.compile(r"""(?:src|href|from|import|url|fetch|action)\s*[=(]?\s*["'(]\s*(?:https?:)?//""")
INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|javascript:|\sstyle=", re.IGNORECASE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    site = tmp_path / "static"
    (site / "lib").mkdir(parents=True)
    (site / "lib" / "a.js").write_text("export const a = 1;\n" * 100, encoding="utf-8")
    (site / "lib" / "library-1.2.3.min.js").write_text("// library\n" * 100, encoding="utf-8")
    (site / "tiny.css").write_text("a{}", encoding="utf-8")
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    return site


def test_a_file_is_sent_compressed_with_its_type_and_its_hash(folder: Path) -> None:
    answer = Assets(folder).response("lib/a.js", GZIP)
    assert answer is not None
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert gzip.decompress(bytes(answer.body)) == (folder / "lib" / "a.js").read_bytes()


def test_a_client_that_takes_no_gzip_gets_plain_bytes(folder: Path) -> None:
    answer = Assets(folder).response("lib/a.js", Headers({}))
    assert answer is not None
    assert "content-encoding" not in answer.headers
    assert bytes(answer.body) == (folder / "lib" / "a.js").read_bytes()


def test_a_file_that_grows_by_compression_is_sent_plain(folder: Path) -> None:
    answer = Assets(folder).response("tiny.css", GZIP)
    assert answer is not None and "content-encoding" not in answer.headers


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}'])
def test_a_known_file_is_not_sent_again(folder: Path, form: str) -> None:
    assets = Assets(folder)
    first = assets.response("lib/a.js", GZIP)
    assert first is not None
    again = assets.response("lib/a.js", Headers({"if-none-match": form.format(first.headers["etag"])}))
    assert again is not None
    assert (again.status_code, bytes(again.body)) == (304, b"")


def test_a_library_with_its_version_in_the_name_is_kept_for_ever_and_our_own_files_are_asked_for(folder: Path) -> None:
    assets = Assets(folder)
    for path, control in (("lib/library-1.2.3.min.js", "immutable"), ("lib/a.js", "no-cache")):
        answer = assets.response(path, GZIP)
        assert answer is not None and control in answer.headers["cache-control"]


@pytest.mark.parametrize("path", ["../secret", "lib/../../secret", "/etc/passwd", "", "lib", "nothing.js"])
@pytest.mark.parametrize("editing", [False, True])
def test_nothing_outside_the_folder_is_reached(folder: Path, path: str, editing: bool) -> None:
    assert Assets(folder, editing=editing).response(path, GZIP) is None


def test_a_changed_file_is_seen_at_once_by_those_who_edit(folder: Path) -> None:
    assets, served = Assets(folder, editing=True), Assets(folder)
    (folder / "new.js").write_text("1", encoding="utf-8")
    assert assets.get("new.js") is not None
    assert served.get("new.js") is None
    (folder / "new.js").unlink()
    assert assets.get("new.js") is None


def test_no_page_asks_another_machine_for_anything_or_carries_code_inline() -> None:
    wrong = []
    for path in sorted(STATIC.rglob("*")):
        if path.suffix not in (".js", ".css", ".html") or path.parent.name == "vendor":
            continue
        text = path.read_text(encoding="utf-8")
        if ELSEWHERE.search(text) or (path.suffix == ".html" and INLINE.search(text)):
            wrong.append(str(path.relative_to(STATIC)))
    assert not wrong
