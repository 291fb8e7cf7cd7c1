"""Scene files that anybody can write: a bed side with its fruit and leaves as TOML or JSON, read strictly."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from itertools import combinations
from pathlib import Path
from typing import Any

from sim.scenarios.scene_keys import FORMAT, LISTS, ROOT, TABLES, Key
from sim.scene.plants import gap, grow
from sim.scene.settings import Cultivar, GivenBerry, GivenLeaf, Mix, SceneSettings

MIX = (0.35, 0.30, 0.25, 0.10)
"""Shares of isolated, partly hidden, cluster and enclosed where a file does not tell."""


class SceneFileError(ValueError):
    """A scene file that cannot be used; the text names file, key, what was expected and what was found."""


def load_scene(path: Path) -> SceneSettings:
    """Read a scene file, TOML or JSON by its suffix.

    Raises:
        SceneFileError: not readable, an unknown or missing key, a value out of its range, or fruit inside fruit.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SceneFileError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SceneFileError(f"{path}: cannot be read: {error}") from error
    try:
        table = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        kind = "JSON" if path.suffix == ".json" else "TOML"
        raise SceneFileError(f"{path}: expected {kind}: {error}") from error
    return parse_scene(table, where=path.name)


def parse_scene(table: Any, *, where: str) -> SceneSettings:
    """Return the scene of a parsed file; see `load_scene`."""
    root = _table(table, ROOT, where, "top level")
    if root["format"] != FORMAT:
        raise SceneFileError(f"{where}: format: expected {FORMAT}, got {root['format']}")
    parts = {name: _table(root[name], keys, where, name) if name in root else {} for name, keys in TABLES.items()}
    lists = {
        name: [_table(row, keys, where, f"{name}[{i}]") for i, row in enumerate(root.get(name, []))]
        for name, keys in LISTS.items()
    }
    fruit, told = parts["fruit"], bool(lists["berries"] or lists["leaves"])
    if told and fruit:
        raise SceneFileError(f"{where}: expected [fruit] (drawn) or [[berries]] (told), got both")
    if not lists["berries"] and not fruit:
        raise SceneFileError(f"{where}: expected [fruit] or at least one [[berries]], got neither")
    bed = dict(parts["bed"])
    scene = SceneSettings(
        **bed,
        **_renamed(parts["hang"]),
        cultivar=replace(Cultivar(), **parts["cultivar"]),
        mix=_mix(fruit, where) if fruit else None,
        given_berries=tuple(GivenBerry(**row) for row in lists["berries"]),
        given_leaves=tuple(GivenLeaf(**row) for row in lists["leaves"]),
    )
    scene = replace(scene, berries=scene.mix.ripe + scene.mix.unripe if scene.mix else len(scene.given_berries))
    _inside_the_bed(scene, where)
    return scene


def _renamed(hang: dict[str, Any]) -> dict[str, Any]:
    names = {"front": "fruit_front", "below": "fruit_below", "leaves_in_front": "leaf_occlusion"}
    return {names[key]: value for key, value in hang.items()}


def _mix(fruit: dict[str, Any], where: str) -> Mix:
    shares = [float(v) for v in fruit.get("mix", MIX)]
    if abs(sum(shares) - 1.0) > 1e-6:
        raise SceneFileError(f"{where}: fruit.mix: expected shares that add up to 1, got {shares}")
    return deal(int(fruit["ripe"]), int(fruit.get("unripe", 0)), shares)


def deal(ripe: int, unripe: int, shares: list[float]) -> Mix:
    """Return whole counts of ripe fruit by class, by largest remainder."""
    wanted = [share * ripe for share in shares]
    counts = [int(w + 1e-9) for w in wanted]
    for i in sorted(range(len(shares)), key=lambda i: counts[i] - wanted[i])[: ripe - sum(counts)]:
        counts[i] += 1
    return Mix(isolated=counts[0], partly_hidden=counts[1], cluster=counts[2], enclosed=counts[3], unripe=unripe)


def _table(value: Any, keys: Mapping[str, Key], where: str, name: str) -> dict[str, Any]:
    """Return the checked values of one table; keys that were left out stay out."""
    prefix = "" if name == "top level" else f"{name}."
    if not isinstance(value, Mapping):
        raise SceneFileError(f"{where}: {name}: expected a table, got {value!r}")
    for key in value:
        if key not in keys:
            near = get_close_matches(str(key), keys, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise SceneFileError(f"{where}: {prefix}{key}: unknown key, expected one of {', '.join(keys)}{hint}")
    for key, rule in keys.items():
        if rule.required and key not in value:
            raise SceneFileError(f"{where}: {prefix}{key}: missing; {rule.text}")
    found = {}
    for key, item in value.items():
        problem = keys[key].problem(item)
        if problem:
            raise SceneFileError(f"{where}: {prefix}{key}: expected {problem}, got {item!r}")
        found[key] = tuple(item) if isinstance(item, list) and keys[key].kind in ("numbers", "range") else item
    return found


def _inside_the_bed(scene: SceneSettings, where: str) -> None:
    """Refuse fruit beyond the bed's ends, in the gutter, above its stem's beginning, or inside other fruit."""
    for i, given in enumerate(scene.given_berries):
        name = f"{where}: berries[{i}]"
        along, front, below = given.position
        if not 0.0 <= along <= scene.length:
            raise SceneFileError(f"{name}.position: expected 0 to {scene.length} m along the bed, got {along}")
        half_width = given.half_width or scene.cultivar.half_width[0]
        if front < half_width:
            raise SceneFileError(f"{name}.position: expected it at least {half_width} m in front, got {front}")
        half_length = given.half_length or half_width
        if below - half_length - (given.stem_length or 0.02) < 0.0:
            raise SceneFileError(
                f"{name}.position: expected its stem to begin below the bed's top, got {below} m below"
            )
    if not scene.given_berries:
        return
    berries = grow(scene, 0).berries
    for a, b in combinations(berries, 2):
        apart = gap(a.center, (a.half_width, a.half_length), b.center, (b.half_width, b.half_length))
        if apart < -0.0005:
            raise SceneFileError(
                f"{where}: berries[{b.id - 1}]: expected fruit side by side, "
                f"got it {-apart * 1000:.1f} mm inside berries[{a.id - 1}]"
            )
