"""Accounts on a real mosquitto: each device speaks for itself only, commands come from the farm only, over TLS."""

from __future__ import annotations

import shutil
import ssl
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dashboard.cli import main
from telemetry.messages import Kind
from telemetry.mqtt import MqttError
from telemetry.mqtt.accounts import FILE, Account, Right, hashed, new_account, read_accounts, write_accounts
from telemetry.mqtt.broker import Broker, mosquitto_path, start_broker
from telemetry.mqtt.network import NetworkClient, NetworkSettings
from telemetry.mqtt.outbox import Outbox, Record, outbox_status
from telemetry.mqtt.sender import Sender

needs_mosquitto = pytest.mark.skipif(
    mosquitto_path() is None or shutil.which("openssl") is None, reason="apt-get install mosquitto openssl"
)
DEADLINE_S = 20.0


def command(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as stop:
        main(["broker", *words])
    captured = capsys.readouterr()
    return int(stop.value.code or 0), captured.out + captured.err


def test_password_is_hashed_as_mosquitto_does() -> None:
    # mosquitto_passwd 2.0 writes $7$iterations$salt$key; a known vector of PBKDF2-HMAC-SHA512.
    line = hashed("secret", bytes(12))
    assert line.startswith("$7$20000$AAAAAAAAAAAAAAAA$")
    assert line != hashed("Secret", bytes(12))
    assert hashed("secret") != hashed("secret")


@pytest.mark.parametrize("name", ["a/b", "#", "+", "", "x\n", "ä", "a b"])
def test_names_that_could_widen_a_rule_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="ASCII letters"):
        new_account(name, Right.DEVICE, site="farm", zone="z")


@pytest.fixture
def plant(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Plant]:
    assert command(capsys, "setup", "--data", str(tmp_path), "--host", "localhost", "--host", "127.0.0.1")[0] == 0
    made = Plant(tmp_path)
    yield made
    made.close()


class Plant:
    """A broker with accounts, and clients that know its authority."""

    def __init__(self, data: Path) -> None:
        self.folder = data / "broker" / "accounts"
        self.broker: Broker = start_broker(data / "broker", 0, accounts=self.folder)
        self.clients: list[NetworkClient] = []
        self.accounts = {account.name: account for account in read_accounts(self.folder)}

    def client(self, name: str, *, password: str | None = None, trust: bool = True) -> NetworkClient:
        authority = str(self.folder / "ca.crt") if trust else None
        settings = NetworkSettings(
            username=name,
            password=self.accounts[name].password if password is None else password,
            tls=ssl.create_default_context(cafile=authority),
            replay_s=0.5,
        )
        made = NetworkClient("localhost", self.broker.port, f"test-{name}", clean=True, settings=settings)
        self.clients.append(made)
        return made

    def run(self, until: Callable[[], bool], *, seconds: float = DEADLINE_S) -> bool:
        deadline = time.monotonic() + seconds
        while not until() and time.monotonic() < deadline:
            for client in self.clients:
                client.loop(0.01)
        return until()

    def close(self) -> None:
        for client in self.clients:
            client.close(timeout=0.0)
        self.broker.close()


@needs_mosquitto
def test_device_speaks_for_itself_only_and_commands_come_from_the_farm_only(plant: Plant) -> None:
    device, ingest, brain = plant.client("climate-1"), plant.client("ingest"), plant.client("brain")
    heard: list[tuple[str, bytes]] = []
    asked: list[bytes] = []
    for kind in ("data", "cmd"):
        ingest.subscribe(f"gh/1/+/+/+/{kind}", lambda m: heard.append((m.topic, m.payload)))
    device.subscribe("gh/1/+/+/+/cmd", lambda m: asked.append(m.payload))
    assert plant.run(lambda: all(client.connected for client in plant.clients))
    account = plant.accounts["climate-1"]
    own = f"gh/1/{account.site}/{account.zone}"
    for topic in (f"{own}/other/data", f"{own}/berry-1/cmd", f"{own}/climate-1/cmd", f"{own}/climate-1/data"):
        device.publish(topic, b"from the device", qos=1)
    # mosquitto 2.0.11 hangs up after each refusal; the client comes back and goes on behind the refused message.
    assert plant.run(lambda: bool(heard) and device.unacknowledged() == 0)
    for device_id in ("climate-1", "berry-1"):
        brain.publish(f"{own}/{device_id}/cmd", device_id.encode(), qos=1)
    assert plant.run(lambda: len(heard) >= 3 and bool(asked))
    assert sorted(heard) == [
        (f"{own}/berry-1/cmd", b"berry-1"),
        (f"{own}/climate-1/cmd", b"climate-1"),
        (f"{own}/climate-1/data", b"from the device"),
    ]
    assert asked == [b"climate-1"]


