"""Encrypted TCP between the links of robots: CURVE, a key per robot, and only keys that are in the folder.

A thread owns the sockets. What arrives is handed over with the name that belongs to the sender's key. Keys are looked
at anew at every handshake and twice a second: a robot whose key was removed or replaced is not heard from then on, and
gets nothing more.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping

import zmq
from zmq.utils import z85

from robot.ros.bridge.bell import Bell
from robot.ros.bridge.seldom import News, Seldom
from robot.ros.exceptions import ROSError
from robot.ros.security.keys import Keys

log = logging.getLogger(__name__)

QUEUE = 200  # messages that wait for a robot; more are dropped
LARGEST = 64 * 1024 * 1024 + 4096  # bytes of a message
LOOK = 0.5  # [s] between looks at keys and at who is silent
BEAT_EVERY, SILENT = 1.0, 5.0  # [s]
STARTS, START_EVERY = 10, 5.0  # starts of a robot that are believed in a row, and [s] until one more is
HANDSHAKE = 5000  # [ms]
ZAP = "inproc://zeromq.zap.01"
BEAT = b"."


def checked_address(text: str) -> str:
    """Return `HOST:PORT` as it is; raises ROSError when it is none that one can go to."""
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise ROSError(f"expected HOST:PORT with a port of 1 to 65535, got {text!r}")
    return text


class Wire:
    """The sockets of one robot.

    Args:
        listen: `HOST:PORT` to be reached at, port 0 = any free one; None = nobody connects here.
        connect: `HOST:PORT` of robots by their names.
        on_message: takes a robot's name and the parts of a message; called on the wire's thread, as is the next.
        on_state: takes a robot's name and whether it is there now.
        on_look: called on the wire's thread twice a second.
        on_failure: called when the thread ends by a fault, which is logged; `failed` is true then.

    Raises:
        ROSError: the keys cannot be used, or an address is none.
    """

    def __init__(
        self,
        keys: Keys,
        *,
        listen: str | None,
        connect: Mapping[str, str],
        on_message: Callable[[str, list[bytes]], None],
        on_state: Callable[[str, bool], None],
        on_failure: Callable[[], None],
        on_look: Callable[[], None] = lambda: None,
    ) -> None:
        self._keys, self._own = keys, keys.own()
        self._connect = {name: checked_address(address) for name, address in connect.items()}
        self._on_message, self._on_state, self._on_failure = on_message, on_state, on_failure
        self._on_look = on_look
        self.failed = False
        self._zmq = zmq.Context()
        self._queue: deque[tuple[str, list[bytes]]] = deque()
        self._bell = Bell()
        self._dealers: dict[str, tuple[bytes, zmq.Socket[bytes]]] = {}  # key and socket
        self._routes: dict[str, tuple[bytes, bytes]] = {}  # key and identity, of robots that came to us
        self._heard_at: dict[str, float] = {}
        self._boots: dict[str, bytes] = {}
        self._starts: dict[str, tuple[float, float]] = {}  # how many more are believed, and since when
        self._restless = Seldom()
        self._boot = os.urandom(8)
        self._turns: dict[str, int] = {}  # how often we gave a robot up: it has to introduce itself anew
        self._names: dict[bytes, str] = {}
        self._refused = News()
        self._beat_at = 0.0
        self._ended = threading.Event()
        self._dropped = Seldom()
        self._poller = zmq.Poller()
        self._poller.register(self._bell.fd, zmq.POLLIN)
        self._zap = self._zmq.socket(zmq.REP)
        self._zap.bind(ZAP)
        self._poller.register(self._zap, zmq.POLLIN)
        self._router: zmq.Socket[bytes] | None = None
        self.address: str | None = None
        if listen is not None:
            self._listen(listen)
        self._thread = threading.Thread(target=self._run, name="ros-wire", daemon=True)

    def _options(self, socket: zmq.Socket[bytes]) -> None:
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.SNDHWM, QUEUE)
        socket.setsockopt(zmq.RCVHWM, QUEUE)
        socket.setsockopt(zmq.MAXMSGSIZE, LARGEST)
        socket.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE)
        socket.curve_publickey, socket.curve_secretkey = self._own.public, self._own.secret

    def _listen(self, listen: str) -> None:
        router = self._zmq.socket(zmq.ROUTER)
        self._options(router)
        router.setsockopt(zmq.ROUTER_MANDATORY, 1)
        router.curve_server = True
        try:
            router.bind(f"tcp://{listen.removesuffix(':0') + ':*' if listen.endswith(':0') else listen}")
        except zmq.ZMQError as error:
            raise ROSError(f"cannot listen at {listen}: {error}; expected HOST:PORT of this machine") from error
        self.address = router.getsockopt_string(zmq.LAST_ENDPOINT).removeprefix("tcp://")
        self._poller.register(router, zmq.POLLIN)
        self._router = router

    def start(self) -> None:
        self._thread.start()

    def send(self, robot: str, parts: list[bytes]) -> None:
        """Send a message to a robot that is there, in order; callable from any thread."""
        self._queue.append((robot, parts))
        self._bell.ring()

    def close(self) -> None:
        self._ended.set()
        self._bell.ring()
        if self._thread.is_alive():
            self._thread.join()
        self._zmq.destroy(linger=0)

    # --- the thread

    def _run(self) -> None:
        try:
            self._go_on()
        except Exception:
            log.exception("the connections to other robots have failed")
            self.failed = True
            self._on_failure()

    def _go_on(self) -> None:
        look_at = 0.0
        while not self._ended.is_set():
            now = time.monotonic()
            if now >= look_at:
                self._look(now)
                look_at = now + LOOK
            for source, _ in self._poller.poll(math.ceil(max(0.0, look_at - now) * 1000.0)):
                if source is self._zap:
                    self._authenticate()
                elif source is self._router:
                    self._take_from_router(self._router)
                elif isinstance(source, zmq.Socket):
                    self._take_from_dealer(source)
                else:
                    self._bell.silence()
            while self._queue:
                self._send(*self._queue.popleft())

    def _look(self, now: float) -> None:
        self._on_look()
        peers = self._keys.peers()
        self._names = {key: name for name, key in peers.items()}
        replaced = {
            name
            for name, (key, _) in (*self._dealers.items(), *self._routes.items())
            if name in peers and peers[name] != key
        }
        for name, (key, _) in tuple(self._dealers.items()):
            if peers.get(name) != key:
                self._hang_up(name)
        for name, address in self._connect.items():
            if name in peers and name not in self._dealers:
                self._call(name, address, peers[name])
            elif name not in peers:
                self._refuse(f"{name} at {address}: there is no key of that name")
        for name, heard_at in tuple(self._heard_at.items()):
            if name not in peers:
                log.warning("%s: its key was removed, it is not heard any more", name)
                self._give_up(name)
            elif name in replaced:
                log.warning("%s: its key was replaced, the one with the old key is not heard any more", name)
                self._give_up(name)
            elif now - heard_at > SILENT:
                log.warning("%s: silent for %.0f s", name, SILENT)
                self._give_up(name)
        if now - self._beat_at >= BEAT_EVERY:
            self._beat_at = now
            for name in {*self._dealers, *self._routes}:
                self._send(name, self._beat(name))

    def _beat(self, name: str) -> list[bytes]:
        return [BEAT, self._boot + self._turns.get(name, 0).to_bytes(8, "big")]

    def _give_up(self, name: str) -> None:
        self._turns[name] = self._turns.get(name, 0) + 1
        self._lose(name)

    def _call(self, name: str, address: str, key: bytes) -> None:
        dealer = self._zmq.socket(zmq.DEALER)
        self._options(dealer)
        dealer.setsockopt(zmq.RECONNECT_IVL, 100)
        dealer.setsockopt(zmq.RECONNECT_IVL_MAX, 2000)
        try:
            dealer.curve_serverkey = key
            dealer.connect(f"tcp://{address}")
        except zmq.ZMQError as error:
            dealer.close(linger=0)
            self._refuse(f"{name} at {address}: {error}")
            return
        self._poller.register(dealer, zmq.POLLIN)
        self._dealers[name] = key, dealer
        self._beat_at = 0.0  # introduce ourselves

    def _hang_up(self, name: str) -> None:
        _, dealer = self._dealers.pop(name)
        self._poller.unregister(dealer)
        dealer.close(linger=0)

    def _lose(self, name: str) -> None:
        self._heard_at.pop(name, None)
        self._routes.pop(name, None)
        self._boots.pop(name, None)
        self._on_state(name, False)

    def _refuse(self, text: str) -> None:
        if self._refused.is_news(text):
            log.warning("refused %s", text)

    def _authenticate(self) -> None:
        """Answer ZeroMQ's question whether a key may connect (https://rfc.zeromq.org/spec/27/)."""
        version, request, _, address, _, mechanism, *credentials = self._zap.recv_multipart()
        key = z85.encode(credentials[0]) if mechanism == b"CURVE" and credentials else b""
        name = {key: name for name, key in self._keys.peers().items()}.get(key)
        if name is None:
            self._refuse(f"a robot with the unknown key {key.decode()} from {address.decode(errors='replace')}")
            verdict = [b"400", b"unknown key", b"", b""]
        else:
            self._names[key] = name
            verdict = [b"200", b"OK", key, b""]
        self._zap.send_multipart([version, request, *verdict])

    def _take_from_router(self, router: zmq.Socket[bytes]) -> None:
        with contextlib.suppress(zmq.Again):
            for _ in range(QUEUE):
                frames = router.recv_multipart(zmq.NOBLOCK, copy=False)
                key = str(frames[-1].get("User-Id")).encode()
                name = self._names.get(key)
                if name is not None and len(frames) > 1:
                    self._take(name, [frame.bytes for frame in frames[1:]], (key, frames[0].bytes))

    def _take_from_dealer(self, dealer: zmq.Socket[bytes]) -> None:
        name = next((name for name, (_, socket) in self._dealers.items() if socket is dealer), None)
        with contextlib.suppress(zmq.Again):
            for _ in range(QUEUE):
                parts = dealer.recv_multipart(zmq.NOBLOCK)
                if name is not None:
                    self._take(name, parts)

    def _take(self, name: str, parts: list[bytes], route: tuple[bytes, bytes] | None = None) -> None:
        if parts[0] == BEAT and self._boots.get(name) != parts[-1] and self._is_believed(name):
            if name in self._boots:
                self._lose(name)  # it was started again, or had given us up
            log.info("%s is there", name)
            self._boots[name] = parts[-1]
            if route is not None:
                self._routes[name] = route
            self._send(name, self._beat(name))
            self._on_state(name, True)
        if name in self._boots:
            self._heard_at[name] = time.monotonic()
            if route is not None:
                self._routes[name] = route
            if parts[0] != BEAT:
                self._on_message(name, parts)

    def _is_believed(self, name: str) -> bool:
        """Tell whether to take it that a robot was started; each start makes everybody introduce themselves anew."""
        now = time.monotonic()
        left, at = self._starts.get(name, (STARTS, now))
        left = min(STARTS, left + (now - at) / START_EVERY)
        if left < 1:
            self._starts[name] = left, now
            if self._restless.again():
                log.warning("%s: started too often, %d more times ignored so far", name, self._restless.count)
            if name in self._boots:
                self._give_up(name)
            return False
        self._starts[name] = left - 1, now
        return True

    def _send(self, name: str, parts: list[bytes]) -> None:
        try:
            if name in self._routes and self._router is not None:
                self._router.send_multipart([self._routes[name][1], *parts], zmq.NOBLOCK)
            elif name in self._dealers:
                self._dealers[name][1].send_multipart(parts, zmq.NOBLOCK)
        except zmq.ZMQError as error:
            if parts[0] == BEAT:
                return
            if self._dropped.again():
                log.warning("dropped a message for %s: %s (%d dropped so far)", name, error, self._dropped.count)
