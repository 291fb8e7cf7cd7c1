"""The terminal that is a robot's reset button: whole lines at once, and no press when it is gone."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from dashboard.cli.robot_serve import Typed

Pipe = tuple[Typed, int]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    reads, writes = os.pipe()
    yield Typed(reads), writes
    os.close(reads)


def test_lines_that_come_together_are_all_told_at_once(pipe: Pipe) -> None:
    typed, writes = pipe
    assert typed.lines() == []
    os.write(writes, b"\nS\n")
    assert typed.lines() == ["", "s"], "a stop does not wait for the next key"
    os.close(writes)


def test_a_line_that_has_no_end_yet_is_waited_for_by_nobody(pipe: Pipe) -> None:
    typed, writes = pipe
    os.write(writes, b"s")
    assert typed.lines() == []
    os.write(writes, b"\n")
    assert typed.lines() == ["s"]
    os.close(writes)


@pytest.mark.parametrize("begun", [b"", b"s"])
def test_a_terminal_that_is_gone_presses_nothing(pipe: Pipe, begun: bytes) -> None:
    typed, writes = pipe
    os.write(writes, begun)
    os.close(writes)
    assert typed.lines() == typed.lines() == []
