"""`berrybrain ros security …` and `berrybrain ros link`: other robots, by their keys, as far as a policy lets them."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from dashboard.cli.errors import Misuse
from dashboard.cli.ros_session import words

keys_option = click.option(
    "--keys",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the keys. [default: $BERRYBRAIN_ROS_KEYS, else ~/.config/berrybrain/ros-keys]",
)


@contextmanager
def until_asked(end: Callable[[], object]) -> Iterator[None]:
    """Call `end` at Ctrl-C and SIGTERM."""
    before = {number: signal.signal(number, lambda *_: end()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@click.group(name="security")
def security() -> None:
    """Say who this robot is, and which other robots it lets in."""


@security.command(name="init")
@keys_option
@click.argument("name")
def init(*, folder: Path | None, name: str) -> None:
    """Make this robot's keys, and a policy to start from that allows nothing."""
    from robot.ros.security.keys import Keys, default_folder

    with words():
        keys = Keys(folder or default_folder())
        own = keys.create(name)
        click.echo(f"{own.name}: give {keys.folder}/own/{own.name}.key to the others; what they may do: {keys.policy}")


@security.command(name="list")
@keys_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_keys(*, folder: Path | None, as_json: bool) -> None:
    """Show this robot's name and public key, and those that are let in."""
    from robot.ros.security.keys import Keys, default_folder

    with words():
        keys = Keys(folder or default_folder())
        own, peers = keys.own(), keys.peers()
    if as_json:
        known = {name: key.decode() for name, key in peers.items()}
        click.echo(json.dumps({"name": own.name, "key": own.public.decode(), "peers": known}))
        return
    click.echo(f"{own.name}  {own.public.decode()}  (this robot)")
    for name, key in peers.items():
        click.echo(f"{name}  {key.decode()}")


@security.command(name="add")
@keys_option
@click.option("--name", help="What it is called here. [default: the file's name]")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def add(*, folder: Path | None, name: str | None, file: Path) -> None:
    """Let in the robot whose public key is in FILE; what it may do, the policy says."""
    from robot.ros.security.keys import Keys, default_folder

    with words():
        click.echo(f"{Keys(folder or default_folder()).add(file, name)} is let in")


@security.command(name="remove")
@keys_option
@click.argument("name")
def remove(*, folder: Path | None, name: str) -> None:
    """Let the robot NAME in no more; a link that runs drops it within a second."""
    from robot.ros.security.keys import Keys, default_folder

    with words():
        Keys(folder or default_folder()).remove(name)
        click.echo(f"{name} is not let in any more")


@security.command(name="check")
@keys_option
def check(*, folder: Path | None) -> None:
    """Read keys and policy, and say what is wrong with them."""
    from robot.ros.security.keys import Keys, default_folder
    from robot.ros.security.policy import read_policy

    with words():
        keys = Keys(folder or default_folder())
        name, peers, policy = keys.own().name, keys.peers(), read_policy(keys.policy)
        click.echo(f"{name}: {len(peers)} robots are let in, the policy has {len(policy.enclaves)} enclaves")


@click.command(name="link")
@keys_option
@click.option("--listen", metavar="HOST:PORT", help="Be reached here; port 0 = any free one.")
@click.option("--connect", metavar="NAME@HOST:PORT", multiple=True, help="Go to a robot that listens.")
def link(*, folder: Path | None, listen: str | None, connect: tuple[str, ...]) -> None:
    """Join this machine's topics and services with those of other robots, encrypted, as far as the policy lets them."""
    from robot.ros.bridge.link import Link
    from robot.ros.security.keys import Keys, default_folder

    if listen is None and not connect:
        raise Misuse("name where to be reached (--listen HOST:PORT), or whom to go to (--connect NAME@HOST:PORT)")
    addresses: dict[str, str] = {}
    for text in connect:
        name, mark, address = text.partition("@")
        if not (name and mark and ":" in address):
            raise Misuse(f"expected --connect NAME@HOST:PORT, got {text!r}")
        addresses[name] = address
    with words():
        made = Link(Keys(folder or default_folder()), listen=listen, connect=addresses)
        try:
            with until_asked(made.end):
                if made.wire.address is not None:
                    click.echo(f"listening at {made.wire.address}")
                made.run()
        finally:
            made.close()
