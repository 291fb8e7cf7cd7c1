"""Every text of the pages exists in Chinese and English, and every text that is asked for exists."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dashboard.morning import SENTENCES, THINGS

STATIC = Path(__file__).parents[2] / "dashboard" / "static"
SCRIPTS = sorted(p for p in STATIC.rglob("*.js") if not p.is_relative_to(STATIC / "vendor") and "i18n" not in p.parts)
PAGES = sorted({path.name for path in (STATIC / "i18n").glob("*/*.js")})
ASKED = re.compile(r"""\b(?:t|rich|has)\(\s*(["`])(.+?)\1""")
TITLE = re.compile(r"""\btitle: "([\w.]+)\"""")
NAMED = re.compile(r"\{(\w+)\}")


def words(language: str, page: str) -> dict[str, str]:
    """Return a language file: JSON behind `export default`, with one comma too many."""
    text = (STATIC / "i18n" / language / page).read_text(encoding="utf-8")
    body = text.removeprefix("export default ").strip().removesuffix(";")
    content: dict[str, str] = json.loads(re.sub(r",\s*}$", "}", body))
    return content


def every(language: str) -> dict[str, str]:
    return {key: text for page in PAGES for key, text in words(language, page).items()}


def patterns() -> list[tuple[str, re.Pattern[str]]]:
    """Return what the scripts ask for: the file, and a pattern of the key (a `${…}` in it stands for anything)."""
    found = []
    for script in SCRIPTS:
        text = script.read_text(encoding="utf-8")
        keys = [key for _, key in ASKED.findall(text)] + TITLE.findall(text)
        for key in keys:
            pieces = re.split(r"\$\{[^}]*\}", key)
            found.append((script.name, re.compile(r"[\w.]+".join(re.escape(piece) for piece in pieces))))
    return found


@pytest.mark.parametrize("page", PAGES)
def test_chinese_and_english_have_the_same_keys_in_order(page: str) -> None:
    zh, en = words("zh", page), words("en", page)
    assert list(zh) == sorted(zh)
    assert list(en) == list(zh)


@pytest.mark.parametrize("page", PAGES)
def test_both_languages_are_told_the_same_things(page: str) -> None:
    zh, en = words("zh", page), words("en", page)
    for key in zh:
        told = set(NAMED.findall(zh[key])) - {"n"}, set(NAMED.findall(en[key])) - {"n"}
        assert told[0] == told[1], f"{key}: the texts name different arguments"


def test_no_key_stands_in_two_files() -> None:
    for language in ("zh", "en"):
        assert len(every(language)) == sum(len(words(language, page)) for page in PAGES)


def test_every_text_that_a_script_asks_for_exists() -> None:
    keys = every("zh")
    missing = {f"{file}: {p.pattern}" for file, p in patterns() if not any(map(p.fullmatch, keys))}
    assert not missing


def test_every_text_is_asked_for() -> None:
    asked = [pattern for _, pattern in patterns()]
    scripts = "\n".join(script.read_text(encoding="utf-8") for script in SCRIPTS)
    unused = {key for key in every("zh") if f'"{key}"' not in scripts and not any(p.fullmatch(key) for p in asked)}
    assert not unused


def test_the_morning_can_say_whatever_the_rules_choose() -> None:
    keys = every("zh")
    assert {f"morning.sentence.{key}" for key in SENTENCES} <= set(keys)
    assert {f"morning.thing.{key}{end}" for key in THINGS for end in ("", ".why")} <= set(keys)


def test_texts_keep_the_house_words() -> None:
    for key, text in every("en").items():
        assert not re.search(r"emergency stop|guaranteed|\bsafe\b|\bAI\b|please|!", text, re.IGNORECASE), key
    for key, text in every("zh").items():
        assert "！" not in text and "收割" not in text, key
