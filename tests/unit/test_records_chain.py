"""The farm log only grows, and a change made behind its back shows."""

from __future__ import annotations

import sqlite3

import pytest

from telemetry.records.chain import GENESIS, Chain, TamperError


@pytest.fixture
def connection() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", isolation_level=None)


def filled(connection: sqlite3.Connection, entries: int = 3) -> Chain:
    chain = Chain(connection)
    for n in range(entries):
        assert chain.append(ref=f"r{n}", at=float(n), type="pick", body={"berry": n, "品种": "红颜"})
    return chain


def unlock(connection: sqlite3.Connection) -> None:
    connection.executescript("DROP TRIGGER log_is_not_changed; DROP TRIGGER log_is_not_deleted;")


def test_intact_log_verifies_to_its_length(connection: sqlite3.Connection) -> None:
    assert filled(connection).verify() == 3


def test_empty_log_is_intact(connection: sqlite3.Connection) -> None:
    chain = Chain(connection)
    assert (chain.verify(), chain.head()) == (0, GENESIS)


def test_entry_of_the_same_reference_is_not_written_twice(connection: sqlite3.Connection) -> None:
    chain = filled(connection)
    head = chain.head()
    assert not chain.append(ref="r1", at=9.0, type="pick", body={})
    assert (chain.verify(), chain.head()) == (3, head)


@pytest.mark.parametrize("statement", ["UPDATE log SET at = 9 WHERE number = 2", "DELETE FROM log WHERE number = 3"])
def test_database_refuses_change_and_removal(connection: sqlite3.Connection, statement: str) -> None:
    filled(connection)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)


@pytest.mark.parametrize(
    ("statement", "first_wrong"),
    [
        ("UPDATE log SET body = '{}' WHERE number = 2", 2),
        ("UPDATE log SET at = 7 WHERE number = 1", 1),
        ("UPDATE log SET ref = 'x' WHERE number = 3", 3),
        ("DELETE FROM log WHERE number = 2", 2),
        ("UPDATE log SET hash = previous WHERE number = 1", 1),
    ],
)
def test_tampering_is_found_at_the_entry(connection: sqlite3.Connection, statement: str, first_wrong: int) -> None:
    chain = filled(connection)
    unlock(connection)
    connection.execute(statement)
    with pytest.raises(TamperError) as caught:
        chain.verify()
    assert caught.value.number == first_wrong
    assert caught.value.code == "records_tampered"


def test_cut_off_end_shows_against_a_head_kept_elsewhere(connection: sqlite3.Connection) -> None:
    chain = filled(connection)
    head = chain.head()
    unlock(connection)
    connection.execute("DELETE FROM log WHERE number = 3")
    assert chain.verify() == 2
    assert chain.head() != head
