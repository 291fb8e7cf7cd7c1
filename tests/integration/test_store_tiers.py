"""The store's tiers: sealing, late points, retention, damage, backup and moving, with nothing lost or counted twice."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from telemetry.store import REJECTED, Block, Point, Quality, Series
from telemetry.store import bench as store_bench
from telemetry.store.backup import backup, restore
from telemetry.store.check import check, quarantined
from telemetry.store.embedded import EmbeddedStore, open_store
from telemetry.store.hot import Hot
from telemetry.store.hot_file import FILE
from telemetry.store.journal import Counters, StoreError
from telemetry.store.keeper import Keeper, KeeperSettings, lead
from telemetry.store.migrate import migrate
from telemetry.store.repair import repair
from telemetry.store.retention import Limits, collect_garbage, retire
from telemetry.store.rollup import Table
from telemetry.store.seal import Sealer
from telemetry.store.segments import segments
from telemetry.store.status import status
from telemetry.store.tables import VERSION

DAY_S = 86400
DAY0 = 1_780_012_800
NAMES = tuple(Series("farm", "z", f"d{i}", "air_temperature") for i in range(3))
HOUSE = Path(__file__).parents[2]
ENDLESS = 2**52


class Clock:
    def __init__(self, at: float) -> None:
        self.at = at

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


class NoTimers:
    def every(self, period: float, callback: Callable[[], None]) -> None:
        pass


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    opened = open_store(tmp_path / "data" / "store")
    yield opened
    opened.close()


def fill(store: EmbeddedStore, days: int, *, first: int = 0, step: int = 600) -> Block:
    """Write a value every `step` seconds for whole days; a few are out of range."""
    at = (DAY0 + first * DAY_S + np.arange(days * DAY_S // step) * step).astype(np.int64) * 1000
    quality = np.zeros(len(at) * len(NAMES), np.uint8)
    quality[::97] = int(Quality.RANGE)
    block = Block(
        names=NAMES,
        series=np.repeat(np.arange(len(NAMES), dtype=np.int32), len(at)),
        at=np.tile(at, len(NAMES)),
        value=np.arange(len(at) * len(NAMES)) % 1013 / 10.0,
        delay=np.full(len(at) * len(NAMES), 2000, np.int64),
        quality=quality,
    )
    assert store.write_block(block) == len(block)
    return block


def everything(store: EmbeddedStore) -> list[object]:
    """Return what a reader can see, in every way of reading."""
    span = (DAY0 + 5000.0, DAY0 + 4 * DAY_S - 7000.0)
    seen: list[object] = [store.count(), sorted(map(repr, store.last().values()))]
    for name in NAMES:
        samples = store.read(name, *span)
        seen += [samples.at.tolist(), samples.value.tolist(), samples.quality.tolist()]
        for step in (1800.0, 3600.0, 86400.0) if name == NAMES[0] else (3600.0,):
            told = store.summary(name, *span, step=step, without=REJECTED)
            seen += [told.start.tolist(), np.round(told.mean, 9).tolist(), told.low.tolist(), told.high.tolist()]
            seen += [told.quality.tolist(), told.left_out.at.tolist(), told.first_at.tolist(), told.last_at.tolist()]
    for step in (1800.0, 7200.0):
        table = store.buckets(None, *span, step=step)
        seen += [table.series.tolist(), table.start.tolist(), np.round(table.mean, 9).tolist(), table.count.tolist()]
    return [json.dumps(x, default=str) for x in seen]


def seal(store: EmbeddedStore, day: int = 0) -> int:
    sealer = Sealer(store)
    moved = sealer.seal((DAY0 + day * DAY_S) * 1000, 0.0)
    while sealer.drain():
        pass
    return moved


def test_what_is_read_stays_the_same_through_every_moment_of_sealing(store: EmbeddedStore) -> None:
    fill(store, 3)
    before = everything(store)
    sealer = Sealer(store)
    for day in list(sealer.days())[:2]:
        assert sealer.seal(day, 0.0) == 3 * 144
        assert everything(store) == before  # sealed, and not yet deleted from the hot tier
        while sealer.drain():
            pass
        assert everything(store) == before
    assert store.connection.execute("SELECT count(*) FROM point").fetchone()[0] == 3 * 144
    assert check(store) == []


def test_late_points_are_kept_once_and_change_the_roll_ups(store: EmbeddedStore) -> None:
    block = fill(store, 2)
    seal(store)
    assert store.write_block(block) == 0
    late = [Point(series=NAMES[0], at=DAY0 + 3605.0 + i, value=500.0, received_at=DAY0 + 9e4) for i in range(3)]
    assert store.write(late) == 3
    assert store.write(late) == 0
    waiting = everything(store)
    hour = store.buckets([NAMES[0]], DAY0 + 3600, DAY0 + 7200, step=3600.0)
    assert hour.count.tolist() == [6 + 3 - int(hour.left_out[0])]
    assert hour.high.tolist() == [500.0]
    assert seal(store) == 3
    assert store.write(late) == 0
    assert everything(store) == waiting
    assert len(segments(store.connection, "raw", -ENDLESS, ENDLESS)) == 1


def test_points_that_arrive_while_a_day_is_sealed_stay(store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store, 1)
    fill(store, 1, first=1)
    other = open_store(store.directory)
    late = Point(series=NAMES[1], at=DAY0 + 77.0, value=7.0, received_at=DAY0 + 78.0)
    rollup = Sealer._rollup

    def arrives(self: Sealer, *args: object, **more: object) -> object:
        assert other.write([late]) == 1  # after the points were collected, before the list changes
        return rollup(self, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Sealer, "_rollup", arrives)
    seal(store)
    assert 77.0 + DAY0 in store.read(NAMES[1], DAY0, DAY0 + 100).at.tolist()
    assert other.write([late]) == 0
    assert store.count() == len(store.block(None, DAY0, DAY0 + 2 * DAY_S)) == 2 * 3 * 144 + 1
    other.close()


def test_an_hour_is_rolled_up_without_the_lock_and_again_when_a_point_came_meanwhile(
    store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, 1)
    keeper = Keeper(store, Clock(DAY0 + DAY_S + 60.0), NoTimers(), KeeperSettings())
    ingest = open_store(store.directory)
    ingest.connection.execute("PRAGMA busy_timeout = 0")
    late = [Point(series=NAMES[1], at=DAY0 + 50.0, value=900.0, received_at=DAY0 + 51.0)]
    buckets = Hot.buckets

    def arrives(self: Hot, *args: object, **more: object) -> Table:
        if late:
            assert ingest.write([late.pop()]) == 1  # would fail at once if the keeper held the lock
        return buckets(self, *args, **more)  # type: ignore[arg-type]

    def most() -> float:
        return float(np.nanmax(ingest.buckets(None, DAY0, DAY0 + DAY_S, step=3600.0).high))

    with monkeypatch.context() as patched:
        patched.setattr(Hot, "buckets", arrives)
        keeper.turn()
    rows = "SELECT count(*), count(nullif(length(body), 0)) FROM hour"
    assert (store.connection.execute(rows).fetchone(), most()) == ((23, 23), 900.0)
    keeper.turn()
    assert (store.connection.execute(rows).fetchone(), most()) == ((24, 24), 900.0)
    late.append(Point(series=NAMES[1], at=DAY0 + 9001.0, value=950.0, received_at=DAY0 + 9002.0))
    assert ingest.write([late.pop()]) == 1
    assert (store.connection.execute(rows).fetchone(), most()) == ((23, 23), 950.0)
    ingest.close()
    keeper.close()


@pytest.mark.parametrize("moment", ["enter", "leave"])
def test_a_keeper_killed_between_files_and_list_leaves_the_old_state(
    store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    fill(store, 2)
    seal(store, 1)
    store.write([Point(series=NAMES[0], at=DAY0 + 1.0, value=1.0, received_at=DAY0 + 1.0)])
    before = everything(store)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(f"telemetry.store.seal.{moment}", killed)
        with pytest.raises(KeyboardInterrupt):
            Sealer(store).seal(DAY0 * 1000, 0.0)
    assert everything(store) == before
    collect_garbage(store, 1e12)
    names = {file.file for file in segments(store.connection, None, -ENDLESS, ENDLESS)}
    there = {path.relative_to(store.cold.folder).as_posix() for path in store.cold.folder.glob("*/*.parquet")}
    assert there == names
    seal(store)
    assert everything(store) == before


def test_the_keeper_seals_what_has_ended_and_only_one_process_keeps(store: EmbeddedStore) -> None:
    fill(store, 3)
    clock = Clock(DAY0 + 2 * DAY_S + 3600.0)
    settings = KeeperSettings(grace_s=7200.0, late_s=60.0, check_s=0.0)
    keeper = Keeper(store, clock, NoTimers(), settings)
    keeper.turn()
    assert lead(store.directory) is None
    keeper.drain()
    keeper.turn()
    sealed = [file.period for file in segments(store.connection, "raw", -ENDLESS, ENDLESS)]
    assert sealed == [DAY0 * 1000]  # the second day ended less than the grace ago
    clock.at += 7200.0
    before = everything(store)
    keeper.finish()
    keeper.turn()
    assert len(segments(store.connection, "raw", -ENDLESS, ENDLESS)) == 2
    assert store.connection.execute("SELECT count(*) FROM hour").fetchone()[0] > 0  # the open day in buckets of hours
    assert everything(store) == before
    store.write([Point(series=NAMES[0], at=DAY0 + 2 * DAY_S + 1.0, value=9.0, received_at=0.0)])
    table = store.buckets(None, DAY0 + 2 * DAY_S, DAY0 + 2 * DAY_S + 3600.0, step=3600.0)
    assert table.count.sum() + table.left_out.sum() == 3 * 6 + 1
    keeper.close()
    other = lead(store.directory)
    assert other is not None
    other.close()


def test_many_values_a_minute_keep_their_minutes_when_the_points_are_let_go(store: EmbeddedStore) -> None:
    fill(store, 1, step=10)
    fill(store, 2, first=1)
    span = (float(DAY0), float(DAY0 + DAY_S))
    minutes = store.summary(NAMES[0], *span, step=60.0, without=REJECTED)
    hours = store.buckets(None, *span, step=3600.0)
    seal(store)
    seal(store, 1)
    assert [file.rows for file in segments(store.connection, "minute", -ENDLESS, ENDLESS)] == [3 * 1440]
    gone = retire(store, Limits(raw_days=1), DAY0 + 2.5 * DAY_S)
    assert [file.period for file in gone] == [DAY0 * 1000]
    assert len(store.read(NAMES[0], *span).at) == 0
    kept = store.summary(NAMES[0], *span, step=60.0, without=REJECTED)
    assert kept.start.tolist() == minutes.start.tolist()
    assert kept.mean == pytest.approx(minutes.mean, nan_ok=True)
    assert store.buckets(None, *span, step=3600.0).mean == pytest.approx(hours.mean)
    assert store.count() == 2 * 3 * 144
    assert store.counters().points_removed == 3 * 8640
    retire(store, Limits(minute_days=1), DAY0 + 2.5 * DAY_S)
    assert len(store.summary(NAMES[0], *span, step=60.0, without=REJECTED).start) == 0
    assert store.buckets(None, *span, step=3600.0).mean == pytest.approx(hours.mean)


def test_the_disk_budget_lets_the_oldest_days_go_and_files_are_removed_after_a_while(store: EmbeddedStore) -> None:
    fill(store, 3)
    for day in range(3):
        seal(store, day)
    files = segments(store.connection, "raw", -ENDLESS, ENDLESS)
    total = sum(file.bytes for file in segments(store.connection, None, -ENDLESS, ENDLESS))
    assert retire(store, Limits(disk_bytes=total), 1000.0) == []
    assert retire(store, Limits(disk_bytes=total - 1), 1000.0) == files[:1]
    assert (store.cold.folder / files[0].file).exists()
    collect_garbage(store, 1010.0)
    assert (store.cold.folder / files[0].file).exists()  # a reader may be about to open it
    collect_garbage(store, 2000.0)
    assert not (store.cold.folder / files[0].file).exists()
    assert retire(store, Limits(disk_bytes=1), 2000.0) == files[1:2]  # the newest day stays
    assert len(store.buckets(None, DAY0, DAY0 + DAY_S, step=3600.0).start) == 72


def test_a_damaged_sealed_file_is_left_out_named_and_counted_and_the_rest_goes_on(store: EmbeddedStore) -> None:
    fill(store, 3)
    seal(store)
    seal(store, 1)
    hours = store.buckets(None, DAY0, DAY0 + DAY_S, step=3600.0)
    first, second = segments(store.connection, "raw", -ENDLESS, ENDLESS)
    path = store.cold.folder / first.file
    path.write_bytes(path.read_bytes()[:-40] + b"\0" * 40)  # the footer
    reader = open_store(store.directory, read_only=True)
    assert len(reader.read(NAMES[0], DAY0, DAY0 + 3 * DAY_S).at) == 2 * 144
    reader.close()
    assert [damage.file for damage in check(store)] == [first.file]
    keeper = Keeper(store, Clock(DAY0 + 2 * DAY_S), NoTimers(), KeeperSettings(check_s=0.0))
    for _ in range(4):
        keeper.turn()
    keeper.close()
    assert [(damage.file, damage.rows) for damage in quarantined(store.connection)] == [(first.file, 432)]
    assert (store.directory / "quarantine" / path.name).exists()
    assert not path.exists()
    assert status(store)["quarantined"] == [first.file]
    assert store.count() == 2 * 432
    assert check(store) == []
    again = store.buckets(None, DAY0, DAY0 + DAY_S, step=3600.0)
    assert again.mean == pytest.approx(hours.mean)  # the roll-up is another file
    assert second in segments(store.connection, "raw", -ENDLESS, ENDLESS)


def test_late_points_for_a_damaged_day_are_sealed_and_its_roll_up_keeps_what_is_lost(store: EmbeddedStore) -> None:
    fill(store, 2)
    seal(store)
    seal(store, 1)
    hours = store.buckets([NAMES[0]], DAY0, DAY0 + DAY_S, step=3600.0)
    file = segments(store.connection, "raw", -ENDLESS, ENDLESS)[0]
    (store.cold.folder / file.file).write_bytes(b"PAR1" * 100)
    late = Point(series=NAMES[0], at=DAY0 + 7201.0, value=1000.0, received_at=DAY0 + 1e6)
    assert store.write([late]) == 1
    keeper = Keeper(store, Clock(DAY0 + 9.0 * DAY_S), NoTimers(), KeeperSettings(late_s=0.0))
    keeper.finish()
    keeper.close()
    assert [damage.file for damage in quarantined(store.connection)] == [file.file]
    assert store.read(NAMES[0], DAY0, DAY0 + DAY_S).value.tolist() == [1000.0]
    told = store.buckets([NAMES[0]], DAY0, DAY0 + DAY_S, step=3600.0)
    assert told.count.sum() == hours.count.sum() + 1
    assert told.high[2] == 1000.0
    (store.cold.folder / segments(store.connection, "raw", -ENDLESS, ENDLESS)[0].file).unlink()
    again = Point(series=NAMES[0], at=DAY0 + 7200.5, value=1000.0, received_at=DAY0 + 1e6)
    assert store.write([again]) == 1  # a file that is gone keeps nobody from writing


def test_bits_that_rot_in_a_sealed_file_are_noticed(store: EmbeddedStore) -> None:
    fill(store, 1)
    seal(store)
    file = segments(store.connection, "raw", -ENDLESS, ENDLESS)[0]
    path = store.cold.folder / file.file
    body = bytearray(path.read_bytes())
    body[len(body) // 3] ^= 1
    path.write_bytes(bytes(body))
    assert [damage.reason for damage in check(store)] == ["its bytes have changed since it was written (checksum)"]


def test_a_damaged_roll_up_is_read_from_points_and_made_again(store: EmbeddedStore) -> None:
    fill(store, 3)
    seal(store)
    seal(store, 1)
    before = everything(store)
    rollup = segments(store.connection, "rollup", -ENDLESS, ENDLESS)[0]
    (store.cold.folder / rollup.file).write_bytes(b"PAR1")
    assert everything(store) == before
    store.close()
    assert [line.split(":")[0] for line in repair(store.directory).quarantined] == [rollup.file]
    mended = open_store(store.directory)
    assert everything(mended) == before
    seal(mended, 2)
    assert everything(mended) == before
    assert segments(mended.connection, "rollup", -ENDLESS, ENDLESS)[0].rows == 3 * (72 + 3)
    mended.close()


@pytest.mark.parametrize("damage", ["a page", "the header", "all of it"])
def test_a_damaged_hot_file_is_rebuilt_from_what_can_be_read(store: EmbeddedStore, damage: str) -> None:
    fill(store, 3)
    seal(store)
    sealed = store.read(NAMES[0], DAY0, DAY0 + DAY_S).value.tolist()
    store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    path = store.directory / FILE
    body = bytearray(path.read_bytes())
    pages = len(body) // 4096
    if damage == "a page":  # the last ones hold points
        for page in range(pages // 2, pages // 2 + 2):
            body[page * 4096 : (page + 1) * 4096] = b"\xff" * 4096
    else:
        body[: 4096 if damage == "the header" else len(body)] = b"\xff" * (
            4096 if damage == "the header" else len(body)
        )
    path.write_bytes(bytes(body))
    done = repair(store.directory)
    assert done.hot_file_rebuilt
    mended = open_store(store.directory)
    assert mended.read(NAMES[0], DAY0, DAY0 + DAY_S).value.tolist() == sealed
    assert mended.series() == sorted(NAMES)
    assert mended.count() == 432 + done.hot_points == len(mended.block(None, DAY0, DAY0 + 3 * DAY_S))
    assert (done.hot_points > 100) == (damage != "all of it")  # without a header they are found page by page
    assert set(mended.last()) == set(NAMES)
    fill(mended, 1, first=5)
    assert list(mended.directory.glob(f"quarantine/*{FILE}"))
    mended.close()


def test_a_sound_store_is_left_as_it_is_by_a_repair(store: EmbeddedStore) -> None:
    fill(store, 2)
    seal(store)
    before = everything(store)
    store.close()
    done = repair(store.directory)
    assert (done.hot_file_rebuilt, done.quarantined, done.unreadable) == (False, [], [])
    again = open_store(store.directory)
    assert everything(again) == before
    again.close()


def test_a_store_of_version_1_is_brought_up_to_date_with_all_it_holds(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.write([Point(series=NAMES[0], at=-1.5, value=1.0, received_at=0.0)])
    store.close()
    connection = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    for table in ("point", "segment", "draining", "hour", "garbage", "quarantine"):
        connection.execute(f"DROP TABLE {table}")
    connection.execute(
        "CREATE TABLE point (series INTEGER, at INTEGER, value REAL, delay INTEGER, quality INTEGER,"
        " PRIMARY KEY (series, at)) WITHOUT ROWID"
    )
    rows = [(1, at, at / 7.0, 1500, 32) for at in (-1500, 0, DAY0 * 1000, DAY0 * 1000 + 60_000)]
    connection.executemany("INSERT INTO point VALUES (?, ?, ?, ?, ?)", rows)
    connection.execute("UPDATE counter SET value = 4 WHERE name = 'points'")
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    with pytest.raises(StoreError, match="start the farm once"):
        open_store(tmp_path, read_only=True)
    store = open_store(tmp_path)
    assert store.connection.execute("PRAGMA user_version").fetchone()[0] == VERSION
    samples = store.read(NAMES[0], float("-inf"), float("inf"))
    assert (samples.at * 1000.0).tolist() == [row[1] for row in rows]
    assert samples.value.tolist() == [row[2] for row in rows]
    assert store.count() == 4
    assert store.write([Point(series=NAMES[0], at=-1.5, value=1.0, received_at=0.0)]) == 0
    store.close()


FULL = """
import resource, signal, sys
from pathlib import Path
from telemetry.store.embedded import open_store
from telemetry.store.journal import StoreError
from telemetry.store.seal import Sealer
store = open_store(Path(sys.argv[1]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
try:
    Sealer(store).seal(int(sys.argv[2]), 0.0)
except StoreError as error:
    print(error.code)
"""


def test_a_disk_that_is_full_leaves_the_day_unsealed_and_all_points_there(store: EmbeddedStore) -> None:
    fill(store, 2)
    before = everything(store)
    command = [sys.executable, "-c", FULL, str(store.directory), str(DAY0 * 1000)]
    done = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() in {"store_full", "store_failed"}, done.stderr
    assert everything(store) == before
    assert segments(store.connection, None, -ENDLESS, ENDLESS) == []
    seal(store)
    assert everything(store) == before


def test_a_backup_made_while_points_arrive_is_restored_as_it_was(store: EmbeddedStore, tmp_path: Path) -> None:
    fill(store, 3)
    seal(store)
    data = tmp_path / "data"
    (data / "log").mkdir()
    (data / "log" / "brain.log").write_text("left out")
    (data / "farm.toml").write_text("# 草莓")
    target = tmp_path / "farm.tar"
    copied = backup(data, target, 1.0)
    assert copied.points == 3 * 432
    before = everything(store)
    fill(store, 1, first=7)
    with pytest.raises(StoreError, match="not empty"):
        restore(target, data)
    assert restore(target, tmp_path / "new") == copied
    restored = open_store(tmp_path / "new" / "store")
    assert everything(restored) == before
    assert check(restored) == []
    restored.close()
    assert (tmp_path / "new" / "farm.toml").read_text() == "# 草莓"
    assert not (tmp_path / "new" / "log").exists()


@pytest.mark.parametrize("harm", ["cut off", "a changed byte", "no backup"])
def test_a_damaged_backup_is_refused_and_leaves_nothing(store: EmbeddedStore, tmp_path: Path, harm: str) -> None:
    fill(store, 1)
    target = tmp_path / "farm.tar"
    backup(tmp_path / "data", target, 1.0)
    body = bytearray(target.read_bytes())
    if harm == "cut off":
        body = body[: len(body) // 2]
    elif harm == "a changed byte":
        body[30_000] ^= 0xFF
    else:
        body = bytearray(b"strawberry" * 2000)
    target.write_bytes(bytes(body))
    with pytest.raises(StoreError):
        restore(target, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "new.restoring").exists()


def test_a_store_is_copied_into_another_while_it_runs(store: EmbeddedStore, tmp_path: Path) -> None:
    fill(store, 3)
    seal(store)
    other = open_store(tmp_path / "other")
    arrived: list[str] = []

    def say(text: str) -> None:
        if not arrived:  # late, for a day that was copied already
            store.write([Point(series=NAMES[2], at=DAY0 + 7.0, value=3.0, received_at=DAY0 + 8.0)])
        arrived.append(text)

    moved = migrate(store, other, start=store.span()[0], end=store.span()[1] + DAY_S, say=say)
    assert moved.passes == 2
    assert moved.new == store.count() == other.count() == 3 * 432 + 1
    arrived.clear()
    store.write([Point(series=NAMES[0], at=DAY0 + 3.0 * DAY_S + 1.0, value=3.0, received_at=DAY0 + 4e5)])
    again: list[str] = []

    def newest(text: str) -> None:
        if len(again) == 2:
            store.write([Point(series=NAMES[1], at=DAY0 + 3.0 * DAY_S + 2.0, value=3.0, received_at=DAY0 + 4e5)])
        again.append(text)

    moved = migrate(store, other, start=store.span()[0], end=store.span()[1] + DAY_S, say=newest)
    assert (moved.passes, moved.new, other.count()) == (1, 2, store.count())  # it came before its day was read
    again.clear()
    last = 4  # of the days; its own point comes while it is copied

    def last_day(text: str) -> None:
        again.append(text)
        if len(again) == last:
            store.write([Point(series=NAMES[2], at=DAY0 + 3.0 * DAY_S + 3.0, value=3.0, received_at=DAY0 + 4e5)])

    moved = migrate(store, other, start=store.span()[0], end=store.span()[1] + DAY_S, say=last_day)
    assert (moved.passes, moved.new, other.count()) == (2, 1, store.count())
    assert len(again) == last + 1  # only the newest day was read again
    assert everything(other) == everything(store)
    assert migrate(store, other, start=store.span()[0], end=store.span()[1], say=say).new == 0
    other.close()


class Thinned:
    """A source that lets go of its oldest day and takes late points while the third day is read for the first time."""

    def __init__(self, points: Iterable[tuple[float, float]], late: Iterable[tuple[float, float]]) -> None:
        self.points, self.late, self.reads, self.removed = dict(points), dict(late), 0, 0

    def counters(self) -> Counters:
        return Counters(points=len(self.points) + self.removed, points_removed=self.removed)

    def block(self, _: None, start: float, end: float) -> Block:
        self.reads += 1
        at = np.array(sorted(at for at in self.points if start <= at < end))
        if self.reads == 3:
            kept = {at: value for at, value in self.points.items() if at >= DAY0 + DAY_S}
            self.removed = len(self.points) - len(kept)
            self.points = kept | self.late
        return Block(
            names=NAMES[:1],
            series=np.zeros(len(at), np.int32),
            at=(at * 1000.0).astype(np.int64),
            value=np.ones(len(at)),
            delay=np.zeros(len(at), np.int64),
            quality=np.zeros(len(at), np.uint8),
        )


@pytest.mark.parametrize("arriving", [5, 100, 300])  # fewer than are let go, as many, more
def test_late_points_are_copied_whatever_the_source_lets_go_of_meanwhile(tmp_path: Path, arriving: int) -> None:
    points = {DAY0 + day * DAY_S + i * 60.0: 1.0 for day in range(3) for i in range(100)}
    late = {DAY0 + 1.5 * DAY_S + i: 1.0 for i in range(arriving)}
    source, other = Thinned(points.items(), late.items()), open_store(tmp_path / "other")
    migrate(cast(EmbeddedStore, source), other, start=float(DAY0), end=DAY0 + 3.0 * DAY_S, say=lambda _: None)
    assert set(late) <= set(other.read(NAMES[0], float(DAY0), DAY0 + 3.0 * DAY_S).at.tolist())
    other.close()


def test_the_bench_loses_nothing_and_seals_what_it_has_written(tmp_path: Path) -> None:
    figures = store_bench.bench(tmp_path, 20_000, lambda _: None)
    assert figures["points"] == figures["seen_by_another_process"] == 20_000
    assert figures["sealed_points"] > 0
    assert 0.0 < figures["bytes_per_point"] <= 3.0  # small files; a day of 1000 series takes 1.2
    assert {"write_points_per_s", "last_ms", "day_ms", "month_ms", "rss_mb"} <= set(figures)
