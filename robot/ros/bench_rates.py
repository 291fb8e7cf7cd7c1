"""Measure how many messages a second come through.

Each figure of ours has a twin on bare pyzmq (PUSH and PULL over ipc) where one makes sense; the two alternate.
"""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import zmq

from robot.ros.context import Context
from robot.ros.executors import SingleThreadedExecutor
from robot.ros.interfaces import get_message
from robot.ros.node import Node
from robot.ros.publisher import Publisher
from robot.ros.qos import QoSProfile
from robot.ros.task import Future
from robot.ros.transport.shared import HELD_MAX
from robot.ros.transport.zeromq import ZeroMQ

STRING, IMAGE = "std_msgs/msg/String", "sensor_msgs/msg/Image"
BURST = 8000  # Strings of one burst: fewer than the queue between two processes holds, so that none may be lost
IMAGES = 600  # of one burst
IN_FLIGHT = HELD_MAX  # images sent and not yet seen: no more than a reader keeps in place
ROUNDS = 5
DEEP = QoSProfile(depth=2 * BURST)
PATIENCE = 30.0  # [s]


class Side:
    """A node with an executor."""

    def __init__(self, folder: Path, name: str) -> None:
        self.node = Node(name, context=Context(transport=ZeroMQ(folder=folder)))
        self.executor = SingleThreadedExecutor(context=self.node.context)
        self.executor.add_node(self.node)

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            self.executor.spin_once(timeout_sec=0.1)
            if time.monotonic() > end:
                raise TimeoutError(f"nothing came within {PATIENCE} s")


def text_message() -> Any:
    return get_message(STRING)(data="x" * 64)


def _image() -> Any:
    pixels = np.arange(640 * 480 * 3, dtype=np.uint32).astype(np.uint8)
    return get_message(IMAGE)(height=480, width=640, step=1920, encoding="rgb8", data=pixels)


def _show(images: Publisher, picture: Any, number: int, *, loaned: bool) -> None:
    """Publish an image with its number in the first pixels, made in place or copied."""
    if not loaned:
        picture.data[:8] = number.to_bytes(8, "little")
        images.publish(picture)
        return
    borrowed = images.borrow_loaned_message(len(picture.data))
    image = borrowed.get()
    image.height, image.width, image.step, image.encoding = picture.height, picture.width, picture.step, "rgb8"
    image.data[:8] = number.to_bytes(8, "little")
    images.publish(borrowed)


def _serve(folder: Path) -> None:
    """Send what the topic `order` asks for, until it asks to stop."""
    side = Side(folder, "source")
    kind, seen, sent = get_message(STRING), [0], [0]
    strings = side.node.create_publisher(kind, "strings", DEEP)
    images = side.node.create_publisher(get_message(IMAGE), "images", 10)
    orders: list[str] = []
    side.node.create_subscription(kind, "order", lambda m: orders.append(m.data), 10)
    side.node.create_subscription(kind, "seen", lambda m: seen.__setitem__(0, int(m.data)), 10)
    string, image = text_message(), _image()
    while True:
        while not orders:
            side.executor.spin_once(timeout_sec=1.0)
        order = orders.pop(0)
        if order == "stop":
            break
        if order == "strings":
            for _ in range(BURST):
                strings.publish(string)
            continue
        for _ in range(IMAGES):
            if sent[0] - seen[0] >= IN_FLIGHT:
                side.until(lambda: sent[0] - seen[0] < IN_FLIGHT)
            _show(images, image, sent[0], loaned=order == "loaned images")
            sent[0] += 1
    side.node.context.shutdown()


def _serve_bare(folder: Path) -> None:
    with zmq.Context() as context:
        orders, out = context.socket(zmq.PULL), context.socket(zmq.PUSH)
        out.set_hwm(BURST + 1)
        orders.bind(f"ipc://{folder / 'bare-order'}")
        out.connect(f"ipc://{folder / 'bare'}")
        message, picture = text_message(), _image()
        string, image = bytes(message._encode(message)), bytes(picture._encode(picture))
        while (order := orders.recv()) != b"stop":
            for _ in range(BURST if order == b"strings" else IMAGES):
                out.send(string if order == b"strings" else image)
        context.destroy(linger=0)


