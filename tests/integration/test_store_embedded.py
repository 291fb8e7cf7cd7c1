"""The embedded store: many processes, sudden death, a full disk, and the journal beside the numbers."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from telemetry.messages import Ack, AckStatus, Birth, Command, Event, Kind, Payload, State, Topic
from telemetry.store import Point, Series
from telemetry.store.embedded import EmbeddedStore, open_store
from telemetry.store.entries import DEAD_PAYLOAD_BYTES
from telemetry.store.hot_file import FILE
from telemetry.store.journal import Batch, DeadLetter, Entry, Stamp, StoreError

T0 = 1_780_000_000.0
AIR = Series("farm", "z", "d", "air_temperature")
HOUSE = Path(__file__).parents[2]

WRITER = """
import sys
from pathlib import Path
from telemetry.store import Point, Series
from telemetry.store.embedded import open_store
store = open_store(Path(sys.argv[1]))
i = 0
while True:
    at = 1780000000.0 + i
    points = [Point(series=Series("farm", "z", "d", f"m{k}"), at=at, value=i, received_at=at) for k in range(5)]
    store.write(points)
    print(i, flush=True)
    i += 1
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    opened = open_store(tmp_path)
    yield opened
    opened.close()


def topic(kind: Kind) -> Topic:
    return Topic(site="farm", zone="z", device="d", kind=kind)


def entry(kind: Kind, payload: Payload) -> Entry:
    return Entry(topic=topic(kind), payload=payload, received_at=T0 + 1)


def pick(seq: int, *, type: str = "pick", boot: str = "b") -> Entry:
    return entry(Kind.EVENT, Event(at=T0 + seq, seq=seq, boot=boot, type=type, data={"n": seq, "草莓": True}))


