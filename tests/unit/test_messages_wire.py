"""Golden messages are byte for byte what `encode` writes; what breaks the contract is refused by name."""

from __future__ import annotations

import json
from importlib import resources

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.messages import Ack, AckStatus, Birth, Command, Data, Event, Kind, MetricInfo, Payload, State
from telemetry.messages.fields import Reason
from telemetry.messages.schema import schemas
from telemetry.messages.wire import MAX_BYTES, MessageError, decode, encode, encode_array, parse_topic

GOLDEN: dict[str, tuple[Kind, list[Payload]]] = {
    "data": (
        Kind.DATA,
        [Data(at=1780000000.123, seq=7, boot="5f2c", metrics={"air_temperature": 21.5, "relative_humidity": 71.2})],
    ),
    "data_array": (
        Kind.DATA,
        [
            Data(at=1780000000.0, seq=5, boot="5f2c", metrics={"co2": 640.0}, historical=True),
            Data(at=1780000060.0, seq=6, boot="5f2c", metrics={"co2": 655.5}, historical=True),
        ],
    ),
    "birth": (
        Kind.BIRTH,
        [
            Birth(
                at=1780000000.0,
                boot="5f2c",
                model="berry-climate-1",
                firmware="1.2.0",
                metrics={"air_temperature": MetricInfo(unit="Cel", minimum=-30.0, maximum=60.0, interval=60.0)},
            )
        ],
    ),
    "birth_robot": (
        Kind.BIRTH,
        [
            Birth(
                at=1780000000.0,
                boot="5f2c",
                model="berrybrain ur3e",
                firmware="0.1.0",
                metrics={},
                description={"urdf": '<robot name="ur3e"/>'},
            )
        ],
    ),
    "state": (Kind.STATE, [State(at=1780000000.0, status="online")]),
    "state_will": (Kind.STATE, [State(at=1780000000.0, status="offline", fault="device_offline")]),
    "event": (
        Kind.EVENT,
        [
            Event(
                at=1780000004.5,
                seq=12,
                boot="5f2c",
                type="pick",
                data={
                    "order": "o-1",
                    "bed": "b1",
                    "side": "left",
                    "segment": 3,
                    "berry": 17,
                    "result": "ok",
                    "ripeness": 0.93,
                    "seconds": 6.2,
                    "peak_force": 0.81,
                    "mass": 0.021,
                    "punnet": "p-1",
                },
            )
        ],
    ),
    "cmd": (
        Kind.CMD,
        [
            Command(
                id="o-1",
                issuer="brain",
                expires_at=1780000600.0,
                command="harvest",
                arguments={
                    "bed": "b1",
                    "side": "left",
                    "segments": [0, 1, 2],
                    "ripeness_min": 0.8,
                    "ripeness_max": 1.0,
                    "quota": 0,
                },
            )
        ],
    ),
    "ack": (Kind.ACK, [Ack(id="o-1", at=1780000001.0, status=AckStatus.ACCEPTED)]),
}
TS = 1780000000000


def golden(name: str) -> bytes:
    return resources.files("telemetry.messages").joinpath("golden", f"{name}.json").read_bytes().strip()


def test_every_golden_file_has_its_expected_payload() -> None:
    files = {
        path.name.removesuffix(".json") for path in resources.files("telemetry.messages").joinpath("golden").iterdir()
    }
    assert files == set(GOLDEN)
    assert {kind for kind, _ in GOLDEN.values()} == set(schemas())


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_message_is_read_and_written_byte_for_byte(name: str) -> None:
    kind, payloads = GOLDEN[name]
    assert decode(kind, golden(name)) == payloads
    if name == "data_array":
        assert encode_array([p for p in payloads if isinstance(p, Data)]) == golden(name)
    else:
        assert encode(payloads[0]) == golden(name)


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_message_satisfies_its_schema(name: str) -> None:
    schema = schemas()[GOLDEN[name][0]]
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(golden(name)), schema)


