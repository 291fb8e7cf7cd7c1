"""Which groups of ingesters this one's session may still listen to: the broker remembers them, so that we must too."""

from __future__ import annotations

import json
import logging
from pathlib import Path

log = logging.getLogger(__name__)

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
        known = self._read()
        self.left = tuple(group for group in known if group != share)
        """What it must leave, when there is a connection."""
        if share not in known:
            self._write([*known, share])

    def settle(self) -> None:
        """Forget the others: they are left."""
        if self.left:
            self.left = ()
            self._write([self._share])

    def _read(self) -> list[str]:
        if not self._path.exists():
            return []
        try:
            return [str(group) for group in json.loads(self._path.read_text(encoding="utf-8"))]
        except (OSError, ValueError, TypeError) as error:
            log.warning("%s cannot be read, groups it left may stay in the session: %s", self._path, error)
            return []

    def _write(self, groups: list[str]) -> None:
        part = self._path.with_name(self._path.name + ".part")
        try:
            part.write_text(json.dumps(groups), encoding="utf-8")
            part.replace(self._path)
        except OSError as error:  # a full disk must not end ingest
            log.warning("%s cannot be written: %s", self._path, error)