class _Ours:
    def __init__(self, folder: Path) -> None:
        self.side = Side(folder, "sink")
        self.count, self.began, self._wanted, self._all = 0, 0.0, 0, Future[None]()
        kind = get_message(STRING)
        self.side.node.create_subscription(kind, "strings", self._on_string, DEEP)
        self.side.node.create_subscription(get_message(IMAGE), "images", self._on_image, 10)
        self._order = self.side.node.create_publisher(kind, "order", 10)
        self._seen = self.side.node.create_publisher(kind, "seen", 10)
        self._total = 0
        self.side.until(lambda: bool(self._order.get_subscription_count() and self._seen.get_subscription_count()))
        self.side.until(lambda: self.side.node.count_publishers("images") == 1)

    def _on_string(self, _: Any) -> None:
        self.count += 1
        if self.count == 1:
            self.began = time.perf_counter()
        elif self.count == self._wanted:
            self._all.set_result(None)

    def _on_image(self, message: Any) -> None:
        self._on_string(message)
        if int.from_bytes(message.data[:8], "little") != self._total:
            raise RuntimeError(f"expected image {self._total}, got {int.from_bytes(message.data[:8], 'little')}")
        self._total += 1
        if self._total % (IN_FLIGHT // 2) == 0:
            self._seen.publish(get_message(STRING)(data=str(self._total)))

    def rate(self, what: str, count: int) -> float:
        """Spin until so many have come."""
        self.count, self._wanted, self._all = 0, count, Future()
        self._order.publish(get_message(STRING)(data=what))
        self.side.executor.spin_until_future_complete(self._all, PATIENCE)
        if self.count < count:
            raise TimeoutError(f"{self.count} of {count} came within {PATIENCE} s")
        return (count - 1) / (time.perf_counter() - self.began)

    def close(self) -> None:
        self._order.publish(get_message(STRING)(data="stop"))
        self.side.node.context.shutdown()


class _Bare:
    def __init__(self, folder: Path) -> None:
        self.context: zmq.Context[Any] = zmq.Context()
        self.order, self.into = self.context.socket(zmq.PUSH), self.context.socket(zmq.PULL)
        self.into.set_hwm(BURST + 1)
        self.into.bind(f"ipc://{folder / 'bare'}")
        self.order.connect(f"ipc://{folder / 'bare-order'}")
        self._decode = get_message(STRING)._decode
        self.count = 0

    def _on_message(self, _: Any) -> None:
        self.count += 1

    def rate(self, what: str, count: int) -> float:
        """Drain, decode and call back, polling only when there is nothing; images are only received."""
        self.count, call_back, recv = 0, self._on_message, self.into.recv
        decode = self._decode if what == "strings" else lambda data: data
        self.order.send(what.encode())
        if not self.into.poll(int(PATIENCE * 1000)):
            raise TimeoutError("the bare source did not answer")
        began = 0.0
        while self.count < count:
            try:
                call_back(decode(recv(zmq.NOBLOCK)))
            except zmq.Again:
                self.into.poll(1000)
            began = began or time.perf_counter()
        return (count - 1) / (time.perf_counter() - began)

    def close(self) -> None:
        self.order.send(b"stop")
        self.context.destroy(linger=500)


def run(folder: Path) -> dict[str, float]:
    """Measure in a private folder.

    Returns:
        Callbacks a second for Strings from another process, none of which is lost, and received images a second, made
        in borrowed messages and copied, with their ratios to bare pyzmq.
    """
    spawn = multiprocessing.get_context("spawn")
    sources = [spawn.Process(target=target, args=(folder,), daemon=True) for target in (_serve, _serve_bare)]
    for process in sources:
        process.start()
    ours, bare = _Ours(folder), _Bare(folder)
    figures = {}
    for what, count, rate, ratio in (
        ("strings", BURST, "string_callbacks_per_s", "string_callbacks_ratio"),
        ("loaned images", IMAGES, "image_per_s", "image_rate_ratio"),
        ("images", IMAGES, "image_copied_per_s", "image_copied_rate_ratio"),
    ):
        pairs = [(ours.rate(what, count), bare.rate(what, count)) for _ in range(ROUNDS + 1)][1:]
        figures[rate] = round(statistics.median(pair[0] for pair in pairs), 1)
        figures[ratio] = round(figures[rate] / statistics.median(pair[1] for pair in pairs), 3)
    ours.close()
    bare.close()
    for process in sources:
        process.join(timeout=5.0)
        process.kill()
    return figures
