"""`berrybrain ros …`: run ROS 2 scripts without ROS, and look at what runs."""

from __future__ import annotations

import json

import click

from dashboard.cli.errors import Problem
from dashboard.cli.ros_bag import bag
from dashboard.cli.ros_bridge import bridge
from dashboard.cli.ros_graph import action, node, param, service
from dashboard.cli.ros_link import link, security
from dashboard.cli.ros_session import interfaces_option, words
from dashboard.cli.ros_topic import topic


@click.group(name="ros")
def command() -> None:
    """Run ROS 2 scripts without ROS, and look at topics, services and recordings."""


for group in (topic, node, service, action, param, bag, security, link, bridge):
    command.add_command(group)


@command.command(
    name="run",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option("-m", "--module", is_flag=True, help="TARGET is a module's name, as with python -m.")
@interfaces_option
@click.argument("target")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def run(*, module: bool, target: str, arguments: tuple[str, ...]) -> int:
    """Run an unmodified ROS 2 script: node.py [--ros-args …]. A real rclpy is used where there is one."""
    from robot.ros.tools.run import run as run_script

    try:
        return run_script(target, arguments, module=module)
    except FileNotFoundError as error:
        if error.filename is not None:
            raise
        raise Problem(str(error)) from error


@command.group(name="interface")
def interface() -> None:
    """Show messages, services and actions."""


@interface.command(name="show")
@click.option("--no-comments", is_flag=True, help="Leave out what is said about the fields.")
@interfaces_option
@click.argument("name")
def show(*, no_comments: bool, name: str) -> None:
    """Print an interface file with all it is made of: std_msgs/msg/Header or std_msgs/Header."""
    from robot.ros.tools.interfaces import show as lines

    with words():
        for line in lines(name, comments=not no_comments):
            click.echo(line)


@interface.command(name="list")
@interfaces_option
@click.argument("package", required=False)
def list_interfaces(*, package: str | None) -> None:
    """Print the names of all interfaces, or of one PACKAGE."""
    from robot.ros.tools.interfaces import names

    with words():
        for name in names(package):
            click.echo(name)


@interface.command(name="proto")
@interfaces_option
@click.argument("name")
def proto(*, name: str) -> None:
    """Print an interface's fields with their defaults as YAML, to fill in."""
    from robot.ros.tools.interfaces import prototype

    with words():
        click.echo(prototype(name), nl=False)


@command.command(name="doctor")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(*, as_json: bool) -> int:
    """Say whether nodes can run and hear each other here, and what to do if not."""
    from robot.ros.tools.doctor import examine

    with words():
        findings = examine()
    if as_json:
        click.echo(json.dumps({f.what: {"state": f.state, "text": f.text} for f in findings}, ensure_ascii=False))
    else:
        for finding in findings:
            click.echo(f"{finding.state:<5} {finding.what:<11} {finding.text}")
    return int(any(finding.state == "fail" for finding in findings))
