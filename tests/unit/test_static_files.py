"""The pages' files hold together, ask nothing of any other host, and have nothing inline that the policy forbids."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

STATIC = Path(__file__).parents[2] / "dashboard" / "static"
VENDOR = STATIC / "vendor"
OURS = sorted(
    path
    for path in STATIC.rglob("*")
    if path.suffix in (".js", ".css", ".html", ".svg") and not path.is_relative_to(VENDOR)
)
SCRIPTS = [path for path in OURS if path.suffix == ".js"]
NAMESPACE = "http://www.w3.org/2000/svg"
REFERENCE = re.compile(r"""["'(`](/static/[\w./-]+\.\w+)""")
IMPORT = re.compile(r"""(?:\bfrom|^import)\s+"(/static/[\w./-]+)\"""", re.MULTILINE)
FIRST_LOAD_KB = 250.0
"""Issue 3: the first page, before the 3-D view, compressed."""


def name(path: Path) -> str:
    return path.relative_to(STATIC).as_posix()


@pytest.mark.parametrize("path", OURS, ids=name)
def test_nothing_is_asked_of_another_host(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace(NAMESPACE, "")
    assert not re.search(r"https?://|[\"'(]//\w|wss?://(?!\$\{location)", text.replace('"wss" : "ws"}://', ""))


@pytest.mark.parametrize("path", [p for p in OURS if p.suffix in (".js", ".html")], ids=name)
def test_nothing_is_inline_that_the_policy_forbids(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"""\son\w+=["']|javascript:|\sstyle=["']|\beval\(|new Function\b|innerHTML""", text)
    if path.suffix == ".html":
        assert not re.search(r"<style|<script(?![^>]*\ssrc=)", text)


@pytest.mark.parametrize("path", OURS, ids=name)
def test_every_file_that_is_named_exists(path: Path) -> None:
    for found in REFERENCE.findall(path.read_text(encoding="utf-8")):
        assert (STATIC / found.removeprefix("/static/")).is_file(), found


@pytest.mark.parametrize("path", SCRIPTS, ids=name)
def test_every_script_says_first_what_it_is(path: Path) -> None:
    if "i18n" not in path.parts:
        assert path.read_text(encoding="utf-8").startswith("// ")


def test_every_symbol_that_is_used_is_drawn() -> None:
    drawn = {node.get("id") for node in ElementTree.parse(STATIC / "icons.svg").iter(f"{{{NAMESPACE}}}symbol")}
    for path in SCRIPTS:
        text = path.read_text(encoding="utf-8")
        used = set(re.findall(r"""<\$\{Icon\} name="([\w-]+)\"""", text)) | set(
            re.findall(r"icons\.svg#([\w-]+)[\"`]", text)
        )
        assert used <= drawn, name(path)


def test_every_colour_and_size_is_defined() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in OURS}
    defined = {found for text in texts.values() for found in re.findall(r"[\"{;\s(](--[\w-]+)\"?\s*:", text)}
    for path, text in texts.items():
        assert set(re.findall(r"var\((--[\w-]+)[),]", text)) <= defined, name(path)


def test_every_vendored_file_is_listed_with_its_version_and_licence() -> None:
    listed = (VENDOR / "LICENCES.md").read_text(encoding="utf-8")
    for path in VENDOR.iterdir():
        if path.name == "LICENCES.md":
            continue
        version = re.search(r"-(\d+\.\d+\.\d+)\.", path.name)
        assert version, path.name
        (row,) = [line for line in listed.splitlines() if line.startswith("| `") and f"`{path.name}`" in line]
        assert version[1] in row
        assert re.search(r"MIT|Apache-2\.0|BSD|ISC", row)


def closure(*paths: Path) -> set[Path]:
    """Return scripts and all that they import, directly or not."""
    waiting, files = list(paths), set[Path]()
    while waiting:
        path = waiting.pop()
        if path not in files:
            files.add(path)
            found = IMPORT.findall(path.read_text(encoding="utf-8"))
            waiting += [STATIC / address.removeprefix("/static/") for address in found]
    return files


def test_the_browser_is_told_at_once_which_modules_the_app_needs() -> None:
    told = re.findall(
        r'rel="modulepreload" href="/static/([^"]+)"', (STATIC / "index.html").read_text(encoding="utf-8")
    )
    assert sorted(told) == sorted(name(path) for path in closure(STATIC / "app.js") - {STATIC / "app.js"})


def test_the_first_page_is_small() -> None:
    scripts = ("app.js", "boot.js", "pages/morning.js", "i18n/zh/frame.js", "i18n/zh/morning.js")
    styles = ("css/tokens.css", "css/base.css", "css/morning.css")
    files = closure(*(STATIC / script for script in scripts))
    files |= {STATIC / file for file in ("index.html", "icons.svg", "logo.svg", *styles)}
    size = sum(len(gzip.compress(path.read_bytes(), 9)) for path in files) / 1024.0
    assert size <= FIRST_LOAD_KB
    print(f"first load {size:.0f} KB in {len(files)} files")
