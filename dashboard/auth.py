"""Who may come in, and what each role may do: accounts, sessions and the one table of permissions."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import sqlite3
import string
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

IDLE_S = 12 * 3600.0  # a working day without a touch
LIFETIME_S = 14 * 86400.0
ATTEMPTS = 8  # wrong passwords per name and per address within WINDOW_S
WINDOW_S = 300.0
PASSWORD_LENGTH = (8, 256)
NAME = re.compile(r"[\w.@-]{1,64}")
SCHEMA = """
CREATE TABLE IF NOT EXISTS account (name TEXT PRIMARY KEY, role INTEGER NOT NULL, hash TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS session (
  key BLOB PRIMARY KEY, name TEXT NOT NULL REFERENCES account(name) ON DELETE CASCADE,
  csrf TEXT NOT NULL, opened_at REAL NOT NULL, used_at REAL NOT NULL) STRICT;
"""


class Role(IntEnum):
    """Each role may do all that the one below may."""

    PUBLIC = 0
    VIEWER = 1
    GROWER = 2
    ADMIN = 3


# One row per route. A route that is not listed is refused, and a test walks them all. Stopping is open to every role.
PERMISSIONS: dict[tuple[str, str], Role] = {
    ("GET", "/"): Role.PUBLIC,
    ("GET", "/health"): Role.PUBLIC,
    ("GET", "/static/{path:path}"): Role.PUBLIC,
    ("GET", "/t/{lot}"): Role.PUBLIC,
    ("GET", "/t/{lot}/qr.svg"): Role.PUBLIC,
    ("GET", "/api/v1/trace/{lot}"): Role.PUBLIC,
    ("GET", "/api/v1/openapi.json"): Role.PUBLIC,
    ("GET", "/api/v1/site"): Role.PUBLIC,
    ("POST", "/api/v1/login"): Role.PUBLIC,
    ("POST", "/api/v1/logout"): Role.VIEWER,
    ("GET", "/api/v1/me"): Role.VIEWER,
    ("GET", "/api/v1/farm"): Role.VIEWER,
    ("GET", "/api/v1/last"): Role.VIEWER,
    ("GET", "/api/v1/history"): Role.VIEWER,
    ("GET", "/api/v1/segments"): Role.VIEWER,
    ("GET", "/api/v1/morning"): Role.VIEWER,
    ("GET", "/api/v1/picks"): Role.VIEWER,
    ("GET", "/api/v1/alarms"): Role.VIEWER,
    ("POST", "/api/v1/alarms/{alarm}/acknowledge"): Role.GROWER,
    ("GET", "/api/v1/plan"): Role.VIEWER,
    ("POST", "/api/v1/plan/run"): Role.GROWER,
    ("GET", "/api/v1/lots"): Role.VIEWER,
    ("GET", "/api/v1/lots/{lot}"): Role.VIEWER,
    ("GET", "/api/v1/robots/{robot}/model"): Role.VIEWER,
    ("POST", "/api/v1/robots/{robot}/stop"): Role.VIEWER,
    ("POST", "/api/v1/robots/{robot}/hold"): Role.GROWER,
    ("POST", "/api/v1/robots/{robot}/resume"): Role.GROWER,
    ("POST", "/api/v1/robots/{robot}/reset"): Role.GROWER,
    ("POST", "/api/v1/robots/{robot}/cleaned"): Role.GROWER,
    ("POST", "/api/v1/robots/{robot}/blade_changed"): Role.GROWER,
    ("GET", "/api/v1/audit"): Role.ADMIN,
    ("WS", "/live"): Role.VIEWER,
}


class AuthError(Exception):
    """Somebody may not; `code` is the key of the text shown."""

    def __init__(self, code: str, status: int) -> None:
        super().__init__(code)
        self.code = code
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A person who is signed in. `csrf` must come back in the header of every unsafe request."""

    name: str
    role: Role
    csrf: str


class Accounts:
    """Accounts and sessions in one SQLite file; only hashes of passwords and of session keys are kept.

    Args:
        path: the file; made when missing, readable by its owner alone.
        now: UTC epoch seconds.
    """

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        self._now = now
        path.touch(mode=0o600)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.executescript(SCHEMA)
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)  # OWASP's argon2id minimum
        self._failures: dict[str, list[float]] = {}
        self._nobody = self._hasher.hash(secrets.token_hex(16))

    def close(self) -> None:
        self._db.close()

    def add(self, name: str, role: Role, password: str) -> None:
        """Make an account, or give an existing one a new role and password, which ends its sessions.

        Raises:
            ValueError: the name or the password is not acceptable.
        """
        if not NAME.fullmatch(name):
            raise ValueError(f"name: expected 1 to 64 letters, digits, _ . @ or -, got {name!r}")
        low, high = PASSWORD_LENGTH
        if not low <= len(password) <= high:
            raise ValueError(f"password: expected {low} to {high} characters, got {len(password)}")
        self._db.execute("INSERT OR REPLACE INTO account VALUES (?, ?, ?)", (name, role, self._hasher.hash(password)))
        self._db.execute("DELETE FROM session WHERE name = ?", (name,))

    def names(self) -> dict[str, Role]:
        """Return all accounts and their roles."""
        with closing(self._db.execute("SELECT name, role FROM account ORDER BY name")) as rows:
            return {name: Role(role) for name, role in rows}

    def login(self, name: str, password: str, address: str) -> tuple[str, Session]:
        """Open a session and return its key, for the cookie, and the session.

        Raises:
            AuthError: `login_wrong`, or `login_wait` after too many attempts.
        """
        now = self._now()
        self._limit(("name:" + name, "address:" + address), now)
        row = self._db.execute("SELECT hash, role FROM account WHERE name = ?", (name,)).fetchone()
        if not self._matches(row[0] if row else self._nobody, password) or row is None:
            for key in ("name:" + name, "address:" + address):
                self._failures.setdefault(key, []).append(now)
            raise AuthError("login_wrong", 401)
        self._failures.pop("name:" + name, None)
        key, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self._db.execute("DELETE FROM session WHERE used_at < ? OR opened_at < ?", (now - IDLE_S, now - LIFETIME_S))
        self._db.execute("INSERT INTO session VALUES (?, ?, ?, ?, ?)", (_digest(key), name, csrf, now, now))
        return key, Session(name=name, role=Role(row[1]), csrf=csrf)

    def session(self, key: str | None, *, touch: bool = True) -> Session | None:
        """Return the session of a cookie's key; None when there is none, or it has run out.

        Args:
            touch: somebody did something, so that it idles from now on; an open page alone is nobody.
        """
        if not key:
            return None
        now = self._now()
        row = self._db.execute(
            "SELECT name, role, csrf, opened_at, used_at FROM session JOIN account USING (name) WHERE key = ?",
            (_digest(key),),
        ).fetchone()
        if row is None or now - row[4] > IDLE_S or now - row[3] > LIFETIME_S:
            return None
        if touch and now - row[4] > 60.0:
            self._db.execute("UPDATE session SET used_at = ? WHERE key = ?", (now, _digest(key)))
        return Session(name=row[0], role=Role(row[1]), csrf=row[2])

    def logout(self, key: str | None) -> None:
        """End the session of a cookie's key."""
        if key:
            self._db.execute("DELETE FROM session WHERE key = ?", (_digest(key),))

    def _matches(self, stored: str, password: str) -> bool:
        """Verify; an unknown name is checked against nobody's hash, so that it costs the same time."""
        try:
            return bool(self._hasher.verify(stored, password[: PASSWORD_LENGTH[1]]))
        except (VerificationError, InvalidHashError):
            return False

    def _limit(self, keys: tuple[str, ...], now: float) -> None:
        for known in [k for k, times in self._failures.items() if now - times[-1] > WINDOW_S]:
            del self._failures[known]
        for key in keys:
            recent = [at for at in self._failures.get(key, []) if now - at <= WINDOW_S]
            if len(recent) >= ATTEMPTS:
                raise AuthError("login_wait", 429)


def authorize(method: str, template: str, session: Session | None, csrf: str | None) -> None:
    """Let a request pass or not. `template` is the route's path with its parameters in braces.

    Raises:
        AuthError: `not_signed_in` 401, `not_allowed` 403, `form_expired` 403 (the CSRF token is not the session's).
    """
    needed = PERMISSIONS.get(("GET" if method == "HEAD" else method, template))
    if needed is None:
        raise AuthError("not_allowed", 403)
    if needed is Role.PUBLIC:
        return
    if session is None:
        raise AuthError("not_signed_in", 401)
    if session.role < needed:
        raise AuthError("not_allowed", 403)
    if method not in ("GET", "HEAD", "WS") and not hmac.compare_digest(csrf or "", session.csrf):
        raise AuthError("form_expired", 403)


def random_password() -> str:
    """Return a password a person can type from a screen: 16 letters and digits that are not mistaken for each other."""
    alphabet = [c for c in string.ascii_lowercase + string.digits if c not in "l1o0"]
    return "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(4))


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
