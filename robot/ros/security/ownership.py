"""Whether others than this user (and root) could change a file or folder."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def looseness(path: Path) -> str:
    """Say why others could change what is at a path, and what to do about it; "" when they cannot."""
    status = path.stat()
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid not in (0, os.geteuid()):
        return f"{path} belongs to another user (number {status.st_uid}): chown it"
    if mode & 0o022:
        return f"{path} can be changed by others (mode {mode:04o}): chmod go-w {path}"
    return ""
