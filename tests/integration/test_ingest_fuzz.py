"""Whatever arrives is stored or becomes a dead letter: nothing stops ingest and nothing is left unanswered."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.lockstep import Lockstep
from telemetry.ingest import Ingest, IngestSettings
from telemetry.messages import Kind
from telemetry.mqtt.device import Address
from telemetry.mqtt.memory import MemoryBroker
from telemetry.store.embedded import open_store

STORED = [Kind.BIRTH, Kind.DATA, Kind.STATE, Kind.EVENT, Kind.CMD, Kind.ACK]
GOLDEN = [
    json.loads(path.read_text(encoding="utf-8"))
    for path in sorted(resources.files("telemetry.messages").joinpath("golden").iterdir(), key=lambda p: p.name)
]
KEYS = sorted({key for message in GOLDEN if isinstance(message, dict) for key in message})

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**300, 10**320)
    | st.floats()
    | st.text(st.characters(), max_size=20)
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A golden message with some of its fields replaced, removed or added."""
    message: Any = draw(st.sampled_from(GOLDEN))
    if isinstance(message, dict):
        message = dict(message)
        for key in draw(st.lists(st.sampled_from(KEYS), max_size=3)):
            if draw(st.booleans()):
                message[key] = draw(anything)
            else:
                message.pop(key, None)
    return json.dumps(message).encode("utf-8", "surrogatepass")


payloads = st.binary(max_size=100) | anything.map(lambda value: json.dumps(value).encode()) | mutated()
levels = st.sampled_from(["z1", "..", "", "a b", "区", "x" * 70, "$SYS", "\ufffd", "';--"])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(STORED), levels, payloads), min_size=1, max_size=15))
def test_every_message_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, messages: list[tuple[Kind, str, bytes]]
) -> None:
    time = Lockstep(1_780_000_100.0)
    broker = MemoryBroker(time)
    store = open_store(tmp_path_factory.mktemp("fuzz"))
    address = Address(site="farm", zone="farm", device="ingest")
    node = Ingest(
        broker.client("ingest", manual_ack=True), store, time, time, IngestSettings(address=address, boot="b")
    )
    sender = broker.client("sender")
    time.run(seconds=1.0)
    before = store.counters()
    for kind, level, payload in messages:
        sender.publish(f"gh/1/farm/{level}/d/{kind}", payload, qos=1)
    time.run(seconds=1.0)
    after = store.counters()
    assert node.pending() == 0
    assert after.messages - before.messages == len(messages)
    good = len(messages) - after.dead_letters
    assert after.entries + after.points + after.points_duplicated + after.messages_repeated >= min(good, 1)
    for kind in STORED:
        if kind is not Kind.DATA:
            store.entries(kind)  # what was stored can be read again
    store.close()
