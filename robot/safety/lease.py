"""The motion lease: who may ask for motion now. One at a time; a remote holder who falls silent loses it (R12)."""

from __future__ import annotations

LOCAL = ""
"""The robot's own picker; it needs no lease and waits while somebody else holds one."""


class MotionLease:
    """At most one holder. Tokens are numbers that are never used twice, so that an old one opens nothing.

    Args:
        age: a holder who has not renewed for so long loses the lease [s].
    """

    def __init__(self, age: float) -> None:
        if not 0.0 < age < float("inf"):
            raise ValueError(f"expected a lease's age > 0 s, got {age}")
        self._age = age
        self._holder = LOCAL
        self._token = 0
        self._renewed = float("-inf")

    @property
    def holder(self) -> str:
        """Name of who holds it; empty when motion is the robot's own."""
        return self._holder

    def acquire(self, holder: str, now: float) -> int:
        """Give the lease to `holder` and return the token; 0 when somebody else has it, or the name is empty.

        Args:
            now: monotonic [s].
        """
        if not holder or self._holder not in (LOCAL, holder):
            return 0
        self._holder, self._renewed = holder, now
        self._token += 1
        return self._token

    def renew(self, token: int, now: float) -> bool:
        """Note that the holder is there; false when the token is not the present one."""
        if not self._holds(token):
            return False
        self._renewed = now
        return True

    def release(self, token: int) -> bool:
        """Give the lease back; false when the token is not the present one."""
        if not self._holds(token):
            return False
        self._holder = LOCAL
        return True

    def refuses(self, token: int, now: float) -> str:
        """Return why a request for motion is refused, or an empty text.

        Args:
            token: of the holder; 0 = the robot's own programs.
        """
        if token == 0:
            return f"{self._holder} holds the motion lease" if self._holder else ""
        if not self._holds(token):
            return "the motion lease has passed to somebody else or was given back"
        return "the motion lease has run out" if self.lost(now) else ""

    def lost(self, now: float) -> bool:
        """Tell whether the holder has fallen silent; true until somebody calls `drop`."""
        return bool(self._holder) and not now - self._renewed <= self._age

    def drop(self) -> None:
        """Take the lease from whoever holds it."""
        self._holder = LOCAL

    def _holds(self, token: int) -> bool:
        return bool(self._holder) and token == self._token
