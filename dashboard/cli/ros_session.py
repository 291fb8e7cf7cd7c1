"""What the commands of `berrybrain ros` share: a session on the graph, its errors in words, and common options."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dashboard.cli.errors import Problem

if TYPE_CHECKING:
    from robot.ros.tools.session import Session

F = TypeVar("F", bound=Callable[..., Any])


@contextmanager
def words() -> Iterator[None]:
    """Turn what the layer cannot do into one line, and Ctrl-C into a quiet end."""
    from robot.ros.exceptions import ROSError
    from robot.ros.tools.session import ToolError

    try:
        yield
    except KeyboardInterrupt:
        return
    except (ToolError, ROSError) as error:
        raise Problem(str(error)) from error


@contextmanager
def session(look_s: float | None = None) -> Iterator[Session]:
    """Open a session; `look_s` is how long it listens to the graph."""
    from robot.ros.tools.session import LOOK_S, Session

    with words(), Session(look_s=LOOK_S if look_s is None else look_s) as opened:
        yield opened


def look_option(command: F) -> F:
    return click.option(
        "--spin-time",
        "look_s",
        metavar="SECONDS",
        type=click.FloatRange(min=0.0),
        help="How long to listen to the graph at most. [default: 2]",
    )(command)


def interfaces_option(command: F) -> F:
    """Add `--interfaces DIR`, which the registry knows before the command runs."""
    return click.option(
        "--interfaces",
        metavar="DIR",
        multiple=True,
        expose_value=False,
        callback=_add,
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Folder of your own interface packages, DIR/<package>/msg/*.msg. $BERRYBRAIN_INTERFACES holds more.",
    )(command)


def _add(context: click.Context, parameter: click.Parameter, folders: tuple[Path, ...]) -> None:
    if not folders:
        return
    from robot.ros.interfaces import PATH_VARIABLE, registry

    for folder in folders:
        registry.add_search_path(folder)
    given = [os.environ[PATH_VARIABLE]] if os.environ.get(PATH_VARIABLE) else []
    os.environ[PATH_VARIABLE] = os.pathsep.join([*map(str, folders), *given])  # for the script's own processes
