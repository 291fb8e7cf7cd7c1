from __future__ import annotations

from itertools import pairwise

import pytest

from telemetry.importer import ImportFileError
from telemetry.importer.numbers import decimal_comma, parse_number
from telemetry.importer.times import TimeReader, find_times

NOON = 1709265600.0  # 2024-03-01 12:00 in Shanghai, 04:00 UTC


def reader(cells: list[str], *, name: str = "time", timezone: str = "Asia/Shanghai", **wish: object) -> TimeReader:
    form = find_times([name], [""], lambda _: cells, timezone=timezone, **wish)  # type: ignore[arg-type]
    return TimeReader(form)


@pytest.mark.parametrize(
    "text",
    [
        "2024-03-01 12:00",
        "2024-03-01T04:00:00Z",
        "2024-03-01T06:00:00.000+02:00",
        "2024/3/1 12:00:00",
        "2024年3月1日 12:00",
        "2024年3月1日12时00分",
        "2024年03月01日 12时00分00秒",
        "2024/3/1 下午 12:00",
        "1709265600",
        "1709265600000",
        "45352.5",
        "45352,5",
    ],
)
def test_an_instant_is_the_same_however_it_is_written(text: str) -> None:
    assert reader([text] * 5).read([text]) == NOON


@pytest.mark.parametrize("name", ["epoch", "unix_ms", "Epoch Time"])
def test_counts_since_1970_are_found_by_what_they_are_called(name: str) -> None:
    assert reader(["1709265600"] * 5, name=name).read(["1709265600"]) == NOON


def test_halves_of_a_chinese_day_are_told_apart() -> None:
    read = reader(["2024/3/1 上午 11:59", "2024/3/1 下午 1:00"]).read
    assert read(["2024/3/1 上午 12:00"]) == NOON - 12 * 3600.0
    assert read(["2024/3/1 下午 1:00"]) == NOON + 3600.0


def test_day_and_month_are_decided_by_the_data() -> None:
    assert reader(["1/3/2024 12:00", "13/3/2024 12:00"]).read(["1/3/2024 12:00"]) == NOON
    assert reader(["3/1/2024 12:00", "3/13/2024 12:00"]).read(["3/1/2024 12:00"]) == NOON
    running = [f"{month}/1/2024 12:00" if month else "3/1/2024 11:00" for month in (0, 3)]
    with pytest.raises(ImportFileError, match="--dates"):
        reader(running)


def test_dates_that_run_on_day_by_day_tell_their_order() -> None:
    assert reader([f"3/{day}/2024 12:00" for day in range(1, 12)]).read(["3/1/2024 12:00"]) == NOON
    assert reader([f"{day}/3/2024 12:00" for day in range(1, 12)]).read(["1/3/2024 12:00"]) == NOON


def test_a_choice_of_the_person_settles_an_open_order() -> None:
    assert reader(["1/3/2024 12:00"], order="dmy").read(["1/3/2024 12:00"]) == NOON


def test_dates_of_both_orders_are_refused() -> None:
    with pytest.raises(ImportFileError, match="day first in some rows"):
        reader(["13/3/2024 12:00", "3/13/2024 12:00"])


def test_date_and_time_may_stand_in_two_columns() -> None:
    cells = {0: ["01/03/2024", "31/03/2024"], 1: ["12:00", "11:30 pm"], 2: ["5", "6"]}
    form = find_times(["Date", "Time", "T"], ["", "", ""], lambda i: cells[i], timezone="Asia/Shanghai")
    assert form.columns == (0, 1)
    assert TimeReader(form).read(["01/03/2024", "12:00", "5"]) == NOON


def test_the_hour_that_comes_twice_in_autumn_is_two_hours() -> None:
    texts = ["2023-10-29 01:30", "2023-10-29 02:00", "2023-10-29 02:30", "2023-10-29 02:00", "2023-10-29 02:30"]
    read = reader(texts, timezone="Europe/Amsterdam")
    instants = [read.read([text]) for text in texts]
    assert [b - a for a, b in pairwise(instants)] == [1800.0] * 4


def test_the_hour_that_spring_skips_is_no_time() -> None:
    with pytest.raises(ValueError, match="does not exist"):
        reader(["2024-03-31 02:30"], timezone="Europe/Amsterdam").read(["2024-03-31 02:30"])


def test_seconds_since_a_beginning_need_that_beginning() -> None:
    cells = ["0", "300", "600", "900"]
    with pytest.raises(ImportFileError, match="--start"):
        reader(cells, name="Time since start of data [s]")
    assert reader(cells, name="Time since start of data [s]", start=NOON).read(["300"]) == NOON + 300.0


@pytest.mark.parametrize(
    ("cell", "comma", "value"),
    [
        ("1.5", False, 1.5),
        ("1,5", True, 1.5),
        ("1.234,5", True, 1234.5),
        ("1,234.5", False, 1234.5),
        ("-2e3", False, -2000.0),
    ],
)
def test_numbers_are_read_as_their_country_writes_them(cell: str, comma: bool, value: float) -> None:
    assert parse_number(cell, comma=comma) == value


@pytest.mark.parametrize("cell", ["", "NaN", "-", "N/A", "-9999", "缺测"])
def test_a_missing_value_is_not_a_number_and_no_error(cell: str) -> None:
    assert parse_number(cell, comma=False) != parse_number(cell, comma=False)


@pytest.mark.parametrize("cell", ["abc", "1.2.3", "12:30", "=1+1", "1,5"])
def test_what_is_no_number_is_refused(cell: str) -> None:
    with pytest.raises(ValueError, match="expected a number"):
        parse_number(cell, comma=False)


def test_the_decimal_sign_is_decided_by_the_majority() -> None:
    assert decimal_comma(["1,5", "2,5", "7"])
    assert not decimal_comma(["1.5", "2.5", "7"])
