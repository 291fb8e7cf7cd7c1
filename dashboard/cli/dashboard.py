"""`berrybrain dashboard`: serve the pages of a farm that runs, or make an account for it."""

from __future__ import annotations

import errno
from pathlib import Path

import click

from dashboard.cli.errors import Problem
from dashboard.cli.options import data_option, farm_option

ROLES = ("viewer", "grower", "admin")


@click.command(name="dashboard")
@data_option()
@farm_option()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to serve; 0.0.0.0: the whole network.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes any free one.")
@click.option("--mqtt", metavar="HOST:PORT", help="The broker. Left out: [mqtt] of the farm file.")
@click.option("--account", metavar="NAME", help="Give this account a new random password (made when missing) and end.")
@click.option("--role", type=click.Choice(ROLES), default="viewer", show_default=True, help="Of that account.")
def command(
    *, data: Path, farm: Path | None, host: str, port: int, mqtt: str | None, account: str | None, role: str
) -> None:
    """Serve the growers' pages and the open API.

    The first start makes the account `admin` and prints its password once; only a hash of it is kept.
    """
    from contextlib import closing

    from dashboard.auth import Role, random_password
    from dashboard.cli.known_broker import credentials
    from dashboard.cli.settings import find_farm
    from dashboard.serve import ADMIN, ServeSettings, WallClock, first_admin, open_accounts, run
    from telemetry.farm import parse_farm

    if account is not None:
        password = random_password()
        with closing(open_accounts(data)) as accounts:
            try:
                accounts.add(account, Role[role.upper()], password)
            except ValueError as error:
                raise click.UsageError(str(error)) from error
        click.echo(f"{account} ({role}): {password}")
        return
    known = parse_farm(find_farm(farm, data)[0])
    mqtt_host, mqtt_port = _broker(mqtt or known.mqtt.url, known.mqtt.port)
    made = first_admin(data)
    if made is not None:
        click.echo(f"account {ADMIN}, password {made} (shown only now)")

    def ready(number: int) -> None:
        click.echo(f"http://{host if host != '0.0.0.0' else 'localhost'}:{number}/")

    settings = ServeSettings(
        data=data,
        farm=known,
        mqtt_host=mqtt_host,
        mqtt_port=mqtt_port,
        host=host,
        port=port,
        network=credentials(known.mqtt) if not mqtt else None,
    )
    try:
        run(settings, WallClock(), ready=ready)
    except OSError as error:
        remedy = "name another port with --port, 0 takes any free one"
        if error.errno == errno.EADDRNOTAVAIL:
            remedy = "--host takes an address of this machine; 127.0.0.1: only it, 0.0.0.0: the whole network"
        raise Problem(f"cannot serve on {host}:{port}: {error.strerror}; {remedy}") from error


def _broker(url: str, port: int) -> tuple[str, int]:
    """Return host and port of the broker.

    Raises:
        UsageError: the port is not a number.
    """
    rest = url.removeprefix("mqtt://").removeprefix("mqtts://")
    host, _, number = rest.rpartition(":") if ":" in rest else (rest, "", "")
    if number and not number.isdecimal():
        raise click.UsageError(f"expected --mqtt HOST:PORT, got {url}")
    return host or "127.0.0.1", int(number or port)
