"""What goes wrong while a damaged hot file is replaced: a mender is killed, others write on, sealed files are hit."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from telemetry.messages import Event, Kind, Topic
from telemetry.store import Point, Series
from telemetry.store import repair as repairing
from telemetry.store.embedded import EmbeddedStore, open_store
from telemetry.store.hot_file import FILE, MENDING, QUARANTINE, READY, SUSPECT
from telemetry.store.journal import Batch, Entry, StoreError
from telemetry.store.repair import mend_at_start, mend_running
from telemetry.store.rescue import WRITE_LOCK, held
from telemetry.store.seal import Sealer

PAGE = 4096
DAY0, DAY_S = 1_790_035_200.0, 86400.0
NAME = Series("farm", "z", "d", "air_temperature")
TRY_LOCK = """
import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, int(sys.argv[2]))
        print("free")
    except OSError:
        print("taken")
"""


def fill(store: EmbeddedStore, begin: float, count: int = 200) -> None:
    times = [begin + 60.0 * i for i in range(count)]
    store.write([Point(series=NAME, at=at, value=1.0, received_at=at) for at in times])


def times(store: EmbeddedStore) -> set[float]:
    return {at / 1e3 for at in store.block(None, 0.0, 1e11).at.tolist()}


def spoil(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE)
        file.write(b"\xff" * PAGE)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    opened = open_store(tmp_path)
    yield opened
    opened.close()


class Killed(BaseException):
    """Stands for kill -9: nothing of the store's handles it."""


def test_what_is_committed_after_a_mender_was_killed_before_the_exchange_is_kept(
    store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(directory: Path) -> None:
        raise Killed

    fill(store, DAY0)
    other = open_store(store.directory)
    with monkeypatch.context() as patch:
        patch.setattr(repairing, "finish", killed)
        with pytest.raises(Killed):
            mend_running(store.directory, store.connection)
    assert (store.directory / MENDING / READY).exists()
    fill(other, DAY0 + DAY_S, 1)
    fresh = open_store(store.directory)
    assert DAY0 + DAY_S in times(fresh) and len(times(fresh)) == 201
    assert not (store.directory / MENDING).exists()
    fresh.close()
    other.close()


def test_who_remembers_the_page_that_was_spoiled_waits_for_the_new_file(store: EmbeddedStore) -> None:
    fill(store, DAY0)
    store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    spoil(store.directory / FILE, 1)

    def lock() -> str:
        index = store.directory / (FILE + "-shm")
        argv = [sys.executable, "-S", "-c", TRY_LOCK, str(index), str(WRITE_LOCK)]
        return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60.0).stdout.strip()

    assert lock() == "free"
    with held(store.directory / FILE):
        assert lock() == "taken"
    assert lock() == "free"


def test_a_hot_file_that_is_away_for_a_moment_is_read_and_written_again_when_it_is_back(store: EmbeddedStore) -> None:
    fill(store, DAY0)
    reader = open_store(store.directory, read_only=True)
    path, away = store.directory / FILE, store.directory / "away"
    path.rename(away)
    for _ in range(2):
        with pytest.raises(StoreError):
            reader.count()
        with pytest.raises(StoreError):
            fill(store, DAY0 + DAY_S, 1)
    assert not path.exists()
    away.rename(path)
    fill(store, DAY0 + DAY_S, 1)
    assert reader.count() == 201
    path.rename(away)
    with pytest.raises(StoreError):
        reader.count()
    reader.close()  # although there is nothing to close
    away.rename(path)


def test_a_file_that_cannot_be_looked_at_is_not_taken_for_damaged(
    store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, DAY0)
    store.close()
    monkeypatch.setattr(repairing, "BUSY_S", 0.05)
    with closing(sqlite3.connect(store.directory / FILE, isolation_level=None)) as alone:
        alone.execute("PRAGMA locking_mode = EXCLUSIVE")
        alone.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"):
            mend_at_start(store.directory)
        alone.execute("ROLLBACK")
    assert not (store.directory / QUARANTINE).exists()
    assert mend_at_start(store.directory) is None


@pytest.mark.parametrize("how", ["cut", "gone", "names"])
def test_a_sealed_file_that_is_damaged_too_does_not_hold_up_the_new_hot_file(store: EmbeddedStore, how: str) -> None:
    fill(store, DAY0)
    fill(store, DAY0 + DAY_S)
    sealer = Sealer(store)
    sealer.seal(int(DAY0 * 1000) // 86_400_000 * 86_400_000, DAY0)
    while sealer.drain():
        pass
    fill(store, DAY0 + 7.0, 3)
    (sealed,) = store.cold.folder.glob("raw/*.parquet")
    if how == "gone":
        sealed.unlink()
    else:
        hit = sealed if how == "cut" else store.cold.folder / "series.parquet"
        hit.write_bytes(hit.read_bytes()[:100])
    mend_running(store.directory, store.connection)
    fill(store, DAY0 + 2 * DAY_S, 3)
    late = {DAY0 + 7.0 + 60.0 * i for i in range(3)}
    assert late | {DAY0 + 2 * DAY_S} <= {row[0] / 1e3 for row in store.connection.execute("SELECT at FROM point")}


def test_numbers_of_entries_that_are_lost_are_not_given_again(store: EmbeddedStore) -> None:
    topic = Topic(site="f", zone="z", device="d", kind=Kind.EVENT)

    def note(first: int, end: int) -> None:
        events = [
            Event(at=DAY0 + i, seq=i, boot="b", type="fault", data={"n": f"e{i}" * 100}) for i in range(first, end)
        ]
        store.commit(Batch(entries=tuple(Entry(topic=topic, payload=event, received_at=DAY0) for event in events)))

    note(0, 60)
    last = store.entries(Kind.EVENT)[-1].id
    store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    body = (store.directory / FILE).read_bytes()
    leaf = 0x0D
    pages = [i for i in range(0, len(body), PAGE) if body[i] == leaf and b"e59e59" in body[i : i + PAGE]]
    assert pages
    for begin in pages:
        spoil(store.directory / FILE, begin // PAGE + 1)
    store.connection.execute("PRAGMA shrink_memory")
    mend_running(store.directory, store.connection)
    assert 0 < len(store.entries(Kind.EVENT)) < 60
    note(60, 63)
    assert len(store.entries(Kind.EVENT, after=last)) == 3  # who follows them misses none


def test_a_new_file_that_cannot_be_completed_leaves_no_room_taken(
    store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: EmbeddedStore) -> int:
        raise StoreError("store_full", "no room")

    fill(store, DAY0)
    with monkeypatch.context() as patch:
        patch.setattr(repairing, "settle", full)
        with pytest.raises(StoreError, match="no room"):
            mend_running(store.directory, store.connection)
    assert not (store.directory / MENDING).exists()
    fill(store, DAY0 + DAY_S, 1)
    assert store.count() == 201


def test_a_mark_that_meant_the_old_file_does_not_cost_the_new_one(store: EmbeddedStore) -> None:
    fill(store, DAY0)
    (store.directory / SUSPECT).touch()
    mend_running(store.directory, store.connection)
    fill(store, DAY0 + DAY_S, 1)
    assert len(list((store.directory / QUARANTINE).glob(f"*-{FILE}"))) == 1
