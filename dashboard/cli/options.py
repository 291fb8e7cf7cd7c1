"""Options that several commands share: where the farm's state is, and which farm file holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def data_option(help: str = "The farm's state folder.") -> Callable[[F], F]:
    """Add `--data DIR`, ./berrybrain-data when it is left out."""
    return click.option(
        "--data",
        metavar="DIR",
        type=click.Path(path_type=Path),
        default=Path("berrybrain-data"),
        show_default=True,
        help=help,
    )


def farm_option() -> Callable[[F], F]:
    """Add `--farm FILE`; `settings.find_farm` finds the one that holds when it is left out."""
    return click.option(
        "--farm",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Farm file. Left out: DIR/farm.toml, ./farm.toml or the built-in farm.",
    )
