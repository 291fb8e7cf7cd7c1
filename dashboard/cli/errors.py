"""Errors for people: one line that says what was wrong, what was expected and what to do."""

from __future__ import annotations

from typing import IO, Any

import click


class Problem(click.ClickException):
    """Something outside the program prevents the work; ends the command with exit code 1 and no trace."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the message to stderr, or to `file`."""
        click.echo(f"berrybrain: {self.message}", file=file, err=file is None)


class Misuse(Problem):
    """The command, or a file it was given, says something that cannot be; exit code 2."""

    exit_code = 2
