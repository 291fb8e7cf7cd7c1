"""Join this machine's domain with those of other robots, as far as keys and policy allow.

What a robot offers or wants appears here as if it were on this machine, under its own names; messages, requests and
replies pass as the bytes they are. A robot's link never hands on what it got from another robot's.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping

from robot.ros.bridge.door import Door
from robot.ros.bridge.far import Far, Topic, announcement, check, read_announcement
from robot.ros.bridge.inbox import FRAME, HELLO, Inbox
from robot.ros.bridge.proxies import FarPublisher, Listener, Proxy, listener, twin
from robot.ros.bridge.seldom import News, Seldom
from robot.ros.bridge.wire import Wire
from robot.ros.bus import HERE
from robot.ros.exceptions import ROSError
from robot.ros.graph import CLIENT, PUBLISHER, SERVICE, SUBSCRIPTION, Endpoint
from robot.ros.latecomer import Latecomer
from robot.ros.security.keys import Keys
from robot.ros.security.policy import VERBS, Policy, PolicyError, PolicyFile
from robot.ros.transport.frame import ASSERT, DATA, GID_SIZE, REPLY, REQUEST, Buffer, Frame, FrameError, pack, unpack

log = logging.getLogger(__name__)

TEXT_MAX = 1000  # characters of what a robot wanted, in the log


class Link:
    """The link of one robot.

    Args:
        keys: whom to let in, and the policy.
        listen, connect: as `Wire` takes them.
        domain_id: None = ROS_DOMAIN_ID, else 0.

    Raises:
        ROSError: keys or policy cannot be used, or there is a link in this domain already.
    """

    def __init__(
        self, keys: Keys, *, listen: str | None, connect: Mapping[str, str], domain_id: int | None = None
    ) -> None:
        self._file = PolicyFile(keys.policy)
        self._policy: Policy = self._file.policy
        self._lock = threading.RLock()
        self._far: dict[str, Far] = {}
        self._near: dict[bytes, tuple[str, Endpoint]] = {}
        self._told: dict[bytes, Endpoint] = {}
        self._inboxes: dict[str, Inbox] = {}  # of the wire's thread
        self._bad: dict[str, Seldom] = {}
        self.wire = Wire(
            keys,
            listen=listen,
            connect=connect,
            on_message=self._on_message,
            on_state=self._on_state,
            on_failure=self.end,
            on_look=self._look,
        )
        try:
            self.door = Door("link", self._export, domain_id=domain_id)
        except BaseException:
            self.wire.close()
            raise
        self.wire.start()

    def run(self) -> None:
        """Go on until `end`.

        Raises:
            ROSError: nobody can be reached any more.
        """
        self.door.run()
        if self.wire.failed:
            raise ROSError("the connections of this link have failed: the log says why")

    def end(self) -> None:
        self.door.end()

    def close(self) -> None:
        self.wire.close()
        self.door.close()

    def robots(self) -> list[str]:
        """List the robots that are there."""
        return sorted(self._far)

    # --- what we have

    def _export(self) -> None:
        """Tell all robots what this domain has, if that is news."""
        with self._lock:
            self._near = self.door.near()
            now = {gid: endpoint for gid, (_, endpoint) in self._near.items()}
            if now != self._told:
                self._told = now
                for robot in self._far:
                    self._introduce(robot)

    def _introduce(self, robot: str) -> None:
        self.wire.send(robot, [HELLO, announcement(self._told.values())])

    def _send(self, robot: str, frame: Frame, payload: Buffer, service: bytes = b"") -> None:
        self.wire.send(robot, [FRAME, service, pack(frame), bytes(payload)])

    # --- the policy

    def _look(self) -> None:
        """Read the policy again when its file has changed; one that cannot be read leaves the old one in force."""
        try:
            changed = self._file.has_changed()
        except PolicyError as error:
            log.error("the policy before this one stays in force: %s", error)
            return
        if changed:
            log.info("the policy has changed")
            policy = self._file.policy
            self.door.post(lambda: self._judge(policy))

    def _judge(self, policy: Policy) -> None:
        """Apply a policy to what all robots have announced."""
        with self._lock:
            self._policy = policy
            for robot, far in self._far.items():
                far.refused = News()
                self._on_hello(robot, far, far.announced)

    # --- what others have; the wire's thread hands over to the door's

    def _on_state(self, robot: str, here: bool) -> None:
        self.door.post(lambda: self._arrive(robot) if here else self._leave(robot))

    def _on_message(self, robot: str, parts: list[bytes]) -> None:
        inbox = self._inboxes.setdefault(robot, Inbox(robot))
        if inbox.put(parts):
            self.door.post(lambda: self._take(robot, inbox.take()))

    def _arrive(self, robot: str) -> None:
        with self._lock:
            self._far.setdefault(robot, Far())
            self._introduce(robot)

    def _leave(self, robot: str) -> None:
        with self._lock:
            far = self._far.pop(robot, None)
            for proxy in () if far is None else (*far.proxies.values(), *far.listeners.values()):
                self.door.remove(proxy)

    def _take(self, robot: str, parts: list[bytes]) -> None:
        with self._lock:
            far = self._far.get(robot)
            if far is None:
                return  # it has left, or its key was removed
            try:
                if parts[0] == HELLO and len(parts) == 2:
                    self._on_hello(robot, far, read_announcement(parts[1]))
                elif parts[0] == FRAME and len(parts) == 4:
                    frame, _, _ = unpack(parts[2])
                    check(frame)
                    self._on_frame(far, frame, parts[3], parts[1])
                else:
                    raise FrameError("an unknown kind of message")
            except FrameError as error:
                self._tell_bad(robot, str(error))
            except Exception as error:  # noqa: BLE001 (one robot's message must not end the link of all)
                self._tell_bad(robot, repr(error))

    def _tell_bad(self, robot: str, why: str) -> None:
        bad = self._bad.setdefault(robot, Seldom())
        if bad.again():
            log.warning("dropped a message of %s: %s (%d bad ones so far)", robot, why[:TEXT_MAX], bad.count)

    def _on_hello(self, robot: str, far: Far, endpoints: Iterable[Endpoint]) -> None:
        far.announced = every = list(endpoints)
        now = {endpoint.gid: endpoint for endpoint in every if self._policy.allows(robot, endpoint)}
        self._tell_refused(robot, far, [endpoint for endpoint in every if endpoint.gid not in now])
        for gid in far.endpoints.keys() - now.keys():
            if gid in far.proxies:
                self.door.remove(far.proxies.pop(gid))
        for gid in now.keys() - far.endpoints.keys():
            proxy = self._stand_in(robot, now[gid])
            if proxy is not None:
                far.proxies[gid] = proxy
                self.door.add(proxy)
        far.endpoints = now
        self._listen(robot, far)

    def _tell_refused(self, robot: str, far: Far, refused: list[Endpoint]) -> None:
        by_node: dict[str, set[str]] = {}
        for endpoint in refused:
            by_node.setdefault(endpoint.node, set()).add(f"{VERBS[endpoint.kind]} {endpoint.name}")
        for node, words in by_node.items():
            text = f"{node} of {robot}: the policy does not let it {', '.join(sorted(words))}"
            if far.refused.is_news(text):
                log.warning("refused %s", text[:TEXT_MAX])

    def _stand_in(self, robot: str, endpoint: Endpoint) -> Proxy | None:
        """Make the proxy of a far endpoint; subscriptions have one in common, made by `_listen`."""
        here = twin(endpoint, self.door.new_gid())
        if endpoint.kind == PUBLISHER:
            return FarPublisher(here, self.door.bus)
        if endpoint.kind == SERVICE:
            return Proxy(here, self._requester(robot, endpoint.gid))
        if endpoint.kind == CLIENT:
            return Proxy(here, self._replier(robot, endpoint.gid))
        return None

    def _requester(self, robot: str, service: bytes) -> Callable[[Frame, Buffer, str], None]:
        def request(frame: Frame, payload: Buffer, peer: str) -> None:
            self._tell_of(frame.gid)
            with self._lock:
                far = self._far.get(robot)
                if far is None:
                    return
                far.ask(frame.gid, frame.sequence)
            self._send(robot, frame, payload, service)

        return request

    def _replier(self, robot: str, client: bytes) -> Callable[[Frame, Buffer, str], None]:
        def reply(frame: Frame, payload: Buffer, peer: str) -> None:
            self._send(robot, frame._replace(gid=client), payload)

        return reply

    def _tell_of(self, gid: bytes) -> None:
        """Let others know of an endpoint before the first of its messages."""
        if gid not in self._told:
            self._export()

    def _listen(self, robot: str, far: Far) -> None:
        """Subscribe to what a robot wants, once per topic, and once more where it wants what was kept."""
        wanted: dict[Topic, Endpoint] = {}
        for endpoint in far.endpoints.values():
            if endpoint.kind == SUBSCRIPTION:
                topic = endpoint.name, endpoint.type_name, endpoint.type_hash
                wanted[(*topic, False)] = endpoint
                if endpoint.qos.latched:
                    wanted[(*topic, True)] = endpoint
        for key in far.listeners.keys() - wanted.keys():
            self.door.remove(far.listeners.pop(key))
        for key in sorted(wanted.keys() - far.listeners.keys()):
            here = listener(wanted[key], self.door.new_gid(), f"/_link_{robot}", latched=key[3])
            proxy = Listener(here, self._forwarder(robot, far, key), self._asserter(robot))
            far.listeners[key] = proxy
            self.door.add(proxy)

    def _forwarder(self, robot: str, far: Far, topic: Topic) -> Callable[[Frame, Buffer, str], None]:
        keeping = (*topic[:3], True)
        latecomer = Latecomer(time.monotonic) if topic[3] else None

        def forward(frame: Frame, payload: Buffer, peer: str) -> None:
            if peer == HERE:
                return  # it came from a robot
            self._tell_of(frame.gid)
            _, publisher = self._near.get(frame.gid, ("", None))
            if not topic[3] and publisher is not None and publisher.qos.latched and keeping in far.listeners:
                return  # the listener for what is kept hears it too
            with self._lock:
                admitted = [(frame, payload)]
                if latecomer is not None:
                    admitted = [*latecomer.overdue(), *latecomer.admit(frame, payload)]
                for one, octets in admitted:
                    self._send(robot, Frame(DATA, one.gid, one.sequence, one.stamp), octets)

        return forward

    def _asserter(self, robot: str) -> Callable[[bytes], None]:
        def assert_(gid: bytes) -> None:
            if gid in self._near:
                self._send(robot, Frame(ASSERT, gid), b"")

        return assert_

    def _on_frame(self, far: Far, frame: Frame, payload: bytes, service: bytes) -> None:
        if frame.kind == REPLY:
            owner, client = self._near.get(frame.gid, ("", None))
            far.answer(frame.gid, frame.sequence)
            if client is not None:
                self.door.bus.reply(owner, frame, payload)
            return
        proxy = far.proxies.get(frame.gid)
        if proxy is None:
            raise FrameError(f"it comes from {frame.gid.hex()}, which was not announced, or is not allowed")
        if frame.kind == REQUEST and proxy.endpoint.kind == CLIENT and len(service) == GID_SIZE:
            owner, offered = self._near.get(service, ("", None))
            if offered is not None and offered.kind == SERVICE and offered.name == proxy.endpoint.name:
                self.door.transport.send([owner], frame._replace(gid=proxy.endpoint.gid), payload)
        elif frame.kind == DATA and isinstance(proxy, FarPublisher):
            proxy.publish(frame.sequence, frame.stamp, payload)
        elif frame.kind == ASSERT and isinstance(proxy, FarPublisher):
            self.door.bus.assert_liveliness(proxy.endpoint.gid)
        else:
            raise FrameError(f"a {proxy.endpoint.kind} sent a frame of kind {frame.kind}")
