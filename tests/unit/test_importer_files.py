from __future__ import annotations

from pathlib import Path

import pytest

from telemetry.importer import ImportFileError
from telemetry.importer.mapping import to_toml
from telemetry.importer.understand import Understood, Wish, understand
from telemetry.messages.tables import metrics

NOW = 1_790_000_000.0


def read(tmp_path: Path, content: str | bytes, name: str = "log.csv", **wish: object) -> Understood:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    settings = {"device": "import-log", "timezone": "Asia/Shanghai"} | wish
    return understand(path, metrics(), Wish(**settings), now=NOW)  # type: ignore[arg-type]


def kinds(found: Understood) -> dict[str, str]:
    return {column.name: column.metric for column in found.columns if column.use}


def values(found: Understood, device: str = "import-log") -> list[dict[str, float]]:
    return [row for _, row in found.reading.devices[device]]


def test_semicolons_decimal_commas_and_lines_above_the_table_are_understood(tmp_path: Path) -> None:
    text = "Export of house 3\n\nDatum;Temperatuur kas (°C);RV (%)\n"
    text += "".join(f"{day:02d}.03.2024 08:00;{day},5;7{day % 10},0\n" for day in range(10, 20))
    found = read(tmp_path, text)
    assert (found.table.delimiter, found.comma, found.form.kind) == (";", True, "dmy")
    assert found.table.noise == 2
    assert kinds(found) == {"Temperatuur kas (°C)": "air_temperature", "RV (%)": "relative_humidity"}
    assert values(found)[0] == {"air_temperature": 10.5, "relative_humidity": 70.0}


def test_a_row_of_units_below_the_names_sets_the_units(tmp_path: Path) -> None:
    text = "time,Air temperature,EC,VPD\nISO,°F,uS/cm,hPa\n"
    text += "".join(f"2024-03-01T0{hour}:00,68,1500,8\n" for hour in range(5))
    found = read(tmp_path, text)
    assert found.table.units == ("ISO", "°F", "uS/cm", "hPa")
    assert values(found)[0] == {"air_temperature": 20.0, "substrate_ec": 1.5, "vpd": 0.8}


def test_western_and_chinese_code_pages_are_told_apart(tmp_path: Path) -> None:
    western = "time,Temp (°C)\n" + "".join(f"2024-03-01 0{i}:00,2{i}\n" for i in range(5))
    chinese = "时间,气温,相对湿度\n" + "".join(f"2024年3月1日 0{i}:00,2{i},6{i}\n" for i in range(5))
    assert read(tmp_path, western.encode("cp1252")).table.code == "cp1252"
    found = read(tmp_path, chinese.encode("gb18030"))
    assert found.table.code == "gb18030"
    assert kinds(found) == {"气温": "air_temperature", "相对湿度": "relative_humidity"}


def test_carbon_dioxide_in_milligrams_becomes_ppm(tmp_path: Path) -> None:
    text = "time,CO2 (mg/m3)\n" + "".join(f"2024-03-01 0{i}:00,731.9\n" for i in range(5))
    assert values(read(tmp_path, text))[0]["co2"] == pytest.approx(400.0, abs=0.5)


def test_every_line_is_kept_or_counted_under_a_reason(tmp_path: Path) -> None:
    lines = ["time,air temp (°C),RH (%)"]
    lines += [f"2024-03-01 {hour:02d}:00,15.{hour},70" for hour in range(10)]
    lines += ["2024-03-01 09:00,15.9,70", "2024-03-01 09:00,16.0,70", "2024-03-01 10:00,,", "not a time,15,70"]
    lines += ["2024-03-01 11:00,15", "2054-03-01 00:00,15,70", "2024-03-01 12:00,fifteen,70", "", "Total,,"]
    counts = read(tmp_path, "\n".join(lines)).reading.counts
    assert dict(counts.rejected) == {
        "same_time_other_values": 1,
        "no_values": 1,
        "bad_time": 2,
        "wrong_width": 1,
        "impossible_time": 1,
    }
    assert (counts.duplicates, counts.kept, counts.read) == (1, 11, 18)
    assert dict(counts.refused_values) == {"not_a_number": 1}
    assert counts.values == counts.points + counts.empty + counts.repeated + counts.refused_values.total()


