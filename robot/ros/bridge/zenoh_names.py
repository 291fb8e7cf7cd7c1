"""How rmw_zenoh names things: keys of topics and services, tokens of who is there, what is attached to messages.

After https://github.com/ros2/rmw_zenoh/blob/rolling/docs/design.md. A token of an endpoint is
`@ros2_lv/<domain>/<session>/<node>/<entity>/<kind>/<enclave>/<namespace>/<node name>/<topic>/<type>/<hash>/<qos>`: here
`%` stands for `/`; a token of a node ends with its name. Messages go to `<domain>/<topic>/<type>/<hash>`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from robot.ros.bridge.instants import is_possible
from robot.ros.duration import INFINITE_NS, NANOSECONDS, Duration
from robot.ros.graph import CLIENT, PUBLISHER, SERVICE, SUBSCRIPTION, Endpoint
from robot.ros.names import full_node_name
from robot.ros.qos import DurabilityPolicy, HistoryPolicy, LivelinessPolicy, QoSProfile, ReliabilityPolicy, limit_ns

SPACE, NODE = "@ros2_lv", "NN"
KINDS = {PUBLISHER: "MP", SUBSCRIPTION: "MS", SERVICE: "SS", CLIENT: "SC"}
ENDPOINTS = {word: kind for kind, word in KINDS.items()}
DEPTH = 42  # of rmw_zenoh's default profile
NO_HASH = "TypeHashNotSupported"
GID_SIZE = 16

_ATTACHED = struct.Struct("<qqB")
_KEYED = (b"\x0fsequence_number", b"\x10source_timestamp", b"\x0asource_gid")  # as early versions wrote it


class ForeignError(ValueError):
    """Something that rmw_zenoh does not write."""


def dds_type(type_name: str) -> str:
    """Return `std_msgs::msg::dds_::String_` for `std_msgs/msg/String`."""
    package, kind, name = type_name.split("/")
    return f"{package}::{kind}::dds_::{name}_"


def ros_type(dds: str) -> str:
    parts = dds.split("::")
    if len(parts) != 4 or parts[2] != "dds_" or not parts[3].endswith("_"):
        raise ForeignError(f"expected a type like std_msgs::msg::dds_::String_, got {dds!r}")
    return f"{parts[0]}/{parts[1]}/{parts[3][:-1]}"


def key(domain: int, endpoint: Endpoint) -> str:
    """Return where the messages, or the requests, of an endpoint go."""
    return f"{domain}/{endpoint.name.strip('/')}/{dds_type(endpoint.type_name)}/{endpoint.type_hash}"


def every_token(domain: int) -> str:
    return f"{SPACE}/{domain}/**"


def mangle(text: str) -> str:
    return text.replace("/", "%")


def unmangle(text: str) -> str:
    return text.replace("%", "/")


# --- quality of service: an empty field stands for rmw_zenoh's default


def profile_text(qos: QoSProfile) -> str:
    """Write a profile as `<reliability>:<durability>:<history>,<depth>:<deadline>:<lifespan>:<liveliness>,<lease>`."""
    deadline, lifespan, lease = (_span(value) for value in (qos.deadline, qos.lifespan, qos.liveliness_lease_duration))
    reliability = ReliabilityPolicy.BEST_EFFORT if qos.best_effort else ReliabilityPolicy.RELIABLE
    durability = DurabilityPolicy.TRANSIENT_LOCAL if qos.latched else DurabilityPolicy.VOLATILE
    history = HistoryPolicy.KEEP_ALL if qos.history == HistoryPolicy.KEEP_ALL else HistoryPolicy.KEEP_LAST
    manual = qos.liveliness == LivelinessPolicy.MANUAL_BY_TOPIC
    liveliness = int(LivelinessPolicy.MANUAL_BY_TOPIC) if manual else ""
    return f"{reliability:d}:{durability:d}:{history:d},{qos.limit or 0}:{deadline}:{lifespan}:{liveliness},{lease}"


def _span(duration: Duration) -> str:
    limit = limit_ns(duration)
    return "," if limit is None else ",".join(map(str, divmod(limit, NANOSECONDS)))


def read_profile(text: str) -> QoSProfile:
    """Read what `profile_text`, or rmw_zenoh, has written; raises ForeignError."""
    parts = [part.split(",") for part in text.split(":")]
    if [len(part) for part in parts] != [1, 1, 2, 2, 2, 3]:
        raise ForeignError(f"expected six fields of quality of service, got {text!r}")
    (reliability,), (durability,), (history, depth), deadline, lifespan, (liveliness, *lease) = parts
    try:
        return QoSProfile(
            reliability=ReliabilityPolicy(int(reliability or ReliabilityPolicy.RELIABLE)),
            durability=DurabilityPolicy(int(durability or DurabilityPolicy.VOLATILE)),
            history=HistoryPolicy(int(history or HistoryPolicy.KEEP_LAST)),
            depth=int(depth or DEPTH),
            deadline=_read_span(deadline),
            lifespan=_read_span(lifespan),
            liveliness=LivelinessPolicy(int(liveliness or LivelinessPolicy.AUTOMATIC)),
            liveliness_lease_duration=_read_span(lease),
        )
    except (ValueError, OverflowError) as error:
        raise ForeignError(f"quality of service {text!r}: {error}") from error


def _read_span(parts: list[str]) -> Duration:
    seconds, nanoseconds = (int(part or 0) for part in parts)
    return Duration(nanoseconds=min(seconds * NANOSECONDS + nanoseconds, INFINITE_NS))


# --- tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """Who is there: a node, or an endpoint of one.

    Attributes:
        session: which process, as Zenoh names it.
        endpoint: None = only the node is meant; its gid is empty, as tokens have none.
    """

    session: str
    node: str
    endpoint: Endpoint | None


def token(domain: int, session: str, node_id: int, entity_id: int, endpoint: Endpoint) -> str:
    """Return the token of an endpoint."""
    head = _head(domain, session, node_id, entity_id, KINDS[endpoint.kind], endpoint.node)
    topic = f"{mangle(endpoint.name)}/{dds_type(endpoint.type_name)}/{endpoint.type_hash}"
    return f"{head}/{topic}/{profile_text(endpoint.qos)}"


def node_token(domain: int, session: str, node_id: int, full_name: str) -> str:
    return _head(domain, session, node_id, node_id, NODE, full_name)


def _head(domain: int, session: str, node_id: int, entity_id: int, kind: str, full_name: str) -> str:  # noqa: PLR0917
    namespace, _, name = full_name.rpartition("/")
    return f"{SPACE}/{domain}/{session}/{node_id}/{entity_id}/{kind}/%/{mangle(namespace) or '%'}/{name}"


def read_token(text: str) -> Token:
    """Read a token; raises ForeignError for anything else."""
    parts = text.split("/")
    if len(parts) not in (9, 13) or parts[0] != SPACE:
        raise ForeignError(f"expected a token of 9 or 13 parts, got {text!r}")
    session, kind, namespace, name = parts[2], parts[5], unmangle(parts[7]), parts[8]
    node = full_node_name(name, namespace)
    if kind == NODE and len(parts) == 9:
        return Token(session=session, node=node, endpoint=None)
    if kind not in ENDPOINTS or len(parts) != 13:
        raise ForeignError(f"expected one of {sorted([NODE, *ENDPOINTS])} as the sixth part of {text!r}")
    endpoint = Endpoint(
        kind=ENDPOINTS[kind],
        gid=b"",
        name=unmangle(parts[9]),
        type_name=ros_type(parts[10]),
        type_hash=parts[11],
        node=node,
        qos=read_profile(parts[12]),
    )
    return Token(session=session, node=node, endpoint=endpoint)


# --- what is attached to messages, requests and replies


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """Number, instant of sending [ns since the epoch] and publisher (or client) of a message."""

    sequence: int
    stamp_ns: int
    gid: bytes

    def encode(self) -> bytes:
        return _ATTACHED.pack(self.sequence, self.stamp_ns, GID_SIZE) + self.gid


def read_attachment(data: bytes) -> Attachment:
    """Read an attachment, also one in which the fields bear their names; raises ForeignError."""
    for word in _KEYED:
        data = data.replace(word, b"", 1) if word in data else data
    if len(data) != _ATTACHED.size + GID_SIZE:
        raise ForeignError(f"expected an attachment of {_ATTACHED.size + GID_SIZE} bytes, got {len(data)}")
    sequence, stamp, size = _ATTACHED.unpack_from(data)
    if size != GID_SIZE:
        raise ForeignError(f"expected an identifier of {GID_SIZE} bytes, got {size}")
    if not is_possible(stamp / NANOSECONDS):
        raise ForeignError(f"an impossible instant: {stamp} ns")
    return Attachment(sequence=sequence, stamp_ns=stamp, gid=data[_ATTACHED.size :])
