"""Scripts written against ROS 2, unmodified, each in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e
DEADLINE_S = 90.0

COUNTER = """
import time
import rclpy
from example_interfaces.action import Fibonacci
from rclpy.action import ActionServer, CancelResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor
from rclpy.node import Node


class Counter(Node):
    def __init__(self):
        super().__init__('counter')
        self.server = ActionServer(
            self, Fibonacci, 'count', self.execute, callback_group=ReentrantCallbackGroup(),
            cancel_callback=lambda goal: CancelResponse.ACCEPT)
        self.get_logger().info('ready')

    def execute(self, goal):
        feedback = Fibonacci.Feedback(sequence=[0, 1])
        while len(feedback.sequence) < goal.request.order:
            if goal.is_cancel_requested:
                goal.canceled()
                return Fibonacci.Result(sequence=feedback.sequence)
            feedback.sequence.append(sum(feedback.sequence[-2:]))
            goal.publish_feedback(feedback)
            time.sleep(0.01)
        goal.succeed()
        return Fibonacci.Result(sequence=feedback.sequence)


rclpy.init()
try:
    rclpy.spin(Counter(), executor=MultiThreadedExecutor())
except (KeyboardInterrupt, ExternalShutdownException):
    pass
"""

CLIENT = """
import sys
import rclpy
from action_msgs.msg import GoalStatus
from example_interfaces.action import Fibonacci
from rclpy.action import ActionClient

with rclpy.init():
    node = rclpy.create_node('client')
    client = ActionClient(node, Fibonacci, 'count')
    client.wait_for_server()
    steps = []

    def ask(order, cancel=False):
        sent = client.send_goal_async(Fibonacci.Goal(order=order), feedback_callback=steps.append)
        rclpy.spin_until_future_complete(node, sent)
        if cancel:
            rclpy.spin_until_future_complete(node, sent.result().cancel_goal_async())
        asked = sent.result().get_result_async()
        rclpy.spin_until_future_complete(node, asked)
        return asked.result()

    counted = ask(6)
    print(list(counted.result.sequence), counted.status == GoalStatus.STATUS_SUCCEEDED, len(steps) > 0)
    print(ask(80, cancel=True).status == GoalStatus.STATUS_CANCELED)
"""

FRAMES = """
import rclpy
from geometry_msgs.msg import PointStamped, TransformStamped
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.time import Time
from tf2_ros import Buffer, StaticTransformBroadcaster, TransformListener
import tf2_geometry_msgs

rclpy.init()
node = Node('frames', namespace='arm')
broadcaster = StaticTransformBroadcaster(node)
transform = TransformStamped(child_frame_id='tool')
transform.header.frame_id = 'base'
transform.transform.translation.z = 0.5
broadcaster.sendTransform(transform)

buffer = Buffer()
listener = TransformListener(buffer, None, spin_thread=True)
found = buffer.lookup_transform('base', 'tool', Time(), timeout=Duration(seconds=60))
point = PointStamped()
point.header.frame_id = 'tool'
print(found.transform.translation.z, buffer.transform(point, 'base').point.z, node.get_fully_qualified_name())
rclpy.shutdown()
"""


class Script:
    """A running script and what it has said."""

    def __init__(self, path: Path, words: tuple[str, ...], env: dict[str, str]) -> None:
        self.text = ""
        self._heard = threading.Condition()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "robot.ros.tools.run", str(path), *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=env,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._heard:
                self.text += line
                self._heard.notify_all()

    def wait_for(self, word: str) -> None:
        with self._heard:
            assert self._heard.wait_for(lambda: word in self.text, DEADLINE_S), self.text

    def end(self) -> int:
        code = self._process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        return code

    def stop(self) -> int:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        return self.end()


Start = Callable[..., Script]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    env = {**os.environ, "BERRYBRAIN_ROS_DIR": str(tmp_path / "ros"), "PYTHONUNBUFFERED": "1"}
    running: list[Script] = []

    def run(text: str, *words: str) -> Script:
        path = tmp_path / f"script_{len(running)}.py"
        path.write_text(text)
        running.append(Script(path, words, env))
        return running[-1]

    yield run
    for script in running:
        script.stop()


def test_an_action_is_served_counted_and_cancelled_between_two_scripts(start: Start) -> None:
    counter = start(COUNTER)
    counter.wait_for("ready")
    client = start(CLIENT)
    assert client.end() == 0, client.text
    assert client.text == "[0, 1, 1, 2, 3, 5] True True\nTrue\n"
    assert counter.stop() == 0, counter.text


def test_a_script_looks_transforms_up_and_is_renamed_from_the_command_line(start: Start) -> None:
    frames = start(FRAMES, "--ros-args", "-r", "__node:=eyes", "-r", "__ns:=/left")
    assert frames.end() == 0, frames.text
    assert frames.text.splitlines()[-1] == "0.5 0.5 /left/eyes"
