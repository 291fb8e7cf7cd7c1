"""Requests from Zenoh to a service of this domain: what is not answered is given up, and dropped with the service."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from robot.ros.bridge import zenoh_services
from robot.ros.bridge.proxies import Proxy
from robot.ros.bridge.zenoh_names import Attachment
from robot.ros.bridge.zenoh_services import Services
from robot.ros.graph import SERVICE, Endpoint
from robot.ros.qos import QoSProfile
from robot.ros.transport.frame import REPLY, Frame

ADD = Endpoint(
    kind=SERVICE,
    gid=b"s" * 16,
    name="/add",
    type_name="example_interfaces/srv/AddTwoInts",
    type_hash="RIHS01_" + "0" * 64,
    node="/adder",
    qos=QoSProfile(depth=10),
)


class Octets:
    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def to_bytes(self) -> bytes:
        return self._octets


class Query:
    """As Zenoh hands one over."""

    def __init__(self, number: int) -> None:
        self.attachment = Octets(Attachment(sequence=number, stamp_ns=0, gid=bytes(16)).encode())
        self.payload = Octets(b"payload")
        self.answered = self.dropped = False

    def reply(self, *_: object, **__: object) -> None:
        self.answered = True

    def drop(self) -> None:
        self.dropped = True


class World:
    """A session, a module and a door that do what is posted at once."""

    REMOTE = Locality = None

    def __init__(self) -> None:
        self.sent: list[Frame] = []
        self.proxies: list[Proxy] = []
        self.transport = self
        self._numbers = count(1)
        self.Locality = self  # type: ignore[assignment]
        self.take: Callable[[Any], None] = lambda _: None

    def new_gid(self) -> bytes:
        return next(self._numbers).to_bytes(16, "big")

    def add(self, proxy: Proxy) -> None:
        self.proxies.append(proxy)

    def remove(self, proxy: Proxy) -> None:
        self.proxies.remove(proxy)

    def post(self, work: Callable[[], None]) -> None:
        work()

    def send(self, to: list[str], frame: Frame, payload: bytes) -> None:
        self.sent.append(frame)

    def declare_queryable(self, where: str, take: Callable[[Any], None], **_: object) -> World:
        self.take = take
        return self

    def undeclare(self) -> None:
        pass


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def services(world: World) -> Services:
    anything: Any = world
    made = Services(anything, anything, 0, anything)
    made.offer("owner", ADD)
    return made


def test_a_request_without_an_answer_is_given_up_only_when_too_many_are(
    world: World, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zenoh_services, "ASKED_MAX", 2)
    [proxy] = world.proxies
    slow = Query(0)
    world.take(slow)
    for number in range(1, 10):  # quick ones do not count
        query = Query(number)
        world.take(query)
        proxy.deliver(Frame(REPLY, proxy.endpoint.gid, world.sent[-1].sequence, 0.0), b"", "")
        assert query.answered and query.dropped
    assert not slow.dropped
    others = [Query(10), Query(11)]
    for query in others:
        world.take(query)
    assert (slow.dropped, slow.answered) == (True, False)
    assert [query.dropped for query in others] == [False, False]


def test_who_asked_a_service_that_goes_is_told_so(world: World, services: Services) -> None:
    waiting, late = Query(1), Query(2)
    world.take(waiting)
    services.withdraw(ADD.gid)
    assert waiting.dropped and not waiting.answered
    assert world.proxies == []
    world.take(late)
    assert late.dropped
    assert len(world.sent) == 1
