"""Record topics into a bag (MCAP with metadata.yaml, as rosbag2 and Foxglove read it), play and describe bags.

Messages are written and sent as the bytes they came as. Files are read and written by `rosbags`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robot.ros.duration import NANOSECONDS
from robot.ros.idl import InterfaceError
from robot.ros.interfaces import registry, rosgraph_msgs
from robot.ros.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from robot.ros.tools import bag_repair
from robot.ros.tools.session import Session, ToolError, load, missing
from robot.ros.tools.topics import matching_qos

if TYPE_CHECKING:
    from rosbags.rosbag2 import Reader, Writer

SEPARATOR = "=" * 80
LOOK_EVERY_S = 0.2  # for topics that have come since
WRITE_EVERY_S = 1.0  # how much a killed recorder may lose
DEPTH = 1000  # messages that wait while a file is written


def need_rosbags() -> None:
    if find_spec("rosbags") is None:
        raise ToolError("bags need the package rosbags: pip install 'berrybrain[bag]'")


def definition(name: str) -> str:
    """Return a message's interface file with those of all it is made of behind it, as bags carry them."""
    parts: dict[str, str] = {}

    def collect(message: str) -> None:
        if message not in parts:
            spec = registry.spec(message)
            parts[message] = registry.text(message).rstrip() + "\n"
            for field in spec.fields:
                if not field.type.is_primitive:
                    collect(field.type.base)

    collect(name)
    first, *others = parts.items()
    blocks = [f"{SEPARATOR}\nMSG: {message.replace('/msg/', '/')}\n{text}" for message, text in others]
    return first[1] + "".join(blocks)


class Recorder:
    """Writes what it subscribes to.

    Args:
        session: gives the node.
        folder: the bag, which must not exist yet.
        topics: names, or empty for all that are there and come later.
        compress: chunks with zstd.
    """

    def __init__(self, session: Session, folder: Path, topics: Iterable[str] = (), *, compress: bool = False) -> None:
        need_rosbags()
        from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

        if folder.exists():
            raise ToolError(f"{folder} is there already; name another folder with -o")
        self._session = session
        self._wanted = [session.resolve(topic) for topic in topics]
        self._writer: Writer = Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP)
        if compress:
            self._writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
        self._writer.open()
        self._file: Any = self._writer.storage  # rosbags' own writer of the file
        bag_repair.lock(self._file.bio)
        self._written_at = time.monotonic()
        self.counts: dict[str, int] = {}
        self.skipped: dict[str, str] = {}

    def look(self) -> list[str]:
        """Subscribe to what has come since; return the topics added."""
        added = []
        for topic, kinds in self._session.topics(hidden=bool(self._wanted)).items():
            if topic in self.counts or topic in self.skipped or (self._wanted and topic not in self._wanted):
                continue
            try:
                self._subscribe(topic, kinds[0])
                added.append(topic)
            except InterfaceError as error:
                self.skipped[topic] = str(error)
        return added

    def _subscribe(self, topic: str, kind: str) -> None:
        text, digest = definition(kind), registry.hash(kind)
        profile = matching_qos(self._session, topic, DEPTH)
        connection = self._writer.add_connection(
            topic, kind, msgdef=text, rihs01=digest, offered_qos_profiles=[_qos_for_bag(profile)]
        )
        self.counts[topic] = 0

        def write(data: bytes) -> None:
            self._writer.write(connection, time.time_ns(), data)
            self.counts[topic] += 1

        self._session.node.create_subscription(load(kind), topic, write, profile, raw=True)

    def run(self, until: Callable[[], bool] = lambda: False, on_topic: Callable[[str], None] = lambda _: None) -> None:
        """Record until the condition holds."""
        while not until():
            for topic in self.look():
                on_topic(topic)
            if self._session.spin_until(until, LOOK_EVERY_S):
                return
            if time.monotonic() - self._written_at > WRITE_EVERY_S:
                self.write_out()

    def write_out(self) -> None:
        """Hand what has come so far to the system, so that it is there when this process is killed."""
        write_out(self._file)
        self._written_at = time.monotonic()

    def close(self) -> None:
        """End the files; whoever opens a bag that was not ended does so first."""
        self._writer.close()


def write_out(file: Any) -> None:
    """End the chunk of an MCAP file that rosbags has open, and hand it to the system."""
    if file.chunk.bio.tell():
        file.close_chunk()
    file.bio.flush()


def _qos_for_bag(profile: QoSProfile) -> Any:
    from rosbags.interfaces import (
        Qos,
        QosDurability,
        QosHistory,
        QosLiveliness,
        QosReliability,
        QosTime,
    )

    best_effort = profile.reliability == ReliabilityPolicy.BEST_EFFORT
    ever = QosTime(2147483647, 4294967295)
    return Qos(
        QosHistory.KEEP_LAST,
        profile.depth,
        QosReliability.BEST_EFFORT if best_effort else QosReliability.RELIABLE,
        QosDurability.TRANSIENT_LOCAL if profile.latched else QosDurability.VOLATILE,
        ever,
        ever,
        QosLiveliness.AUTOMATIC,
        ever,
        False,
    )


