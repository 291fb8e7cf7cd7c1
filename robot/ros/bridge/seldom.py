"""When to log what somebody else can make happen as often as he likes."""

from __future__ import annotations

TEXTS = 256


class Seldom:
    """A count that tells when it is a power of two."""

    def __init__(self) -> None:
        self.count = 0

    def again(self) -> bool:
        """Count, and tell whether to log it."""
        self.count += 1
        return self.count & (self.count - 1) == 0


class News:
    """Tells each text once, of those beyond the first 256 only every so often."""

    def __init__(self) -> None:
        self._told: set[int] = set()  # hashes: the texts may be long
        self.more = Seldom()

    def is_news(self, text: str) -> bool:
        """Tell whether to log a text."""
        digest = hash(text)
        if digest in self._told:
            return False
        if len(self._told) < TEXTS:
            self._told.add(digest)
            return True
        return self.more.again()
