"""A hot file that is damaged while a farm runs is mended by who writes next; a cut at any byte loses nothing sealed."""

from __future__ import annotations

import math
import multiprocessing
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.farm.settings import StoreSettings
from telemetry.ingest.wall import WallTimers
from telemetry.messages import Kind
from telemetry.store import Point, Quality, Series
from telemetry.store.check import check, quarantined
from telemetry.store.embedded import EmbeddedStore, open_store
from telemetry.store.hot_file import FILE, MENDING, QUARANTINE, READY, SUSPECT, declare_ready
from telemetry.store.journal import StoreError
from telemetry.store.keeper import Keeper, KeeperSettings
from telemetry.store.opening import open_archive
from telemetry.store.repair import mend_running
from telemetry.store.salvage import rows_of
from telemetry.store.seal import Sealer

PAGE = 4096
NAMES = [Series("farm", "z", f"d-{n}", "air_temperature") for n in range(20)]
DAY_S = 86400.0
DAY0 = 1_790_035_200.0


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = DAY0 + 10 * DAY_S

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


def fill(store: EmbeddedStore, begin: float, count: int = 40, value: float = 1.0) -> list[tuple[Series, float]]:
    points = [
        Point(series=name, at=begin + 60.0 * i, value=value, received_at=begin + 60.0 * i)
        for i in range(count)
        for name in NAMES
    ]
    store.write(points)
    return [(point.series, point.at) for point in points]


def keys(store: EmbeddedStore) -> set[tuple[Series, float]]:
    block = store.block(None, 0.0, 1e11)
    return {(block.names[s], at / 1e3) for s, at in zip(block.series.tolist(), block.at.tolist(), strict=True)}


def pages_of(path: Path, table: str) -> list[int]:
    """Return pages of a table: of points the last ones of the file, where they go; of a short one all it has."""
    if table == "point":
        last = path.stat().st_size // PAGE
        return [last - 2, last - 1, last]
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        query = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        return [int(row[0]) for row in connection.execute(query, (table,))]


def spoil(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE)
        file.write(b"\xff" * PAGE)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    opened = open_store(tmp_path)
    yield opened
    opened.close()


def commit_until_kept(store: EmbeddedStore, begin: float) -> list[str]:
    """Write as ingest does: a batch that fails is tried again; return what was said of the failures."""
    said: list[str] = []
    for _ in range(3):
        try:
            fill(store, begin)
            return said
        except StoreError as error:
            said.append(error.code)
    raise AssertionError(f"it was not kept: {said}")


def test_a_page_that_is_spoiled_while_it_runs_costs_what_it_held_and_no_more(store: EmbeddedStore) -> None:
    before = set(fill(store, DAY0, 500))
    store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    reader, other = open_store(store.directory, read_only=True), open_store(store.directory)
    path = store.directory / FILE
    pages = pages_of(path, "point")
    for page in pages:
        spoil(path, page)
    store.connection.execute("PRAGMA shrink_memory")
    late = DAY0 + 499 * 60.0 + 1.0
    said = commit_until_kept(store, late)
    assert said == ["store_damaged"]
    kept = keys(store)
    new = {(name, late + 60.0 * i) for i in range(40) for name in NAMES}
    assert new <= kept
    assert 0 < len(before - kept) <= 4 * 200  # a page holds about a hundred points
    assert keys(reader) == kept == keys(other)  # they follow, without being told
    assert other.write([Point(series=NAMES[0], at=late + 1e5, value=1.0, received_at=late)]) == 1
    assert len(keys(reader)) == len(kept) + 1 == store.count()
    (damage,) = quarantined(store.connection)
    assert damage.file.endswith(FILE) and damage.rows == len(before - kept)
    assert (store.directory / QUARANTINE / damage.file).exists()
    assert check(store) == []
    reader.close()
    other.close()


