"""Borrowed messages: octets written where other processes read them, and what becomes of that memory."""

from __future__ import annotations

import gc
import multiprocessing
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from robot.ros.context import Context
from robot.ros.exceptions import RCLError
from robot.ros.executors import SingleThreadedExecutor
from robot.ros.interfaces import sensor_msgs, std_msgs
from robot.ros.node import Node
from robot.ros.qos import DurabilityPolicy, QoSProfile
from robot.ros.transport.inprocess import InProcess
from robot.ros.transport.ring import HEAD_ROOM, LENT_MAX
from robot.ros.transport.shared import LAG_MAX, SLOTS, THRESHOLD
from robot.ros.transport.zeromq import ZeroMQ

DEADLINE = 60.0  # [s]
Image = sensor_msgs.msg.Image
SIZE = 2 * THRESHOLD


class Net:
    """A camera in one context, an eye in another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.camera, self.eye = (self.node(name) for name in ("camera", "eye"))
        self.publisher = self.camera.create_publisher(Image, "image", 10)

    def node(self, name: str) -> Node:
        return Node(name, context=Context(transport=ZeroMQ(folder=self.folder)))

    def see(self, node: Node, seen: Callable[[Any], object], qos: QoSProfile | int = 10) -> SingleThreadedExecutor:
        before = self.publisher.get_subscription_count()
        node.create_subscription(Image, "image", seen, qos)
        assert self.camera.wait_until(lambda: self.publisher.get_subscription_count() == before + 1, DEADLINE)
        executor = SingleThreadedExecutor(context=node.context)
        executor.add_node(node)
        return executor

    def show(self, value: int, frame_id: str = "") -> bool:
        """Publish an image of one value; return whether its memory was shared."""
        loaned = self.publisher.borrow_loaned_message(SIZE)
        image, shared = loaned.get(), loaned.is_shared
        image.height, image.step, image.header.frame_id = 1, SIZE, frame_id
        np.frombuffer(image.data, np.uint8)[:] = value
        self.publisher.publish(loaned)
        return shared


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Net]:
    folder = tmp_path / "ros"
    folder.mkdir(mode=0o700)
    net = Net(folder)
    yield net
    for node in (net.camera, net.eye):
        node.context.try_shutdown()


def spin(executor: SingleThreadedExecutor, condition: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        executor.spin_once(timeout_sec=0.1)
        assert time.monotonic() < end, "the condition did not come true"


def value_of(image: Any) -> int:
    values = np.unique(np.frombuffer(image.data, np.uint8))
    assert values.size == 1, "torn"
    return int(values[0])


def owned_by_mapping(image: Any) -> bool:
    """Tell whether an image lies in the ring, not in a copy of it."""
    return not isinstance(image.data.obj, bytes | bytearray)


def test_a_borrowed_image_is_seen_in_place_and_whole(net: Net) -> None:
    seen: list[Any] = []
    executor = net.see(net.eye, seen.append)
    assert net.publisher.can_loan_messages and net.show(7, "lens")
    spin(executor, lambda: len(seen) == 1)
    assert value_of(seen[0]) == 7 and owned_by_mapping(seen[0]) and seen[0].data.readonly
    assert (seen[0].header.frame_id, seen[0].step, len(seen[0].data)) == ("lens", SIZE, SIZE)


def test_all_of_many_borrowed_images_come_in_order_and_none_changes_while_held(net: Net) -> None:
    seen: list[int] = []
    held: list[Any] = []

    def look(image: Any) -> None:
        seen.append(value_of(image))
        if len(held) < LAG_MAX // 2:
            held.append(image)

    executor = net.see(net.eye, look)
    for value in range(200):
        net.show(value)
        spin(executor, lambda: len(seen) > value)  # noqa: B023
    assert seen == list(range(200))
    assert [value_of(image) for image in held] == list(range(len(held)))


def test_the_memory_of_what_nobody_publishes_comes_back(net: Net) -> None:
    net.see(net.eye, lambda _: None)
    for _ in range(3 * SLOTS):
        with net.publisher.borrow_loaned_message(SIZE) as loaned:
            assert loaned.is_shared
        assert not loaned.is_valid()
    for _ in range(3 * SLOTS):
        assert net.publisher.borrow_loaned_message(SIZE).is_shared


def test_who_borrows_too_many_gets_ordinary_memory_and_loses_nothing(net: Net) -> None:
    seen: list[int] = []
    executor = net.see(net.eye, lambda image: seen.append(value_of(image)))
    borrowed = [net.publisher.borrow_loaned_message(SIZE) for _ in range(LENT_MAX + 3)]
    assert [loaned.is_shared for loaned in borrowed] == [True] * LENT_MAX + [False] * 3
    for value, loaned in enumerate(borrowed):
        loaned.get().data[:] = bytes([value]) * SIZE
        net.publisher.publish(loaned)
        spin(executor, lambda: len(seen) > value)  # noqa: B023
    assert seen == list(range(LENT_MAX + 3))
    del borrowed, loaned
    assert net.show(1), "what was published is lent again"


def test_memory_that_the_borrower_still_writes_to_is_lent_to_nobody_else(net: Net) -> None:
    seen: list[Any] = []
    executor = net.see(net.eye, lambda image: seen.append(value_of(image)))
    loaned = net.publisher.borrow_loaned_message(SIZE)
    canvas = np.frombuffer(loaned.get().data, np.uint8)
    canvas[:] = 1
    net.publisher.publish(loaned)
    spin(executor, lambda: len(seen) == 1)
    for value in range(2, 2 + 2 * SLOTS):
        assert net.show(value)
        spin(executor, lambda: len(seen) == value)  # noqa: B023
        canvas[:] = 0
    assert seen == [1, *range(2, 2 + 2 * SLOTS)]


def test_a_message_is_read_only_once_published_and_is_published_once(net: Net) -> None:
    net.see(net.eye, lambda _: None)
    loaned = net.publisher.borrow_loaned_message(SIZE)
    image = loaned.get()
    image.data[0] = 3
    net.publisher.publish(loaned)
    with pytest.raises(TypeError):
        image.data[0] = 4
    with pytest.raises(RCLError, match="was published"):
        net.publisher.publish(loaned)
    other = net.camera.create_publisher(Image, "other", 10)
    with pytest.raises(RCLError, match="another publisher"):
        other.publish(net.publisher.borrow_loaned_message(SIZE))


@pytest.mark.parametrize("case", ["other octets", "long head", "few octets", "by the message"])
def test_what_cannot_go_in_place_is_copied(net: Net, case: str) -> None:
    seen: list[Any] = []
    executor = net.see(net.eye, seen.append)
    loaned = net.publisher.borrow_loaned_message(100 if case == "few octets" else SIZE)
    image = loaned.get()
    if case == "other octets":
        image.data = bytes([5]) * (SIZE + 1)
    else:
        image.data[:] = bytes([5]) * len(image.data)
    image.header.frame_id = "x" * HEAD_ROOM if case == "long head" else "x"
    net.publisher.publish(image if case == "by the message" else loaned)
    spin(executor, lambda: len(seen) == 1)
    assert set(bytes(seen[0].data)) == {5} and len(seen[0].data) == len(image.data)
    assert seen[0].header.frame_id == image.header.frame_id


def test_subscriptions_here_and_late_ones_get_copies(net: Net) -> None:
    here: list[Any] = []
    far: list[Any] = []
    late: list[Any] = []
    latched = QoSProfile(depth=2, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    net.publisher = net.camera.create_publisher(Image, "kept", latched)
    for seen, node in ((here, net.camera), (far, net.eye)):
        node.create_subscription(Image, "kept", seen.append, latched)
    assert net.camera.wait_until(lambda: net.publisher.get_subscription_count() == 2, DEADLINE)
    executors = []
    for node in (net.camera, net.eye):
        executors.append(SingleThreadedExecutor(context=node.context))
        executors[-1].add_node(node)
    assert net.show(9)
    spin(executors[0], lambda: len(here) == 1)
    spin(executors[1], lambda: len(far) == 1)
    net.eye.create_subscription(Image, "kept", late.append, latched)
    executors[0].spin_once(timeout_sec=0.0)

    def both() -> bool:
        executors[0].spin_once(timeout_sec=0.0)
        return len(late) == 1

    spin(executors[1], both)
    assert [value_of(seen[0]) for seen in (here, far, late)] == [9, 9, 9]


def test_types_without_octets_at_the_end_cannot_be_borrowed(net: Net) -> None:
    publisher = net.camera.create_publisher(std_msgs.msg.String, "text", 10)
    assert not publisher.can_loan_messages
    with pytest.raises(RCLError, match=r"does not end in uint8\[\]"):
        publisher.borrow_loaned_message(10)


def test_without_shared_memory_a_borrowed_message_is_an_ordinary_one() -> None:
    class Scheduler:
        def now(self) -> float:
            return 1.0

        monotonic = now

        def post(self, callback: Callable[[], None], *, delay: float = 0.0) -> Any:
            if delay <= 0.0:
                callback()

    node = Node("both", context=Context(transport=InProcess(Scheduler())))
    seen: list[Any] = []
    node.create_subscription(Image, "image", seen.append, 10)
    publisher = node.create_publisher(Image, "image", 10)
    assert not publisher.can_loan_messages
    loaned = publisher.borrow_loaned_message(SIZE)
    loaned.get().data[:] = bytes([6]) * SIZE
    publisher.publish(loaned)
    assert value_of(seen[0]) == 6 and not loaned.is_shared
    node.context.shutdown()


def hold_images(folder: Path) -> None:
    """Keep every image that comes, until killed."""
    node = Node("hoarder", context=Context(transport=ZeroMQ(folder=folder)))
    held: list[Any] = []
    node.create_subscription(Image, "image", held.append, 10)
    said = node.create_publisher(std_msgs.msg.String, "said", 10)
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    while True:
        executor.spin_once(timeout_sec=1.0)
        said.publish(std_msgs.msg.String(data=str(len(held))))


def test_the_slots_of_a_reader_that_was_killed_are_lent_again(net: Net) -> None:
    child = multiprocessing.get_context("spawn").Process(target=hold_images, args=(net.folder,), daemon=True)
    child.start()
    said: list[str] = []
    net.camera.create_subscription(std_msgs.msg.String, "said", lambda m: said.append(m.data), 10)
    executor = SingleThreadedExecutor(context=net.camera.context)
    executor.add_node(net.camera)
    try:
        spin(executor, lambda: net.publisher.get_subscription_count() == 1)
        for value in range(4):
            assert net.show(value)
        spin(executor, lambda: "4" in said)
        ring = net.camera.context.transport._outbox.writer._ring(HEAD_ROOM + SIZE)  # type: ignore[attr-defined]
        ring._reclaim()
        assert len(ring._owed) == 4
    finally:
        child.kill()
        child.join(DEADLINE)
    spin(executor, lambda: net.publisher.get_subscription_count() == 0)
    gc.collect()
    ring._reclaim()
    assert ring._owed == {} and len(ring._free) == SLOTS
    assert all(net.show(value) for value in range(2 * SLOTS))


def test_views_outlive_the_context_they_were_borrowed_of(net: Net) -> None:
    loaned = net.publisher.borrow_loaned_message(SIZE)
    canvas = np.frombuffer(loaned.get().data, np.uint8)
    net.camera.context.shutdown()
    canvas[:] = 8
    assert canvas.sum() == 8 * SIZE
