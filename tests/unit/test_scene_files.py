"""Scene files, the cell card and beds drawn by class: what may be written, what is refused, what comes out."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from robot.arms import load_arm
from sim.bench.pick import beds
from sim.camera import SensorNoise
from sim.cell import CellSettings
from sim.scenarios.card import cell_settings, compare, load_card, parse_card
from sim.scenarios.scene_file import SceneFileError, deal, load_scene, parse_scene
from sim.scenarios.scene_keys import schema
from sim.scene.mixed import VISIBLE
from sim.scene.plants import grow
from sim.scene.settings import Mix, SceneSettings
from sim.scene.visibility import Foliage, visible_share
from sim.truth import difficulty, neighbour_gaps

ROOT = Path(__file__).parents[2]
MIX = Mix(isolated=3, partly_hidden=3, cluster=2, enclosed=2, unripe=10)


def berry(**changed: Any) -> dict[str, Any]:
    return {"position": [0.2, 0.05, 0.2], "ripeness": 0.9} | changed


def read(**changed: Any) -> SceneSettings:
    return parse_scene({"format": 1, "berries": [berry()]} | changed, where="lab.toml")


def test_the_example_hangs_its_fruit_where_it_says() -> None:
    bed = grow(load_scene(ROOT / "sim/scenarios/examples/three_berries.toml"), 5)
    assert [b.stage for b in bed.berries] == ["ripe", "ripe", "ripe", "green"]
    first = bed.berries[0]
    assert first.center == pytest.approx([0.2 + 0.12, 0.62 - 0.05, 1.15 - 0.20])
    assert (first.half_width, first.half_length) == (0.015, 0.019)
    assert first.stem_length == pytest.approx(0.11)
    assert bed.berries[2].truss == bed.berries[3].truss != first.truss
    assert sum(leaf.droops for leaves in bed.plants for leaf in leaves) == 1


def test_toml_and_json_mean_the_same(tmp_path: Path) -> None:
    text = (ROOT / "sim/scenarios/examples/three_berries.toml").read_text(encoding="utf-8")
    as_json = tmp_path / "scene.json"
    as_json.write_text(json.dumps(tomllib.loads(text)), encoding="utf-8")
    assert load_scene(as_json) == load_scene(ROOT / "sim/scenarios/examples/three_berries.toml")


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ({"format": 2}, r"lab.toml: format: expected 1, got 2"),
        ({"colour": 1}, r"lab.toml: colour: unknown key"),
        ({"bed": {"lenght": 1.0}}, r"bed.lenght: unknown key.*did you mean 'length'"),
        ({"bed": {"length": True}}, r"bed.length: expected a number from 0.3 to 3, got True"),
        ({"bed": {"style": "wall"}}, r"bed.style: expected one of table_top, ridge"),
        ({"berries": [berry(ripeness=1.4)]}, r"berries\[0\].ripeness: expected a number from 0 to 1, got 1.4"),
        ({"berries": [{"ripeness": 1.0}]}, r"berries\[0\].position: missing"),
        ({"berries": [berry(position=[0.1, 0.2])]}, r"berries\[0\].position: expected 3 numbers"),
        ({"berries": [berry(position=[2.9, 0.05, 0.2])]}, r"berries\[0\].position: expected 0 to 2.4 m along"),
        ({"berries": [berry(), berry(position=[0.205, 0.05, 0.2])]}, r"berries\[1\]: .* inside berries\[0\]"),
        ({"fruit": {"ripe": 5}}, r"expected \[fruit\] \(drawn\) or \[\[berries\]\] \(told\), got both"),
        ({"cultivar": {"aspect": [1.4, 1.1]}}, r"cultivar.aspect: expected \[low, high\]"),
    ],
)
def test_a_slip_is_refused_by_the_name_of_its_key(table: dict[str, Any], complaint: str) -> None:
    with pytest.raises(SceneFileError, match=complaint):
        read(**table)


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("format = = 1", encoding="utf-8")
    with pytest.raises(SceneFileError, match=r"bad.toml: expected TOML"):
        load_scene(path)
    with pytest.raises(SceneFileError, match="cannot be read"):
        load_scene(tmp_path / "none.toml")


def test_the_published_schema_is_the_one_the_parser_reads_by() -> None:
    published = (resources.files("sim.scenarios") / "scene.schema.json").read_text(encoding="utf-8")
    assert json.loads(published) == schema()


def test_classes_are_dealt_by_largest_remainder() -> None:
    assert deal(60, 75, [0.35, 0.30, 0.25, 0.10]) == Mix(
        isolated=21, partly_hidden=18, cluster=15, enclosed=6, unripe=75
    )
    assert deal(19, 0, [0.35, 0.30, 0.25, 0.10]).ripe == 19


@pytest.mark.parametrize("seed", [1, 2])
def test_a_bed_drawn_by_class_has_the_classes_that_were_asked_for(seed: int) -> None:
    bed = grow(SceneSettings(mix=MIX, length=1.2, leaf_occlusion=0.1), seed)
    gaps, foliage = neighbour_gaps(bed.berries), Foliage([leaf for leaves in bed.plants for leaf in leaves])
    counted = Counter(
        difficulty(visible_share(b, bed.berries, foliage.near(b.center)), float(gap))
        for b, gap in zip(bed.berries, gaps, strict=True)
        if b.ripeness >= 0.8
    )
    assert counted == {"isolated": 3, "partly_hidden": 3, "cluster": 2, "enclosed": 2}
    assert len(bed.berries) == MIX.ripe + MIX.unripe
    assert set(VISIBLE) >= set(counted)


def test_a_bench_deals_the_cards_mix_over_all_its_beds() -> None:
    cells = list(beds(load_card(), 4, 60))
    mixes = [cell.scene.mix for cell in cells]
    assert sum(m.ripe for m in mixes if m) == 60
    assert sum(m.enclosed for m in mixes if m) == 6
    assert sum(m.isolated for m in mixes if m) == 21
    assert len({cell.scene.length for cell in cells}) == 2


def test_the_card_says_what_robot_and_simulation_do() -> None:
    card = load_card()
    assert compare(card, load_arm("ur3e")) == []
    assert cell_settings(card, SceneSettings()) == CellSettings()
    noise = SensorNoise()
    for name in ("depth_base", "depth_square", "dropout", "quantum", "shot"):
        assert card.number("camera", name) == getattr(noise, name), name
    assert sum(card.numbers("crop", "mix")) == pytest.approx(1.0)
    assert np.all([entry.source for lines in card.entries.values() for entry in lines.values()])


def test_a_card_that_says_otherwise_than_the_arm_is_noticed() -> None:
    text = (resources.files("sim.scenarios") / "cell.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    table["rail"]["speed"]["value"] = 6.0
    assert "rail.speed: the card says 6.0, the robot 0.6" in compare(parse_card(table), load_arm("ur3e"))
    del table["rail"]["speed"]["source"]
    with pytest.raises(ValueError, match=r"rail.speed: expected value, unit and source"):
        parse_card(table)