def test_nothing_of_a_series_whose_name_is_lost_is_shown_as_of_another(store: EmbeddedStore) -> None:
    fill(store, DAY0, 100)
    store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = store.directory / FILE
    for page in (*pages_of(path, "series"), *pages_of(path, "sqlite_autoindex_series_1")):
        spoil(path, page)
    (store.directory / SUSPECT).touch()
    assert commit_until_kept(store, DAY0 + DAY_S) == ["store_damaged"]
    kept = keys(store)
    lost = {name for name, _ in kept} - set(NAMES)
    assert {name.site for name in lost} == {"lost"} and len(lost) == len(NAMES)
    assert {at for name, at in kept if name in NAMES} == {DAY0 + DAY_S + 60.0 * i for i in range(40)}


def test_a_page_that_leads_to_all_points_costs_only_those_that_lie_in_it(store: EmbeddedStore) -> None:
    fill(store, DAY0, 100)
    odd = Point(series=NAMES[0], at=DAY0 + 0.5, value=-1.5e-9, received_at=DAY0 + 7e5, quality=Quality.LATE)
    store.write([odd])
    before = whole(store)
    store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with closing(sqlite3.connect(store.directory / FILE)) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'point'").fetchone()[0]
    body = (store.directory / FILE).read_bytes()[(root - 1) * PAGE : root * PAGE]
    inside = list(rows_of(body))
    assert 0 < len(inside) < 50
    spoil(store.directory / FILE, int(root))
    (store.directory / SUSPECT).touch()
    assert commit_until_kept(store, DAY0 + DAY_S)[0] == "store_damaged"
    after = {row for row in whole(store) if row[1] < (DAY0 + DAY_S) * 1000.0}
    assert after < before and len(before - after) == len(inside)
    assert {at for _, at, *_ in before - after} == {row[2] for row in inside}
    (damage,) = quarantined(store.connection)
    assert damage.rows == len(inside)
    assert check(store) == []


def whole(store: EmbeddedStore) -> set[tuple[Series, float, float, float, float]]:
    block = store.block(None, 0.0, 1e11)
    columns = (column.tolist() for column in (block.series, block.at, block.value, block.delay, block.quality))
    return {(block.names[s], at, value, delay, quality) for s, at, value, delay, quality in zip(*columns, strict=True)}


@given(st.binary(max_size=300), st.sampled_from((0x0A, 0x02, 0x0D)), st.integers(0, 40))
def test_any_octets_are_a_page_without_points_or_with_possible_ones(tail: bytes, kind: int, cells: int) -> None:
    for row in rows_of(bytes((kind, 0, 0, 0, cells, 0, 0, 0)) + tail):
        assert row[0] == row[2] // 3_600_000 and math.isfinite(row[3])


@pytest.mark.parametrize("table", ["series", "last", "counter", "entry"])
def test_other_tables_are_mended_while_it_runs_too(store: EmbeddedStore, table: str) -> None:
    before = set(fill(store, DAY0, 100))
    store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = store.directory / FILE
    for page in pages_of(path, table):
        spoil(path, page)
    (store.directory / SUSPECT).touch()  # as the keeper does that found it
    assert commit_until_kept(store, DAY0 + DAY_S) == ["store_damaged"]
    kept = keys(store)
    assert len(kept) == len(before) + 40 * len(NAMES) == store.count()
    assert before <= kept
    assert check(store) == []
    assert store.entries(Kind.EVENT) == []


def _write_on(directory: str, ready: object, stop: object, number: int) -> None:
    store = open_store(Path(directory))
    at = DAY0 + 3600.0 * number
    with Path(directory, f"acknowledged-{number}").open("a", encoding="ascii") as acknowledged:
        while not stop.wait(0.002):  # type: ignore[attr-defined]  # the lock is free between two commits, as it is in life
            at += 0.25
            store.write([Point(series=NAMES[number], at=at, value=1.0, received_at=at)])
            acknowledged.write(f"{at}\n")
            acknowledged.flush()
            ready.set()  # type: ignore[attr-defined]
    store.close()