def open_bag(path: Path) -> Reader:
    """Open a bag for reading, by its folder or a file in it; one whose recorder was killed is ended first.

    Raises:
        ToolError: it is no bag, or a broken one.
    """
    need_rosbags()
    from rosbags.rosbag2 import Reader, ReaderError

    folder = path.parent if path.is_file() else path
    if (torn := bag_repair.unfinished(folder)) is not None:
        bag_repair.finish(torn)
    if not (folder / "metadata.yaml").is_file():
        raise ToolError(f"{path} is no bag: there is no metadata.yaml in {folder}")
    try:
        reader = Reader(folder)
        reader.open()
    except (ReaderError, OSError, ValueError) as error:
        raise ToolError(f"{path} cannot be read: {error}") from error
    return reader


def describe(path: Path) -> dict[str, Any]:
    """Return duration, times [s], size [B] and topics of a bag."""
    reader = open_bag(path)
    try:
        folder = path.parent if path.is_file() else path
        files = sorted(file for file in folder.iterdir() if file.suffix in (".mcap", ".db3", ".zstd"))
        return {
            "files": [file.name for file in files],
            "bytes": sum(file.stat().st_size for file in files),
            "storage": "mcap" if any(".mcap" in file.name for file in files) else "sqlite3",
            "duration_s": reader.duration / NANOSECONDS if reader.message_count else 0.0,
            "start_at": reader.start_time / NANOSECONDS if reader.message_count else None,
            "end_at": reader.end_time / NANOSECONDS if reader.message_count else None,
            "messages": reader.message_count,
            "topics": [
                {"name": c.topic, "type": c.msgtype, "count": c.msgcount, "serialization_format": "cdr"}
                for c in reader.connections
            ],
        }
    finally:
        reader.close()


class Player:
    """Sends what a bag holds at the pace at which it came.

    Args:
        rate: times as fast.
        topics: names, or empty for all.
        remap: other names for topics.
        clock_hz: publish the bag's time on `/clock` so often; 0 = not.
    """

    def __init__(
        self,
        session: Session,
        path: Path,
        *,
        rate: float = 1.0,
        topics: Iterable[str] = (),
        remap: dict[str, str] | None = None,
        clock_hz: float = 0.0,
    ) -> None:
        self._session = session
        self._reader = open_bag(path)
        self._rate = rate
        wanted = [session.resolve(topic) for topic in topics]
        known = {connection.topic for connection in self._reader.connections}
        for topic in wanted:
            if topic not in known:
                raise ToolError(missing("topic in the bag called", topic, known))
        self._connections = [c for c in self._reader.connections if not wanted or c.topic in wanted]
        self._publishers: dict[int, Any] = {}
        self.skipped: dict[str, str] = {}
        for connection in self._connections:
            try:
                self._publishers[connection.id] = self._publisher(connection, (remap or {}).get(connection.topic))
            except (InterfaceError, ToolError) as error:
                self.skipped[connection.topic] = str(error)
        self._clock = session.node.create_publisher(rosgraph_msgs.msg.Clock, "/clock", 1) if clock_hz else None
        self._tick_s = 1.0 / clock_hz if clock_hz else 0.0
        self.sent = 0

    def _publisher(self, connection: Any, name: str | None) -> Any:
        if not registry.has(connection.msgtype.split("/")[0]):
            registry.define(connection.msgtype, connection.msgdef.data)
        kind = load(connection.msgtype)
        if connection.digest and registry.hash(connection.msgtype) != connection.digest:
            raise ToolError(f"the bag holds another version of {connection.msgtype}")
        offered = list(connection.ext.offered_qos_profiles)
        latched = bool(offered) and offered[0].durability.name == "TRANSIENT_LOCAL"
        best_effort = bool(offered) and offered[0].reliability.name == "BEST_EFFORT"
        profile = QoSProfile(
            depth=DEPTH,
            reliability=ReliabilityPolicy.BEST_EFFORT if best_effort else ReliabilityPolicy.RELIABLE,
            durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
        )
        return self._session.node.create_publisher(kind, name or connection.topic, profile)

    def play(self) -> None:
        """Send everything once."""
        if not self._reader.message_count:
            return
        first = self._reader.start_time
        began = time.monotonic()
        self._session.look(lambda: all(p.get_subscription_count() for p in self._publishers.values()))
        began = time.monotonic()
        next_tick = 0.0
        for connection, stamp, data in self._reader.messages(self._connections):
            due = (stamp - first) / NANOSECONDS / self._rate
            while self._clock is not None and next_tick <= due:
                self._wait(began + next_tick)
                self._tell(first + round(next_tick * self._rate * NANOSECONDS))
                next_tick += self._tick_s
            self._wait(began + due)
            publisher = self._publishers.get(connection.id)
            if publisher is not None:
                publisher.publish(bytes(data))
                self.sent += 1
        self._session.spin_until(lambda: False, 0.1)

    def _wait(self, until: float) -> None:
        left = until - time.monotonic()
        if left > 0.0:
            self._session.spin_until(lambda: False, left)

    def _tell(self, nanoseconds: int) -> None:
        message = rosgraph_msgs.msg.Clock()
        message.clock.sec, message.clock.nanosec = divmod(nanoseconds, NANOSECONDS)
        if self._clock is not None:
            self._clock.publish(message)

    def close(self) -> None:
        self._reader.close()
