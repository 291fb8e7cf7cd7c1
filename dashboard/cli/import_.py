"""`berrybrain import`: bring measured greenhouse data from a file into the farm's store, over MQTT."""

from __future__ import annotations

from pathlib import Path

import click

from dashboard.cli.errors import Misuse, Problem
from dashboard.cli.options import data_option, farm_option


@click.command(name="import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@data_option()
@farm_option()
@click.option("--dry-run", is_flag=True, help="Show what would be imported, and store nothing.")
@click.option(
    "--mapping",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="What the columns are, as an earlier import saved it. Left out: a proposal is made.",
)
@click.option("--device", metavar="ID", help="Name of the device the data belong to. Left out: made from FILE.")
@click.option("--zone", metavar="ID", help="Zone of the farm file. Left out: the first.")
@click.option("--timezone", metavar="TZ", help="Of times without an offset, for example Europe/Amsterdam. [the farm's]")
@click.option("--dates", type=click.Choice(["dmy", "mdy"]), help="Day or month first, where the dates do not tell.")
@click.option("--start", metavar="TIME", help="Beginning of a file that counts seconds, for example 2009-10-20T00:00.")
@click.option("--mqtt", metavar="HOST:PORT", help="The farm's broker. Left out: [mqtt] of the farm file.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def command(
    *,
    file: Path,
    data: Path,
    farm: Path | None,
    dry_run: bool,
    mapping: Path | None,
    device: str | None,
    zone: str | None,
    timezone: str | None,
    dates: str | None,
    start: str | None,
    mqtt: str | None,
    as_json: bool,
) -> None:
    """Read FILE (CSV, or EPW weather), show what its columns are, and replay its measurements into the farm.

    The measurements go over MQTT, marked as history, as a device of their own; where the farm's broker does not run,
    one is started for the time of the import. A second import of the same file adds nothing.
    """
    import time

    from dashboard.cli.import_report import as_dict, show
    from dashboard.cli.import_run import Order, device_name, instant, replay, save_mapping, zone_of
    from dashboard.cli.settings import find_farm
    from telemetry.farm import parse_farm
    from telemetry.importer import ImportFileError
    from telemetry.importer.replay import ReplayError
    from telemetry.importer.understand import Wish, understand
    from telemetry.messages.tables import metrics
    from telemetry.mqtt import MqttError
    from telemetry.store.journal import StoreError

    known = parse_farm(find_farm(farm, data)[0])
    name = device_name(device, file)
    order = Order(file=file, data=data, farm=known, zone=zone_of(known, zone), device=name, mqtt=mqtt)
    zone_name = timezone or known.site.timezone
    wish = Wish(
        device=name,
        timezone=zone_name,
        order=dates or "",
        start=instant(start, zone_name),
        mapping=mapping,
        rename=device is not None,
    )
    try:
        found = understand(file, metrics(), wish, now=time.time())
    except ImportFileError as error:
        raise Misuse(str(error)) from error
    if not as_json:
        show(found, click.echo, timezone=known.site.timezone)
    stored = None
    if not dry_run:
        saved = save_mapping(order, found) if mapping is None else mapping
        try:
            stored = replay(order, found)
        except (ReplayError, MqttError, StoreError) as error:
            raise Problem(str(error)) from error
        if not as_json:
            click.echo(f"stored {stored.points} values in {stored.seconds:.1f} s over {stored.broker}")
            if stored.known:
                click.echo(f"{stored.known} values were in the store before")
            if stored.flagged:
                click.echo(f"{stored.flagged} values are stored as not to be trusted (out of range, or leaping)")
            click.echo(f"mapping: {saved} (change it and import again with --mapping {saved})")
    if as_json:
        import json

        click.echo(json.dumps(as_dict(found, stored), ensure_ascii=False))
    if stored is not None and stored.missing:
        raise Problem(
            f"{stored.missing} values were sent and have not appeared in the store: does ingest run on this farm?"
        )
