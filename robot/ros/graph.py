"""Who offers and who wants what: endpoints, and whether two of them fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from robot.ros.qos import QoSPolicyKind, QoSProfile, first_mismatch

KINDS = PUBLISHER, SUBSCRIPTION, SERVICE, CLIENT = "publisher", "subscription", "service", "client"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One publisher, subscription, service or client.

    Attributes:
        gid: 16 bytes, unique in the domain.
        name: full topic or service name.
        type_name: for example `std_msgs/msg/String`.
        type_hash: RIHS01 hash of the type.
        node: full name of the node it belongs to.
    """

    kind: str
    gid: bytes
    name: str
    type_name: str
    type_hash: str
    node: str
    qos: QoSProfile

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "gid": self.gid.hex(),
            "name": self.name,
            "type": self.type_name,
            "hash": self.type_hash,
            "node": self.node,
            "qos": self.qos.to_json(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Endpoint:
        """Read what `to_json` wrote; raises KeyError, TypeError or ValueError for anything else."""
        gid = bytes.fromhex(data["gid"])
        texts = {key: data[key] for key in ("kind", "name", "type", "hash", "node")}
        if len(gid) != 16 or not all(isinstance(text, str) for text in texts.values()):
            raise ValueError(f"expected a gid of 16 bytes and texts, got {data}")
        if not all(text.isprintable() for text in texts.values()):
            raise ValueError(f"expected names of one line without control characters, got {data}")
        if texts["kind"] not in KINDS:
            raise ValueError(f"expected a kind of {', '.join(KINDS)}, got {texts['kind']!r}")
        try:
            qos = QoSProfile.from_json(data["qos"])
        except OverflowError as error:  # JSON as Python reads it knows Infinity
            raise ValueError(f"expected finite numbers, got {data['qos']}") from error
        return cls(
            kind=texts["kind"],
            gid=gid,
            name=texts["name"],
            type_name=texts["type"],
            type_hash=texts["hash"],
            node=texts["node"],
            qos=qos,
        )


def mismatch(offer: Endpoint, request: Endpoint) -> tuple[str, QoSPolicyKind | None]:
    """Say why a publisher (service) cannot feed a subscription (client) of the same name; "" when it can.

    Returns:
        The reason, and the policy of quality of service when that is it.
    """
    if offer.type_name != request.type_name:
        return f"type {offer.type_name} offered, {request.type_name} wanted", None
    if offer.type_hash != request.type_hash:
        return f"two versions of {offer.type_name}", None
    return first_mismatch(offer.qos, request.qos) if offer.kind == PUBLISHER else ("", None)
