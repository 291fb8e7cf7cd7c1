"""The contract over time and beside others: old and new peers, the published schema, and ThingsBoard's shapes."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from telemetry.ingest.intake import Intake, IntakeSettings
from telemetry.messages import Kind
from telemetry.messages.schema import FOLDER, published, schemas
from telemetry.messages.wire import decode
from telemetry.store import Quality, Series
from telemetry.store.embedded import open_store

T0 = 1_780_000_000.0
MS = round(T0 * 1000)
GOLDEN = {
    "data": Kind.DATA,
    "data_array": Kind.DATA,
    "birth": Kind.BIRTH,
    "state": Kind.STATE,
    "event": Kind.EVENT,
    "cmd": Kind.CMD,
    "ack": Kind.ACK,
}
OPTIONAL = {"hist", "fw", "description", "fault", "detail", "args", "reason"}


def golden(name: str) -> Any:
    text = resources.files("telemetry.messages").joinpath(f"golden/{name}.json").read_text(encoding="utf-8")
    return json.loads(text)


def each(content: Any, change: Any) -> Any:
    return [change(dict(item)) for item in content] if isinstance(content, list) else change(dict(content))


@pytest.mark.parametrize("kind", schemas(), ids=str)
def test_published_schema_is_the_one_that_holds(kind: Kind) -> None:
    assert (FOLDER / f"{kind}.json").read_text(encoding="utf-8") == published(kind)
    jsonschema.Draft202012Validator.check_schema(schemas()[kind])


@pytest.mark.parametrize("name", GOLDEN)
def test_newer_peer_with_more_keys_is_understood_and_fits_the_schema(name: str) -> None:
    kind, before = GOLDEN[name], golden(name)
    newer = each(before, lambda item: item | {"v": 2, "extra": {"nested": [1, None]}, "text": "…"})
    jsonschema.validate(newer, schemas()[kind])
    assert decode(kind, json.dumps(newer).encode()) == decode(kind, json.dumps(before).encode())


@pytest.mark.parametrize("name", GOLDEN)
def test_older_peer_without_optional_keys_is_understood_and_fits_the_schema(name: str) -> None:
    kind = GOLDEN[name]
    older = each(golden(name), lambda item: {key: value for key, value in item.items() if key not in OPTIONAL})
    jsonschema.validate(older, schemas()[kind])
    assert decode(kind, json.dumps(older).encode())


@pytest.mark.parametrize("name", GOLDEN)
def test_every_required_key_is_missed(name: str) -> None:
    kind, content = GOLDEN[name], golden(name)
    first = content[0] if isinstance(content, list) else content
    for key in set(first) - OPTIONAL:
        broken = each(content, lambda item, key=key: {name: v for name, v in item.items() if name != key})
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, schemas()[kind])


class Farm:
    """An intake and a store."""

    def __init__(self, folder: Path) -> None:
        self.store = open_store(folder)
        self.intake = Intake(IntakeSettings(), [], site="farm", zone="z1")

    def send(self, topic: str, content: Any) -> bool:
        taken = self.intake.take(topic, json.dumps(content).encode(), T0 + 1.0)
        self.store.commit(self.intake.batch(1))
        self.intake.clear()
        return taken

    def values(self, device: str, metric: str) -> list[float]:
        samples = self.store.read(Series("farm", "z1", device, metric), 0.0, 2 * T0)
        assert set(samples.quality.tolist()) <= {int(Quality.GOOD)}
        return list(samples.value.tolist())


def test_measurements_in_the_shape_of_thingsboard_are_stored_and_count_no_gap(tmp_path: Path) -> None:
    farm = Farm(tmp_path)
    topic = "gh/1/farm/z1/box/data"
    assert farm.send(topic, {"ts": MS, "values": {"co2": 400, "door": True, "name": "box", "where": {"a": 1}}})
    assert farm.send(topic, [{"ts": MS + n, "values": {"co2": 400.0 + n}} for n in (1, 2)])
    assert farm.values("box", "co2") == [400.0, 401.0, 402.0]
    assert farm.values("box", "door") == [1.0]
    assert farm.store.gaps() == []
    assert farm.store.counters().messages_repeated == 0
    farm.store.close()


def test_gateway_message_of_thingsboard_speaks_for_several_devices(tmp_path: Path) -> None:
    farm = Farm(tmp_path)
    rows = [{"ts": MS, "values": {"co2": 400.0}}]
    assert farm.send("v1/gateway/telemetry", {"a": rows, "b": rows})
    assert (farm.values("a", "co2"), farm.values("b", "co2")) == ([400.0], [400.0])
    farm.store.close()


@pytest.mark.parametrize(
    ("topic", "content", "reason"),
    [
        ("gh/1/farm/z1/d/data", {"ts": MS // 1000, "values": {"co2": 1}}, "bad_timestamp"),
        ("gh/1/farm/z1/d/data", {"ts": MS, "values": {"co2": "1"}}, "empty"),
        ("gh/1/farm/z1/d/data", {"ts": MS, "values": {"a b": 1}}, "bad_key"),
        ("gh/1/farm/z1/d/data", {"values": {"co2": 1}}, "missing_key"),
        ("v1/gateway/telemetry", {"a/b": [{"ts": MS, "values": {"co2": 1}}]}, "bad_topic"),
        ("v1/gateway/telemetry", {"a": {"ts": MS}}, "bad_type"),
        ("v1/gateway/telemetry", {}, "empty"),
        ("v1/gateway/telemetry", [], "bad_type"),
    ],
)
def test_broken_shapes_become_dead_letters_with_their_reason(
    tmp_path: Path, topic: str, content: Any, reason: str
) -> None:
    farm = Farm(tmp_path)
    assert not farm.send(topic, content)
    assert farm.store.counters().by_reason == {reason: 1}
    assert farm.store.count() == 0
    farm.store.close()
