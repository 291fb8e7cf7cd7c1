"""Find interface files on a search path and hand out their classes, each made once and when first asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

from robot.ros.generate import make_class, module_name
from robot.ros.idl import Field, InterfaceError, Message, Type, parse_interface
from robot.ros.message import group
from robot.ros.typehash import type_hash

KINDS = ("msg", "srv", "action")
MESSAGE_PARTS = ("_Request", "_Response", "_Event", "_FeedbackMessage", "_Goal", "_Result", "_Feedback")
SERVICE_PARTS = ("_SendGoal", "_GetResult")
ACTION_MEMBERS = {
    "goal": "Goal",
    "result": "Result",
    "feedback": "Feedback",
    "send_goal_service": "SendGoal",
    "get_result_service": "GetResult",
    "feedback_message": "FeedbackMessage",
}


class Registry:
    """Interfaces by name.

    Args:
        search_path: folders that hold `<package>/{msg,srv,action}/*`; the first that has a package wins.

    Attributes:
        views: large `uint8[]` arrive as read-only views of what came; else as arrays of their own, as in rosidl. It is
            asked at the first decoding of a class.
    """

    def __init__(self, search_path: Iterable[Path]) -> None:
        self._search_path = list(search_path)
        self._specs: dict[str, Message] = {}
        self._learnt: dict[str, str] = {}  # texts of messages that came with a bag
        self._classes: dict[str, type] = {}
        self._groups: dict[str, type] = {}
        self._hashes: dict[str, str] = {}
        self.views = True

    def add_search_path(self, folder: Path) -> None:
        """Look into `folder` too, after the folders already known."""
        if folder not in self._search_path:
            self._search_path.append(folder)

    def has(self, package: str) -> bool:
        return any((folder / package / kind).is_dir() for folder in self._search_path for kind in KINDS)

    def folder(self, package: str) -> Path:
        """Return the folder of a package of interface files."""
        for folder in self._search_path:
            if any((folder / package / kind).is_dir() for kind in KINDS):
                return folder / package
        raise InterfaceError(f"no package {package!r}; there are {self.packages()}")

    def path(self, name: str) -> Path:
        """Return the file of a full interface name."""
        return self._file(*self._split(name))

    def packages(self) -> list[str]:
        found = {
            package.name
            for folder in self._search_path
            if folder.is_dir()
            for package in folder.iterdir()
            if any((package / kind).is_dir() for kind in KINDS)
        }
        return sorted(found)

    def names(self, package: str, kind: str) -> list[str]:
        """List the interfaces of one kind in a package, for example all of `("std_msgs", "msg")`."""
        for folder in self._search_path:
            if (folder / package).is_dir():
                return sorted(path.stem for path in (folder / package / kind).glob(f"*.{kind}"))
        return []

    def spec(self, name: str) -> Message:
        """Return the specification of a full message name, also of an implied one such as `…/Trigger_Request`."""
        if name not in self._specs:
            package, kind, short = self._split(name)
            file_name = short if kind == "msg" else short.split("_")[0]
            text = self._file(package, kind, file_name).read_text(encoding="utf-8")
            self._specs.update(parse_interface(text, f"{package}/{kind}/{file_name}"))
            if name not in self._specs:
                raise InterfaceError(f"no message {name!r} in {package}/{kind}/{file_name}.{kind}")
        return self._specs[name]

    def define(self, name: str, text: str) -> None:
        """Learn a message from the text a bag carries: its file, then each other as `MSG: package/Name` and its file.

        Args:
            name: full name of the first.
        """
        blocks = re.split(r"(?m)^={20,}\n", text)
        files = {name: blocks[0]}
        for block in blocks[1:]:
            head, _, rest = block.partition("\n")
            package, _, short = head.removeprefix("MSG:").strip().replace("/msg/", "/").partition("/")
            files[f"{package}/msg/{short}"] = rest
        for full, file in files.items():
            if not self.has(full.split("/")[0]):
                self._specs.update(parse_interface(file, full))
                self._learnt[full] = file

    def is_learnt(self, name: str) -> bool:
        return name in self._learnt

    def text(self, name: str) -> str:
        """Return what stands in the file of a full interface name, or came with a bag."""
        return self._learnt[name] if name in self._learnt else self.path(name).read_text(encoding="utf-8")

    def message(self, name: str) -> Any:
        """Return the class of a message, for example `sensor_msgs/msg/Image`."""
        if name not in self._classes:
            self._classes[name] = make_class(self.spec(name), self.spec, self.message, lambda: self.views)
        return self._classes[name]

    def service(self, name: str) -> Any:
        """Return a service type with `Request`, `Response` and `Event`."""
        if name not in self._groups:
            if not name.endswith(SERVICE_PARTS):
                self._file(*self._split(name))
            parts = self._parts(name, "Request", "Response", "Event")
            self._groups[name] = group(name, module=module_name(name), kind="Service", **parts)
        return self._groups[name]

    def action(self, name: str) -> Any:
        """Return an action type with `Goal`, `Result`, `Feedback` and `Impl`."""
        if name not in self._groups:
            self._file(*self._split(name))
            parts = self._parts(name, "Goal", "Result", "Feedback")
            self._groups[name] = group(
                name, module=module_name(name), kind="Action", Impl=lambda: self._impl(name), **parts
            )
        return self._groups[name]

    def _impl(self, name: str) -> type:
        return group(
            f"{name}_Impl",
            module=module_name(name),
            kind="Action",
            SendGoalService=lambda: self.service(f"{name}_SendGoal"),
            GetResultService=lambda: self.service(f"{name}_GetResult"),
            FeedbackMessage=lambda: self.message(f"{name}_FeedbackMessage"),
            CancelGoalService=lambda: self.service("action_msgs/srv/CancelGoal"),
            GoalStatusMessage=lambda: self.message("action_msgs/msg/GoalStatusArray"),
        )

    def _parts(self, name: str, *parts: str) -> dict[str, Callable[[], Any]]:
        return {part: partial(self.message, f"{name}_{part}") for part in parts}

    def hash(self, name: str) -> str:
        """Return the RIHS01 hash of a message, service or action type."""
        if name not in self._hashes:
            self._hashes[name] = type_hash(self.description(name), self.description)
        return self._hashes[name]

    def description(self, name: str) -> Message:
        """Return a message's specification, or the structure that describes a service or an action to rosidl."""
        if "/msg/" in name or name.endswith(MESSAGE_PARTS):
            return self.spec(name)
        if "/srv/" in name or name.endswith(SERVICE_PARTS):
            parts = {f"{part.lower()}_message": f"{name}_{part}" for part in ("Request", "Response", "Event")}
        else:
            parts = {part: f"{name}_{suffix}" for part, suffix in ACTION_MEMBERS.items()}
        return Message(name=name, fields=tuple(Field(name=key, type=Type(base=base)) for key, base in parts.items()))

    def get(self, name: str) -> Any:
        """Return the class of any full interface name."""
        _, kind, _ = self._split(name)
        if kind == "action" and name.endswith(SERVICE_PARTS):
            self.spec(f"{name}_Request")
            return self.service(name)
        if kind == "msg" or "_" in name.rpartition("/")[2]:
            return self.message(name)
        return self.service(name) if kind == "srv" else self.action(name)

    def _split(self, name: str) -> tuple[str, str, str]:
        parts = name.split("/")
        if len(parts) != 3 or parts[1] not in KINDS or not all(part.isidentifier() for part in parts):
            raise InterfaceError(f"expected package/msg|srv|action/Name, got {name!r}")
        return parts[0], parts[1], parts[2]

    def _file(self, package: str, kind: str, short: str) -> Path:
        for folder in self._search_path:
            path = folder / package / kind / f"{short}.{kind}"
            if path.is_file():
                return path
        known = [f"{package}/{kind}/{name}" for name in self.names(package, kind)] or self.packages()
        near = get_close_matches(f"{package}/{kind}/{short}" if "/" in known[0] else package, known)
        hint = f"did you mean {', '.join(near)}?" if near else f"there are {', '.join(known)}"
        raise InterfaceError(f"no interface {package}/{kind}/{short}; {hint}")
