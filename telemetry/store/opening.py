"""Open the store that a farm file names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from telemetry.farm.settings import StoreSettings
from telemetry.store.embedded import EmbeddedStore, open_store
from telemetry.store.journal import StoreError
from telemetry.store.repair import mend_closed
from telemetry.store.tables import DAMAGED


def open_archive(
    directory: Path, known: StoreSettings, environment: Mapping[str, str], *, read_only: bool = False
) -> EmbeddedStore:
    """Open the embedded store in `directory`, or the server that `known` names, with its journal in `directory`.

    A hot file that cannot be opened because it is damaged is mended first, when it is to be written.

    Raises:
        StoreError: as of `open_store`; a server that is away fails when it is asked, not here.
    """
    try:
        return _open(directory, known, environment, read_only=read_only)
    except StoreError as error:
        if read_only or error.code != DAMAGED:
            raise
    mend_closed(directory)
    return _open(directory, known, environment, read_only=read_only)


def _open(directory: Path, known: StoreSettings, environment: Mapping[str, str], *, read_only: bool) -> EmbeddedStore:
    if known.kind == "embedded":
        return open_store(directory, read_only=read_only)
    from telemetry.store.influx import InfluxSettings
    from telemetry.store.influx.archive import OutsideArchive

    token = environment.get(known.token_env, "")
    settings = InfluxSettings(url=known.url, org=known.org, bucket=known.bucket, token=token, query=known.query)
    return OutsideArchive(directory, settings, read_only=read_only)
