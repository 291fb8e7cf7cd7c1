"""`berrybrain ros bridge …`: to a ROS 2 on this machine, and to robots whose ROS 2 runs on Zenoh."""

from __future__ import annotations

import click

from dashboard.cli.ros_link import until_asked
from dashboard.cli.ros_session import words


@click.group(name="bridge")
def bridge() -> None:
    """Join this machine's domain with a ROS 2: messages pass both ways as the bytes they are."""


@bridge.command(name="zenoh")
@click.option(
    "--connect",
    metavar="ENDPOINT",
    multiple=True,
    help="Go there; rmw_zenoh's router listens at tcp/localhost:7447. [default: that]",
)
@click.option("--listen", metavar="ENDPOINT", multiple=True, help="Be reached there, such as tcp/0.0.0.0:7448.")
def zenoh(*, connect: tuple[str, ...], listen: tuple[str, ...]) -> None:
    """Be a peer of nodes that run on rmw_zenoh with the same ROS_DOMAIN_ID; needs berrybrain[zenoh]."""
    from robot.ros.bridge.zenoh import ROUTER, ZenohBridge

    with words():
        made = ZenohBridge(connect=connect or (() if listen else (ROUTER,)), listen=listen)
        try:
            with until_asked(made.end):
                click.echo("joined with Zenoh; Ctrl-C ends it", err=True)
                made.run()
        finally:
            made.close()


@bridge.command(name="ros2")
def ros2() -> None:
    """Join with the ROS 2 that is sourced here, whatever its middleware: topics, services, actions."""
    from robot.ros.bridge.ros2 import run_here

    with words():
        run_here(lambda line: click.echo(f"{line}; Ctrl-C ends it", err=True))