def test_what_another_process_commits_while_a_file_is_mended_is_kept(store: EmbeddedStore) -> None:
    fill(store, DAY0 - DAY_S)
    context = multiprocessing.get_context("spawn")
    stop, ready = context.Event(), context.Event()
    writer = context.Process(target=_write_on, args=(str(store.directory), ready, stop, 0), daemon=True)
    writer.start()
    for _ in range(2):
        ready.clear()
        assert ready.wait(60.0)
        mend_running(store.directory, store.connection)
        store.counters()
    ready.clear()
    assert ready.wait(60.0)
    stop.set()
    writer.join(60.0)
    kept = keys(store)
    lines = (store.directory / "acknowledged-0").read_text(encoding="ascii").split()
    assert len(lines) >= 3 and {(NAMES[0], float(at)) for at in lines} <= kept
    assert store.count() == len(kept)
    assert len(quarantined(store.connection)) == 2


def test_ingest_that_starts_again_on_a_file_without_a_header_finds_points_and_names_again(store: EmbeddedStore) -> None:
    before = set(fill(store, DAY0, 50))
    store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    spoil(store.directory / FILE, 1)
    again = open_archive(store.directory, StoreSettings(), {})
    new = set(fill(again, DAY0 + DAY_S, 5))
    assert before | new == keys(again) == keys(store)
    assert len(quarantined(again.connection)) == 1
    again.close()


def test_the_keeper_finds_damage_and_who_writes_next_mends_it(store: EmbeddedStore) -> None:
    fill(store, DAY0, 500)
    store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = store.directory / FILE
    spoil(path, pages_of(path, "point")[0])
    clock = Clock()
    mine = open_store(store.directory)
    keeper = Keeper(mine, clock, WallTimers(), KeeperSettings(grace_s=1e9, hot_check_s=10.0))
    clock.at += 100.0
    keeper.turn()
    assert (store.directory / SUSPECT).exists()
    assert commit_until_kept(store, DAY0 + DAY_S) == ["store_damaged"]
    assert not (store.directory / SUSPECT).exists()
    clock.at += 100.0
    keeper.turn()
    assert not (store.directory / SUSPECT).exists()
    assert check(mine) == []
    keeper.close()
    mine.close()


@pytest.mark.parametrize("moved", [(), ("-wal",), ("-wal", "-shm"), ("-wal", "-shm", ""), ("all",)])
def test_an_exchange_that_was_cut_short_is_followed_up_by_who_opens_next(
    tmp_path: Path, moved: tuple[str, ...]
) -> None:
    old = open_store(tmp_path / "store")
    fill(old, DAY0, 3, value=1.0)
    new = open_store(tmp_path / "new")
    fill(new, DAY0, 3, value=2.0)
    new.close()
    directory, building = tmp_path / "store", tmp_path / "store" / MENDING
    building.mkdir()
    (directory / QUARANTINE).mkdir()
    (tmp_path / "new" / FILE).rename(building / FILE)
    declare_ready(directory, "0a")
    for suffix in ("-wal", "-shm", "") if moved == ("all",) else moved:
        (directory / (FILE + suffix)).rename(directory / QUARANTINE / f"0a-{FILE}{suffix}")
    if moved == ("all",):
        (building / FILE).rename(directory / FILE)
    fresh = open_store(directory, read_only=True)
    assert set(fresh.block(None, 0.0, 1e11).value.tolist()) == {2.0}
    assert set(old.block(None, 0.0, 1e11).value.tolist()) == {2.0}
    assert not building.exists() and not (building / READY).exists()
    assert (directory / QUARANTINE / f"0a-{FILE}").exists()
    fresh.close()
    old.close()
    assert check_again(directory) == []


def check_again(directory: Path) -> list[object]:
    again = open_store(directory)
    try:
        return list(check(again))
    finally:
        again.close()


