"""What each robot's nodes may do, in the words of SROS2's policy files.

See https://design.ros2.org/articles/ros2_access_control_policies.html: enclaves (here: robots, `/<name>`) hold profiles
of nodes, and these privileges to publish, subscribe, request, reply, call and execute. Names may hold `*` and `?`. What
is not allowed is denied, and a denial outweighs every permission.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from xml.etree import ElementTree

from robot.ros.exceptions import ROSError
from robot.ros.graph import CLIENT, PUBLISHER, SERVICE, SUBSCRIPTION, Endpoint
from robot.ros.names import full_node_name
from robot.ros.security.ownership import looseness

ALLOW, DENY = "ALLOW", "DENY"
KINDS = {  # element: name of what it lists, its privileges
    "topics": ("topic", ("publish", "subscribe")),
    "services": ("service", ("request", "reply")),
    "actions": ("action", ("call", "execute")),
}
VERBS = {PUBLISHER: "publish", SUBSCRIPTION: "subscribe", SERVICE: "reply", CLIENT: "request"}
ACTION = "/_action/"
ACTION_VERBS = {  # who calls an action listens to its topics, who executes it publishes them
    SUBSCRIPTION: "call",
    CLIENT: "call",
    PUBLISHER: "execute",
    SERVICE: "execute",
}
TEMPLATE = """<?xml version="1.0" encoding="UTF-8"?>
<!-- What other robots may do here. What is not listed is denied; DENY outweighs ALLOW; * stands for any text. -->
<policy version="0.2.0">
  <enclaves>
    <!--
    <enclave path="/other_robot">
      <profiles>
        <profile ns="/other_robot" node="*">
          <topics publish="ALLOW"><topic>joint_states</topic></topics>
          <topics subscribe="ALLOW"><topic>/clock</topic></topics>
          <services request="ALLOW"><service>/map/get</service></services>
          <actions call="ALLOW"><action>/robot/harvest</action></actions>
        </profile>
      </profiles>
    </enclave>
    -->
  </enclaves>
</policy>
"""


class PolicyError(ROSError):
    """A policy that cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One privilege: `verb` on names that match, allowed or denied."""

    verb: str
    pattern: str
    allowed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The rules of the nodes whose full names match."""

    node: str
    rules: tuple[Rule, ...]


class Policy:
    """Profiles by enclave."""

    def __init__(self, enclaves: dict[str, list[Profile]]) -> None:
        self.enclaves = enclaves

    def allows(self, robot: str, endpoint: Endpoint) -> bool:
        """Tell whether a robot's publisher, subscription, service or client may have the name it has."""
        verb, name = VERBS[endpoint.kind], endpoint.name
        action, mark, _ = endpoint.name.partition(ACTION)
        asked = [(verb, name), (ACTION_VERBS[endpoint.kind], action)] if mark else [(verb, name)]
        verdicts = [
            rule.allowed
            for path, profiles in self.enclaves.items()
            if fnmatchcase(f"/{robot}", path)
            for profile in profiles
            if fnmatchcase(endpoint.node, profile.node)
            for rule in profile.rules
            if any(rule.verb == verb and fnmatchcase(name, rule.pattern) for verb, name in asked)
        ]
        return bool(verdicts) and all(verdicts)


class PolicyFile:
    """A policy file that is read again when it has changed.

    Args:
        path: raises PolicyError as `read_policy` does.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = self._look()
        self.policy = read_policy(path)

    def _look(self) -> tuple[int, ...]:
        try:
            status = self._path.stat()
        except OSError:
            return ()
        return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino

    def has_changed(self) -> bool:
        """Read the file again if it is another than at the last look, and tell whether the policy is new.

        Raises:
            PolicyError: it cannot be read now; the policy stays as it was. That is raised once per change.
        """
        if (seen := self._look()) == self._seen:
            return False
        self._seen = seen
        self.policy = read_policy(self._path)
        return True


def read_policy(path: Path) -> Policy:
    """Read a policy file.

    Raises:
        PolicyError: there is none, others could change it, or something in it is not understood, which must not pass
            for nothing.
    """
    try:
        if text := looseness(path):
            raise PolicyError(text)
        root = ElementTree.fromstring(_plain(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise PolicyError(f"there is no {path}: berrybrain ros security init writes one to start from") from error
    except (ElementTree.ParseError, UnicodeDecodeError, OSError) as error:
        raise PolicyError(f"{path}: {error}") from error
    try:
        return Policy(_enclaves(root))
    except PolicyError as error:
        raise PolicyError(f"{path}: {error}") from error


def _plain(text: str) -> str:
    """Refuse a document type: entities could be used to fill the memory, and a policy needs none."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise PolicyError("a policy has no document type and no entities")
    return text


def _children(element: ElementTree.Element, *expected: str) -> Iterable[ElementTree.Element]:
    possible = " or ".join(f"<{tag}>" for tag in expected)
    for child in element:
        if child.tag not in expected:
            raise PolicyError(f"expected {possible} in <{element.tag}>, got <{child.tag}>")
        yield child
    for text in (element.text, *(child.tail for child in element)):
        if text and text.strip():
            raise PolicyError(f"expected {possible} in <{element.tag}>, got the text {text.strip()!r}")


def _required(element: ElementTree.Element, name: str) -> str:
    value = element.get(name)
    if not value:
        raise PolicyError(f'<{element.tag}> needs {name}="…"')
    return value


def _enclaves(root: ElementTree.Element) -> dict[str, list[Profile]]:
    if root.tag != "policy":
        raise PolicyError(f"expected <policy>, got <{root.tag}>")
    found: dict[str, list[Profile]] = {}
    for enclaves in _children(root, "enclaves"):
        for enclave in _children(enclaves, "enclave"):
            path = _required(enclave, "path")
            if not path.startswith("/"):
                raise PolicyError(f"expected the path of an enclave to begin with '/', got {path!r}")
            profiles = found.setdefault(path, [])
            for group in _children(enclave, "profiles"):
                profiles += [_profile(element) for element in _children(group, "profile")]
    return found


def _profile(element: ElementTree.Element) -> Profile:
    namespace, node = _required(element, "ns"), _required(element, "node")
    if not namespace.startswith("/"):
        raise PolicyError(f"expected the ns of a profile to begin with '/', got {namespace!r}")
    rules: list[Rule] = []
    for group in _children(element, *KINDS):
        item, verbs = KINDS[group.tag]
        if not group.keys() or set(group.keys()) - set(verbs):
            raise PolicyError(f"expected <{group.tag}> with {' or '.join(verbs)}, got {sorted(group.keys())}")
        for verb, qualifier in group.items():
            if qualifier not in (ALLOW, DENY):
                raise PolicyError(f"expected {verb} to be {ALLOW} or {DENY}, got {qualifier!r}")
            for child in _children(group, item):
                if len(child) or child.keys():
                    raise PolicyError(f"expected a name and nothing else in <{item}>")
                pattern = _full((child.text or "").strip(), namespace, node)
                rules.append(Rule(verb=verb, pattern=pattern, allowed=qualifier == ALLOW))
    return Profile(node=full_node_name(node, namespace), rules=tuple(rules))


def _full(name: str, namespace: str, node: str) -> str:
    """Expand a name as a node of the profile would."""
    if not name:
        raise PolicyError("a name is empty")
    if name.startswith("/"):
        return name
    base = namespace.rstrip("/")
    return f"{base}/{node}{name[1:]}" if name.startswith("~") else f"{base}/{name}"