@needs_mosquitto
def test_sparkplug_node_speaks_within_its_group_and_members_of_a_group_hear_their_part(
    plant: Plant, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ("--site", "farm", "--zone", "press", "--data", str(tmp_path))
    code, said = command(capsys, "add", "plc-1", "--right", "sparkplug", *place)
    assert code == 0 and "has taken it" in said
    plant.accounts = {account.name: account for account in read_accounts(plant.folder)}
    node, ingest, device = plant.client("plc-1"), plant.client("ingest"), plant.client("climate-1")
    heard: list[str] = []
    asked: list[str] = []
    for topic_filter in ("spBv1.0/+/NDATA/+", "spBv1.0/+/DDATA/+/+", "$share/members/gh/1/+/+/+/data"):
        ingest.subscribe(topic_filter, lambda m: heard.append(m.topic))
    node.subscribe("spBv1.0/+/NCMD/+", lambda m: asked.append(m.topic))
    assert plant.run(lambda: all(client.connected for client in plant.clients))
    ingest.publish("spBv1.0/press/NCMD/plc-2", b"x", qos=1)  # acknowledged after what it subscribes to is known
    assert plant.run(lambda: ingest.unacknowledged() == 0)
    for topic in (
        "press/NDATA/plc-2",
        "other/NDATA/plc-1",
        "press/NCMD/plc-1",
        "press/DDATA/plc-1/d",
        "press/NDATA/plc-1",
    ):
        node.publish(f"spBv1.0/{topic}", b"x", qos=1)
    account = plant.accounts["climate-1"]
    own = f"gh/1/{account.site}/{account.zone}/climate-1/data"
    device.publish(own, b"x", qos=1)
    assert plant.run(lambda: len(heard) >= 3 and node.unacknowledged() == 0)
    assert sorted(heard) == [own, "spBv1.0/press/DDATA/plc-1/d", "spBv1.0/press/NDATA/plc-1"]
    for name in ("plc-2", "plc-1"):
        ingest.publish(f"spBv1.0/press/NCMD/{name}", b"x", qos=1)
    assert plant.run(lambda: bool(asked) and ingest.unacknowledged() == 0)
    assert asked == ["spBv1.0/press/NCMD/plc-1"]


@needs_mosquitto
def test_what_the_broker_refuses_stays_in_the_outbox_is_counted_and_stops_nothing(plant: Plant, tmp_path: Path) -> None:
    device = plant.client("climate-1")
    account = plant.accounts["climate-1"]
    plant.client("ingest").subscribe("gh/#", lambda _: None)
    outbox = Outbox(tmp_path / "outbox.sqlite3")
    own = {kind: f"gh/1/{account.site}/{account.zone}/climate-1/{kind}" for kind in (Kind.DATA, Kind.EVENT)}
    sender = Sender(device, own | {Kind.DATA: f"gh/1/{account.site}/{account.zone}/other/data"}, outbox)
    assert plant.run(lambda: all(client.connected for client in plant.clients))
    for kind in (Kind.DATA, Kind.EVENT):
        sender.send(Record(id=outbox.append(kind, b"{}"), kind=kind, body=b"{}"))
    assert plant.run(lambda: outbox_status(tmp_path / "outbox.sqlite3").refused > 0 and device.unacknowledged() == 0)
    assert plant.run(lambda: len(outbox) == 1)  # the other one, confirmed
    assert [record.kind for record in outbox.after(0, limit=9)] == [Kind.DATA, Kind.EVENT]  # forgotten with the next
    outbox.close()


@needs_mosquitto
def test_wrong_password_and_a_broker_nobody_vouches_for_are_refused_in_words(
    plant: Plant, caplog: pytest.LogCaptureFixture
) -> None:
    wrong, strange = plant.client("climate-1", password="guess"), plant.client("ingest", trust=False)
    assert plant.run(lambda: "not authorized" in caplog.text or "bad user name" in caplog.text)
    assert plant.run(lambda: "no secure connection to localhost" in caplog.text)
    assert not wrong.connected
    assert not strange.connected


@needs_mosquitto
def test_account_is_let_in_and_put_out_while_the_broker_runs(plant: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    data = str(plant.folder.parent.parent)
    stays = plant.client("ingest")
    assert plant.run(lambda: stays.connected)
    code, text = command(capsys, "add", "guest", "--right", "reader", "--site", "farm", "--zone", "z", "--data", data)
    assert (code, "has taken it" in text) == (0, True)
    plant.accounts["guest"] = read_accounts(plant.folder)[-1]
    guest = plant.client("guest")
    assert plant.run(lambda: guest.connected)
    assert command(capsys, "remove", "guest", "--data", data)[0] == 0
    assert plant.run(lambda: not guest.connected)
    assert stays.connected
    plant.broker.close()
    assert "has taken it" not in command(capsys, "remove", "ingest", "--data", data)[1]


@needs_mosquitto
def test_secrets_are_their_owners_and_setup_again_changes_no_password(
    plant: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    data = str(plant.folder.parent.parent)
    for path in plant.folder.iterdir():
        if path.suffix not in {".crt", ".csr", ".srl"}:
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert command(capsys, "setup", "--data", data)[0] == 0
    assert {a.name: a for a in read_accounts(plant.folder)} == plant.accounts
    code, text = command(capsys, "add", "guest", "--right", "reader", "--site", "farm", "--zone", "z", "--data", data)
    assert code == 0
    assert read_accounts(plant.folder)[-1].password in text
    assert "guest" in command(capsys, "list", "--data", data)[1]
    assert command(capsys, "remove", "guest", "--data", data)[0] == 0
    assert command(capsys, "remove", "guest", "--data", data)[0] == 1


def test_broker_for_a_network_needs_accounts_and_mosquitto(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected accounts"):
        start_broker(tmp_path, 0, host="0.0.0.0")
    write_accounts(tmp_path, [Account(name="a", right=Right.DEVICE, site="s", zone="z", password="p")])
    assert (tmp_path / FILE).exists()
    with pytest.raises(MqttError, match="apt-get install mosquitto"):
        start_broker(tmp_path, 0, embedded=True, accounts=tmp_path)
