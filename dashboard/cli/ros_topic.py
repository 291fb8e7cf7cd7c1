"""`berrybrain ros topic …`: what goes over topics."""

from __future__ import annotations

import json
from typing import Any

import click

from dashboard.cli.ros_session import interfaces_option, look_option, session


@click.group(name="topic")
def topic() -> None:
    """List topics, listen to them and publish on them."""


@topic.command(name="list")
@click.option("-t", "--show-types", is_flag=True, help="Print the types too.")
@click.option("--include-hidden-topics", "hidden", is_flag=True, help="Also those whose names begin with '_'.")
@click.option("-c", "--count-topics", is_flag=True, help="Print only how many there are.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: types by topic.")
@look_option
def list_topics(*, show_types: bool, hidden: bool, count_topics: bool, as_json: bool, look_s: float | None) -> None:
    """Print the topics that have a publisher or a subscription."""
    with session(look_s) as opened:
        opened.look()
        found = opened.topics(hidden=hidden)
        if as_json:
            click.echo(json.dumps(found))
        elif count_topics:
            click.echo(len(found))
        else:
            for name, kinds in found.items():
                click.echo(f"{name} [{', '.join(kinds)}]" if show_types else name)


@topic.command(name="type")
@look_option
@click.argument("name")
def type_of(*, name: str, look_s: float | None) -> None:
    """Print the type of a topic."""
    with session(look_s) as opened:
        click.echo(opened.type_of("topic", name, lambda: opened.topics(hidden=True), None))


@topic.command(name="info")
@click.option("-v", "--verbose", is_flag=True, help="Each endpoint with its node and its quality of service.")
@look_option
@click.argument("name")
def info(*, verbose: bool, name: str, look_s: float | None) -> None:
    """Print a topic's type and who is on it."""
    with session(look_s) as opened:
        full = opened.resolve(name)
        opened.look()
        kinds = opened.one_of("topic", full, opened.topics(hidden=True))
        publishers = opened.node.get_publishers_info_by_topic(full)
        subscriptions = opened.node.get_subscriptions_info_by_topic(full)
        click.echo(f"Type: {', '.join(kinds)}\n" if verbose else f"Type: {', '.join(kinds)}")
        click.echo(f"Publisher count: {len(publishers)}")
        for endpoint in publishers if verbose else ():
            click.echo(f"\n{_in_full(endpoint)}")
        click.echo(
            f"\nSubscription count: {len(subscriptions)}" if verbose else f"Subscription count: {len(subscriptions)}"
        )
        for endpoint in subscriptions if verbose else ():
            click.echo(f"\n{_in_full(endpoint)}")


def _in_full(endpoint: object) -> str:
    """Say what the defaults of a profile mean."""
    text = str(endpoint).replace(": 0 nanoseconds", ": Infinite")
    return text.replace("Liveliness: SYSTEM_DEFAULT", "Liveliness: AUTOMATIC")


@topic.command(name="echo")
@click.option("--once", is_flag=True, help="Print one message and end.")
@click.option("-n", "--times", type=click.IntRange(min=1), help="Print so many messages and end.")
@click.option("--field", metavar="PATH", help="Print one field, such as header.stamp or position[0].")
@click.option("--raw", is_flag=True, help="Print the encoded bytes.")
@click.option("--csv", "style", flag_value="csv", help="One line of values separated by commas.")
@click.option("--json", "style", flag_value="json", help="One JSON object a line.")
@click.option("--flow-style", "style", flag_value="flow", help="YAML on one line.")
@click.option("-f", "--full-length", is_flag=True, help="Print long texts and sequences to their end.")
@click.option("-l", "--truncate-length", type=click.IntRange(min=0), default=128, show_default=True)
@click.option("--no-arr", is_flag=True, help="Print the lengths of sequences instead of what they hold.")
@click.option("--no-str", is_flag=True, help="Print the lengths of texts instead of the texts.")
@look_option
@interfaces_option
@click.argument("name")
@click.argument("type_name", metavar="[TYPE]", required=False)
def echo(
    *,
    once: bool,
    times: int | None,
    field: str | None,
    raw: bool,
    style: str | None,
    full_length: bool,
    truncate_length: int,
    name: str,
    type_name: str | None,
    look_s: float | None,
    **shortening: Any,
) -> None:
    """Print the messages of a topic as they come."""
    from robot.ros.tools import topics

    left = 1 if once else times
    style = style or "yaml"
    shorten = {"truncate_length": None if full_length else truncate_length, **shortening}
    with session(look_s) as opened:
        for message in topics.echo(opened, name, type_name, raw=raw):
            shown = topics.field_of(message, field) if field and not raw else message
            click.echo(topics.show(shown, style, **shorten))
            if style == "yaml":
                click.echo("---")
            left = None if left is None else left - 1
            if left == 0:
                return


