"""`berrybrain token`: who may write lines into the farm, or ask for its measurements, over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dashboard.cli.errors import Misuse, Problem
from dashboard.cli.options import data_option

if TYPE_CHECKING:
    from telemetry.door.tokens import Tokens

SCOPES = ("write", "read")
DATA = data_option()


@click.group(name="token")
def command() -> None:
    """Tokens of programs that write into the farm or read from it over HTTP.

    InfluxDB's clients and Telegraf take the dashboard's address as their server and a token from here.
    """


@command.command()
@click.argument("name")
@click.option("--scope", "scopes", type=click.Choice(SCOPES), multiple=True, default=("write",), show_default=True)
@click.option("--bucket", metavar="NAME", default="", help="Only this bucket: `farm`, or a site of its own. [any]")
@DATA
def add(name: str, scopes: tuple[str, ...], bucket: str, data: Path) -> None:
    """Make a token and print it, once; only a hash of it is kept. It holds from now on."""
    from telemetry.door.tokens import TokenError

    try:
        click.echo(_tokens(data).add(name, scopes, bucket))
    except TokenError as error:
        raise Misuse(str(error)) from error


@command.command(name="list")
@DATA
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_(data: Path, as_json: bool) -> None:
    """List the tokens by name; the tokens themselves are not known."""
    import json
    from dataclasses import asdict
    from datetime import UTC, datetime

    known = _tokens(data).all()
    if as_json:
        click.echo(json.dumps({"tokens": [asdict(token) for token in known]}, ensure_ascii=False))
        return
    if not known:
        click.echo("no tokens yet; make one: berrybrain token add NAME", err=True)
    for token in known:
        made = f"{datetime.fromtimestamp(token.made_at, UTC):%Y-%m-%d}"
        click.echo(f"{token.name}  {'+'.join(token.scopes)}  {token.bucket or 'any bucket'}  since {made}")


@command.command()
@click.argument("name")
@DATA
def revoke(name: str, data: Path) -> None:
    """End a token at once."""
    from telemetry.door.tokens import TokenError

    try:
        _tokens(data).revoke(name)
    except TokenError as error:
        raise Problem(str(error)) from error
    click.echo(f"{name} is no token any more")


def _tokens(data: Path) -> Tokens:
    import time

    from telemetry.door.tokens import FILE, Tokens

    return Tokens(data / FILE, time.time)
