"""`berrybrain ros node|service|action|param …`: who is there, and asking them for something."""

from __future__ import annotations

import json
from pathlib import Path

import click

from dashboard.cli.ros_session import interfaces_option, look_option, session


@click.group(name="node")
def node() -> None:
    """List nodes and what they offer."""


@node.command(name="list")
@click.option("-a", "--all", "hidden", is_flag=True, help="Also those whose names begin with '_'.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
@look_option
def list_nodes(*, hidden: bool, as_json: bool, look_s: float | None) -> None:
    """Print the names of all nodes."""
    with session(look_s) as opened:
        opened.look()
        names = opened.nodes(hidden=hidden)
        click.echo(json.dumps(names) if as_json else "\n".join(names), nl=bool(as_json or names))


@node.command(name="info")
@click.option("--include-hidden", "hidden", is_flag=True, help="Also topics and services whose names begin with '_'.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@look_option
@click.argument("name")
def node_info(*, name: str, hidden: bool, as_json: bool, look_s: float | None) -> None:
    """Print what a node subscribes to, publishes, serves and calls."""
    from robot.ros.tools import graph

    with session(look_s) as opened:
        found = graph.node_info(opened, name, hidden=hidden)
        if as_json:
            click.echo(json.dumps(found))
            return
        click.echo(opened.resolve(name))
        for title, entries in found.items():
            click.echo(f"  {title}:")
            for key, kinds in entries.items():
                click.echo(f"    {key}: {', '.join(kinds)}")
            if not entries:
                click.echo("")


@click.group(name="service")
def service() -> None:
    """List services and call them."""


@service.command(name="list")
@click.option("-t", "--show-types", is_flag=True, help="Print the types too.")
@click.option("--include-hidden-services", "hidden", is_flag=True, help="Also those that actions are made of.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: types by service.")
@look_option
def list_services(*, show_types: bool, hidden: bool, as_json: bool, look_s: float | None) -> None:
    """Print the services there are."""
    with session(look_s) as opened:
        opened.look()
        found = opened.services(hidden=hidden)
        if as_json:
            click.echo(json.dumps(found))
            return
        for name, kinds in found.items():
            click.echo(f"{name} [{', '.join(kinds)}]" if show_types else name)


@service.command(name="call")
@click.option(
    "--timeout", "timeout_s", type=click.FloatRange(min=0.0), default=10.0, show_default=True, help="Seconds."
)
@look_option
@interfaces_option
@click.argument("name")
@click.argument("type_name", metavar="[TYPE]", required=False)
@click.argument("values", default="")
def call(*, name: str, type_name: str | None, values: str, timeout_s: float, look_s: float | None) -> None:
    """Call a service with VALUES, YAML such as '{a: 1, b: 2}', and print what it answers."""
    from robot.ros.tools import graph

    type_name, values = _type_and_values(type_name, values)
    with session(look_s) as opened:
        request, response = graph.call(opened, name, type_name, values, timeout_s)
        click.echo(f"requester: making request: {request!r}\n\nresponse:\n{response!r}\n")


def _type_and_values(type_name: str | None, values: str) -> tuple[str | None, str]:
    """Take what looks like YAML for the values when the type was left out."""
    if type_name is not None and not values and ("{" in type_name or ":" in type_name):
        return None, type_name
    return type_name, values


@click.group(name="action")
def action() -> None:
    """List actions and send goals."""


@action.command(name="list")
@click.option("-t", "--show-types", is_flag=True, help="Print the types too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: types by action.")
@look_option
def list_actions(*, show_types: bool, as_json: bool, look_s: float | None) -> None:
    """Print the actions there are."""
    with session(look_s) as opened:
        opened.look()
        found = opened.actions()
        if as_json:
            click.echo(json.dumps(found))
            return
        for name, kinds in found.items():
            click.echo(f"{name} [{', '.join(kinds)}]" if show_types else name)


@action.command(name="send_goal")
@click.option("-f", "--feedback", is_flag=True, help="Print feedback as it comes.")
@click.option(
    "--timeout", "timeout_s", type=click.FloatRange(min=0.0), default=10.0, show_default=True, help="Seconds."
)
@look_option
@interfaces_option
@click.argument("name")
@click.argument("type_name", metavar="[TYPE]", required=False)
@click.argument("values", default="")
def send_goal(
    *, name: str, type_name: str | None, values: str, feedback: bool, timeout_s: float, look_s: float | None
) -> None:
    """Send a goal, YAML such as '{order: 5}', and print how it ends. Ctrl-C cancels it."""
    from robot.ros.packages.rosidl_runtime_py import message_to_yaml
    from robot.ros.tools import graph

    type_name, values = _type_and_values(type_name, values)
    shown = (lambda message: click.echo(f"Feedback:\n    {message_to_yaml(message)}")) if feedback else None
    with session(look_s) as opened:
        for line in graph.send_goal(opened, name, type_name, values, timeout_s=timeout_s, on_feedback=shown):
            click.echo(line)


@click.group(name="param")
def param() -> None:
    """Read and set the parameters of nodes."""


@param.command(name="list")
@look_option
@click.argument("node_name", required=False)
def list_parameters(*, node_name: str | None, look_s: float | None) -> None:
    """Print the names of a node's parameters, or of all nodes'."""
    from robot.ros.tools.params import Parameters

    with session(look_s) as opened:
        if node_name is not None:
            for name in Parameters(opened, node_name).names():
                click.echo(f"  {name}")
            return
        opened.look()
        for full in opened.nodes():
            if f"{full}/list_parameters" in opened.services(hidden=True):
                click.echo(f"{full}:")
                for name in Parameters(opened, full).names():
                    click.echo(f"  {name}")


@param.command(name="get")
@click.option("--hide-type", is_flag=True, help="Print the value alone.")
@look_option
@click.argument("node_name")
@click.argument("name")
def get_parameter(*, node_name: str, name: str, hide_type: bool, look_s: float | None) -> None:
    """Print a parameter's value."""
    from robot.ros.tools.params import Parameters, described, value_of

    with session(look_s) as opened:
        value = Parameters(opened, node_name).get_one(name)
        click.echo(value_of(value) if hide_type else described(value))


@param.command(name="set", context_settings={"ignore_unknown_options": True})
@look_option
@click.argument("node_name")
@click.argument("name")
@click.argument("value")
def set_parameter(*, node_name: str, name: str, value: str, look_s: float | None) -> None:
    """Set a parameter to VALUE, in YAML: 3, 3.5, true, text, '[1, 2]'."""
    from robot.ros.tools.params import Parameters

    with session(look_s) as opened:
        Parameters(opened, node_name).set(name, value)
        click.echo("Set parameter successful")


@param.command(name="describe")
@look_option
@click.argument("node_name")
@click.argument("names", nargs=-1, required=True)
def describe_parameters(*, node_name: str, names: tuple[str, ...], look_s: float | None) -> None:
    """Print what parameters are for and what they may be."""
    from robot.ros.packages.rosidl_runtime_py import message_to_yaml
    from robot.ros.tools.params import Parameters

    with session(look_s) as opened:
        for descriptor in Parameters(opened, node_name).describe(*names):
            click.echo(f"Parameter name: {descriptor.name}\n{message_to_yaml(descriptor)}")


@param.command(name="dump")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
@look_option
@click.argument("node_name")
def dump_parameters(*, node_name: str, output: Path | None, look_s: float | None) -> None:
    """Print all parameters of a node as a file that --params-file reads."""
    from robot.ros.tools.params import Parameters

    with session(look_s) as opened:
        text = Parameters(opened, node_name).dump()
        if output is None:
            click.echo(text, nl=False)
        else:
            output.write_text(text, encoding="utf-8")
            click.echo(f"Saving to: {output}")
