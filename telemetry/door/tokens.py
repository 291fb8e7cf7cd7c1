"""Tokens of programs that write or read over HTTP: named, limited, revocable; only their hashes are kept."""

from __future__ import annotations

import hashlib
import re
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

FILE = "tokens.sqlite"
SCOPES = ("write", "read")
NAME = re.compile(r"[\w.@-]{1,64}")
BUCKET = re.compile(r"[^\x00-\x1f\x7f]{0,128}")
PREFIX = "bb_"
"""So that a token that was published by mistake is known as one."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS token (
  name TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, scopes TEXT NOT NULL, bucket TEXT NOT NULL, made_at REAL NOT NULL
) STRICT
"""


class TokenError(ValueError):
    """A token cannot be made or revoked as it was asked; says what was expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What its bearer may do. `bucket`: only into or out of this one, "" = any; `made_at` [UTC epoch s]."""

    name: str
    scopes: tuple[str, ...]
    bucket: str
    made_at: float


class Tokens:
    """The farm's tokens in one file, made when missing, readable by its owner alone; several processes may use it.

    A token is 256 random bits, so that a plain hash of it is safe to keep and quick to look up.
    """

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        self._now = now
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute(SCHEMA)

    def close(self) -> None:
        self._db.close()

    def add(self, name: str, scopes: Sequence[str], bucket: str = "") -> str:
        """Make a token and return it; it cannot be shown again.

        Raises:
            TokenError: the name is taken or none, or a scope is none.
        """
        if not NAME.fullmatch(name):
            raise TokenError(f"name: expected 1 to 64 letters, digits, _ . @ or -, got {name!r}")
        if not scopes or set(scopes) - set(SCOPES):
            raise TokenError(f"scopes: expected some of {', '.join(SCOPES)}, got {', '.join(scopes) or 'none'}")
        if not BUCKET.fullmatch(bucket):
            raise TokenError(f"bucket: expected at most 128 printable characters, got {bucket[:80]!r}")
        secret = PREFIX + secrets.token_urlsafe(32)
        row = (name, _digest(secret), " ".join(sorted(set(scopes))), bucket, self._now())
        try:
            self._db.execute("INSERT INTO token VALUES (?, ?, ?, ?, ?)", row)
        except sqlite3.IntegrityError:
            raise TokenError(f"there is a token {name!r}: revoke it first, or take another name") from None
        return secret

    def revoke(self, name: str) -> None:
        """End a token at once.

        Raises:
            TokenError: there is none of that name.
        """
        if not self._db.execute("DELETE FROM token WHERE name = ?", (name,)).rowcount:
            names = ", ".join(token.name for token in self.all()) or "none"
            raise TokenError(f"there is no token {name!r}; there are: {names}")

    def all(self) -> list[Token]:
        """Return all tokens by name."""
        with closing(self._db.execute("SELECT name, scopes, bucket, made_at FROM token ORDER BY name")) as rows:
            return [_token(row) for row in rows]

    def find(self, secret: str) -> Token | None:
        """Return what a token is; None when it is none, or was revoked."""
        query = "SELECT name, scopes, bucket, made_at FROM token WHERE hash = ?"
        row = self._db.execute(query, (_digest(secret),)).fetchone()
        return None if row is None else _token(row)


def _token(row: tuple[str, str, str, float]) -> Token:
    name, scopes, bucket, made_at = row
    return Token(name=name, scopes=tuple(scopes.split()), bucket=bucket, made_at=made_at)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
