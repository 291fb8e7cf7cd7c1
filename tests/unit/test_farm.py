"""`farm.toml` is read strictly and the file that `init` writes documents every setting."""

from __future__ import annotations

import re
import tomllib
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from telemetry.farm import FarmError, default_farm_text, load_farm, parse_farm
from telemetry.farm.parse import LISTS, SINGLE

SMALL = """
[site]
id = "s"
latitude = 29.0
longitude = 119.0

[[zones]]
id = "z"

[[beds]]
id = "b"
zone = "z"
length = 2.0

[[devices]]
id = "d"
zone = "z"
metrics = ["co2"]

[[robots]]
id = "r"
zone = "z"
bed = "b"

[program]
quota = 5

[mqtt]
port = 0

[store]
kind = "embedded"
"""


def test_default_farm_parses_to_the_demo_cell() -> None:
    farm = parse_farm(default_farm_text())
    assert (farm.site.id, farm.zones[0].id, farm.robots[0].id) == ("yangcunqiao", "tunnel-1", "berry-1")
    assert farm.bed("bed-1").length == 2.4
    assert farm.bed("bed-1").segments == 4
    assert farm.bed("bed-1").plants_per_side == 10
    assert (farm.program.ripeness_min, farm.program.ripeness_max) == (0.80, 1.0)


def test_the_window_of_the_market_is_the_programs() -> None:
    text = default_farm_text().replace('market = "direct" ', 'market = "shipping" ')
    program = parse_farm(text).program
    assert (program.market, program.ripeness_min, program.ripeness_max) == ("shipping", 0.70, 0.92)


@pytest.mark.parametrize("table", [*SINGLE, *LISTS])
def test_default_farm_documents_every_setting(table: str) -> None:
    document = tomllib.loads(default_farm_text())
    written = document[table] if table in SINGLE else document[table][0]
    known = fields({**SINGLE, **LISTS}[table])
    left_out = {f.name for f in known if f.default is None}  # TOML has no null: they are shown as a comment
    assert set(written) == {f.name for f in known} - left_out
    assert all(re.search(rf"^# {name} = ", default_farm_text(), re.MULTILINE) for name in left_out)


@pytest.mark.parametrize("table", [*SINGLE, *LISTS])
def test_default_farm_writes_the_defaults_of_the_code(table: str) -> None:
    kind = {**SINGLE, **LISTS}[table]
    farm = parse_farm(default_farm_text())
    built = getattr(farm, table) if table in SINGLE else getattr(farm, table)[0]
    for rule in fields(kind):
        if rule.default is not MISSING and rule.name != "name":
            assert getattr(built, rule.name) == rule.default, rule.name


def test_a_robot_may_have_a_dock_and_needs_of_its_own() -> None:
    text = SMALL.replace('bed = "b"', 'bed = "b"\ndock = 1\nbattery_low = 0.3\nclean_every = 500')
    robot = parse_farm(text).robots[0]
    assert (robot.dock, robot.battery_low, robot.clean_every, robot.blade_every) == (1.0, 0.3, 500, 20_000)
    assert parse_farm(SMALL).robots[0].dock is None


def test_file_on_disk_is_read(tmp_path: Path) -> None:
    path = tmp_path / "farm.toml"
    path.write_text(SMALL, encoding="utf-8")
    assert load_farm(path).program.quota == 5


def test_missing_file_says_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(FarmError, match="berrybrain init"):
        load_farm(tmp_path / "none.toml")


def test_file_that_is_not_utf8_is_told_with_the_byte(tmp_path: Path) -> None:
    path = tmp_path / "farm.toml"
    path.write_bytes(b"# caf\xe9\n")
    with pytest.raises(FarmError, match="expected UTF-8 text, got byte 5"):
        load_farm(path)


def test_robot_outside_the_zone_of_its_bed_is_refused() -> None:
    text = SMALL.replace('id = "r"\nzone = "z"', 'id = "r"\nzone = "y"') + '\n[[zones]]\nid = "y"\n'
    with pytest.raises(FarmError, match="zone 'y' is not the zone of its bed 'b', 'z'"):
        parse_farm(text)


def test_unknown_bed_or_robot_names_the_known_ones() -> None:
    farm = parse_farm(SMALL)
    with pytest.raises(KeyError, match="no bed 'x'; beds: b"):
        farm.bed("x")
    with pytest.raises(KeyError, match="no robot 'x'; robots: r"):
        farm.robot("x")


def test_unknown_key_names_the_line_and_the_nearest_key() -> None:
    text = SMALL.replace("quota = 5", "qouta = 5")
    line = text.splitlines().index("qouta = 5") + 1
    with pytest.raises(FarmError) as caught:
        parse_farm(text)
    assert f"farm.toml:{line}: [program]: unknown key 'qouta'; did you mean 'quota'?" in str(caught.value)


def test_unknown_table_names_the_nearest_table() -> None:
    with pytest.raises(FarmError, match=r"unknown key 'robotz'; did you mean 'robots'\?"):
        parse_farm(SMALL + "\n[robotz]\nid = 'x'\n")


