"""Show interface files as `ros2 interface show` does: with what they are made of indented below."""

from __future__ import annotations

from collections.abc import Iterator

from robot.ros.idl import PRIMITIVES, InterfaceError, parse_type
from robot.ros.interfaces import registry
from robot.ros.packages.rosidl_runtime_py import message_to_yaml
from robot.ros.tools.session import ToolError, load


def show(name: str, *, comments: bool = True) -> Iterator[str]:
    """Yield the lines of an interface, each message in it opened below its field."""
    parts = name.split("/")
    candidates = [f"{parts[0]}/{kind}/{parts[1]}" for kind in ("msg", "srv", "action")] if len(parts) == 2 else [name]
    for full in candidates:
        try:
            path = registry.path(full)
        except InterfaceError as error:
            if full == candidates[-1]:
                raise ToolError(str(error)) from error
            continue
        yield from _lines(path.read_text(encoding="utf-8"), parts[0], 0, comments=comments)
        return


def _lines(text: str, package: str, depth: int, *, comments: bool) -> Iterator[str]:
    for raw in text.splitlines():
        line = raw.rstrip()
        bare = line.partition("#")[0].strip()
        if not comments or depth:
            line = line.partition("#")[0].rstrip() if '"' not in line and "'" not in line else line
            if not line:
                continue
        yield "\t" * depth + line
        word = bare.split()[0] if bare else ""
        if not word or word == "---" or "=" in bare.partition(" ")[2].split(" ")[0]:
            continue
        try:
            kind = parse_type(word, package)
        except InterfaceError:
            continue
        if kind.base not in PRIMITIVES:
            try:
                path = registry.path(kind.base)
            except InterfaceError as error:
                raise ToolError(f"the field {bare!r} of {package}: {error}") from error
            nested = path.read_text(encoding="utf-8")
            yield from _lines(nested, kind.base.split("/")[0], depth + 1, comments=comments)


def prototype(name: str) -> str:
    """Return a message with its defaults as YAML, to fill in."""
    kind = load(name)
    for part in ("Request", "Goal"):
        kind = getattr(kind, part, kind)
    return message_to_yaml(kind())


def names(package: str | None = None) -> list[str]:
    """List all interfaces, or those of one package."""
    if package is not None and not registry.has(package):
        raise ToolError(f"there is no package {package}; there are {', '.join(registry.packages())}")
    packages = registry.packages() if package is None else [package]
    return [
        f"{p}/{kind}/{name}" for kind in ("msg", "srv", "action") for p in packages for name in registry.names(p, kind)
    ]