def test_points_acknowledged_before_a_kill_are_all_there_afterwards(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    acknowledged = -1
    with subprocess.Popen(command, cwd=HOUSE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            acknowledged = int(line)
            if acknowledged == 40:
                writer.kill()
    store = open_store(tmp_path)
    written = len(store.read(Series("farm", "z", "d", "m4"), 0.0, 2 * T0).at)
    assert written >= acknowledged + 1 >= 41
    assert store.count() == 5 * written
    store.close()


def test_readers_see_each_commit_while_another_process_writes(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(command, cwd=HOUSE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        readers = [open_store(tmp_path, read_only=True) for _ in range(3)]
        for line in writer.stdout:
            for reader in readers:
                assert reader.count() >= 5 * (int(line) + 1)
                assert reader.last()[Series("farm", "z", "d", "m0")].value >= int(line)
            if int(line) == 20:
                writer.kill()
        for reader in readers:
            reader.close()


def test_reader_opens_what_a_writer_has_closed_and_may_not_write(tmp_path: Path) -> None:
    writer = open_store(tmp_path)
    writer.write([Point(series=AIR, at=T0, value=1.0, received_at=T0)])
    writer.close()
    reader = open_store(tmp_path, read_only=True)
    assert reader.count() == 1
    with pytest.raises(StoreError) as failed:
        reader.write([Point(series=AIR, at=T0 + 1, value=1.0, received_at=T0)])
    assert failed.value.code == "store_failed"
    reader.close()


def test_reader_of_a_folder_without_store_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is the data folder right"):
        open_store(tmp_path, read_only=True)


def test_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    connection = sqlite3.connect(tmp_path / FILE)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError) as failed:
        open_store(tmp_path)
    assert failed.value.code == "store_version"


def test_file_that_is_no_database_is_reported(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"strawberry" * 1000)
    with pytest.raises(StoreError) as failed:
        open_store(tmp_path)
    assert failed.value.code == "store_damaged"


def test_full_disk_is_told_and_nothing_of_the_batch_is_kept(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.write([Point(series=AIR, at=T0, value=1.0, received_at=T0)])
    store.connection.execute(f"PRAGMA max_page_count = {_pages(store)}")
    many = [
        Point(series=Series("f", "z", "d", f"m{i}"), at=T0 + k, value=1.0, received_at=T0)
        for i in range(100)
        for k in range(100)
    ]
    with pytest.raises(StoreError) as failed:
        store.commit(Batch(points=many, entries=[pick(0)]))
    assert failed.value.code == "store_full"
    assert store.count() == 1
    assert store.series() == [AIR]
    store.connection.execute("PRAGMA max_page_count = 1000000")
    assert store.commit(Batch(points=many, entries=[pick(0)])).points == len(many)
    store.close()


def _pages(store: EmbeddedStore) -> int:
    return int(store.connection.execute("PRAGMA page_count").fetchone()[0])


def test_entries_of_every_kind_come_back_as_sent_and_are_kept_once(store: EmbeddedStore) -> None:
    entries = [
        pick(0),
        entry(Kind.BIRTH, Birth(at=T0, boot="b", model="m", firmware="1", metrics={})),
        entry(Kind.STATE, State(at=T0, status="online")),
        entry(Kind.CMD, Command(id="o-1", issuer="brain", expires_at=T0 + 9, command="harvest")),
        entry(Kind.ACK, Ack(id="o-1", at=T0, status=AckStatus.ACCEPTED)),
        entry(Kind.ACK, Ack(id="o-1", at=T0, status=AckStatus.DONE)),
    ]
    assert store.commit(Batch(entries=entries)).entries == 6
    assert store.commit(Batch(entries=entries)).entries == 0
    for kind in (Kind.EVENT, Kind.BIRTH, Kind.STATE, Kind.CMD, Kind.ACK):
        found = store.entries(kind)
        assert [(e.topic, e.payload, e.received_at) for e in found] == [
            (e.topic, e.payload, e.received_at) for e in entries if e.topic.kind is kind
        ]


def test_events_are_selected_by_type_time_and_what_was_read_before(store: EmbeddedStore) -> None:
    store.commit(Batch(entries=[pick(0), pick(1, type="count"), pick(2), pick(3)]))
    picks = store.entries(Kind.EVENT, type="pick")
    assert [e.payload.seq for e in picks if isinstance(e.payload, Event)] == [0, 2, 3]
    assert store.entries(Kind.EVENT, type="pick", start=T0 + 2, end=T0 + 3) == [picks[1]]
    assert store.entries(Kind.EVENT, type="pick", after=picks[0].id) == picks[1:]
    assert store.entries(Kind.EVENT, limit=2) == store.entries(Kind.EVENT)[:2]


def test_dead_letters_are_kept_newest_first_cut_and_bounded(tmp_path: Path) -> None:
    store = open_store(tmp_path, dead_letter_limit=5)
    for i in range(8):
        payload = b"x" * (DEAD_PAYLOAD_BYTES + i)
        letter = DeadLetter(topic=f"t{i}", payload=payload, size=len(payload), reason="bad_json", detail="d", at=T0 + i)
        store.commit(Batch(dead_letters=[letter]))
    letters = store.dead_letters()
    assert [letter.topic for letter in letters] == ["t7", "t6", "t5", "t4", "t3"]
    assert len(letters[0].payload) == DEAD_PAYLOAD_BYTES
    assert letters[0].size == DEAD_PAYLOAD_BYTES + 7
    assert store.counters().dead_letters == 8
    assert store.counters().by_reason == {"bad_json": 8}
    store.close()


def test_gaps_are_counted_per_boot_and_close_when_late_messages_arrive(store: EmbeddedStore) -> None:
    def arrive(boot: str, *numbers: int) -> int:
        stamps = [Stamp(topic=topic(Kind.DATA), boot=boot, seq=seq) for seq in numbers]
        return store.commit(Batch(stamps=stamps, messages=len(stamps))).repeated

    assert arrive("a", 3, 4, 8) == 0
    assert arrive("b", 0, 2) == 0
    assert [(gap.boot, gap.first, gap.last) for gap in store.gaps()] == [("a", 5, 7), ("b", 1, 1)]
    assert store.counters().messages_lost == 4
    assert arrive("a", 6, 8) == 1
    assert arrive("b", 1) == 0
    assert [(gap.first, gap.last) for gap in store.gaps()] == [(5, 5), (7, 7)]
    counters = store.counters()
    assert (counters.messages, counters.messages_lost, counters.messages_repeated) == (8, 2, 1)


def test_two_writers_take_turns_and_share_series_streams_and_counters(tmp_path: Path) -> None:
    writers = [open_store(tmp_path), open_store(tmp_path)]
    for i in range(20):
        point = Point(series=AIR, at=T0 + i // 2, value=float(i), received_at=T0)
        stamp = Stamp(topic=topic(Kind.DATA), boot="b", seq=i)
        writers[i % 2].commit(Batch(points=[point], stamps=[stamp], entries=[pick(i // 2)], messages=1))
    for writer in writers:
        assert writer.read(AIR, 0.0, 2 * T0).value.tolist() == [float(i) for i in range(0, 20, 2)]
        counters = writer.counters()
        assert (counters.messages, counters.points, counters.points_duplicated, counters.entries) == (20, 10, 10, 10)
        assert (counters.messages_lost, counters.messages_repeated) == (0, 0)
        writer.close()
