"""Join our domain with the ROS 2 of the same machine, topics and services, both ways, for any type.

Runs where ROS 2 is sourced. The one side is a node of the real rclpy, with raw subscriptions and publishers of bytes
and with services; the other a door of ours. Types that ROS 2 does not know there are left out, and said so.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from robot.ros.bridge.door import Door
from robot.ros.bridge.proxies import FarPublisher, Proxy, listener
from robot.ros.bridge.ros2_services import Services
from robot.ros.bridge.ros2_types import Rclpy, Types
from robot.ros.bus import HERE
from robot.ros.exceptions import ROSError
from robot.ros.graph import PUBLISHER, SUBSCRIPTION, Endpoint
from robot.ros.latecomer import Latecomer
from robot.ros.qos import DurabilityPolicy, QoSProfile
from robot.ros.transport.frame import Buffer, Frame

log = logging.getLogger(__name__)

LOOK_S = 0.25  # between looks at ROS 2's graph
PATIENCE_S = 0.5  # until a fault on our side ends the run
DEPTH = 100
OWN_MAX, OWN_S = 1000, 2.0  # messages, and seconds, for which an echo is waited for
NAME = "berrybrain_bridge"
Topic = tuple[str, str, str]  # name, type, hash


@dataclass(slots=True, kw_only=True)
class _There:
    """What ROS 2 has on one topic: the durability of its publishers and subscriptions, and a publisher's node."""

    publishers: list[bool]
    subscriptions: list[bool]
    node: str = ""


