"""The context of a process lives in the run's time: its stamps and its nodes' timers follow the run's clock."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.cli.ros_context import open_context
from dashboard.timers import ClockTimers
from robot.ros.node import Node


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.elapsed = 0.0

    def now(self) -> float:
        return 1.8e9 + self.elapsed

    def monotonic(self) -> float:
        return self.elapsed


def test_a_nodes_timer_and_time_follow_the_runs_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERRYBRAIN_ROS_DIR", str(tmp_path / "ros"))
    clock = Hand()
    context, executor = open_context(ClockTimers(clock))
    try:
        node = Node("beats", context=context)
        executor.add_node(node)
        beats: list[int] = []
        node.create_timer(0.1, lambda: beats.append(node.get_clock().now().nanoseconds))
        for _ in range(5):
            executor.spin_some()
        assert beats == []
        for step in range(1, 4):
            clock.elapsed = 0.1 * step + 1e-6
            context.transport.poll(0.0)
            executor.spin_some()
            assert len(beats) == step
            assert beats[-1] == pytest.approx(clock.now() * 1e9, abs=1e6)
    finally:
        context.try_shutdown()
