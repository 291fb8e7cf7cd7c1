"""Which groups of ingesters this one's session may still listen to: the broker remembers them, so that we must too."""

from __future__ import annotations

import json
from pathlib import Path

FILE = "{name}.shares.json"


class Shares:
    """The groups of `[mqtt] share` that one ingester has been in, in a file beside its store.

    Args:
        folder: of the store.
        name: of the ingester, as the broker knows it.
        share: the group it is in now; empty = none, it takes all measurements.
    """

    def __init__(self, folder: Path, name: str, share: str) -> None:
        self._path = folder / FILE.format(name=name)
        self._share = share
        known: list[str] = json.loads(self._path.read_text(encoding="utf-8")) if self._path.exists() else []
        self.left = tuple(group for group in known if group != share)
        """What it must leave, when there is a connection."""
        if share not in known:
            self._write([*known, share])

    def settle(self) -> None:
        """Forget the others: they are left."""
        if self.left:
            self.left = ()
            self._write([self._share])

    def _write(self, groups: list[str]) -> None:
        part = self._path.with_name(self._path.name + ".part")
        part.write_text(json.dumps(groups), encoding="utf-8")
        part.replace(self._path)
