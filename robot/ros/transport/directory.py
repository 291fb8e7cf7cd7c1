"""Find peers with no daemon: a private folder in which every context holds one locked file beside its socket.

The kernel drops the lock when a process ends, however it ends; a file whose lock can be taken is a dead context's and
is removed by whoever notices. A record appears under its name only when it is locked and its socket is bound.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar
from weakref import WeakSet

from robot.ros.exceptions import ROSError

SOCKET_PATH_MAX = 107  # bytes, sun_path of unix(7)
ORPHAN_AGE = 60.0  # [s] a half-made record is left alone for so long
SETTLED = 0.1  # [s] since a folder's last change after which the next one is sure to bear another instant
LOCK, SOCKET, HALF_MADE = ".lock", ".sock", ".new"


def domain(domain_id: int | None = None) -> int:
    """Return the domain meant: `domain_id`, else ROS_DOMAIN_ID, else 0."""
    if domain_id is None:
        text = os.environ.get("ROS_DOMAIN_ID") or "0"
        if not text.isdecimal():
            raise ROSError(f"expected ROS_DOMAIN_ID to be a number from 0 to 232, got {text!r}")
        domain_id = int(text)
    if not 0 <= domain_id <= 232:
        raise ROSError(f"expected a domain id from 0 to 232, got {domain_id}")
    return domain_id


def runtime_directory(domain_id: int | None = None) -> Path:
    """Return the folder of a domain, made private if it is missing.

    BERRYBRAIN_ROS_DIR, else XDG_RUNTIME_DIR, else /tmp; the domain is `domain_id`, else ROS_DOMAIN_ID, else 0.
    """
    domain_id = domain(domain_id)
    if override := os.environ.get("BERRYBRAIN_ROS_DIR"):
        root = Path(override)
    elif (xdg := os.environ.get("XDG_RUNTIME_DIR")) and os.access(xdg, os.W_OK):
        root = Path(xdg) / "berrybrain"
    else:
        root = Path(f"/tmp/berrybrain-{os.getuid()}")
    folder = root.absolute() / str(domain_id)
    for made in (root.absolute(), folder):
        made.mkdir(mode=0o700, parents=True, exist_ok=True)
    for private in (folder,) if override else (root, folder):
        _check_private(private)
    return folder


def _check_private(folder: Path) -> None:
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise ROSError(
            f"{folder} must be a folder of user {os.getuid()} with mode 0700, got owner {status.st_uid} and mode "
            f"{stat.S_IMODE(status.st_mode):04o}: remove it or set BERRYBRAIN_ROS_DIR"
        )


class Directory:
    """One context's place in the folder of its domain.

    Args:
        folder: from `runtime_directory`.
        name: unique, of hexadecimal digits.
    """

    _all: ClassVar[WeakSet[Directory]] = WeakSet()
    _watches_forks: ClassVar[bool] = False

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name
        self._half_made = folder / (name + HALF_MADE)
        if len(os.fsencode(self.socket(name))) > SOCKET_PATH_MAX:
            raise ROSError(f"{self.socket(name)} is longer than {SOCKET_PATH_MAX} bytes: set BERRYBRAIN_ROS_DIR")
        self.forked = False
        self._found: list[str] = []  # all others whose records were there
        self._found_for = 0  # the change of the folder [epoch ns] that they were listed after; 0 = list them anew
        self._orphans_at = 0.0  # [monotonic s] when to list them anyway, as what dead ones left half-made has its age
        self._lock = os.open(self._half_made, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(self._lock, f"{os.getpid()}\n".encode())
        if not Directory._watches_forks:
            Directory._watches_forks = True
            os.register_at_fork(after_in_child=self._on_fork)
        self._all.add(self)

    @classmethod
    def _on_fork(cls) -> None:
        """In a forked child, let go of the locks, or they would outlive the parent."""
        for directory in tuple(cls._all):
            directory.forked = True
            if directory._lock >= 0:
                os.close(directory._lock)

    def socket(self, name: str) -> Path:
        return self.folder / (name + SOCKET)

    def appear(self) -> None:
        """Become visible to others; the socket must be bound by now."""
        self._half_made.rename(self.folder / (self.name + LOCK))

    def peers(self) -> set[str]:
        """List the contexts that live, and remove what dead ones left."""
        try:
            changed = self.folder.stat().st_mtime_ns
            if changed == self._found_for and time.monotonic() < self._orphans_at:  # nearly always
                return set(filter(self.is_alive, self._found))
            files = list(self.folder.iterdir())
        except FileNotFoundError:  # somebody has removed it
            return set()
        self._found_for = changed if changed / 1e9 < time.time() - SETTLED else 0
        self._orphans_at = time.monotonic() + ORPHAN_AGE
        self._found = [file.stem for file in files if file.suffix == LOCK and file.stem != self.name]
        alive = set(filter(self.is_alive, self._found))
        self._remove_orphans(files, alive)
        return alive

    def is_alive(self, name: str) -> bool:
        """Tell whether a context's lock is held; remove its files when it is not."""
        try:
            handle = os.open(f"{self.folder}/{name}{LOCK}", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        self._remove(name)
        return False

    def _remove(self, name: str) -> None:
        for suffix in (LOCK, SOCKET, HALF_MADE):
            (self.folder / (name + suffix)).unlink(missing_ok=True)

    def _remove_orphans(self, files: Iterable[Path], alive: set[str]) -> None:
        for file in files:
            if file.suffix not in {SOCKET, HALF_MADE} or file.stem in alive or file.stem == self.name:
                continue
            try:
                if time.time() - file.stat().st_mtime > ORPHAN_AGE:
                    self._remove(file.stem)
            except FileNotFoundError:
                continue

    def close(self) -> None:
        self._remove(self.name)
        os.close(self._lock)
        self._lock = -1
