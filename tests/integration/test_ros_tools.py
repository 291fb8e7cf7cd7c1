"""`berrybrain ros …` against nodes that run in another context of this process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from rosbags.rosbag2 import Reader
from rosbags.typesys import Stores, get_typestore

from dashboard.cli import berrybrain
from dashboard.cli.errors import Problem
from robot.ros import interfaces
from robot.ros.action import ActionServer
from robot.ros.context import Context
from robot.ros.executors import ExternalShutdownException, SingleThreadedExecutor
from robot.ros.interfaces import example_interfaces, std_msgs
from robot.ros.node import Node
from robot.ros.registry import Registry
from robot.ros.tools.bag import Player, Recorder
from robot.ros.tools.bag_repair import last_whole_record
from robot.ros.tools.session import Session

DEADLINE_S = 60.0


class Robot(Node):
    """Talks, adds, counts and has parameters."""

    def __init__(self, context: Context) -> None:
        super().__init__("picker", context=context, namespace="/robot")
        self.heard: list[str] = []
        self.declare_parameter("speed", 1.5)
        self.declare_parameter("arm.reach", 0.6)
        self.talk = self.create_publisher(std_msgs.msg.String, "chatter", 10)
        self.create_subscription(std_msgs.msg.String, "orders", lambda message: self.heard.append(message.data), 10)
        self.create_timer(0.02, lambda: self.talk.publish(std_msgs.msg.String(data="ripe")))
        self.create_service(example_interfaces.srv.AddTwoInts, "add", self.add)
        self.counting = ActionServer(self, example_interfaces.action.Fibonacci, "count", self.count)

    def add(self, request: object, response: object) -> object:
        response.sum = request.a + request.b  # type: ignore[attr-defined]
        return response

    def count(self, goal: object) -> object:
        order = goal.request.order  # type: ignore[attr-defined]
        feedback = example_interfaces.action.Fibonacci.Feedback(sequence=list(range(order)))
        goal.publish_feedback(feedback)  # type: ignore[attr-defined]
        goal.succeed()  # type: ignore[attr-defined]
        return example_interfaces.action.Fibonacci.Result(sequence=list(range(order)))


@pytest.fixture
def robot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Robot]:
    monkeypatch.setenv("BERRYBRAIN_ROS_DIR", str(tmp_path / "ros"))
    context = Context()
    context.init(args=[])
    node = Robot(context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)

    def spin() -> None:
        try:
            executor.spin()
        except ExternalShutdownException:
            return

    thread = threading.Thread(target=spin)
    thread.start()
    yield node
    executor.shutdown()
    context.try_shutdown()
    thread.join(DEADLINE_S)
    assert not thread.is_alive()


def run(*words: str) -> Result:
    return CliRunner().invoke(berrybrain, ["ros", *words], standalone_mode=False)


def said(*words: str) -> str:
    done = run(*words)
    assert done.exception is None, done.exception
    return done.output


@pytest.mark.usefixtures("robot")
def test_topics_and_nodes_are_listed_and_described() -> None:
    assert "/robot/chatter [std_msgs/msg/String]" in said("topic", "list", "-t")
    assert json.loads(said("topic", "list", "--json"))["/robot/orders"] == ["std_msgs/msg/String"]
    assert said("topic", "type", "/robot/chatter") == "std_msgs/msg/String\n"
    described = said("topic", "info", "-v", "robot/chatter")
    assert "Publisher count: 1" in described and "Node name: picker" in described and "RIHS01_df668c7" in described
    assert said("node", "list") == "/robot/picker\n"
    found = json.loads(said("node", "info", "/robot/picker", "--json"))
    assert found["Subscribers"]["/robot/orders"] == ["std_msgs/msg/String"]
    assert found["Service Servers"]["/robot/add"] == ["example_interfaces/srv/AddTwoInts"]
    assert found["Action Servers"] == {"/robot/count": ["example_interfaces/action/Fibonacci"]}
    assert "    /robot/chatter: std_msgs/msg/String\n" in said("node", "info", "/robot/picker")
    assert said("action", "list", "-t") == "/robot/count [example_interfaces/action/Fibonacci]\n"
    assert "_action" not in said("service", "list")


@pytest.mark.usefixtures("robot")
def test_messages_are_printed_as_ros2_prints_them() -> None:
    assert said("topic", "echo", "--once", "/robot/chatter") == "data: ripe\n---\n"
    assert said("topic", "echo", "-n", "2", "--json", "robot/chatter") == '{"data": "ripe"}\n' * 2
    assert said("topic", "echo", "--once", "--field", "data", "--csv", "/robot/chatter") == "ripe\n"
    assert "ripe" in said("topic", "echo", "--once", "--raw", "/robot/chatter", "std_msgs/String")


def test_what_is_published_arrives(robot: Robot) -> None:
    out = said("topic", "pub", "--times", "2", "-r", "50", "/robot/orders", "std_msgs/msg/String", "{data: row 4}")
    assert "publishing #2: std_msgs.msg.String(data='row 4')" in out
    assert robot.heard == ["row 4", "row 4"]


def test_rates_and_sizes_are_measured(robot: Robot) -> None:
    from robot.ros.tools import topics

    with Session() as session:
        lines = topics.measure(session, "/robot/chatter", 100, bandwidth=False, every_s=0.3)
        text = ""
        while "average rate" not in text:
            text = next(lines)
    assert "min:" in text and "std dev:" in text
    with Session() as session:
        lines = topics.measure(session, "/robot/chatter", 100, bandwidth=True, every_s=0.3)
        while "Message size" not in (text := next(lines)):
            pass
    assert "mean: 13 B" in text


def test_services_are_called_and_goals_sent(robot: Robot) -> None:
    out = said("service", "call", "/robot/add", "example_interfaces/srv/AddTwoInts", "{a: 2, b: 3}")
    assert "AddTwoInts_Request(a=2, b=3)" in out and "AddTwoInts_Response(sum=5)" in out
    assert "sum=9" in said("service", "call", "/robot/add", "{a: 4, b: 5}")
    out = said("action", "send_goal", "-f", "/robot/count", "{order: 3}")
    assert "Goal accepted with ID:" in out and "Feedback:" in out
    assert "- 2\n" in out and out.endswith("Goal finished with status: SUCCEEDED\n")


def test_parameters_are_read_and_set(robot: Robot) -> None:
    assert "  arm.reach\n  speed\n" in said("param", "list", "/robot/picker")
    assert said("param", "get", "robot/picker", "speed") == "Double value is: 1.5\n"
    assert said("param", "set", "/robot/picker", "speed", "2.5") == "Set parameter successful\n"
    assert robot.get_parameter("speed").value == 2.5
    dumped = yaml.safe_load(said("param", "dump", "/robot/picker"))["/robot/picker"]["ros__parameters"]
    assert (dumped["arm"]["reach"], dumped["speed"]) == (0.6, 2.5)
    refused = run("param", "set", "/robot/picker", "speed", "fast")
    assert refused.exception is not None and "speed" in str(refused.exception)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["topic", "echo", "--once", "/robot/chater"], "did you mean /robot/chatter?"),
        (["topic", "pub", "-1", "/x", "std_msgs/msg/Strin", "{}"], "std_msgs/msg/String"),
        (["topic", "pub", "-1", "/x", "std_msgs/msg/String", "{dat: 1}"], "no field 'dat'; it has data"),
        (
            ["topic", "pub", "-1", "/x", "std_msgs/msg/String", "{data: [}"],
            "while parsing a flow node expected the node content",
        ),
        (["service", "call", "/robot/ad", "{}"], "did you mean /robot/add?"),
        (
            ["service", "call", "/robot/add", "std_srvs/srv/Trigger", "--timeout", "0.2"],
            "the service /robot/add is of type example_interfaces/srv/AddTwoInts, not std_srvs/srv/Trigger",
        ),
        (
            ["service", "call", "/robot/add", "{a: one}"],
            "the field 'a' of AddTwoInts_Request (int64) cannot take 'one'",
        ),
        (["node", "info", "/picker"], "did you mean /robot/picker?"),
        (["param", "get", "/robot/picker", "sped"], "did you mean speed?"),
        (["bag", "info", "/nowhere"], "no metadata.yaml"),
        (["interface", "show", "std_msgs/msg/Hedder"], "did you mean std_msgs/msg/Header"),
        (["interface", "show", "plants/msg/Leaf"], "no interface plants/msg/Leaf"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
@pytest.mark.usefixtures("robot")
def test_errors_say_what_was_meant(words: list[str], expected: str) -> None:
    done = run(*words)
    assert done.exception is not None and expected in str(done.exception)
    assert "\n" not in str(done.exception)


@pytest.mark.usefixtures("robot")
def test_a_service_that_only_we_ask_for_is_not_proposed() -> None:
    done = run("service", "call", "/nobody", "std_srvs/srv/Trigger", "--timeout", "0.2")
    assert "there is no service /nobody" in str(done.exception) and "did you mean /nobody" not in str(done.exception)
    assert "_berrybrain" not in str(done.exception)


def test_a_wrong_type_within_an_interface_file_is_told_by_its_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "plants/msg/Leaf.msg"
    path.parent.mkdir(parents=True)
    path.write_text("int33 areas\n", encoding="utf-8")
    monkeypatch.setattr("robot.ros.tools.interfaces.registry", Registry([tmp_path]))
    done = run("interface", "show", "plants/msg/Leaf")
    assert isinstance(done.exception, Problem) and "'int33 areas' of plants" in str(done.exception)


def wait(session: Session, condition: Callable[[], bool]) -> None:
    assert session.spin_until(condition, DEADLINE_S)


def test_a_bag_holds_the_bytes_that_came_and_plays_them(robot: Robot, tmp_path: Path) -> None:
    folder = tmp_path / "bag"
    with Session() as session:
        recorder = Recorder(session, folder, ["/robot/chatter"], compress=True)
        recorder.run(lambda: recorder.counts.get("/robot/chatter", 0) >= 5)
        recorder.close()
    store = get_typestore(Stores.ROS2_JAZZY)
    with Reader(folder) as reader:
        (connection,) = reader.connections
        assert (connection.topic, connection.msgtype) == ("/robot/chatter", "std_msgs/msg/String")
        assert connection.msgdef.data == "string data\n" and connection.digest.startswith("RIHS01_df668c7")
        datas = [bytes(data) for _, _, data in reader.messages()]
        message = std_msgs.msg.String(data="ripe")
        assert datas[0] == bytes(message._encode(message))
        assert store.deserialize_cdr(datas[0], connection.msgtype).data == "ripe"
    assert (folder / "bag.mcap").read_bytes()[:8] == b"\x89MCAP0\r\n"
    metadata = yaml.safe_load((folder / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    assert (metadata["storage_identifier"], metadata["message_count"]) == ("mcap", len(datas))
    described = json.loads(said("bag", "info", "--json", str(folder)))
    assert described["topics"][0]["count"] == described["messages"] == len(datas)
    assert "Type: std_msgs/msg/String" in said("bag", "info", str(folder))
    said("bag", "play", "-r", "100", "--remap", "/robot/chatter:=/robot/orders", str(folder))
    with Session() as session:
        wait(session, lambda: len(robot.heard) == len(datas))
    assert set(robot.heard) == {"ripe"}


def test_a_bag_whose_recorder_was_killed_is_there_to_its_last_chunk(robot: Robot, tmp_path: Path) -> None:
    folder = tmp_path / "bag"
    command = "from dashboard.cli import main; main(['ros', 'bag', 'record', '-o', 'bag', '/robot/chatter'])"
    child = subprocess.Popen(
        [sys.executable, "-c", command],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stderr=subprocess.DEVNULL,
    )
    torn, end = folder / "bag.mcap", 0
    try:
        with Session() as session:
            wait(session, lambda: torn.exists() and torn.stat().st_size > 1000)
        with torn.open("rb") as file:
            end = last_whole_record(file)
        refused = run("bag", "info", str(folder))
        assert refused.exception is not None and "is being recorded" in str(refused.exception)
    finally:
        child.kill()
        child.wait(DEADLINE_S)
    with torn.open("ab") as file:
        file.write(b"\x06" + (1000).to_bytes(8, "little") + b"half a chunk")
    assert not (folder / "metadata.yaml").exists() and end > 1000
    os.utime(torn, (0, 0))  # nobody has written it for long
    found = json.loads(said("bag", "info", "--json", str(folder)))
    with Reader(folder) as reader:
        datas = [bytes(data) for _, _, data in reader.messages()]
    message = std_msgs.msg.String(data="ripe")
    assert found["messages"] == len(datas) > 5 and set(datas) == {bytes(message._encode(message))}
    assert {path.name for path in tmp_path.iterdir()} <= {"bag", "ros"}


def test_a_bag_of_types_that_are_not_known_here_is_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rosbags.rosbag2 import StoragePlugin, Writer

    monkeypatch.setenv("BERRYBRAIN_ROS_DIR", str(tmp_path / "ros"))
    definition = f"std_msgs/Header header\nfoo_msgs/Part[] parts\n{'=' * 80}\nMSG: foo_msgs/Part\nint8 n\n"
    elsewhere = Registry([Path(interfaces.__file__).parent])
    elsewhere.define("foo_msgs/msg/Whole", definition)
    folder = tmp_path / "foreign"
    with Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connection = writer.add_connection(
            "/foo", "foo_msgs/msg/Whole", msgdef=definition, rihs01=elsewhere.hash("foo_msgs/msg/Whole")
        )
        writer.write(connection, 5, b"\x00\x01\x00\x00" + bytes(20))
    with Session() as session:
        player = Player(session, folder)
        assert player.skipped == {}
        player.play()
        player.close()
        assert player.sent == 1


def test_interfaces_are_shown_with_all_they_are_made_of() -> None:
    assert said("interface", "show", "--no-comments", "geometry_msgs/PointStamped") == (
        "std_msgs/Header header\n\tbuiltin_interfaces/Time stamp\n\t\tint32 sec\n\t\tuint32 nanosec\n"
        "\tstring frame_id\nPoint point\n\tfloat64 x\n\tfloat64 y\n\tfloat64 z\n"
    )
    assert said("interface", "proto", "std_srvs/srv/SetBool") == "data: false\n"
    assert "std_srvs/srv/Trigger" in said("interface", "list", "std_srvs").split()


def test_the_doctor_sends_itself_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERRYBRAIN_ROS_DIR", str(tmp_path / "ros"))
    findings = json.loads(said("doctor", "--json"))
    assert findings["messages"] == {"state": "ok", "text": "a message goes from one context to another"}
    assert findings["interfaces"]["state"] == "ok"
