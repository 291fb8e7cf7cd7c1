"""What all tests share: waiting on a condition, with a deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

Until = Callable[..., None]


@pytest.fixture
def until() -> Until:
    """Return a function that waits until a condition holds, and fails when it does not within so many wall seconds."""
    pause = threading.Event()

    def wait(condition: Callable[[], object], *, within: float = 10.0, what: str = "") -> None:
        deadline = time.monotonic() + within
        while not condition():
            if time.monotonic() > deadline:
                pytest.fail(f"{what or 'the condition'} did not become true within {within} s")
            pause.wait(0.02)

    return wait
