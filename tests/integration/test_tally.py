"""What each process publishes is counted, and the count survives its death."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from dashboard.tally import CountedClient, Tally, total
from telemetry.messages import Data, Event, Kind, Topic
from telemetry.messages.wire import encode, encode_array
from telemetry.mqtt.memory import MemoryBroker


class Now:
    """Runs what is posted at once."""

    def post(self, callback: object, *, delay: float = 0.0) -> None:
        assert callable(callback)
        callback()


def topic(kind: Kind) -> str:
    return str(Topic(site="farm", zone="tunnel", device="box", kind=kind))


def data(*values: float) -> Data:
    return Data(at=1.8e9, seq=0, boot="b", metrics={f"m{i}": value for i, value in enumerate(values)})


def test_messages_and_the_points_in_them_are_counted(tmp_path: Path) -> None:
    client = CountedClient(MemoryBroker(Now()).client("box"), Tally(tmp_path, "greenhouse"))
    client.publish(topic(Kind.DATA), encode(data(1.0, 2.0)), qos=1)
    client.publish(topic(Kind.DATA), encode_array([data(1.0), data(2.0, 3.0)]), qos=1)
    client.publish(topic(Kind.EVENT), encode(Event(at=1.8e9, seq=0, boot="b", type="pick", data={})), qos=1)
    assert total(tmp_path) == {"messages": 3, "points": 5}


def test_what_is_never_stored_and_what_is_no_farm_message_is_not_counted(tmp_path: Path) -> None:
    client = CountedClient(MemoryBroker(Now()).client("box"), Tally(tmp_path, "gateway"))
    client.publish(topic(Kind.LIVE), b"{}")
    client.publish("homeassistant/sensor/x/config", b"{}")
    client.publish(topic(Kind.DATA), b"not json", qos=1)
    assert total(tmp_path) == {"messages": 0, "points": 0}


def test_the_count_of_a_killed_process_goes_on_with_its_successor(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from dashboard.tally import Tally\n"
        "tally = Tally(Path(sys.argv[1]), 'eyes')\n"
        f"tally.note({topic(Kind.DATA)!r}, {encode(data(1.0, 2.0))!r})\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    for _ in range(2):
        subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, timeout=30)
    Tally(tmp_path, "brain").note(topic(Kind.DATA), encode(data(1.0)))
    assert total(tmp_path) == {"messages": 3, "points": 5}