def _measure(name: str, window: int, look_s: float | None, *, bandwidth: bool) -> None:
    from robot.ros.tools import topics

    with session(look_s) as opened:
        for line in topics.measure(opened, name, window, bandwidth=bandwidth):
            click.echo(line)


@topic.command(name="hz")
@click.option("-w", "--window", type=click.IntRange(min=2), default=10000, show_default=True, help="In messages.")
@look_option
@interfaces_option
@click.argument("name")
def rate(*, name: str, window: int, look_s: float | None) -> None:
    """Print once a second how often messages come."""
    _measure(name, window, look_s, bandwidth=False)


@topic.command(name="bw")
@click.option("-w", "--window", type=click.IntRange(min=2), default=100, show_default=True, help="In messages.")
@look_option
@interfaces_option
@click.argument("name")
def bandwidth(*, name: str, window: int, look_s: float | None) -> None:
    """Print once a second how many bytes come."""
    _measure(name, window, look_s, bandwidth=True)


@topic.command(name="pub")
@click.option("-r", "--rate", type=click.FloatRange(min=0.0, min_open=True), default=1.0, show_default=True, help="Hz.")
@click.option("-1", "--once", is_flag=True, help="Publish one message, to a subscription that is there, and end.")
@click.option("-t", "--times", type=click.IntRange(min=1), help="Publish so many messages and end.")
@click.option("-w", "--wait-matching-subscriptions", "wait_for", type=click.IntRange(min=0), help="Wait for so many.")
@click.option("-p", "--print", "every", type=click.IntRange(min=1), default=1, show_default=True, help="Say each Nth.")
@click.option("--qos-depth", type=click.IntRange(min=1), default=10, show_default=True)
@click.option(
    "--qos-reliability", type=click.Choice(["reliable", "best_effort"]), default="reliable", show_default=True
)
@click.option(
    "--qos-durability", type=click.Choice(["volatile", "transient_local"]), default="volatile", show_default=True
)
@look_option
@interfaces_option
@click.argument("name")
@click.argument("type_name", metavar="TYPE")
@click.argument("values", default="")
def publish(
    *,
    rate: float,
    once: bool,
    times: int | None,
    wait_for: int | None,
    every: int,
    qos_depth: int,
    qos_reliability: str,
    qos_durability: str,
    name: str,
    type_name: str,
    values: str,
    look_s: float | None,
) -> None:
    """Publish VALUES, YAML such as '{data: hello}', again and again."""
    from robot.ros.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
    from robot.ros.tools import topics

    profile = QoSProfile(
        depth=qos_depth,
        reliability=ReliabilityPolicy[qos_reliability.upper()],
        durability=DurabilityPolicy[qos_durability.upper()],
    )
    limit = 1 if once else times or 0
    if wait_for is None:
        wait_for = 1 if limit else 0
    with session(look_s) as opened:
        sent = topics.publish(
            opened, name, type_name, values, rate=rate, times=limit, wait_for=wait_for, profile=profile
        )
        for number, message in enumerate(sent, 1):
            if number == 1:
                click.echo("publisher: beginning loop")
            if number % every == 0:
                click.echo(f"publishing #{number}: {message!r}\n")
