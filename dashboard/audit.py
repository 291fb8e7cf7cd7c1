"""One line for every command and every log-in: who, from where, what, and what came of it. Lines are only added."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """`at`: UTC epoch [s]; `action`: login, stop, reset, acknowledge, …; `result`: what came of it."""

    at: float
    name: str
    role: str
    address: str
    action: str
    target: str
    result: str


class Audit:
    """Adds lines of JSON to one file and flushes each to the disk.

    Args:
        path: the file; made when missing, readable by its owner alone.
        now: UTC epoch seconds.
    """

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        self._path = path
        self._now = now
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, *, name: str, role: str, address: str, action: str, target: str, result: str) -> None:
        """Add one line; it is on the disk when this returns."""
        line = AuditLine(
            at=self._now(), name=name, role=role, address=address, action=action, target=target, result=result
        )
        os.write(self._file, json.dumps(asdict(line), ensure_ascii=False).encode() + b"\n")
        os.fdatasync(self._file)

    def read(self, limit: int = 200) -> list[AuditLine]:
        """Return the newest lines, newest first; a line cut by a power loss is passed over."""
        lines: list[AuditLine] = []
        for text in reversed(self._path.read_text(encoding="utf-8", errors="replace").splitlines()):
            if len(lines) == limit:
                break
            try:
                lines.append(AuditLine(**json.loads(text)))
            except (ValueError, TypeError):
                continue
        return lines

    def close(self) -> None:
        os.close(self._file)
