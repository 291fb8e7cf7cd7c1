"""Measure round trips between two processes, and rates, beside bare pyzmq over ipc in the same run.

`python -m robot.ros.bench --json` prints them. A round trip is a message published, received by the other process
with a callback, published again from there and received by this process's callback; decoded both ways. Bare pyzmq sends
as many bytes through a PUB and a SUB socket each way and looks at none of them. The two alternate in short rounds.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import zmq

from robot.ros import bench_pace, bench_rates
from robot.ros.context import Context
from robot.ros.executors import SingleThreadedExecutor
from robot.ros.interfaces import get_message
from robot.ros.node import Node
from robot.ros.qos import QoSProfile
from robot.ros.transport.zeromq import ZeroMQ

STRING, IMAGE = "std_msgs/msg/String", "sensor_msgs/msg/Image"
DEPTH = QoSProfile(depth=10)
ROUNDS = 7
STOP = b"stop"
LOST = 5.0  # [s] after which a round trip counts as lost


def _make(folder: Path, name: str) -> tuple[Node, SingleThreadedExecutor]:
    node = Node(name, context=Context(transport=ZeroMQ(folder=folder)))
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    return node, executor


def echo_messages(folder: Path) -> None:
    """Publish again what comes in, until a String says stop."""
    node, executor = _make(folder, "echo")
    publishers = {name: node.create_publisher(get_message(name), f"{name}/back", DEPTH) for name in (STRING, IMAGE)}
    for name, publisher in publishers.items():
        node.create_subscription(get_message(name), f"{name}/forth", publisher.publish, DEPTH)
    stopped: list[Any] = []
    node.create_subscription(get_message(STRING), "stop", stopped.append, DEPTH)
    while not stopped:
        executor.spin_once(timeout_sec=1.0)
    node.context.shutdown()


def _bare_sockets(context: zmq.Context[Any], folder: Path, out: str, into: str) -> tuple[Any, Any]:
    publisher, subscriber = context.socket(zmq.PUB), context.socket(zmq.SUB)
    publisher.bind(f"ipc://{folder / out}")
    subscriber.connect(f"ipc://{folder / into}")
    subscriber.setsockopt(zmq.SUBSCRIBE, b"")
    for socket in (publisher, subscriber):
        socket.setsockopt(zmq.LINGER, 0)
    subscriber.setsockopt(zmq.RCVTIMEO, int(LOST * 1000))
    return publisher, subscriber


def echo_bare(folder: Path) -> None:
    """Send back what comes in, until it says stop."""
    with zmq.Context() as context:
        publisher, subscriber = _bare_sockets(context, folder, "back", "forth")
        while True:
            try:
                data = subscriber.recv()
            except zmq.Again:
                continue
            if data == STOP:
                break
            publisher.send(data)
        context.destroy()


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def _time(trip: Callable[[], None], count: int) -> list[float]:
    times = []
    for _ in range(count):
        start = time.perf_counter()
        trip()
        times.append((time.perf_counter() - start) * 1e6)
    return times


class _Messages:
    """This process's end of the round trips over our transport."""

    def __init__(self, folder: Path) -> None:
        self.node, self.executor = _make(folder, "bench")
        self.received = 0
        self.publishers = {}
        for name in (STRING, IMAGE):
            self.node.create_subscription(get_message(name), f"{name}/back", self._count, DEPTH)
            self.publishers[name] = self.node.create_publisher(get_message(name), f"{name}/forth", DEPTH)
        self._stop = self.node.create_publisher(get_message(STRING), "stop", DEPTH)
        ends = [self._stop, *self.publishers.values()]
        if not self.node.wait_until(lambda: all(end.get_subscription_count() for end in ends), 30.0):
            raise TimeoutError("the echo process did not appear within 30 s")

    def _count(self, _: Any) -> None:
        self.received += 1

    def trip(self, message: Any) -> None:
        wanted = self.received + 1
        self.publishers[message._TYPE_NAME].publish(message)
        end = time.monotonic() + LOST
        while self.received < wanted:
            self.executor.spin_once(timeout_sec=LOST)
            if time.monotonic() > end:
                raise TimeoutError(f"no echo within {LOST} s")

    def close(self) -> None:
        self._stop.publish(get_message(STRING)())
        self.node.context.shutdown()


class _Bare:
    """This process's end of the round trips over bare pyzmq."""

    def __init__(self, folder: Path) -> None:
        self.context: zmq.Context[Any] = zmq.Context()
        self.publisher, self.subscriber = _bare_sockets(self.context, folder, "forth", "back")
        end = time.monotonic() + 30.0
        while not self.subscriber.poll(20):
            self.publisher.send(b"hello")
            if time.monotonic() > end:
                raise TimeoutError("the bare echo process did not appear within 30 s")
        while self.subscriber.poll(200):
            self.subscriber.recv()

    def trip(self, data: bytes) -> None:
        self.publisher.send(data)
        self.subscriber.recv()

    def close(self) -> None:
        self.publisher.setsockopt(zmq.LINGER, 500)
        self.publisher.send(STOP)
        self.context.destroy(linger=500)


def run(rounds: int = ROUNDS) -> dict[str, float]:
    """Measure.

    Returns:
        Median and 99th percentile of the round trip in microseconds for a 64-byte String and a 640x480 rgb8 Image, and
        the ratio of the median to bare pyzmq's for as many bytes; and what `bench_rates` and `bench_pace` return.
    """
    pixels = np.arange(640 * 480 * 3, dtype=np.uint32).astype(np.uint8)
    messages = {
        "64B": (get_message(STRING)(data="x" * 64), 300),
        "image": (get_message(IMAGE)(height=480, width=640, step=1920, encoding="rgb8", data=pixels), 40),
    }
    figures: dict[str, float] = {}
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="berrybrain-bench-") as name:
        folder = Path(name)
        echoes = [spawn.Process(target=target, args=(folder,), daemon=True) for target in (echo_messages, echo_bare)]
        for process in echoes:
            process.start()
        ours, bare = _Messages(folder), _Bare(folder)
        for key, (message, count) in messages.items():
            data = bytes(message._encode(message)) if key == "image" else b"x" * 64
            times: dict[str, list[float]] = {"ours": [], "bare": []}
            for _ in range(rounds + 1):
                times["ours"] += _time(lambda message=message: ours.trip(message), count)  # type: ignore[misc]
                times["bare"] += _time(lambda data=data: bare.trip(data), count)  # type: ignore[misc]
            measured = {side: values[count:] for side, values in times.items()}  # the first round warms up
            median = {side: statistics.median(values) for side, values in measured.items()}
            figures[f"rtt_{key}_us"] = round(median["ours"], 1)
            figures[f"rtt_{key}_p99_us"] = round(_percentile(measured["ours"], 0.99), 1)
            figures[f"rtt_{key}_bare_us"] = round(median["bare"], 1)
            figures[f"rtt_{key}_ratio"] = round(median["ours"] / median["bare"], 3)
        ours.close()
        bare.close()
        for process in echoes:
            process.join(timeout=5.0)
            process.kill()
        return figures | bench_rates.run(folder) | bench_pace.run(folder)


def main(arguments: list[str]) -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m robot.ros.bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    as_json = parser.parse_args(arguments).json
    figures = run()
    text = json.dumps(figures) if as_json else "\n".join(f"{k} {v}" for k, v in figures.items())
    sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