def test_a_hole_in_the_measurements_is_a_gap(tmp_path: Path) -> None:
    hours = [0, 1, 2, 8, 9, 10]
    text = "time,air temp (°C)\n" + "".join(f"2024-03-01 {hour:02d}:00,15\n" for hour in hours)
    reading = read(tmp_path, text).reading
    assert [gap.end - gap.start for gap in reading.gaps] == [6 * 3600.0]


def test_second_sensors_of_a_metric_become_devices_of_their_own(tmp_path: Path) -> None:
    text = "time,box A temperature (°C),box B temperature (°C)\n"
    text += "".join(f"2024-03-01 0{i}:00,1{i},2{i}\n" for i in range(5))
    found = read(tmp_path, text)
    assert values(found, "import-log")[0] == {"air_temperature": 10.0}
    assert values(found, "import-log-2")[0] == {"air_temperature": 20.0}


def test_setpoints_are_no_measurements(tmp_path: Path) -> None:
    text = "Date,heating_temp_vip,Tair\n" + "".join(f"2024-03-01 0{i}:00,18,1{i}\n" for i in range(5))
    assert kinds(read(tmp_path, text)) == {"Tair": "air_temperature"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04rest of a workbook", "binary"),
        ("just a line\nand another\n", "columns divided by"),
        ("name,weight\nann,3\nbob,4\ncid,5\n", "measurements below"),
        ("plant,weight\n1,3\n2,4\n3,5\n", "date and time"),
        ("date,weight\n2024-03-01,3\n2024-03-02,4\n2024-03-03,5\n", "at least one column"),
        ("2024-03-01 00:00,15\n2024-03-01 01:00,15\n2024-03-01 02:00,15\n", "names"),
        ("", "columns divided by"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_what_was_expected(
    tmp_path: Path, content: str | bytes, said: str
) -> None:
    with pytest.raises(ImportFileError, match="expected") as refused:
        read(tmp_path, content)
    assert said in str(refused.value)


def test_a_saved_mapping_is_used_again_and_held_against_the_file(tmp_path: Path) -> None:
    text = "time,T1\n" + "".join(f"2024-03-01 0{i}:00,6{i}\n" for i in range(5))
    mapping = tmp_path / "m.toml"
    mapping.write_text(
        '[[columns]]\nname = "T1"\nmetric = "air_temperature"\nunit = "degF"\ndevice = "d"\nuse = true\n'
    )
    found = read(tmp_path, text, mapping=mapping)
    assert found.reading.devices["d"][0][1]["air_temperature"] == pytest.approx(15.5556, abs=1e-3)
    mapping.write_text(to_toml(found.columns, source="log.csv").replace("T1", "T2"))
    with pytest.raises(ImportFileError, match="no column 'T2'"):
        read(tmp_path, text, mapping=mapping)


def test_a_mapping_of_another_file_goes_to_the_device_that_is_named(tmp_path: Path) -> None:
    text = "time,Tair (°C),Tair 2 (°C)\n" + "".join(f"2024-03-01 0{i}:00,2{i},1{i}\n" for i in range(5))
    mapping = tmp_path / "m.toml"
    first = read(tmp_path, text)
    mapping.write_text(to_toml(first.columns, source="log.csv"))
    assert set(read(tmp_path, text, mapping=mapping, device="house-2").reading.devices) == set(first.reading.devices)
    again = read(tmp_path, text, mapping=mapping, device="house-2", rename=True)
    assert set(first.reading.devices) == {"import-log", "import-log-2"}
    assert set(again.reading.devices) == {"house-2", "house-2-2"}
    assert values(again, "house-2") == values(first)


def test_hours_of_a_weather_year_end_where_the_format_says(tmp_path: Path) -> None:
    head = "LOCATION,Shanghai,Shanghai,CHN,CSWD,583620,31.40,121.45,8.0,5.5\n" + "x\n" * 6 + "DATA PERIODS,1\n"
    row = "2005,1,1,{h},0,?,6.5,5.0,90,102400,9999,9999,283,{sun},0,0,0,0,0,0,190,2.5,1\n"
    rows = "".join(row.format(h=hour, sun=9999 if hour == 3 else hour) for hour in range(1, 25))
    found = read(tmp_path, head + rows, name="year.epw")
    first = found.reading.devices["import-log"][0]
    assert first[0] == 1104512400.0  # 2005-01-01 01:00 in Shanghai
    assert first[1]["outside_humidity"] == 90.0
    assert found.reading.counts.empty == 1
