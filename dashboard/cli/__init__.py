"""The door: the `berrybrain` command, one file per command, each loaded only when it is used."""

from __future__ import annotations

import importlib
import logging
import os
import sys
from collections.abc import Sequence

import click

from dashboard.cli.errors import Problem
from dashboard.cli.guard import foreign_packages

# name → module under dashboard.cli that holds a click command called `command`. Adding a command adds a row.
COMMANDS = {
    "init": "init",
    "demo": "demo",
    "robot": "robot",
    "dashboard": "dashboard",
    "import": "import_",
    "query": "query",
    "backup": "backup",
    "restore": "restore",
    "store": "store",
    "detect": "detect",
    "sim": "sim",
    "ros": "ros",
    "deadletters": "deadletters",
    "broker": "broker",
    "token": "token",
    "train": "train",
    "calibrate": "calibrate",
    "bench": "bench",
    "doctor": "doctor",
    "process": "process",
}


class LazyGroup(click.Group):
    """Import a command's file when it is named, so that `--help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        cmd_name = cmd_name if cmd_name in COMMANDS else cmd_name.replace("-", "")  # dead-letters is the same one
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"dashboard.cli.{COMMANDS[cmd_name]}").command
        if not isinstance(command, click.Command):
            raise TypeError(f"dashboard.cli.{COMMANDS[cmd_name]}.command must be a click command, got {command!r}")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            near = get_close_matches(args[0], [name for name in COMMANDS if name != "process"], n=1)
            if near:
                ctx.fail(f"{error.message} Did you mean {near[0]!r}?")
            raise


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="berrybrain", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show the whole trace when something goes wrong, and log everything.")
def berrybrain(debug: bool) -> None:
    """A strawberry-picking robot and the farm's brain, with a simulated greenhouse that runs the same code."""
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit: 0 done, 1 it could not be done, 2 it was called wrongly, 130 interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    # Read when numpy is loaded, here and in child processes: its products are small, and a second thread for them only
    # waits busily; with it the places of a frame's berries take twice the CPU time.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        wrong = foreign_packages()
        if wrong:
            raise Problem("\n".join(wrong))
        code = berrybrain.main(args=words, prog_name="berrybrain", standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("berrybrain: interrupted", err=True)
        sys.exit(130)
    except click.exceptions.NoArgsIsHelpError as helped:
        helped.show()
        sys.exit(helped.exit_code)
    except click.UsageError as wrong:
        path = wrong.ctx.command_path if wrong.ctx else "berrybrain"
        click.echo(f"{path}: {wrong.format_message().rstrip('.')}; {path} --help tells more", err=True)
        sys.exit(wrong.exit_code)
    except click.ClickException as problem:
        problem.show()
        sys.exit(problem.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except Exception as bug:
        if "--debug" in words:
            raise
        where = f"{type(bug).__name__}: {bug}"
        click.echo(
            f"berrybrain: this should not happen: {where}\n  berrybrain --debug {' '.join(words)} tells more", err=True
        )
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)