@settings(max_examples=50, deadline=None)
@given(
    at_ms=st.integers(946_684_800_000, 4_102_444_800_000),
    seq=st.integers(0, 2**53 - 1),
    values=st.dictionaries(
        st.from_regex(r"[A-Za-z][A-Za-z0-9_.\-]{0,63}", fullmatch=True),
        st.floats(allow_nan=False, allow_infinity=False),
        min_size=1,
        max_size=6,
    ),
    historical=st.booleans(),
)
def test_any_measurement_survives_the_wire_and_satisfies_the_schema(
    at_ms: int, seq: int, values: dict[str, float], historical: bool
) -> None:
    data = Data(at=at_ms / 1000.0, seq=seq, boot="b", metrics=values, historical=historical)
    encoded = encode(data)
    assert decode(Kind.DATA, encoded) == [data]
    jsonschema.validate(json.loads(encoded), schemas()[Kind.DATA])


def test_unknown_keys_are_ignored_and_an_unknown_value_is_left_out() -> None:
    payload = json.dumps({"ts": TS, "seq": 0, "boot": "b", "m": {"co2": 1, "ph": None}, "new": [1]}).encode()
    assert decode(Kind.DATA, payload) == [Data(at=TS / 1000.0, seq=0, boot="b", metrics={"co2": 1.0})]


def data(**changes: object) -> str:
    content = {"ts": TS, "seq": 0, "boot": "b", "m": {"co2": 640.0}} | changes
    return json.dumps({key: value for key, value in content.items() if value is not ...})


