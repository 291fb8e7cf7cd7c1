"""A folder of keys: this robot's own pair, and the public key of every robot it lets in.

    KEYS/own/<name>.key_secret   mode 0600, never leaves the machine
    KEYS/own/<name>.key          to be given to the others
    KEYS/peers/<name>.key        whoever is in here is let in; removing the file revokes that
    KEYS/policy.xml              what they may do

None of the folders may be changed by others: who could put a file into `peers` would let himself in.
Keys are of Curve25519, in the files that pyzmq's `zmq.auth` writes.
"""

from __future__ import annotations

import os
import re
import stat
import struct
from dataclasses import dataclass
from pathlib import Path

import zmq
import zmq.auth
from zmq.utils import z85

from robot.ros.exceptions import ROSError
from robot.ros.security.ownership import looseness
from robot.ros.security.policy import TEMPLATE

SECRET, PUBLIC = ".key_secret", ".key"
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
POLICY = "policy.xml"
VARIABLE = "BERRYBRAIN_ROS_KEYS"


class KeysError(ROSError):
    """A folder of keys that cannot be used as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """This robot's name and keys, in ZeroMQ's printable form (Z85)."""

    name: str
    public: bytes
    secret: bytes


def default_folder() -> Path:
    """Return $BERRYBRAIN_ROS_KEYS, else ~/.config/berrybrain/ros-keys."""
    return Path(os.environ.get(VARIABLE) or "~/.config/berrybrain/ros-keys").expanduser()


def checked_name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise KeysError(f"expected a robot's name of letters, digits and '_' that starts with a letter, got {name!r}")
    return name


class Keys:
    """What is in the folder; read anew whenever it is asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._own, self._peers = folder / "own", folder / "peers"

    @property
    def policy(self) -> Path:
        return self.folder / POLICY

    def create(self, name: str) -> Own:
        """Make a pair of keys, and a policy that allows nothing; raises KeysError when there are keys already."""
        checked_name(name)
        if self._own.is_dir() and any(self._own.glob("*" + SECRET)):
            raise KeysError(f"{self._own} has a key already: a robot keeps its key for life")
        for folder in (self.folder, self._own, self._peers):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        before = os.umask(0o077)
        try:
            zmq.auth.create_certificates(self._own, name)
            if not self.policy.exists():
                self.policy.write_text(TEMPLATE, encoding="utf-8")
        finally:
            os.umask(before)
        return self.own()

    def own(self) -> Own:
        """Read this robot's keys; raises KeysError when there are none, or others may read the secret one or let in."""
        for folder in (self.folder, self._own, self._peers):
            if folder.exists() and (text := looseness(folder)):
                raise KeysError(text)
        found = sorted(self._own.glob("*" + SECRET))
        if len(found) != 1:
            raise KeysError(
                f"{self._own} holds {len(found)} secret keys instead of one: berrybrain ros security init NAME"
            )
        mode = stat.S_IMODE(found[0].stat().st_mode)
        if mode & 0o077:
            raise KeysError(f"{found[0]} can be read by others (mode {mode:04o}): chmod 600 it")
        public, secret = _read(found[0])
        if secret is None:
            raise KeysError(f"{found[0]} has no secret key in it")
        return Own(name=found[0].name.removesuffix(SECRET), public=public, secret=secret)

    def peers(self) -> dict[str, bytes]:
        """Return the public keys of those who are let in, by name. A file that cannot be read lets nobody in."""
        found: dict[str, bytes] = {}
        for path in sorted(self._peers.glob("*" + PUBLIC)):
            try:
                found[path.name.removesuffix(PUBLIC)] = _read(path)[0]
            except (KeysError, OSError):
                continue
        return found

    def add(self, path: Path, name: str | None = None) -> str:
        """Let in the robot whose public key is in a file; return its name (None = that of the file)."""
        name = checked_name(name or path.name.removesuffix(PUBLIC))
        public, secret = _read(path)
        if secret is not None:
            raise KeysError(f"{path} holds a secret key, which must not leave its machine: copy the {PUBLIC} file")
        if public == self.own().public:
            raise KeysError(f"{path} is this robot's own key")
        for other, key in self.peers().items():
            if key == public and other != name:
                raise KeysError(f"that key is {other}'s already")
        target = self._peers / (name + PUBLIC)
        target.write_bytes(path.read_bytes())
        target.chmod(0o600)
        return name

    def remove(self, name: str) -> None:
        """Let a robot in no more, from this instant on."""
        try:
            (self._peers / (checked_name(name) + PUBLIC)).unlink()
        except FileNotFoundError as error:
            raise KeysError(f"no peer {name!r}; there are {sorted(self.peers())}") from error


def _read(path: Path) -> tuple[bytes, bytes | None]:
    try:
        public, secret = zmq.auth.load_certificate(path)
    except (ValueError, IndexError, OSError) as error:  # IndexError: a line `public-key` without '='
        raise KeysError(f"{path} is no file of keys: {error}") from error
    if public is None or not _is_key(public):
        raise KeysError(f"{path} has no public key in it")
    if secret is not None and not _is_key(secret):
        raise KeysError(f"{path} has a secret key in it that is none")
    return public, secret


def _is_key(text: bytes) -> bool:
    try:
        return len(text) == 40 and len(z85.decode(text)) == 32
    except (KeyError, struct.error):  # a character, or a group of five, that Z85 does not have
        return False
