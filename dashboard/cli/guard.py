"""Refuse to start when another distribution's package (robotframework's `robot`) hides one of ours."""

from __future__ import annotations

import importlib.util
from pathlib import Path

OURS = ("robot", "vision", "telemetry", "sim", "dashboard")
HOUSE = Path(__file__).resolve().parents[2]


def foreign_packages(house: Path = HOUSE) -> list[str]:
    """Return one line for each of our package names that Python would find outside `house`, with the remedy."""
    lines = []
    for name in OURS:
        spec = importlib.util.find_spec(name)
        origin = None if spec is None else spec.origin or next(iter(spec.submodule_search_locations or []), None)
        if origin is None:
            lines.append(f"package '{name}' is missing from {house}; install berrybrain again: pip install berrybrain")
        elif not Path(origin).resolve().is_relative_to(house / name):
            lines.append(
                f"another package called '{name}' hides berrybrain's: {origin}, expected it under {house}. "
                f"{_remedy(name)}"
            )
    return lines


def _remedy(name: str) -> str:
    culprit = " (pip uninstall robotframework, if that is it)" if name == "robot" else ""
    return f"Install berrybrain in an environment of its own{culprit}, and check PYTHONPATH and the current folder."
