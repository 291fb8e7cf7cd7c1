"""What all tests share: waiting on a condition, with a deadline."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

Until = Callable[..., None]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that starts the tests in the background has them ignore Ctrl-C, and all they start would too.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A slow machine is no finding, and two runs of the same code try the same cases; `--hypothesis-profile=default` tries
# new ones.
settings.register_profile(
    "berrybrain", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("berrybrain")


@pytest.fixture
def until() -> Until:
    """Return a function that waits until a condition holds, and fails when it does not within so many wall seconds."""
    pause = threading.Event()

    def wait(condition: Callable[[], object], *, within: float = 30.0, what: str = "") -> None:
        deadline = time.monotonic() + within
        while not condition():
            if time.monotonic() > deadline:
                pytest.fail(f"{what or 'the condition'} did not become true within {within} s")
            pause.wait(0.02)

    return wait


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands of the dashboard wait for their answer as long as a loaded machine needs."""
    monkeypatch.setattr("dashboard.api_robots.ANSWER_S", 20.0)
