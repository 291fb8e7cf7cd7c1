"""Several ingesters share measurements of two sites into one server: each goes to one, and a killed one costs none."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import urllib3

from telemetry.farm import default_farm_text, parse_farm
from telemetry.ingest import IngestSettings
from telemetry.ingest.intake import Intake, IntakeSettings
from telemetry.ingest.shares import Shares
from telemetry.ingest.wall import Ingester
from telemetry.messages import Birth, Data, Event, Kind, MetricInfo, State
from telemetry.messages.wire import encode
from telemetry.mqtt.broker import Broker, mosquitto_path, start_broker
from telemetry.mqtt.device import Address
from telemetry.mqtt.network import NetworkClient
from telemetry.store import Series
from telemetry.store.embedded import open_store
from telemetry.store.opening import open_archive

Until = Callable[..., None]
HOUSE = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-c", "import sys; from dashboard.cli import main; main(sys.argv[1:])"]
T0 = 1_780_000_000.0
COUNT = 600
SITES = ("north", "south")
LONG_S = 60.0
OWN = 40
"""Messages that the members themselves may send meanwhile: births, states, reports."""


def farm_text(broker: str, server: str) -> str:
    text = default_farm_text()
    text = re.sub(r'(?m)^url = ""(?=.*broker of yours)', f'url = "{broker}"', text)
    text = re.sub(r'(?m)^share = ""', 'share = "members"', text)
    store = f'kind = "influx"\nurl = "{server}"\norg = "any"\nbucket = "any"\nquery = "promql"\n'
    return text[: text.index("[store]")] + "[store]\n" + store


class Plant:
    """A broker, members of one group as processes, a publisher of two sites, and the server as a reader sees it."""

    def __init__(self, folder: Path, server: str) -> None:
        self.folder, self.server = folder, server
        self.broker: Broker = start_broker(folder / "broker", 0)
        self.farm = farm_text(f"mqtt://127.0.0.1:{self.broker.port}", server)
        self.publisher = NetworkClient("127.0.0.1", self.broker.port, "publisher")
        self.members: dict[str, subprocess.Popen[bytes]] = {}
        (folder / "farm.toml").write_text(self.farm, encoding="utf-8")

    def start(self, name: str) -> None:
        words = ["store", "ingest", "--name", name, "--data", str(self.folder / name)]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.members[name] = subprocess.Popen(
                [*COMMAND, *words, "--farm", str(self.folder / "farm.toml")], cwd=HOUSE, stdout=log, stderr=log
            )

    def kill(self, name: str) -> None:
        self.members[name].kill()
        self.members[name].wait()

    def publish(self, first: int, end: int) -> None:
        for i in range(first, end):
            data = Data(at=T0 + i, seq=i, boot="b", metrics={"co2": 400.0 + i})
            self.publisher.publish(f"gh/1/{SITES[i % 2]}/z/{self.device}/data", encode(data), qos=1)
        self.publisher.loop(0.0)

    @property
    def device(self) -> str:
        return f"shared-{self.broker.port}"

    def stored(self) -> list[float]:
        """Return the values that the server has, of both sites."""
        urllib3.request("GET", f"{self.server}/internal/force_flush")
        reader = open_archive(self.folder / "reader", parse_farm(self.farm).store, os.environ)
        try:
            return sorted(
                value
                for site in SITES
                for value in reader.read(Series(site, "z", self.device, "co2"), T0, T0 + 1e6).value.tolist()
            )
        finally:
            reader.close()

    def messages(self, name: str) -> int:
        store = open_store(self.folder / name / "store", read_only=True)
        try:
            return store.counters().messages
        finally:
            store.close()

    def births(self, name: str) -> list[str]:
        store = open_store(self.folder / name / "store", read_only=True)
        try:
            return [entry.topic.device for entry in store.entries(Kind.BIRTH)]
        finally:
            store.close()

    def close(self) -> None:
        for process in self.members.values():
            process.kill()
            process.wait()
        self.publisher.close(timeout=0.0)
        self.broker.close()


def taken(plant: Plant, before: dict[str, int]) -> dict[str, int]:
    """Return how many messages each member has committed since."""
    return {name: plant.messages(name) - count for name, count in before.items()}


@pytest.fixture
def plant(tmp_path: Path, victoria: str) -> Iterator[Plant]:
    if mosquitto_path() is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    made = Plant(tmp_path, victoria)
    yield made
    made.close()


def test_two_ingesters_take_each_point_once_and_lose_none_when_one_of_them_is_killed(
    plant: Plant, until: Until
) -> None:
    for name in ("a", "b"):
        open_store(plant.folder / name / "store").close()  # so that it can be looked into at once
        plant.start(name)
    # A member that hears the birth of the other one is subscribed, and so is the other.
    until(lambda: all(len(set(plant.births(name))) == 2 for name in ("a", "b")), within=LONG_S, what="both members")
    before = {name: plant.messages(name) for name in ("a", "b")}

    def sent() -> bool:
        plant.publisher.loop(0.005)
        return plant.publisher.unacknowledged() == 0

    plant.publish(0, 200)
    until(sent, within=LONG_S, what="the first third")
    until(lambda: len(plant.stored()) == 200, within=LONG_S, what="the first third in the server")
    until(lambda: sum(taken(plant, before).values()) >= 200, within=LONG_S, what="the first third in the journals")
    shares = taken(plant, before)
    assert min(shares.values()) > 50  # each took its part
    assert sum(shares.values()) < 200 + OWN  # and no point went to both; the server would not show it
    plant.publish(200, 400)
    plant.kill("a")
    until(sent, within=LONG_S, what="the second third")
    plant.publish(400, COUNT)
    plant.start("a")
    until(sent, within=LONG_S, what="the last third")
    until(lambda: len(plant.stored()) >= COUNT, within=LONG_S, what=f"{COUNT} points in the server")
    assert plant.stored() == [400.0 + i for i in range(COUNT)]  # what came again after the kill is stored once
    for name in ("a", "b"):
        store = open_store(plant.folder / name / "store", read_only=True)
        assert store.counters().messages_lost == 0  # what the other member took is no loss
        store.close()


def test_a_member_that_left_takes_nothing_any_more(plant: Plant, until: Until) -> None:
    def sent() -> bool:
        plant.publisher.loop(0.005)
        return plant.publisher.unacknowledged() == 0

    def command(*more: str) -> subprocess.CompletedProcess[str]:
        words = ["store", "ingest", "--name", "gone", "--farm", str(plant.folder / "farm.toml"), *more]
        return subprocess.run(
            [*COMMAND, *words], cwd=HOUSE, capture_output=True, text=True, timeout=LONG_S, check=False
        )

    got: list[str] = []
    shared = "$share/members/gh/1/+/+/+/data"
    gone = NetworkClient("127.0.0.1", plant.broker.port, "berrybrain-gone")
    gone.subscribe(shared, lambda message: None)
    until(lambda: gone.loop(0.01) < 0 or gone.connected, within=LONG_S, what="the first member")
    gone.publish("gh/1/a/b/c/state", b"x", qos=1)  # acknowledged after the subscription
    until(lambda: gone.loop(0.01) < 0 or not gone.unacknowledged(), within=LONG_S, what="its subscription")
    gone.close()
    left = command("--leave")
    assert (left.returncode, left.stderr) == (0, "")
    assert left.stdout.startswith(f"gone has left 127.0.0.1:{plant.broker.port}")
    stays = NetworkClient("127.0.0.1", plant.broker.port, "stays")
    stays.subscribe(shared, lambda message: got.append(message.topic))
    until(lambda: stays.loop(0.01) < 0 or stays.connected, within=LONG_S, what="the second member")
    stays.publish("gh/1/a/b/c/state", b"x", qos=1)
    until(lambda: stays.loop(0.01) < 0 or not stays.unacknowledged(), within=LONG_S, what="its subscription")
    plant.publish(0, 20)
    until(sent, within=LONG_S, what="20 measurements")
    until(lambda: stays.loop(0.01) < 0 or len(got) == 20, within=LONG_S, what="all 20 at the other one")
    stays.close()


def member_for_a_while(
    folder: Path, publisher: NetworkClient, until: Until, *, port: int, life: int, share: str
) -> None:
    """Be a member of a group until ten measurements and what was sent after them are stored; each came once."""
    shares = Shares(folder, "ingest", share)
    address = Address(site="farm", zone="farm", device="ingest")
    settings = IngestSettings(address=address, boot=f"i{life}", share=share, left=shares.left)
    ingester = Ingester("127.0.0.1", port, folder, settings=settings)
    ingester.client.on_connect(shares.settle)
    store = ingester.store

    def heard(kind: Kind, count: int) -> bool:
        publisher.loop(0.0)
        ingester.turn()
        return len(store.entries(kind)) >= count

    # Its own birth, stored, tells that the broker has heard all that it said before.
    until(lambda: heard(Kind.BIRTH, life + 1), within=LONG_S, what="the member")
    for i in range(10):
        data = Data(at=T0 + life * 100 + i, seq=life * 100 + i, boot="b", metrics={"co2": 400.0})
        publisher.publish("gh/1/farm/z/d/data", encode(data), qos=1)
    until(lambda: heard(Kind.BIRTH, 0) and store.count() == 10 * life + 10, within=LONG_S, what="ten measurements")
    states = len(store.entries(Kind.STATE))
    publisher.publish("gh/1/farm/z/d/state", encode(State(at=T0 + life, status="online")), qos=1)
    until(lambda: heard(Kind.STATE, states + 1), within=LONG_S, what="what was sent after them")
    assert store.counters().points_duplicated == 0
    ingester.close()
    assert Shares(folder, "ingest", share).left == ()


def test_who_changes_the_group_leaves_the_old_one(tmp_path: Path, until: Until) -> None:
    if mosquitto_path() is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    (tmp_path / "store").mkdir()
    broker = start_broker(tmp_path / "broker", 0)
    publisher = NetworkClient("127.0.0.1", broker.port, "publisher")
    for life, share in enumerate(("", "members", "others")):
        member_for_a_while(tmp_path / "store", publisher, until, port=broker.port, life=life, share=share)
    publisher.close(timeout=0.0)
    broker.close()


def test_a_group_is_left_at_the_next_start_when_there_was_no_connection(tmp_path: Path) -> None:
    Shares(tmp_path, "ingest", "a")
    assert Shares(tmp_path, "ingest", "b").left == ("a",)
    again = Shares(tmp_path, "ingest", "c")
    assert set(again.left) == {"a", "b"}
    again.settle()
    assert Shares(tmp_path, "ingest", "c").left == ()


@pytest.mark.parametrize("text", ["", "{", "7", "\x00\x00"])
def test_a_list_of_groups_that_cannot_be_read_does_not_keep_ingest_from_starting(tmp_path: Path, text: str) -> None:
    (tmp_path / "ingest.shares.json").write_text(text)
    assert Shares(tmp_path, "ingest", "a").left == ()
    assert Shares(tmp_path, "ingest", "b").left == ("a",)


def test_a_list_of_groups_that_cannot_be_written_does_not_keep_ingest_from_starting(tmp_path: Path) -> None:
    (tmp_path / "ingest.shares.json.part").mkdir()  # as good as a full disk
    Shares(tmp_path, "ingest", "a").settle()


def test_a_member_does_not_take_what_others_heard_for_lost() -> None:
    intake = Intake(IntakeSettings(), [], whole=False)
    topic = "gh/1/farm/z/d/"
    for seq in (0, 2, 5):
        assert intake.take(topic + "data", encode(Data(at=T0 + seq, seq=seq, boot="b", metrics={"co2": 1.0})), T0 + 9)
    event = Event(at=T0, seq=7, boot="b", type="pick", data={})
    info = MetricInfo(unit="1", minimum=0.0, maximum=1.0, interval=1.0)
    birth = Birth(at=T0, boot="b", model="m", firmware="", metrics={"co2": info})
    assert intake.take(topic + "event", encode(event), T0 + 9) and intake.take(topic + "birth", encode(birth), T0 + 9)
    assert [(stamp.topic.kind, stamp.seq) for stamp in intake.batch(5).stamps] == [(Kind.EVENT, 7)]


def test_a_flood_of_refused_messages_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    intake = Intake(IntakeSettings(), [])
    for i in range(1000):
        assert not intake.take("gh/1/farm/z/d/data", b"no json", T0 + i / 100.0)
    assert not intake.take("gh/1/farm/z/d/data", b"no json", T0 + 60.0)
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 22 and lines[20].startswith("980 more dead letters")
    assert json.dumps(lines[21]).count("dead letter from gh/1/farm/z/d/data")


def test_sharing_needs_a_broker_that_all_can_reach() -> None:
    text = re.sub(r'(?m)^share = ""', 'share = "members"', default_farm_text())
    with pytest.raises(ValueError, match="share needs a url"):
        parse_farm(text)
