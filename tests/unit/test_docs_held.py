"""The documentation says what is there, and only that."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from dashboard.cli import COMMANDS, berrybrain
from dashboard.cli.roles import ROLES
from dashboard.supervise import OnDeath

HOUSE = Path(__file__).resolve().parents[2]


def text(name: str) -> str:
    return (HOUSE / name).read_text(encoding="utf-8")


def command(name: str) -> click.Command:
    found = berrybrain.get_command(click.Context(berrybrain), name)
    assert found is not None
    return found


def block(name: str, marker: str) -> str:
    match = re.search(rf"<!-- {marker} -->(.*?)<!-- /{marker} -->", text(name), re.DOTALL)
    assert match, f"{name} has no block '{marker}'"
    return match.group(1)


def test_the_command_table_lists_exactly_the_commands_that_exist() -> None:
    listed = re.findall(r"^\| `berrybrain (\w+)` \|", block("ARCHITECTURE.md", "commands"), re.MULTILINE)
    assert sorted(listed) == sorted(name for name in COMMANDS if not command(name).hidden)


def test_commands_called_planned_do_not_exist_yet() -> None:
    planned = re.search(r"Planned, not there yet: (.*?)\.\n", text("ARCHITECTURE.md"), re.DOTALL)
    assert planned
    names = re.findall(r"`(\w+)`", planned.group(1))
    assert names
    assert not set(names) & set(COMMANDS)


@pytest.mark.parametrize("document", ["README.md", "ARCHITECTURE.md", "dashboard/README.md", "tests/README.md"])
def test_every_berrybrain_line_in_a_document_can_be_typed(document: str) -> None:
    """The command and every option that a document shows exist."""
    for line in re.findall(r"(?:^ {4}|`)berrybrain ([^`#\n]+)", text(document), re.MULTILINE):
        words = line.split()
        if not words or not re.fullmatch(r"[a-z]+", words[0]):
            continue
        found: click.Command | None = command(words[0])
        rest = words[1:]
        while isinstance(found, click.Group) and rest and not rest[0].startswith("-"):
            found = found.get_command(click.Context(found), rest.pop(0))
        assert found is not None, f"{document} shows 'berrybrain {line}', which does not exist"
        known = {name for option in found.params for name in option.opts} | {"--help"}
        unknown = [word for word in rest if word.startswith("--") and word not in known]
        assert not unknown, f"{document} shows {unknown} in 'berrybrain {line}', known: {sorted(known)}"


def test_the_process_table_lists_exactly_the_processes_of_a_run() -> None:
    """Name by name, and what a process's death means."""
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| [^|]+ \| ([^|]+) \|$", text("ARCHITECTURE.md"), re.MULTILINE)
    deaths = {name: death for names, death in rows for name in re.findall(r"`(\w+)`", names)}
    assert sorted(deaths) == sorted(ROLES)
    for name, role in ROLES.items():
        assert deaths[name].startswith("ends the demo" if role.on_death is OnDeath.ENDS_ALL else "started again")


def test_every_option_of_demo_and_detect_says_what_it_does() -> None:
    for name in ("demo", "detect", "doctor", "init"):
        silent = [
            option.name for option in command(name).params if isinstance(option, click.Option) and not option.help
        ]
        assert not silent, f"berrybrain {name} has options without help: {silent}"


def test_make_targets_shown_in_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", text("Makefile"), re.MULTILINE))
    for document in ("README.md", "tests/README.md", "Makefile"):
        shown = set(
            re.findall(r"\bmake (demo|test|check|clean|help|[a-z]+)(?=\s+(?:#|ARGS|set|remove|lint)|`)", text(document))
        )
        assert shown <= targets, f"{document} shows {shown - targets}"
    assert {"demo", "test", "check", "clean", "help"} <= targets


def test_files_that_documents_point_to_exist() -> None:
    for document in ("README.md", "ARCHITECTURE.md", "dashboard/README.md"):
        folder = (HOUSE / document).parent
        for target in re.findall(r"\]\(([^)#:]+)\)", text(document)):
            assert (folder / target).exists(), f"{document} points to {target}"
        for path in re.findall(r"`((?:robot|vision|telemetry|sim|dashboard|tests)/[\w/.-]+)`", text(document)):
            assert (HOUSE / path).exists(), f"{document} names {path}"


def test_no_document_calls_a_software_button_an_emergency_stop_or_the_robot_safe() -> None:
    for document in HOUSE.rglob("*.md"):
        if ".venv" in document.parts:
            continue
        words = document.read_text(encoding="utf-8").lower()
        assert "safety-rated" not in words, document
        assert not re.search(r"(?<!hard-wired )emergency stop(?! button that is hard-wired)", words), document
