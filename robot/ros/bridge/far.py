"""What a link knows of one robot, and how its announcements and frames are read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from robot.ros.bridge.instants import is_possible
from robot.ros.bridge.proxies import Proxy
from robot.ros.bridge.seldom import News
from robot.ros.graph import Endpoint
from robot.ros.security.policy import VERBS
from robot.ros.transport.frame import Frame, FrameError

VERSION = 1
ASKED_MAX = 10_000  # requests without an answer that are remembered
SEQUENCE_MAX = 2**63 - 1  # others than we count with a sign
Topic = tuple[str, str, str, bool]  # name, type, hash, whether kept messages are wanted


class Far:
    """What one robot has, and what stands for it here."""

    def __init__(self) -> None:
        self.announced: list[Endpoint] = []
        self.endpoints: dict[bytes, Endpoint] = {}  # of those, what the policy allows
        self.proxies: dict[bytes, Proxy] = {}
        self.listeners: dict[Topic, Proxy] = {}
        self.refused = News()
        self.asked: dict[tuple[bytes, int], None] = {}  # requests that it may answer: client and number

    def ask(self, client: bytes, sequence: int) -> None:
        """Note that the robot may answer a request of a client."""
        self.asked[client, sequence] = None
        if len(self.asked) > ASKED_MAX:
            del self.asked[next(iter(self.asked))]

    def answer(self, client: bytes, sequence: int) -> None:
        """Note that it has; raises FrameError when it was not asked."""
        if (client, sequence) not in self.asked:
            raise FrameError("it answers what it was not asked")
        del self.asked[client, sequence]


def announcement(endpoints: Iterable[Endpoint]) -> bytes:
    """Write what `read_announcement` reads."""
    return json.dumps({"version": VERSION, "endpoints": [endpoint.to_json() for endpoint in endpoints]}).encode()


def read_announcement(text: bytes) -> list[Endpoint]:
    """Return the endpoints a robot has; raises FrameError for anything else."""
    try:
        content: Any = json.loads(text)
        if content["version"] != VERSION:
            raise FrameError(f"it speaks version {content['version']!r} of the link, this is {VERSION}")
        endpoints = [Endpoint.from_json(entry) for entry in content["endpoints"]]
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise FrameError(f"an announcement that cannot be read: {error!r}") from error
    for endpoint in endpoints:
        if endpoint.kind not in VERBS:
            raise FrameError(f"expected one of {sorted(VERBS)}, got {endpoint.kind!r}")
    return endpoints


def check(frame: Frame) -> None:
    """Raise FrameError for a frame that no endpoint can have sent."""
    if not is_possible(frame.stamp):
        raise FrameError("an impossible instant")
    if frame.sequence > SEQUENCE_MAX:
        raise FrameError("an impossible number")