class Ros2Bridge:
    """The bridge of one domain.

    Args:
        node: of the real rclpy; whoever made it spins it.
        rclpy: its modules.
        domain_id: of ours; None = ROS_DOMAIN_ID, else 0.
    """

    def __init__(self, node: Any, rclpy: Rclpy, *, domain_id: int | None = None) -> None:
        self._node, self._qos = node, rclpy.qos
        self._types = Types(rclpy)
        self.failed = False
        self._lock = threading.RLock()
        self._near: dict[bytes, tuple[str, Endpoint]] = {}
        self._from_there: dict[Topic, tuple[FarPublisher, Any]] = {}  # and the raw subscription, while it is wanted
        self._to_there: dict[Topic, tuple[Proxy, Any]] = {}
        self._own: dict[Topic, deque[tuple[float, int]]] = {}  # what our raw subscriptions will hear of ourselves
        self.door = Door("ros2", self._note, domain_id=domain_id)
        self._services = Services(node, rclpy, self._types, self.door, f"/_{NAME}")
        self._timer = node.create_timer(LOOK_S, self.look)

    def _note(self) -> None:
        self._near = self.door.near()

    def run(self) -> None:
        """Go on until `end`; the node has to be spun by another thread. A fault is logged, and `failed` true then."""
        try:
            self.door.run()
        except Exception:
            log.exception("the bridge's side in our domain has failed")
            self.failed = True

    def end(self) -> None:
        self.door.end()

    def close(self) -> None:
        self.door.close()

    # --- the graphs

    def look(self) -> None:
        """Compare both graphs and join what has come; runs on the thread that spins the node."""
        there = self._there()
        near = self._near
        wanted = {_topic(endpoint) for _, endpoint in near.values() if endpoint.kind == SUBSCRIPTION}
        offered: dict[Topic, list[Endpoint]] = {}
        for _, endpoint in near.values():
            if endpoint.kind == PUBLISHER:
                offered.setdefault(_topic(endpoint), []).append(endpoint)
        with self._lock:
            self._join_from_there(there, wanted)
            self._join_to_there(there, offered)
        self._services.look(near)

    def _there(self) -> dict[Topic, _There]:
        """List ROS 2's topics, without what this bridge itself has on them."""
        found: dict[Topic, _There] = {}
        me = (self._node.get_name(), self._node.get_namespace())
        for name, types in self._node.get_topic_names_and_types():
            if len(types) != 1 or self._types.message(types[0]) is None:
                continue
            for publishes, infos in (
                (True, self._node.get_publishers_info_by_topic(name)),
                (False, self._node.get_subscriptions_info_by_topic(name)),
            ):
                for info in infos:
                    if (info.node_name, info.node_namespace) == me:
                        continue
                    topic = name, types[0], str(info.topic_type_hash)
                    entry = found.setdefault(topic, _There(publishers=[], subscriptions=[]))
                    latched = int(info.qos_profile.durability) == int(DurabilityPolicy.TRANSIENT_LOCAL)
                    (entry.publishers if publishes else entry.subscriptions).append(latched)
                    if publishes:
                        entry.node = f"{info.node_namespace.rstrip('/')}/{info.node_name}"
        return found

    # --- from ROS 2 to us

    def _join_from_there(self, there: dict[Topic, _There], wanted: set[Topic]) -> None:
        for topic, entry in there.items():
            if entry.publishers and topic not in self._from_there:
                self._from_there[topic] = self._stand_in(topic, entry), None
        for topic, (proxy, subscription) in tuple(self._from_there.items()):
            alive = topic in there and there[topic].publishers
            if subscription is not None and not (alive and topic in wanted):
                self._node.destroy_subscription(subscription)
                self._from_there[topic] = proxy, None
            if not alive:
                del self._from_there[topic]
                self.door.post(lambda proxy=proxy: self.door.remove(proxy))  # type: ignore[misc]
            elif subscription is None and topic in wanted:
                self._from_there[topic] = proxy, self._subscribe(topic, proxy, latched=all(there[topic].publishers))

    def _stand_in(self, topic: Topic, entry: _There) -> FarPublisher:
        durability = DurabilityPolicy.TRANSIENT_LOCAL if all(entry.publishers) else DurabilityPolicy.VOLATILE
        endpoint = Endpoint(
            kind=PUBLISHER,
            gid=self.door.new_gid(),
            name=topic[0],
            type_name=topic[1],
            type_hash=topic[2],
            node=entry.node,
            qos=QoSProfile(depth=DEPTH, durability=durability),
        )
        proxy = FarPublisher(endpoint, self.door.bus)
        self.door.post(lambda: self.door.add(proxy))
        return proxy

    def _subscribe(self, topic: Topic, proxy: FarPublisher, *, latched: bool) -> Any:
        def take(octets: bytes) -> None:
            now = time.time()
            if self._is_own(topic, octets):
                return
            self.door.post(lambda: proxy.publish_next(now, bytes(octets)))

        profile = self._profile(latched=latched, reliable=False)
        return self._node.create_subscription(self._types.message(topic[1]), topic[0], take, profile, raw=True)

    def _is_own(self, topic: Topic, octets: bytes) -> bool:
        """Tell whether this bridge has published that; not every version of rclpy says who has."""
        digest, now = hash(bytes(octets)), time.monotonic()
        with self._lock:
            own = self._own.get(topic, deque())
            while own and own[0][0] < now:
                own.popleft()
            for entry in own:
                if entry[1] == digest:
                    own.remove(entry)
                    return True
        return False

    # --- from us to ROS 2

    def _join_to_there(self, there: dict[Topic, _There], offered: dict[Topic, list[Endpoint]]) -> None:
        for topic in offered.keys() - self._to_there.keys():
            if self._types.message(topic[1]) is not None:
                self._to_there[topic] = self._publish(topic, offered[topic])
        for topic in self._to_there.keys() - offered.keys():
            proxy, publisher = self._to_there.pop(topic)
            self.door.post(lambda proxy=proxy: self.door.remove(proxy))  # type: ignore[misc]
            self._node.destroy_publisher(publisher)

    def _publish(self, topic: Topic, publishers: list[Endpoint]) -> tuple[Proxy, Any]:
        latched = all(endpoint.qos.latched for endpoint in publishers)
        profile = self._profile(latched=latched, reliable=True)
        publisher = self._node.create_publisher(self._types.message(topic[1]), topic[0], profile)
        latecomer = Latecomer(time.monotonic) if latched else None

        def put(frame: Frame, payload: Buffer, peer: str) -> None:
            if peer == HERE:
                return  # it came from there
            with self._lock:
                if topic not in self._to_there or self._to_there[topic][1] is not publisher:
                    return
                admitted = [(frame, payload)]
                if latecomer is not None:
                    admitted = [*latecomer.overdue(), *latecomer.admit(frame, payload)]
                for _, octets in admitted:
                    message = bytes(octets)
                    if self._from_there.get(topic, (None, None))[1] is not None:
                        own = self._own.setdefault(topic, deque(maxlen=OWN_MAX))
                        own.append((time.monotonic() + OWN_S, hash(message)))
                    publisher.publish(message)

        proxy = Proxy(listener(publishers[0], self.door.new_gid(), f"/_{NAME}", latched=latched), put)
        self.door.post(lambda: self.door.add(proxy))
        return proxy, publisher

    def _profile(self, *, latched: bool, reliable: bool) -> Any:
        qos = self._qos
        durability, reliability = qos.DurabilityPolicy, qos.ReliabilityPolicy
        return qos.QoSProfile(
            depth=DEPTH,
            durability=durability.TRANSIENT_LOCAL if latched else durability.VOLATILE,
            reliability=reliability.RELIABLE if reliable else reliability.BEST_EFFORT,
        )


def _topic(endpoint: Endpoint) -> Topic:
    return endpoint.name, endpoint.type_name, endpoint.type_hash


def run_here(announce: Callable[[str], object]) -> None:
    """Run a bridge on this machine's ROS 2 until Ctrl-C; `announce` gets a line when it runs.

    Raises:
        ROSError: there is no ROS 2 that can be imported, or the side in our domain failed.
    """
    try:
        rclpy, modules = import_module("rclpy"), Rclpy.load()
    except ModuleNotFoundError as error:
        raise ROSError(f"no ROS 2 can be imported ({error}): source its setup.bash first") from error
    rclpy.init()
    executor = import_module("rclpy.executors").SingleThreadedExecutor()
    node = rclpy.create_node(NAME)
    bridge = Ros2Bridge(node, modules)
    thread = threading.Thread(target=bridge.run, name="ros-door", daemon=True)
    thread.start()
    announce(f"joined with {rclpy.get_rmw_implementation_identifier()}")
    try:
        executor.add_node(node)
        while rclpy.ok() and not bridge.failed:
            executor.spin_once(timeout_sec=PATIENCE_S)
    finally:
        bridge.end()
        thread.join()
        bridge.close()
        rclpy.try_shutdown()
    if bridge.failed:
        raise ROSError("the side of this bridge in our domain has failed: the log says why")
