"""The files of the pages, read once and kept compressed, each with its hash, so that a known one costs little."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response

COMPRESSED = ("text/", "application/json", "image/svg+xml", "application/manifest+json")
VERSIONED = re.compile(r"-\d+\.\d+\.\d+[.-]")
"""A vendored library carries its version in its name: under that name it never changes."""
TYPES = {".js": "text/javascript", ".css": "text/css", ".webmanifest": "application/manifest+json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file. `packed` is its gzip, empty where that saves nothing."""

    content: bytes
    packed: bytes
    type: str
    etag: str
    immutable: bool
    modified: float


class Assets:
    """Everything below one folder, by its path there.

    Args:
        editing: look at each request whether the file was changed.
    """

    def __init__(self, folder: Path, *, editing: bool = False) -> None:
        self._folder = folder.resolve()
        self._editing = editing
        self._files = {
            path.relative_to(self._folder).as_posix(): _load(path)
            for path in sorted(self._folder.rglob("*"))
            if path.is_file()
        }

    def paths(self) -> list[str]:
        return list(self._files)

    def get(self, path: str) -> Asset | None:
        """Return the file at `path`; None when there is none. Nothing outside the folder is reached."""
        if self._editing:
            self._look(path)
        return self._files.get(path)

    def response(self, path: str, request: Headers) -> Response | None:
        """Return the answer to a request for `path`; None when there is no such file."""
        asset = self.get(path)
        if asset is None:
            return None
        age = "public, max-age=31536000, immutable" if asset.immutable and not self._editing else "no-cache"
        headers = {"etag": asset.etag, "cache-control": age, "vary": "accept-encoding"}
        if asset.etag in (tag.strip().removeprefix("W/") for tag in request.get("if-none-match", "").split(",")):
            return Response(status_code=304, headers=headers)
        content = asset.content
        if asset.packed and "gzip" in request.get("accept-encoding", ""):
            content, headers["content-encoding"] = asset.packed, "gzip"
        return Response(content, headers=headers, media_type=asset.type)

    def _look(self, path: str) -> None:
        file = (self._folder / path).resolve()
        if not file.is_relative_to(self._folder) or not file.is_file():
            self._files.pop(path, None)
            return
        known = self._files.get(path)
        if known is None or known.modified != file.stat().st_mtime:
            self._files[path] = _load(file)


def _load(path: Path) -> Asset:
    content = path.read_bytes()
    kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    packed = gzip.compress(content, 9, mtime=0) if kind.startswith(COMPRESSED) else b""
    return Asset(
        content=content,
        packed=packed if 0 < len(packed) < len(content) else b"",
        type=kind,
        etag=f'"{hashlib.sha256(content).hexdigest()[:24]}"',
        immutable=VERSIONED.search(path.name) is not None,
        modified=path.stat().st_mtime,
    )
