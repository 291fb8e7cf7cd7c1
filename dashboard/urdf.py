"""A robot's URDF, checked, as the chain that the 3-D view draws: joints in order, shapes of each link."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from typing import Any

MAX_BYTES = 64 * 1024
MAX_ELEMENTS = 5000
TYPES = ("fixed", "revolute", "continuous", "prismatic")


def chain(urdf: str) -> dict[str, Any]:
    """Return `{"name", "root", "joints": […], "links": […], "capsules": […]}` of a URDF.

    A joint: name, type, parent, child, origin {xyz [m], rpy [rad]}, axis, lower, upper, mimic {joint, multiplier,
    offset} or null; parents come before children. Its child's frame is origin · turn (or shift) about axis by the
    joint's position; rpy is Rz(yaw) · Ry(pitch) · Rx(roll). A link: name, shapes: type `capsule` (radius, length
    between the balls' centres, along z), `cylinder`, `sphere` or `box` (size), each with its origin in the link.
    A capsule once more, as it is drawn: link, from, to (the balls' centres in the link [m]), radius.

    Raises:
        ValueError: it is no URDF of a tree of joints, or too large.
    """
    if len(urdf) > MAX_BYTES:
        raise ValueError(f"expected a URDF of at most {MAX_BYTES} characters, got {len(urdf)}")
    if "<!" in urdf.replace("<!--", ""):
        raise ValueError("expected a URDF without declarations: entities may grow without bound")
    try:
        root = ET.fromstring(urdf)
    except ET.ParseError as error:
        raise ValueError(f"expected XML: {error}") from error
    if root.tag != "robot":
        raise ValueError(f"expected <robot>, got <{root.tag[:40]}>")
    if sum(1 for _ in root.iter()) > MAX_ELEMENTS:
        raise ValueError(f"expected at most {MAX_ELEMENTS} elements")
    links: list[dict[str, Any]] = [{"name": _name(link), "shapes": _shapes(link)} for link in root.findall("link")]
    joints = [_joint(joint) for joint in root.findall("joint")]
    first, ordered = _ordered([link["name"] for link in links], joints)
    capsules = [
        {"link": link["name"], "radius": shape["radius"]} | _ends(shape)
        for link in links
        for shape in link["shapes"]
        if shape["type"] == "capsule"
    ]
    return {"name": root.get("name", ""), "root": first, "joints": ordered, "links": links, "capsules": capsules}


def _ends(capsule: dict[str, Any]) -> dict[str, list[float]]:
    """Return the centres of a capsule's balls: half its length along the z axis of its origin, both ways."""
    (x, y, z), (roll, pitch, yaw) = capsule["origin"]["xyz"], capsule["origin"]["rpy"]
    (cr, cp, cy), (sr, sp, sy) = ((f(roll), f(pitch), f(yaw)) for f in (math.cos, math.sin))
    axis = (cy * sp * cr + sy * sr, sy * sp * cr - cy * sr, cp * cr)
    half = capsule["length"] / 2.0
    return {
        key: [origin + sign * half * along for origin, along in zip((x, y, z), axis, strict=True)]
        for key, sign in (("from", -1.0), ("to", 1.0))
    }


def _joint(element: ET.Element) -> dict[str, Any]:
    kind = element.get("type", "")
    if kind not in TYPES:
        raise ValueError(f"joint {_name(element)}: expected a type of {', '.join(TYPES)}, got {kind[:40]!r}")
    parent, child, axis, limit, mimic = (element.find(tag) for tag in ("parent", "child", "axis", "limit", "mimic"))
    if parent is None or child is None:
        raise ValueError(f"joint {_name(element)}: expected a parent and a child")
    return {
        "name": _name(element),
        "type": kind,
        "parent": parent.get("link", ""),
        "child": child.get("link", ""),
        "origin": _origin(element),
        "axis": _numbers(axis, "xyz", 3) if axis is not None else [1.0, 0.0, 0.0],
        "lower": _number(limit, "lower") if limit is not None else None,
        "upper": _number(limit, "upper") if limit is not None else None,
        "mimic": None
        if mimic is None
        else {
            "joint": mimic.get("joint", ""),
            "multiplier": _number(mimic, "multiplier", 1.0),
            "offset": _number(mimic, "offset", 0.0),
        },
    }


def _shapes(link: ET.Element) -> list[dict[str, Any]]:
    """Return what is seen of a link; a cylinder between two balls of its radius at its ends is one capsule."""
    shapes: list[dict[str, Any]] = []
    for visual in link.findall("visual"):
        origin = _origin(visual)
        for form in visual.findall("geometry/*"):
            shape: dict[str, Any]
            match form.tag:
                case "cylinder":
                    shape = {"radius": _number(form, "radius"), "length": _number(form, "length")}
                case "sphere":
                    shape = {"radius": _number(form, "radius")}
                case "box":
                    shape = {"size": _numbers(form, "size", 3)}
                case _:
                    continue  # meshes are not sent
            shapes.append({"type": form.tag, "name": visual.get("name", ""), "origin": origin} | shape)
    capsules = {s["name"].removesuffix("_capsule") for s in shapes if s["name"].endswith("_capsule")}
    kept = [s for s in shapes if s["type"] != "sphere" or s["name"].rpartition("_")[0] not in capsules]
    for shape in kept:
        if shape["type"] == "cylinder" and shape["name"].endswith("_capsule"):
            shape["type"] = "capsule"
    return kept


def _ordered(links: list[str], joints: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    children = [joint["child"] for joint in joints]
    unknown = {joint[end] for joint in joints for end in ("parent", "child")} - set(links)
    roots = [link for link in links if link not in children]
    if unknown or len(set(links)) != len(links) or len(set(children)) != len(children) or len(roots) != 1:
        raise ValueError(f"expected one tree of links, got roots {roots[:5]} and unknown links {sorted(unknown)[:5]}")
    ordered: list[dict[str, Any]] = []
    waiting, reached = joints, {roots[0]}
    while waiting:
        ready = [joint for joint in waiting if joint["parent"] in reached]
        if not ready:
            raise ValueError(f"expected one tree of links, got a loop through {waiting[0]['name']}")
        ordered += ready
        reached |= {joint["child"] for joint in ready}
        waiting = [joint for joint in waiting if joint["child"] not in reached]
    return roots[0], ordered


def _origin(element: ET.Element) -> dict[str, list[float]]:
    origin = element.find("origin")
    if origin is None:
        return {"xyz": [0.0, 0.0, 0.0], "rpy": [0.0, 0.0, 0.0]}
    return {key: _numbers(origin, key, 3) for key in ("xyz", "rpy")}


def _name(element: ET.Element) -> str:
    name = element.get("name", "")
    if not name or len(name) > 80:
        raise ValueError(f"<{element.tag}>: expected a name of 1 to 80 letters, got {name[:80]!r}")
    return name


def _numbers(element: ET.Element, key: str, count: int) -> list[float]:
    parts = element.get(key, " ".join(["0"] * count)).split()
    if len(parts) != count:
        raise ValueError(f"<{element.tag} {key}>: expected {count} numbers, got {len(parts)}")
    return [_float(part, element, key) for part in parts]


def _number(element: ET.Element, key: str, default: float = 0.0) -> float:
    return _float(element.get(key, str(default)), element, key)


def _float(text: str, element: ET.Element, key: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"<{element.tag} {key}>: expected a finite number, got {text[:40]!r}")
    return value
