"""The check of a time-series server outside: whether it answers, and what waits on the disk until it does."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def look_at_server(data: Path | None, farm: Path | None) -> tuple[str, str, str]:
    """Return status, detail and remedy.

    Args:
        data: the farm's state folder, where lines wait for the server.
        farm: its farm file; without one that of the state folder counts.
    """
    from telemetry.farm import FarmError, load_farm
    from telemetry.store.influx.queue import queue_status
    from telemetry.store.influx.store import FILE
    from telemetry.store.journal import StoreError
    from telemetry.store.opening import open_archive

    path = farm or (data / "farm.toml" if data else None)
    try:
        known = load_farm(path).store if path is not None and path.exists() else None
    except FarmError:
        known = None  # the check of the farm file says why
    try:
        lines, size = queue_status(data / "store" / FILE) if data else (0, 0)
    except StoreError as error:
        return "bad", error.detail, "move the file away: what waited in it is gone"
    waiting = f"{lines} points ({size / 1e6:.1f} MB) wait for it" if lines else "nothing waits for it"
    if known is None or known.kind != "influx":
        if lines:
            return "warn", f"{waiting}, and [store] names none", "name the server again until they are there"
        return "ok", "none is used", ""
    with tempfile.TemporaryDirectory() as folder:
        try:
            with contextlib.closing(open_archive(Path(folder), known, os.environ, read_only=False)) as archive:
                archive.last([])
        except StoreError as error:
            return "bad", f"{known.url} does not answer; {waiting}: {error.detail}", "start it; what waits is sent then"
    return "warn" if lines else "ok", f"{known.url} answers; {waiting}", ""
