"""`BERRYBRAIN_ROS=native`: our nodes on a real rclpy, for which a stand-in in a folder of its own is used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

FAKE = {
    "rclpy/__init__.py": "REAL = True\ndef init(args=None): return 'real init'\ndef ok(): return True\n",
    "rclpy/context.py": "class Context:\n    real = True\n",
    "rclpy/task.py": "class Future: pass\n",
    "rclpy/node.py": (
        "class Stamp:\n    nanoseconds = 2_500_000_000\n"
        "class Clock:\n    def now(self): return Stamp()\n"
        "class Node:\n"
        "    def __init__(self, node_name, *, context=None, namespace=None):\n"
        "        self.name, self.namespace, self.timers = node_name, namespace, []\n"
        "    def get_clock(self): return Clock()\n"
        "    def create_timer(self, period, callback): self.timers.append((period, callback)); return callback\n"
        "    def destroy_timer(self, timer): self.timers = [t for t in self.timers if t[1] != timer]\n"
    ),
    "std_msgs/__init__.py": "",
    "std_msgs/msg/__init__.py": "class String:\n    real = True\n",
    "tf2_ros/__init__.py": "REAL = True\n",
}

SCRIPT = """
import rclpy, robot.ros
from robot.ros.context import Context
from robot.ros.interfaces import std_msgs
from robot.ros.node import Node
from robot.ros.task import Future
from robot.ros.packages import tf2_ros
from robot.ros.scheduler import Scheduler
from robot.ros import hook, interfaces
import rclpy.context

assert robot.ros.init() == 'real init' and robot.ros.__name__ == 'robot.ros'
assert Context is rclpy.context.Context and std_msgs.msg.String.real and tf2_ros.REAL
assert not hook.install()

class Picker(Node):
    def __init__(self, context):
        super().__init__('picker', context=context, namespace='/robot')

picker = Picker(Context())
assert isinstance(picker, rclpy.node.Node) and (picker.name, picker.namespace) == ('picker', '/robot')
assert picker.scheduler.now() == picker.scheduler.monotonic() == 2.5
called = []
picker.scheduler.post(lambda: called.append(1), delay=0.25)
(period, fire), = picker.timers
fire()
assert called == [1] and period == 0.25 and picker.timers == []
picker.scheduler.post(lambda: called.append(2)).cancel()
assert picker.timers == []
try:
    interfaces.berry_msgs
except AttributeError as error:
    assert 'robot/msg/berry_msgs' in str(error)
else:
    raise AssertionError('berry_msgs is not built here')
print('done')
"""


def run(folder: Path, script: str, **env: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder), str(Path(__file__).parents[2])])
    return subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": path, **env},
        check=False,
    )


def test_our_nodes_stand_on_the_real_rclpy_when_asked(tmp_path: Path) -> None:
    for name, text in FAKE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    done = run(tmp_path, SCRIPT, BERRYBRAIN_ROS="native")
    assert (done.stdout, done.returncode) == ("done\n", 0), done.stderr
    alone = run(tmp_path, "import robot.ros; assert not hasattr(robot.ros, 'REAL'); print('ours')")
    assert alone.stdout == "ours\n", alone.stderr


def test_native_without_a_real_rclpy_says_what_to_do(tmp_path: Path) -> None:
    done = run(tmp_path, "import robot.ros", BERRYBRAIN_ROS="native")
    assert "source ROS 2's setup.bash" in done.stderr
    done = run(tmp_path, "import robot.ros", BERRYBRAIN_ROS="natve")
    assert "expected BERRYBRAIN_ROS to be unset or 'native', got 'natve'" in done.stderr