REFUSED = [
    ("", Reason.EMPTY),
    ("[]", Reason.EMPTY),
    (data(m={}), Reason.EMPTY),
    (data(m={"co2": None}), Reason.EMPTY),
    ("{", Reason.BAD_JSON),
    ("[" * 100_000, Reason.BAD_JSON),
    ('{"ts": ' + "9" * 5000 + "}", Reason.BAD_JSON),
    (" " * (MAX_BYTES + 1), Reason.TOO_LARGE),
    ('"text"', Reason.BAD_TYPE),
    ("[1]", Reason.BAD_TYPE),
    (data(m=[1.0]), Reason.BAD_TYPE),
    (data(m={"co2": "640"}), Reason.BAD_TYPE),
    (data(m={"co2": True}), Reason.BAD_TYPE),
    (data(seq="7"), Reason.BAD_TYPE),
    (data(seq=True), Reason.BAD_TYPE),
    (data(boot=5), Reason.BAD_TYPE),
    (data(hist=1), Reason.BAD_TYPE),
    (data(ts="2026-01-01"), Reason.BAD_TYPE),
    (data(m=...), Reason.MISSING_KEY),
    (data(ts=...), Reason.MISSING_KEY),
    (data(seq=...), Reason.MISSING_KEY),
    (data(boot=...), Reason.MISSING_KEY),
    (data(m={"co2": float("nan")}), Reason.NOT_FINITE),
    (data(m={"co2": float("inf")}), Reason.NOT_FINITE),
    ('{"ts": 1e999, "seq": 0, "boot": "b", "m": {"co2": 1}}', Reason.NOT_FINITE),
    (data(m={"co2": 10**400}), Reason.NOT_FINITE),
    (data(ts=TS // 1000), Reason.BAD_TIMESTAMP),
    (data(ts=0), Reason.BAD_TIMESTAMP),
    (data(ts=-1), Reason.BAD_TIMESTAMP),
    (data(ts=TS * 1000), Reason.BAD_TIMESTAMP),
    (data(seq=-1), Reason.BAD_VALUE),
    (data(seq=2**63), Reason.BAD_VALUE),
    (data(boot="a b\n"), Reason.BAD_VALUE),
    (data(boot="\ud800"), Reason.BAD_VALUE),
    (data(m={"a/b": 1.0}), Reason.BAD_KEY),
    (data(m={"": 1.0}), Reason.BAD_KEY),
    (data(m={"\ud800": 1.0}), Reason.BAD_KEY),
]


@pytest.mark.parametrize(("payload", "reason"), REFUSED, ids=[f"{i}-{reason}" for i, (_, reason) in enumerate(REFUSED)])
def test_measurement_that_breaks_the_contract_is_refused_with_its_reason(payload: str, reason: Reason) -> None:
    with pytest.raises(MessageError) as refused:
        decode(Kind.DATA, payload.encode())
    assert refused.value.code is reason


def test_bytes_that_are_not_utf8_are_refused() -> None:
    with pytest.raises(MessageError) as refused:
        decode(Kind.EVENT, b'{"type": "\xff"}')
    assert refused.value.code is Reason.NOT_UTF8


@pytest.mark.parametrize(
    ("kind", "payload", "reason"),
    [
        (Kind.CMD, {"id": "a", "issuer": "x", "expires_at": TS}, Reason.MISSING_KEY),
        (Kind.CMD, {"id": "a; drop", "issuer": "x", "expires_at": TS, "command": "go"}, Reason.BAD_VALUE),
        (Kind.CMD, {"id": "a", "issuer": "x", "expires_at": TS, "command": "go", "args": [1]}, Reason.BAD_TYPE),
        (Kind.ACK, {"id": "a", "ts": TS, "status": "perhaps"}, Reason.BAD_VALUE),
        (Kind.STATE, {"ts": TS, "status": ["on"]}, Reason.BAD_TYPE),
        (Kind.STATE, [{"ts": TS, "status": "on"}], Reason.BAD_TYPE),
        (Kind.EVENT, {"ts": TS, "seq": 0, "boot": "b", "type": "pick", "data": 3}, Reason.BAD_TYPE),
        (Kind.BIRTH, {"ts": TS, "boot": "b", "model": "m", "metrics": {"co2": {"unit": "1"}}}, Reason.MISSING_KEY),
    ],
)
def test_other_kinds_are_checked_as_strictly(kind: Kind, payload: object, reason: Reason) -> None:
    with pytest.raises(MessageError) as refused:
        decode(kind, json.dumps(payload).encode())
    assert refused.value.code is reason


@pytest.mark.parametrize(
    "topic",
    [
        "gh/1/farm/z/d",
        "gh/1/farm/z/d/data/x",
        "gh/2/farm/z/d/data",
        "gh/1//z/d/data",
        "gh/1/farm/+/d/data",
        "gh/1/farm/z/#/data",
        "gh/1/../z/d/data",
        "gh/1/farm/z/a b/data",
        "gh/1/farm/z/d\n/data",
        "gh/1/farm/z/" + "d" * 65 + "/data",
        "GH/1/farm/z/d/data",
        "$SYS/1/farm/z/d/data",
        "gh/1/farm/z/d\ufffd/data",
    ],
)
def test_topic_outside_the_contract_is_refused(topic: str) -> None:
    with pytest.raises(MessageError) as refused:
        parse_topic(topic)
    assert refused.value.code is Reason.BAD_TOPIC


def test_topic_is_parsed_and_written_back_with_any_script() -> None:
    topic = parse_topic("gh/1/莓园/zone-1/sensor_3/data")
    assert (topic.site, topic.zone, topic.device, topic.kind) == ("莓园", "zone-1", "sensor_3", Kind.DATA)
    assert str(topic) == "gh/1/莓园/zone-1/sensor_3/data"
    with pytest.raises(MessageError) as refused:
        parse_topic("gh/1/a/b/c/date")
    assert refused.value.code is Reason.UNKNOWN_KIND


def test_payload_that_is_not_finite_or_too_large_is_never_sent() -> None:
    with pytest.raises(MessageError) as refused:
        encode(Data(at=1780000000.0, seq=0, boot="b", metrics={"co2": float("nan")}))
    assert refused.value.code is Reason.NOT_FINITE
    with pytest.raises(MessageError) as refused:
        encode(Event(at=1780000000.0, seq=0, boot="b", type="x", data={"text": "x" * MAX_BYTES}))
    assert refused.value.code is Reason.TOO_LARGE
