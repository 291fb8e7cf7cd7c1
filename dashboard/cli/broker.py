"""`berrybrain broker …`: the farm's broker on the network: accounts, who may say what, certificates, and running it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dashboard.cli.errors import Misuse, Problem
from dashboard.cli.options import data_option

if TYPE_CHECKING:
    from telemetry.mqtt.accounts import Account

FOLDER = "accounts"
PROGRAMS = ("ingest", "brain", "dashboard", "demo")
"""The farm's own programs: they hear all and may send commands."""


@click.group(name="broker")
def command() -> None:
    """Set up and run the farm's MQTT broker for a network: TLS, an account per device, commands only from the farm."""


_data = data_option()
_farm = click.option("--farm", "path", type=click.Path(path_type=Path), help="Farm file; else as for berrybrain demo.")


@command.command(name="setup")
@_data
@_farm
@click.option("--host", "hosts", multiple=True, help="Name or address devices reach it by; again for more. Makes TLS.")
def setup(data: Path, path: Path | None, hosts: tuple[str, ...]) -> None:
    """Make an account for each device, robot and program of the farm file that has none yet, and certificates."""
    from dashboard.cli.settings import find_farm
    from telemetry.farm import parse_farm
    from telemetry.mqtt import MqttError
    from telemetry.mqtt.accounts import Right, make_certificate, new_account, read_accounts, write_accounts

    farm = parse_farm(find_farm(path, data)[0])
    folder = data / "broker" / FOLDER
    accounts = read_accounts(folder)
    known = {account.name for account in accounts}
    site = farm.site.id
    wanted = [(device.id, Right.DEVICE, device.zone) for device in farm.devices]
    wanted += [(robot.id, Right.DEVICE, robot.zone) for robot in farm.robots]
    wanted += [(name, Right.FARM, farm.zones[0].id) for name in PROGRAMS]
    new = [new_account(name, right, site=site, zone=zone) for name, right, zone in wanted if name not in known]
    write_accounts(folder, [*accounts, *new])
    if hosts:
        try:
            make_certificate(folder, hosts)
        except MqttError as error:
            raise Problem(error.detail) from error
        click.echo(f"devices need {folder / 'ca.crt'} to know this broker")
    click.echo(f"{len(new)} new accounts, {len(accounts)} known: berrybrain broker list --data {data} --passwords")


@command.command(name="list")
@_data
@click.option("--passwords", is_flag=True, help="Show them: for typing into a device.")
def list_(data: Path, passwords: bool) -> None:
    """Show the accounts and what each may do."""
    from telemetry.mqtt.accounts import read_accounts

    accounts = read_accounts(data / "broker" / FOLDER)
    if not accounts:
        click.echo(f"no accounts yet; make them: berrybrain broker setup --data {data} --host NAME", err=True)
    for account in accounts:
        place = f"gh/1/{account.site}/{account.zone}/{account.name}" if account.right == "device" else account.site
        click.echo(
            f"{account.name:<20} {account.right:<7} {place:<44} {account.password if passwords else '*'}".rstrip()
        )


@command.command(name="add")
@_data
@click.argument("name")
@click.option(
    "--right", type=click.Choice(["device", "farm", "reader", "sparkplug"]), default="device", show_default=True
)
@click.option("--site", required=True)
@click.option("--zone", required=True, help="Where the device stands; of a Sparkplug B node its group.")
def add(data: Path, name: str, right: str, site: str, zone: str) -> None:
    """Add an account, or give a known one a new password; a broker that runs takes it at once."""
    from telemetry.mqtt.accounts import Right, new_account, read_accounts, write_accounts

    try:
        account = new_account(name, Right(right), site=site, zone=zone)
    except ValueError as error:
        raise Misuse(str(error)) from error
    folder = data / "broker" / FOLDER
    write_accounts(folder, [*_without(read_accounts(folder), name), account])
    click.echo(f"{name} {account.password}")
    _tell(data)


@command.command(name="remove")
@_data
@click.argument("name")
def remove(data: Path, name: str) -> None:
    """Remove an account; a broker that runs disconnects it."""
    from telemetry.mqtt.accounts import read_accounts, write_accounts

    folder = data / "broker" / FOLDER
    accounts = read_accounts(folder)
    if name not in {account.name for account in accounts}:
        raise Problem(f"no account {name!r}; berrybrain broker list shows those there are")
    write_accounts(folder, _without(accounts, name))
    _tell(data)


@command.command(name="run")
@_data
@click.option("--port", type=click.IntRange(1, 65535), default=8883, show_default=True)
@click.option("--bind", default="0.0.0.0", show_default=True, help="Address it listens on.")
def run(data: Path, port: int, bind: str) -> None:
    """Run mosquitto with these accounts until it is ended."""
    from telemetry.mqtt import MqttError
    from telemetry.mqtt.accounts import CERTIFICATE, read_accounts
    from telemetry.mqtt.broker import start_broker

    folder = data / "broker" / FOLDER
    if not read_accounts(folder):
        raise Problem(f"no accounts in {folder}: berrybrain broker setup --data {data} --host NAME")
    try:
        broker = start_broker(data / "broker", port, host=bind, accounts=folder)
    except MqttError as error:
        raise Problem(error.detail) from error
    words = "mqtts" if (folder / CERTIFICATE).exists() else "mqtt, not encrypted: setup --host makes certificates"
    click.echo(f"{broker.name} listens on {bind}:{port} ({words})")
    try:
        code = broker.process.wait()
    except KeyboardInterrupt:
        broker.close()
        return
    raise Problem(f"mosquitto ended with code {code}; its words are in {broker.log_path}")


def _tell(data: Path) -> None:
    """Let a running broker know, and say whether there is one."""
    from telemetry.mqtt.broker import take_accounts

    if take_accounts(data / "broker"):
        click.echo("the broker that runs here has taken it", err=True)


def _without(accounts: list[Account], name: str) -> list[Account]:
    return [account for account in accounts if account.name != name]
