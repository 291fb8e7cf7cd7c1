"""A program that is frozen, not dead: its process and its sockets are there, but nothing comes from it any more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from robot import ros
from robot.arms import load_arm
from robot.hardware.fake import FakeHardware
from robot.loop import ControlLoop, LoopSettings
from robot.ros.executors import SingleThreadedExecutor
from robot.ros.interfaces import std_msgs
from robot.ros.node import Node
from robot.safety import State

ROOT = Path(__file__).parents[2]
DEADLINE = 60.0  # [s]
HOME = np.array([0.4, -1.5, -2.0, 1.5, 0.5, 1.5, 0.0])
EYES = """
import time
from robot import ros
from robot.nodes.heartbeat import Heartbeat

class Clock:
    now, monotonic = staticmethod(time.time), staticmethod(time.monotonic)

ros.init()
node = ros.create_node("eyes")
heartbeat = Heartbeat(node, Clock())
ros.spin(node)
"""


class Wall:
    now, monotonic = staticmethod(time.time), staticmethod(time.monotonic)


@pytest.fixture
def eyes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[bytes]]:
    monkeypatch.setenv("BERRYBRAIN_ROS_DIR", str(tmp_path / "ros"))
    monkeypatch.setenv("ROS_DOMAIN_ID", "7")
    ros.init(domain_id=7)
    child = subprocess.Popen([sys.executable, "-c", EYES], cwd=ROOT)
    yield child
    child.kill()
    child.wait(DEADLINE)
    ros.try_shutdown()


def test_a_frozen_program_holds_the_robot_which_goes_on_only_when_somebody_starts_it(
    eyes: subprocess.Popen[bytes],
) -> None:
    arm = load_arm("ur3e")
    hardware = FakeHardware(arm, time.monotonic, position=HOME)
    loop = ControlLoop(hardware, arm, Wall(), LoopSettings(required=("eyes",), local_reset=False))
    loop.bring_up()
    node, executor = Node("control"), SingleThreadedExecutor()
    node.create_subscription(std_msgs.msg.Header, "heartbeat", lambda m: loop.heartbeat(m.frame_id), 10)
    executor.add_node(node)

    def until(true: Callable[[], bool]) -> None:
        end = time.monotonic() + DEADLINE
        while not true():
            assert time.monotonic() < end, (loop.supervisor.state, loop.supervisor.causes)
            executor.spin_once(timeout_sec=0.004)
            loop.tick()

    def held() -> bool:
        return loop.supervisor.state is State.HOLD and loop.supervisor.causes == ("eyes_lost",)

    assert "eyes_lost" in loop.start()
    until(lambda: loop.start() == "")
    os.kill(eyes.pid, signal.SIGSTOP)
    until(held)
    still = time.monotonic() + 1.0
    until(lambda: time.monotonic() > still)
    assert held()
    assert eyes.poll() is None
    assert "eyes_lost" in loop.start()
    os.kill(eyes.pid, signal.SIGCONT)
    until(lambda: loop.supervisor.causes == ())
    assert loop.supervisor.state is State.HOLD, "its return starts nothing"
    until(lambda: loop.start() == "")
