"""One file with a farm's whole state, written while everything runs; and back again, checked byte by byte."""

from __future__ import annotations

import hashlib
import io
import json
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from telemetry.store.hot_file import FILE
from telemetry.store.journal import StoreError
from telemetry.store.retention import copying
from telemetry.store.segments import COLD, segments, sync_folder
from telemetry.store.tables import VERSION, errors

FORMAT = 1
LIST = "BACKUP.json"
"""Last in the file, so that one that was cut off has none."""
STORE = "store"
LEFT_OUT = frozenset({"log", "broker", "spill", "lock"})
"""What belongs to a machine and a run: logs, the broker's own state, locks."""
LEFT_OUT_ENDINGS = ("-wal", "-shm", "-journal", ".lock", ".part")
BLOCK = 1 << 20
MOST_LIST_BYTES = 256 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What a backup holds."""

    files: int
    bytes: int
    points: int
    made_at: float


def backup(data: Path, target: Path, now: float) -> Copied:
    """Write the state folder `data` into the file `target`; other processes go on writing meanwhile.

    Databases are copied at one instant each, points and their sealed files at the same one.

    Raises:
        StoreError: it could not be done; `target` is as it was.
    """
    part = target.with_name(target.name + ".part")
    listed: dict[str, dict[str, Any]] = {}
    try:
        with errors(), tempfile.TemporaryDirectory(dir=target.absolute().parent, prefix=".backup-") as folder:
            with part.open("wb") as file, tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT) as tar:
                part.chmod(0o600)
                points = _add_store(tar, data / STORE, Path(folder), listed)
                for path in _others(data):
                    _add(tar, path, path.relative_to(data).as_posix(), Path(folder), listed)
                about = {"format": FORMAT, "store_version": VERSION, "made_at": now, "points": points, "files": listed}
                body = json.dumps(about).encode()
                info = tarfile.TarInfo(LIST)
                info.size = len(body)
                tar.addfile(info, io.BytesIO(body))
            with part.open("rb") as written:
                os.fsync(written.fileno())
            part.replace(target)
            sync_folder(target.absolute().parent)
    finally:
        part.unlink(missing_ok=True)
    size = sum(int(entry["size"]) for entry in listed.values())
    return Copied(files=len(listed), bytes=size, points=points, made_at=now)


def restore(source: Path, data: Path) -> Copied:
    """Bring a backup back as the state folder `data`, which must be missing or empty.

    Raises:
        StoreError: `source` is damaged, cut off, newer than this version or no backup, or `data` is in use;
            nothing is changed then.
    """
    if data.exists() and any(data.iterdir()):
        raise StoreError("store_failed", f"{data} is not empty: name another folder, or move this one away first")
    part = data.with_name(data.name + ".restoring")
    with errors():
        if part.exists():
            raise StoreError("store_failed", f"{part} is left from an earlier restore: remove it first")
        part.mkdir(parents=True)
        try:
            about, found = _extract(source, part)
            _compare(source, about, found)
            if data.exists():
                data.rmdir()
            part.replace(data)
            sync_folder(data.absolute().parent)
        finally:
            _remove(part)
    size = sum(int(entry["size"]) for entry in about["files"].values())
    return Copied(files=len(found), bytes=size, points=int(about["points"]), made_at=float(about["made_at"]))


def _add_store(tar: tarfile.TarFile, store: Path, folder: Path, listed: dict[str, dict[str, Any]]) -> int:
    if not (store / FILE).exists():
        raise StoreError("store_failed", f"expected a store at {store / FILE}; is the data folder right?")
    copy = folder / FILE
    with copying(store):
        _copy_database(store / FILE, copy)
        with closing(sqlite3.connect(copy)) as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            files = segments(connection, None, -(2**52), 2**52) if version == VERSION else []
            row = connection.execute("SELECT value FROM counter WHERE name = 'points'").fetchone()
        _add_file(tar, copy, f"{STORE}/{FILE}", listed)
        names = [file.file for file in files] + ["series.parquet"]
        for name in names:
            path = store / COLD / name
            if path.exists():
                _add_file(tar, path, f"{STORE}/{COLD}/{name}", listed)
            elif name != "series.parquet":
                raise StoreError("store_failed", f"sealed file {path} is missing; see: berrybrain store check")
    copy.unlink()
    return 0 if row is None else int(row[0])


def _others(data: Path) -> Iterator[Path]:
    for path in sorted(data.rglob("*")):
        parts = path.relative_to(data).parts
        if path.is_symlink() or not path.is_file() or LEFT_OUT & set(parts) or path.name.endswith(LEFT_OUT_ENDINGS):
            continue
        if parts[0] == STORE and (path.name == FILE or COLD in parts):
            continue
        yield path


def _add(tar: tarfile.TarFile, path: Path, name: str, folder: Path, listed: dict[str, dict[str, Any]]) -> None:
    with path.open("rb") as file:
        database = file.read(16).startswith(b"SQLite format 3")
    if not database:
        _add_file(tar, path, name, listed)
        return
    copy = folder / "copy.sqlite3"
    _copy_database(path, copy)
    _add_file(tar, copy, name, listed)
    copy.unlink()


def _copy_database(source: Path, target: Path) -> None:
    uri = f"{source.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=15.0)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def _add_file(tar: tarfile.TarFile, path: Path, name: str, listed: dict[str, dict[str, Any]]) -> None:
    with path.open("rb") as file:
        digest = hashlib.sha256()
        info = tarfile.TarInfo(name)
        info.size = os.fstat(file.fileno()).st_size
        info.mode = 0o600
        tar.addfile(info, _Counted(file, digest, info.size))
    listed[name] = {"size": info.size, "sha256": digest.hexdigest()}


class _Counted(io.RawIOBase):
    """A file whose first `size` bytes are hashed as they are read; one that grows is cut, one that shrinks fails."""

    def __init__(self, file: IO[bytes], digest: Any, size: int) -> None:
        self._file, self._digest, self._left = file, digest, size

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(block)
        self._digest.update(block)
        return block


def _extract(source: Path, part: Path) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    found: dict[str, dict[str, Any]] = {}
    about: dict[str, Any] = {}
    try:
        with tarfile.open(source, mode="r|") as tar:
            for member in tar:
                name = PurePosixPath(member.name)
                body = tar.extractfile(member) if member.isfile() else None
                if body is None or name.is_absolute() or ".." in name.parts or "\\" in member.name:
                    raise StoreError("store_failed", f"{source} is no backup: it holds {member.name!r}")
                if member.name == LIST:
                    about = json.loads(body.read(MOST_LIST_BYTES))
                    continue
                path = part / name
                path.parent.mkdir(parents=True, exist_ok=True)
                found[member.name] = _take(body, path)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise StoreError("store_failed", f"{source} is damaged, or no backup: {error}") from error
    return about, found


def _take(body: IO[bytes], path: Path) -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    with path.open("xb") as file:
        path.chmod(0o600)
        while block := body.read(BLOCK):
            digest.update(block)
            size += len(block)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    return {"size": size, "sha256": digest.hexdigest()}


def _compare(source: Path, about: dict[str, Any], found: dict[str, dict[str, Any]]) -> None:
    if not isinstance(about, dict) or not isinstance(about.get("files"), dict):
        raise StoreError("store_failed", f"{source} is no backup, or was cut off: its list is missing")
    if about.get("format") != FORMAT or int(about.get("store_version", 0)) > VERSION:
        raise StoreError("store_version", f"{source} was written by a newer version: upgrade first")
    wrong = [name for name, entry in about["files"].items() if found.get(name) != entry]
    if wrong or set(found) != set(about["files"]):
        raise StoreError(
            "store_failed", f"{source} is damaged: {', '.join(wrong[:3]) or 'it holds more than its list'}"
        )


def _remove(folder: Path) -> None:
    if folder.exists():
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        folder.rmdir()