def test_error_in_the_second_of_two_tables_points_at_the_second() -> None:
    text = SMALL + '\n[[zones]]\nid = "y"\ncolour = "red"\n'
    line = len(text.splitlines())
    with pytest.raises(FarmError, match=rf"farm\.toml:{line}: \[\[zones\]\] no\. 2: unknown key 'colour'"):
        parse_farm(text)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("quota = 5", 'quota = "5"', "quota: expected a whole number, got '5'"),
        ("quota = 5", "quota = true", "quota: expected a whole number, got True"),
        ("quota = 5", "speed = 1.5", "speed: expected a value from 0.05 to 1.0, got 1.5"),
        ("quota = 5", "force = nan", "force: expected a value from 0.2 to 3.0, got nan"),
        ("quota = 5", 'work_from = "25:00"', "work_from: expected text like"),
        ("quota = 5", "ripeness_min = 0.9\nripeness_max = 0.8", "ripeness_min 0.9 must be below ripeness_max 0.8"),
        ("quota = 5", 'beds = ["c"]', r"beds 'c' does not exist \(known: all, b\)"),
        ("quota = 5", 'cultivars = ["elsanta"]', "cultivars 'elsanta' does not exist"),
        ("quota = 5", 'order = "fast"', "order: expected one of 'along', 'value'"),
        ("quota = 5", 'market = "m"\n[[markets]]\nid = "direct"', r"market 'm' does not exist \(known: direct\)"),
        (
            "quota = 5",
            '[[markets]]\nid = "direct"\nripeness_min = 0.9\nripeness_max = 0.5',
            "ripeness_min 0.9 must be below ripeness_max 0.5",
        ),
        ("quota = 5", 'work_from = "05:00"\nwork_until = "05:00"', "work_from and work_until are both"),
        ("latitude = 29.0", "latitude = 129.0", "latitude: expected a value from -90.0 to 90.0, got 129.0"),
        ("latitude = 29.0", "", "key 'latitude' is missing"),
        ('id = "s"', 'id = "s/t"', "id: expected text like"),
        ('id = "s"', 'id = "s"\ntimezone = "Mars/Base"', "timezone: expected a name like"),
        ('id = "s"', 'id = "s"\naddress = "farm.example"', "address: expected http:// or https:// and a host"),
        ('id = "s"', 'id = "s"\naddress = "http://b.example/"', "nothing behind it, like 'https:"),
        ("length = 2.0", "length = 2.0\norigin = [0.0, 1.0]", "origin: expected a list of 3 values"),
        ("length = 2.0", 'length = 2.0\nsides = ["a", "a"]', "sides: values repeat"),
        ("length = 2.0", "length = 2.0\nsegment_length = 3.0", "segment_length 3.0 m is longer than the bed"),
        ('metrics = ["co2"]', "metrics = []", "metrics: expected a list of one value or more"),
        ('id = "d"\nzone = "z"', 'id = "d"\nzone = "q"', r"zone 'q' does not exist \(known: z\)"),
        ('bed = "b"', 'bed = "c"', r"bed 'c' does not exist \(known: b\)"),
        ('bed = "b"', 'bed = "b"\nside = "b"', "side 'b': bed 'b' has no such side"),
        ('id = "r"', 'id = "d"', "id 'd' is used twice"),
        ('kind = "embedded"', 'kind = "oracle"', "kind: expected one of 'embedded', 'influx'"),
        ('kind = "embedded"', 'kind = "influx"', "needs url, org and bucket"),
        ("port = 0", 'url = "http://x"', "url: expected text like"),
        ('bed = "b"', 'bed = "b"\ndock = "here"', "dock: expected a number, got 'here'"),
        ('bed = "b"', 'bed = "b"\nbattery_low = 0.9', "expected battery_critical <= battery_low < battery_enough"),
        ('bed = "b"', 'bed = "b"\nclean_every = 0', "clean_every: expected a value from 1"),
        ("[mqtt]\nport = 0", "", None),
    ],
)
def test_broken_rule_is_told_with_what_was_expected(old: str, new: str, message: str | None) -> None:
    text = SMALL.replace(old, new, 1)
    assert text != SMALL
    if message is None:
        assert parse_farm(text).mqtt.port == 1883
        return
    with pytest.raises(FarmError, match=message):
        parse_farm(text)


def test_text_that_is_not_toml_is_told_with_its_line() -> None:
    with pytest.raises(FarmError, match=r"not valid TOML: .*line 1"):
        parse_farm("[site\nid = 1\n")


def test_site_is_required() -> None:
    with pytest.raises(FarmError, match=re.escape("table [site] is missing")):
        parse_farm("")


def test_single_table_written_as_a_list_is_refused() -> None:
    with pytest.raises(FarmError, match=r"expected a table \[program\]"):
        parse_farm(SMALL.replace("[program]", "[[program]]"))


def test_last_segment_may_be_shorter() -> None:
    bed = parse_farm(SMALL.replace("length = 2.0", "length = 2.0\nsegment_length = 0.75")).beds[0]
    assert bed.segments == 3
    assert bed.bounds(2) == (1.5, 2.0)
    with pytest.raises(ValueError, match="segments 0 to 2, got 3"):
        bed.bounds(3)
