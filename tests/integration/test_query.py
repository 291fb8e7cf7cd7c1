"""Questions to the store: series by pattern, times as people write them, local days, one table in every format."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import duckdb
import nanoarrow
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from dashboard.cli import berrybrain
from telemetry.query import Answer, Query, QueryError
from telemetry.query.ask import ask
from telemetry.query.formats import encode
from telemetry.query.times import parse_duration, parse_instant, parse_zone
from telemetry.store import Point, Quality, Series, Store
from telemetry.store.embedded import EmbeddedStore, open_store

SHANGHAI = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 5, 1, tzinfo=SHANGHAI).timestamp()
AIR = Series("farm", "tunnel-1", "climate-1", "air_temperature")
RH = Series("farm", "tunnel-1", "climate-1", "relative_humidity")
SOIL = Series("farm", "tunnel-2", "soil-1", "soil_temperature")
UNITS = {"air_temperature": "Cel", "relative_humidity": "%"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("farm")
    store = open_store(folder / "store")
    points = [
        Point(series=name, at=START + 600.0 * i, value=i / 2.0, received_at=START + 600.0 * i)
        for name in (AIR, RH, SOIL)
        for i in range(3 * 144)
    ]
    points.append(
        Point(series=AIR, at=START + 1.5, value=99.0, received_at=START + 2.0, quality=Quality.RANGE | Quality.LATE)
    )
    store.write(points)
    store.close()
    return folder


def answer(data: Path, **wanted: object) -> Answer:
    store = open_store(data / "store", read_only=True)
    try:
        defaults: dict[str, object] = {"start": START, "end": START + 3 * 86400.0, "timezone": SHANGHAI}
        return ask(store, Query(**(defaults | wanted)), UNITS)  # type: ignore[arg-type]
    finally:
        store.close()


def test_series_are_chosen_by_names_and_patterns(data: Path) -> None:
    assert answer(data, metrics=("*temperature",)).names == (AIR, SOIL)
    assert answer(data, metrics=("air_temperature", "relative_humidity")).names == (AIR, RH)
    assert answer(data, zones=("tunnel-2",)).names == (SOIL,)
    assert answer(data, devices=("climate-?",), metrics=("rel*",)).units == ("%",)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"metrics": ("air_temprature",)}, "air_temperature"),
        ({"devices": ("x' OR 1=1 --",)}, "there is: climate-1, soil-1"),
        ({"zones": ("tunnel-2",), "devices": ("climate-1",)}, "there is: soil-1"),
        ({"start": START + 4e5}, "begin before"),
        ({"aggregates": ("median",), "step": 60.0}, "mean, min, max, count"),
        ({"limit": 100}, "1297 rows, more than 100"),
        ({"limit": 100, "step": 60.0}, "more than 100"),
    ],
)
def test_a_question_that_has_no_answer_is_told_what_there_is(data: Path, wanted: dict[str, object], said: str) -> None:
    with pytest.raises(QueryError) as told:
        answer(data, **wanted)
    assert said in str(told.value)


def test_days_begin_at_local_midnight(data: Path) -> None:
    days = answer(data, metrics=("air_temperature",), step=86400.0, aggregates=("mean", "min", "max", "count"))
    assert days.at.tolist() == [START, START + 86400.0, START + 2 * 86400.0]
    assert days.values["count"].tolist() == [144, 144, 144]
    assert days.values["min"].tolist() == [0.0, 72.0, 144.0]
    assert days.values["mean"].tolist() == pytest.approx([35.75, 107.75, 179.75])
    assert days.quality.tolist() == [int(Quality.RANGE | Quality.LATE), 0, 0]
    pairs = answer(data, metrics=("air_temperature",), step=2 * 86400.0, aggregates=("count",))
    assert pairs.values["count"].tolist() == [288, 144]


def test_the_day_with_a_change_of_clocks_has_25_hours(tmp_path: Path) -> None:
    zone = ZoneInfo("Europe/Amsterdam")
    begin = datetime(2026, 10, 25, tzinfo=zone).timestamp()
    store = open_store(tmp_path)
    store.write([Point(series=AIR, at=begin + 3600.0 * i, value=1.0, received_at=begin) for i in range(49)])
    query = Query(start=begin, end=begin + 49 * 3600.0, step=86400.0, aggregates=("count",), timezone=zone)
    assert ask(store, query, {}).values["count"].tolist() == [25, 24]
    store.close()


def test_every_format_has_the_same_columns_and_rows(data: Path, tmp_path: Path) -> None:
    found = answer(data, metrics=("air_temperature", "soil*"), end=START + 1300.0)
    rows = list(csv.reader(io.StringIO(b"".join(encode(found, "csv")).decode())))
    assert rows[0] == ["time", "zone", "device", "metric", "unit", "value", "quality"]
    assert rows[1] == ["2026-05-01T00:00:00+08:00", "tunnel-1", "climate-1", "air_temperature", "°C", "0.0", "good"]
    assert rows[2] == [
        "2026-05-01T00:00:01.500+08:00",
        "tunnel-1",
        "climate-1",
        "air_temperature",
        "°C",
        "99.0",
        "range+late",
    ]
    assert len(rows) == 8
    table = json.loads(b"".join(encode(found, "json")))
    assert table["columns"] == rows[0]
    assert [[str(cell) for cell in row] for row in table["rows"]] == rows[1:]
    path = tmp_path / "a.parquet"
    path.write_bytes(b"".join(encode(found, "parquet")))
    columns = duckdb.sql(f"SELECT epoch(time), metric, value, quality FROM '{path}'").fetchall()
    arrow = nanoarrow.ArrayStream.from_readable(b"".join(encode(found, "arrow"))).read_all()
    assert [field.name for field in arrow.schema.fields] == rows[0]
    from_arrow = [(row["time"].timestamp(), row["metric"], row["value"], row["quality"]) for row in arrow.iter_py()]
    assert columns == from_arrow
    assert [row[0] for row in columns] == found.at.tolist()
    assert [row[2] for row in columns] == found.values["value"].tolist()


def test_rows_of_two_sites_say_which_is_which(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    twins = [Series(site, "z", "d", "air_temperature") for site in ("north", "south")]
    store.write([Point(series=name, at=START, value=i, received_at=START) for i, name in enumerate(twins)])
    query = Query(start=START, end=START + 1.0, timezone=UTC)
    both, one = (ask(store, q, {}) for q in (query, replace(query, sites=("south",))))
    store.close()
    rows = list(csv.reader(io.StringIO(b"".join(encode(both, "csv")).decode())))
    assert rows[0][:3] == ["time", "site", "zone"] and [row[1] for row in rows[1:]] == ["north", "south"]
    arrow = nanoarrow.ArrayStream.from_readable(b"".join(encode(both, "arrow"))).read_all()
    assert [(row["site"], row["value"]) for row in arrow.iter_py()] == [("north", 0.0), ("south", 1.0)]
    assert json.loads(b"".join(encode(one, "json")))["columns"][:2] == ["time", "zone"]


class _Guarded:
    """A store that must not be asked for every value."""

    def __init__(self, store: EmbeddedStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        assert name != "block", "all values were read to find that they are too many"
        return getattr(self._store, name)


def test_too_many_values_are_refused_before_they_are_read_and_a_long_span_with_few_is_not(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    times = [START + i for i in range(2000)]
    store.write([Point(series=AIR, at=at, value=1.0, received_at=at) for at in times])
    wide = Query(start=0.0, end=START + 1e9, timezone=UTC, limit=1999)
    with pytest.raises(QueryError, match="about 2000 rows"):
        ask(cast("Store", _Guarded(store)), wide, {})
    assert len(ask(store, replace(wide, limit=2000), {})) == 2000
    assert len(ask(store, replace(wide, step=60.0, limit=1441), {})) == 34
    with pytest.raises(QueryError, match="longer step"):
        ask(store, replace(wide, step=1.0), {})
    store.close()


def test_days_that_share_a_longer_step_are_one_row_when_rows_are_counted(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    times = [START + 86400.0 * i for i in [*range(50), 99]]
    store.write([Point(series=AIR, at=at, value=1.0, received_at=at) for at in times])
    query = Query(start=START, end=START + 100 * 86400.0, timezone=UTC, step=10 * 86400.0, limit=8)
    assert len(ask(store, query, {})) <= 8
    with pytest.raises(QueryError, match="longer step"):
        ask(store, replace(query, limit=4), {})
    store.close()


def test_a_bucket_with_rejected_values_only_is_empty_in_every_format(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.write([Point(series=AIR, at=START, value=99.0, received_at=START, quality=Quality.STUCK)])
    found = ask(store, Query(start=START, end=START + 60.0, step=60.0, timezone=UTC, aggregates=("mean", "count")), {})
    store.close()
    assert json.loads(b"".join(encode(found, "json")))["rows"][0][-3:] == [None, 0, "stuck"]
    assert b"".join(encode(found, "csv")).decode().splitlines()[1].endswith(",,0,stuck")
    arrow = nanoarrow.ArrayStream.from_readable(b"".join(encode(found, "arrow"))).read_all()
    assert next(iter(arrow.iter_py()))["mean"] is None


def test_no_cell_of_a_csv_is_run_by_a_spreadsheet(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    name = Series("f", "z", "=cmd|' /C calc'!A0", "@m")
    store.write([Point(series=name, at=START, value=-1.5, received_at=START)])
    text = b"".join(encode(ask(store, Query(start=START, end=START + 1, timezone=UTC), {}), "csv")).decode()
    store.close()
    row = next(csv.reader(io.StringIO(text.splitlines()[1])))
    assert row[2:4] == ["'=cmd|' /C calc'!A0", "'@m"]
    assert row[5] == "-1.5"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-05-01", START),
        ("2026-05-01 08:30", START + 8.5 * 3600),
        ("2026-05-01T00:00:00+02:00", START + 6 * 3600),
        ("2026-05-01T00:00Z", START + 8 * 3600),
        ("@1780000000", 1_780_000_000.0),
        ("-24h", START + 30 * 3600 - 86400),
        ("-1.5 d", START + 30 * 3600 - 129600),
        ("now", START + 30 * 3600),
        ("today", START + 86400),
        ("Yesterday", START),
    ],
)
def test_instants_are_read_as_people_write_them(text: str, at: float) -> None:
    assert parse_instant(text, START + 30 * 3600, SHANGHAI) == at


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-13-01", "1780000000", "-", "-5", "- 3 parsecs", "@", "01.05.2026", "@1e99"]
)
def test_what_is_no_instant_is_answered_with_examples(text: str) -> None:
    if text == "-5":
        assert parse_instant(text, 100.0, UTC) == 95.0
        return
    with pytest.raises(QueryError, match="expected"):
        parse_instant(text, START, SHANGHAI)


@pytest.mark.parametrize(("text", "length"), [("90", 90.0), ("5min", 300.0), ("1 h", 3600.0), ("2W", 1_209_600.0)])
def test_durations_have_the_usual_units(text: str, length: float) -> None:
    assert parse_duration(text) == length
    with pytest.raises(QueryError, match="duration"):
        parse_duration(text + "x")
    with pytest.raises(QueryError, match="time zone"):
        parse_zone("Mars/Olympus")


@given(st.text(max_size=30))
def test_any_text_is_an_instant_or_refused_in_words(text: str) -> None:
    try:
        assert np.isfinite(parse_instant(text, START, UTC))
    except QueryError as error:
        assert "expected" in str(error)


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(berrybrain, list(words))
    return done.exit_code, done.output


def test_the_command_writes_files_by_their_ending_and_says_what_it_cannot(data: Path, tmp_path: Path) -> None:
    base = ("query", "--data", str(data), "--from", "2026-05-01", "--timezone", "Asia/Shanghai")
    code, text = run(*base, "air_temperature", "--step", "1d", "--format", "table")
    assert code == 0
    assert text.splitlines()[1].split() == [
        "2026-05-01T00:00:00+08:00",
        "tunnel-1",
        "climate-1",
        "air_temperature",
        "°C",
        "35.75",
        "range+late",
    ]
    for ending in ("csv", "json", "parquet", "arrow"):
        assert run(*base, "--output", str(tmp_path / f"a.{ending}"))[0] == 0
        assert (tmp_path / f"a.{ending}").stat().st_size > 1000
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".arrow", ".csv", ".json", ".parquet"]
    assert run(*base, "--output", str(tmp_path / "a.txt"))[0] == 2
    assert run(*base, "--from", "soon")[0] == 2
    assert run("query", "--data", str(tmp_path))[0] == 1
    code, text = run("query", "--data", str(data), "--list", "--format", "csv", "--timezone", "UTC")
    assert [line.split(",")[3] for line in text.splitlines()[1:]] == [
        "air_temperature",
        "relative_humidity",
        "soil_temperature",
    ]


def test_the_store_commands_report_and_move(data: Path, tmp_path: Path) -> None:
    def told(*words: str) -> dict[str, object]:
        code, text = run(*words, "--json")
        assert code == 0, text
        return dict(json.loads(text))

    assert told("store", "status", "--data", str(data))["points"] == 1297
    assert told("backup", str(tmp_path / "b.tar"), "--data", str(data))["points"] == 1297
    assert run("backup", str(tmp_path / "b.tar"), "--data", str(data))[0] == 1
    there = str(tmp_path / "there")
    assert told("restore", str(tmp_path / "b.tar"), "--data", there)["points"] == 1297
    assert told("store", "seal", "--data", there) == {"days": 4, "points": 1297}
    assert told("store", "check", "--data", there) == {"sound": True, "damaged": []}
    assert told("store", "repair", "--data", there)["hot_file_rebuilt"] is False
    moved = told("store", "migrate", str(tmp_path / "other"), "--data", there)
    assert (moved["new"], moved["target_points"]) == (1297, 1297)
    again = told("store", "migrate", str(tmp_path / "other"), "--data", there)
    assert again["new"] == 0
    sealed = next((tmp_path / "there" / "store" / "cold" / "raw").iterdir())
    sealed.write_bytes(b"PAR1 strawberry")
    code, text = run("store", "check", "--data", there)
    assert code == 1
    assert sealed.name in text
    store: EmbeddedStore = open_store(tmp_path / "other" / "store")
    assert store.count() == 1297
    store.close()
