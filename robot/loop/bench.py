"""Measures the control loop in a process of its own: how late ticks come, how long they take, what was permitted."""

from __future__ import annotations

import multiprocessing
import time
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from robot.arms import load_arm
from robot.collision import Obstacles, carriage
from robot.hardware.fake import FakeHardware
from robot.loop import ControlLoop, LoopSettings
from robot.loop.pace import PaceStats, pace
from robot.loop.realtime import AbsoluteSleep, lock_memory, no_collections, real_time_class
from robot.motion import joint_move

START = np.array([0.4, -1.5, -2.0, 1.5, 0.5, 1.5, 0.0])
THERE = np.array([0.2, 0.3, 0.0, 0.0, 0.0, 0.0, 0.0])
NEAR = 0.005
"""So near to where a move begins the arm counts as there [m, rad]."""

ANSWER = 30.0
"""A process that has not answered so long after its time is given up [s]."""


class _Monotonic:
    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)


def measure(seconds: float, rate: float, *, real_time: bool = True) -> dict[str, Any]:
    """Run the loop in this process, the arm moving to and fro, and return the figures.

    Args:
        real_time: ask for SCHED_FIFO and locked memory.
    """
    arm = load_arm("ur3e")
    hardware = FakeHardware(arm, time.monotonic, position=START)
    around = Obstacles(boxes=carriage(arm))
    loop = ControlLoop(hardware, arm, _Monotonic(), LoopSettings(rate=rate, obstacles=around))
    loop.bring_up()
    moves = [joint_move(arm, START, START + THERE), joint_move(arm, START + THERE, START)]
    stats, sleep = PaceStats(int(seconds * rate) + 1), AbsoluteSleep()
    refused = [why for why in (lock_memory(), real_time_class()) if why] if real_time else []
    no_collections()
    loop.start()
    turns = 0

    def tick() -> None:
        nonlocal turns
        loop.tick()
        if not loop.moving and loop.supervisor.motion_allowed and not loop.busy:
            begun = np.abs(moves[turns % 2].positions[0] - loop.set_point).max() < NEAR
            goal = moves[turns % 2].positions[-1]
            # after a pause longer than a command lasts the arm was held somewhere on its way
            loop.follow(moves[turns % 2] if begun else joint_move(arm, loop.set_point, goal))
            turns += 1

    end = time.monotonic() + seconds
    pace(tick, period=1.0 / rate, until=lambda: time.monotonic() >= end, stats=stats, sleep_until=sleep.until)
    return {
        "scheduler": "SCHED_FIFO" if real_time and not any("SCHED_FIFO" in why for why in refused) else "SCHED_OTHER",
        "memory_locked": real_time and not any("memory" in why for why in refused),
        "refused": refused,
        **stats.figures(),
        "trajectories": turns,
        "rejected": loop.stats.rejected,
        "state": str(loop.supervisor.state),
    }


def _serve(pipe: Connection, seconds: float, rate: float, real_time: bool) -> None:
    pipe.send(measure(seconds, rate, real_time=real_time))


def run(seconds: float = 10.0, rate: float = 250.0) -> dict[str, Any]:
    """Return figures with and without a real-time class, each from a process of its own.

    Raises:
        TimeoutError: the process does not answer.
    """
    context = multiprocessing.get_context("spawn")
    found: dict[str, Any] = {"rate_hz": rate, "seconds": seconds}
    for name, real_time in (("real_time", True), ("ordinary", False)):
        mine, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_serve, args=(theirs, seconds, rate, real_time), daemon=True)
        process.start()
        theirs.close()
        try:
            if not mine.poll(seconds + ANSWER):
                raise TimeoutError(f"the loop's process has not answered {ANSWER:.0f} s after its time")
            found[name] = mine.recv()
        except EOFError:
            raise TimeoutError("the loop's process ended without an answer") from None
        finally:
            process.terminate()
            process.join()
    return found
