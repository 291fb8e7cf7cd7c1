"""What all tests share: waiting on a condition, with a deadline."""

from __future__ import annotations

import importlib.util
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

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


@pytest.fixture(scope="session")
def dashboard_farm() -> ModuleType:
    """Return the farm behind the dashboard, `tests/dashboard_farm.py`."""
    return load("dashboard_farm")


@pytest.fixture(scope="session")
def lockstep() -> ModuleType:
    """Return the harvest in virtual time, `tests/lockstep_harvest.py`."""
    return load("lockstep_harvest")


def load(name: str) -> ModuleType:
    """Import a helper that lies beside this file: tests are no package."""
    known = f"berrybrain_tests_{name}"
    if known not in sys.modules:
        spec = importlib.util.spec_from_file_location(known, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[known] = module
        spec.loader.exec_module(module)
    return sys.modules[known]
