"""Every fault that code can raise or report has its row, so that whoever sees it is told what it means."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from telemetry.messages.tables import faults

HOUSE = Path(__file__).resolve().parents[2]
PACKAGES = ("robot", "vision", "telemetry", "sim", "dashboard")
RAISED = {"HardwareError", "CameraError", "StoreError", "MqttError", "refusal", "_why"}
KEYWORDS = {"fault", "fault_key"}
LISTING = {"StreamResult"}
"""Whose `faults` are keys; what a device reports in `JointState.faults` are its own codes."""
KEY = re.compile(r"[a-z]+(_[a-z]+)+")


def keys_in(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield constants that name a fault: the code of an error, or what is handed over as `fault`."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        arguments = KEYWORDS | ({"code"} if name in RAISED else set()) | ({"faults"} if name in LISTING else set())
        named = [k.value for k in node.keywords if k.arg in arguments]
        for value in [*named, *(node.args[:1] if name in RAISED else [])]:
            for part in ast.walk(value):
                if isinstance(part, ast.Constant) and isinstance(part.value, str) and KEY.fullmatch(part.value):
                    yield part.value, part.lineno


def test_every_fault_that_code_names_is_in_the_table() -> None:
    table = faults()
    unknown = [
        f"{path.relative_to(HOUSE)}:{line} {key}"
        for package in PACKAGES
        for path in sorted((HOUSE / package).rglob("*.py"))
        for key, line in keys_in(ast.parse(path.read_text(encoding="utf-8")))
        if key not in table
    ]
    assert not unknown, "add these to telemetry/messages/faults.toml:\n" + "\n".join(unknown)


def test_scan_finds_a_fault_that_is_raised_and_one_that_is_reported() -> None:
    text = 'raise MqttError("no_such_fault", "x")\nself.state("faulty", fault="not_this_one" if a else "")'
    text += '\nStreamResult(stream=1, faults=("nor_this",))'
    assert [key for key, _ in keys_in(ast.parse(text))] == ["no_such_fault", "not_this_one", "nor_this"]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("key", ["operator_hold", "operator_stop"])
def test_a_text_that_names_a_button_names_it_as_the_pages_do(key: str, language: str) -> None:
    words = HOUSE / "dashboard/static/i18n" / language / "robot.js"
    label = re.search(r'"robot.cmd_resume": "([^"]+)"', words.read_text(encoding="utf-8"))
    assert label is not None
    fault = faults()[key]
    assert label[1] in (fault.do_zh if language == "zh" else fault.do_en.lower())
