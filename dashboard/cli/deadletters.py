"""`berrybrain deadletters …`: messages the farm has refused: look at them, export, try again, forget."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dashboard.cli.errors import Problem
from dashboard.cli.options import data_option

if TYPE_CHECKING:
    from telemetry.store.embedded import EmbeddedStore
    from telemetry.store.journal import DeadLetter

MOST = 1_000_000


@click.group(name="deadletters")
def command() -> None:
    """Look at the messages the farm has refused, each with its reason."""


_data = data_option()


def _open(data: Path, *, read_only: bool) -> EmbeddedStore:
    from telemetry.store.embedded import open_store
    from telemetry.store.journal import StoreError

    try:
        open_store(data / "store", read_only=True).close()  # never make a store where there is none
        return open_store(data / "store", read_only=read_only)
    except StoreError as error:
        raise Problem(error.detail) from error


def _choice(function: Callable[..., None]) -> Callable[..., None]:
    """Let a command choose letters: by id, by reason, or all."""
    for decorate in (
        click.option("--all", "everything", is_flag=True, help="All of them."),
        click.option("--reason", metavar="CODE", help="All of one reason."),
        click.argument("ids", type=int, nargs=-1),
    ):
        function = decorate(function)
    return function


def _chosen(store: EmbeddedStore, ids: tuple[int, ...], reason: str | None, everything: bool) -> list[DeadLetter]:
    if not (ids or reason or everything):
        raise click.UsageError("expected ids, --reason CODE or --all; `berrybrain deadletters list` shows them")
    letters = store.dead_letters(limit=MOST)
    wanted = [one for one in letters if everything or one.id in ids or one.reason == reason]
    missing = set(ids) - {one.id for one in wanted}
    if missing:
        raise Problem(f"no dead letter {min(missing)}; `berrybrain deadletters list` shows those there are")
    return wanted[::-1]


def _row(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "at": datetime.fromtimestamp(letter.at, UTC).isoformat(timespec="milliseconds"),
        "topic": letter.topic,
        "reason": letter.reason,
        "detail": letter.detail,
        "size": letter.size,
    }


@command.command(name="list")
@click.option("--reason", metavar="CODE", help="Only one reason.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_data
def list_(data: Path, reason: str | None, limit: int, as_json: bool) -> None:
    """Show the newest, newest first, and how many there were of each reason."""
    store = _open(data, read_only=True)
    counters = store.counters()
    letters = [one for one in store.dead_letters(limit=MOST if reason else limit) if reason in (None, one.reason)]
    store.close()
    rows = [_row(letter) for letter in letters[:limit]]
    if as_json:
        click.echo(json.dumps({"refused": counters.dead_letters, "by_reason": counters.by_reason, "letters": rows}))
        return
    for row in rows:
        click.echo(f"{row['id']:>6} {row['at']} {row['reason']:<16} {row['topic'][:60]!r}  {row['detail'][:100]}")
    click.echo(f"{counters.dead_letters} refused since the store was made, {len(rows)} shown")


@command.command(name="show")
@click.argument("number", metavar="ID", type=int)
@_data
def show(data: Path, number: int) -> None:
    """Show one with its payload, as far as that was kept."""
    store = _open(data, read_only=True)
    try:
        (letter,) = _chosen(store, (number,), None, False)
    finally:
        store.close()
    for name, value in _row(letter).items():
        click.echo(f"{name:<8} {value!r}" if name == "topic" else f"{name:<8} {value}")
    click.echo(f"payload  {letter.payload!r}")


@command.command(name="export")
@click.argument("file", type=click.File("w", encoding="utf-8"))
@_choice
@_data
def export(data: Path, file: Any, ids: tuple[int, ...], reason: str | None, everything: bool) -> None:
    """Write them to FILE (- for the screen), one JSON object a line, payloads in base64."""
    store = _open(data, read_only=True)
    try:
        for letter in _chosen(store, ids, reason, everything):
            row = _row(letter) | {"payload": base64.b64encode(letter.payload).decode()}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    finally:
        store.close()


@command.command(name="replay")
@_choice
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_data
def replay(data: Path, ids: tuple[int, ...], reason: str | None, everything: bool, as_json: bool) -> None:
    """Try again what was refused: after an update, or when a limit was raised. What is stored now leaves the list."""
    from telemetry.ingest.replay import replay as again

    store = _open(data, read_only=False)
    try:
        stored, refused = again(store, _chosen(store, ids, reason, everything))
    finally:
        store.close()
    if as_json:
        click.echo(json.dumps({"stored": stored, "refused": refused}))
    else:
        click.echo(f"{stored} stored, {refused} refused again")


@command.command(name="drop")
@_choice
@_data
def drop(data: Path, ids: tuple[int, ...], reason: str | None, everything: bool) -> None:
    """Forget them; the counters stay."""
    store = _open(data, read_only=False)
    try:
        count = store.drop_dead_letters([letter.id for letter in _chosen(store, ids, reason, everything)])
    finally:
        store.close()
    click.echo(f"{count} forgotten")
