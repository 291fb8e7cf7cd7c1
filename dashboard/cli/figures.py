"""How commands print figures: one JSON object, or a line each."""

from __future__ import annotations

import json
from typing import Any

import click


def report(figures: dict[str, Any], as_json: bool) -> None:
    """Print the figures: as one JSON object, or a line each."""
    if as_json:
        click.echo(json.dumps(figures, ensure_ascii=False, allow_nan=False))
        return
    for name, value in figures.items():
        shown = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
        click.echo(f"{name:<24} {shown}")
