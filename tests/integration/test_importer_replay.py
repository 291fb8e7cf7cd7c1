"""An import over a real broker: what a file holds is in the store, once, and marked as history."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from click.testing import CliRunner

from dashboard.cli.import_ import command
from telemetry.farm import default_farm_text
from telemetry.store import Quality, Series
from telemetry.store.embedded import open_store

ROWS = 700


@pytest.fixture
def farm(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    data.mkdir()
    (data / "farm.toml").write_text(default_farm_text().replace("port = 1883", "port = 0"), encoding="utf-8")
    return data


def log_of(tmp_path: Path) -> Path:
    lines = ["Datum;Lufttemperatur (°C);CO2 (ppm)"]
    for i in range(ROWS):
        value = f"{18.0 + 4.0 * math.sin(i / 30.0):.2f}".replace(".", ",")
        lines.append(
            f"{1 + i // 288:02d}.03.2024 {i % 288 // 12:02d}:{i % 12 * 5:02d};{value};{420 if i != 400 else 9000}"
        )
    lines.append("Summe;;")
    path = tmp_path / "log.csv"
    path.write_text("\n".join(lines), encoding="cp1252")
    return path


def test_a_file_is_stored_over_mqtt_and_a_second_import_adds_nothing(tmp_path: Path, farm: Path) -> None:
    file = log_of(tmp_path)
    arguments = [str(file), "--data", str(farm), "--device", "import-log"]
    first = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert first.exit_code == 0, first.output
    assert f"lines read {ROWS + 1} = kept {ROWS} + rejected 1 + duplicates 0" in first.output
    store = open_store(farm / "store", read_only=True)
    series = Series("yangcunqiao", "tunnel-1", "import-log", "co2")
    samples = store.read(series, 1.7e9, 1.8e9)
    air = store.read(Series("yangcunqiao", "tunnel-1", "import-log", "air_temperature"), 1.7e9, 1.8e9)
    store.close()
    assert len(samples.at) == len(air.at) == ROWS
    assert air.at[0] == 1709222400.0  # 2024-03-01 00:00 in Shanghai
    assert air.value[0] == 18.0
    assert int(samples.quality[400]) & int(Quality.RANGE)
    assert all(int(quality) & int(Quality.LATE) for quality in samples.quality)
    mapping = farm / "import" / "import-log.toml"
    second = CliRunner().invoke(command, [*arguments, "--mapping", str(mapping)], catch_exceptions=False)
    assert second.exit_code == 0, second.output
    assert "stored 0 values" in second.output
    assert f"{2 * ROWS} values were in the store before" in second.output


def test_a_dry_run_leaves_no_trace(tmp_path: Path, farm: Path) -> None:
    done = CliRunner().invoke(
        command, [str(log_of(tmp_path)), "--data", str(farm), "--dry-run"], catch_exceptions=False
    )
    assert done.exit_code == 0
    assert "air_temperature" in done.output
    assert [path.name for path in farm.iterdir()] == ["farm.toml"]


def test_a_file_of_another_kind_is_refused_in_one_line(tmp_path: Path, farm: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("name,age\nann,3\nbob,4\ncid,5\n", encoding="utf-8")
    done = CliRunner().invoke(command, [str(file), "--data", str(farm)])
    assert done.exit_code == 2
    assert "expected measurements below a row of column names" in done.output
    assert not (farm / "store").exists()