def snapshot_of(directory: Path, target: Path, wal_bytes: int) -> None:
    """Copy a store as a power cut may leave it: the log cut at a byte."""
    shutil.copytree(directory, target, ignore=shutil.ignore_patterns("*-shm", "*.lock"))
    os.truncate(target / (FILE + "-wal"), wal_bytes)


def test_a_log_that_is_cut_at_any_byte_keeps_whole_commits_in_their_order(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    store.connection.execute("PRAGMA wal_autocheckpoint = 0")
    store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    wal = store.directory / (FILE + "-wal")
    ends = []
    for n in range(6):
        fill(store, DAY0 + n * 3600.0, 5, value=float(n))
        ends.append(wal.stat().st_size)
    size = ends[-1]
    borders = (end + d for end in ends[:-1] for d in (-1, 0, 1))
    cuts = sorted({0, 1, 31, 32, 33, size - 1, size, *range(7, size, size // 20), *borders})
    for cut in cuts:
        target = tmp_path / f"cut-{cut}"
        snapshot_of(store.directory, target, cut)
        found = open_store(target)
        whole = sum(end <= cut for end in ends)
        values = sorted(set(found.block(None, 0.0, 1e11).value.tolist()))
        assert values == [float(n) for n in range(whole)], cut
        assert found.count() == whole * 5 * len(NAMES)
        assert check(found) == []
        fill(found, DAY0, 5)  # what was not acknowledged comes again
        assert found.count() == max(whole, 1) * 5 * len(NAMES)
        found.close()
        shutil.rmtree(target)
    store.close()


def test_a_log_with_a_torn_page_in_it_ends_before_it(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    store.connection.execute("PRAGMA wal_autocheckpoint = 0")
    fill(store, DAY0, 5, value=1.0)
    begin = (store.directory / (FILE + "-wal")).stat().st_size
    fill(store, DAY0 + 3600.0, 5, value=2.0)
    fill(store, DAY0 + 7200.0, 5, value=3.0)
    target = tmp_path / "torn"
    snapshot_of(store.directory, target, (store.directory / (FILE + "-wal")).stat().st_size)
    with (target / (FILE + "-wal")).open("r+b") as file:
        file.seek(begin + 24 + PAGE // 2)
        file.write(b"\0" * 512)
    found = open_store(target)
    assert set(found.block(None, 0.0, 1e11).value.tolist()) == {1.0}
    found.close()
    store.close()


def test_a_sealed_file_that_is_cut_at_any_byte_is_named_and_a_cut_unfinished_one_is_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    fill(store, DAY0)
    fill(store, DAY0 + DAY_S)
    sealer = Sealer(store)
    sealer.seal(int(DAY0 * 1000) // 86_400_000 * 86_400_000, DAY0)
    while sealer.drain():
        pass
    before = keys(store)
    (sealed,) = store.cold.folder.glob("raw/*.parquet")
    body = sealed.read_bytes()
    cuts = (0, 1, 4, 5, len(body) // 2, len(body) - 9, len(body) - 8, len(body) - 1)
    for cut in cuts:
        sealed.with_name(sealed.name + ".part").write_bytes(body[:cut])
        assert keys(store) == before
    for cut in cuts[::2]:
        sealed.write_bytes(body[:cut])
        assert [damage.file for damage in check(store) if "raw" in damage.file], cut
        fresh = open_store(store.directory, read_only=True)
        assert keys(fresh) == {key for key in before if key[1] >= DAY0 + DAY_S}  # the rest goes on
        fresh.close()
    sealed.write_bytes(body)
    assert check(store) == []
    store.close()


def test_a_flag_is_kept_through_a_repair(store: EmbeddedStore) -> None:
    store.write([Point(series=NAMES[0], at=DAY0, value=9.0, received_at=DAY0 + 5.0, quality=Quality.RANGE)])
    mend_running(store.directory, store.connection)
    assert store.last([NAMES[0]])[NAMES[0]].quality is Quality.RANGE
    assert store.last([NAMES[0]])[NAMES[0]].received_at == DAY0 + 5.0
