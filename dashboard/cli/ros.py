"""`berrybrain ros …`: run ROS 2 scripts without ROS, and look at what runs."""

from __future__ import annotations

from pathlib import Path

import click

from dashboard.cli.errors import Problem


@click.group(name="ros")
def command() -> None:
    """Run ROS 2 scripts without ROS, and look at topics, services and recordings."""


@command.command(
    name="run",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option("-m", "--module", is_flag=True, help="TARGET is a module's name, as with python -m.")
@click.option(
    "--interfaces",
    metavar="DIR",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of your own interface packages, DIR/<package>/msg/*.msg. $BERRYBRAIN_INTERFACES holds more.",
)
@click.argument("target")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def run(*, module: bool, interfaces: tuple[Path, ...], target: str, arguments: tuple[str, ...]) -> int:
    """Run an unmodified ROS 2 script: node.py [--ros-args …]. A real rclpy is used where there is one."""
    from robot.ros.interfaces import registry
    from robot.ros.tools.run import run as run_script

    for folder in interfaces:
        registry.add_search_path(folder)
    try:
        return run_script(target, arguments, module=module)
    except FileNotFoundError as error:
        raise Problem(str(error)) from error
