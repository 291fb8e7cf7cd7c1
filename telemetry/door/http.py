"""InfluxDB's way in and a small way out over HTTP: lines are written, measurements are asked for; an ASGI application.

Paths: `/api/v2/write` (InfluxDB 2 and 3), `/write` and `CREATE DATABASE` on `/query` (1.x), `/ping`, `/ready`, and
`/api/v1/query`. A write is acknowledged with 204 when it is committed. Sent again it changes nothing: what a series has
at a time stays.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from telemetry.door.http_query import answer_query
from telemetry.door.line_points import LinePoints, Taken
from telemetry.door.tokens import FILE, Token, Tokens
from telemetry.ingest.intake import Intake, IntakeSettings
from telemetry.store.embedded import open_store
from telemetry.store.journal import Archive, StoreError
from telemetry.store.line_protocol import PRECISIONS, read

log = logging.getLogger(__name__)

MAX_BODY = 32 * 1024 * 1024
"""Largest request, packed and unpacked [byte]: a hundred times what Telegraf sends."""
MAX_WAITING = 64 * 1024 * 1024
"""Requests that wait for the store may hold so much together [byte]; further ones are asked to come again."""
SLICE = 20_000
"""Lines in one commit."""
V2_PRECISIONS = ("ns", "us", "ms", "s")
VERSION = "v2.7-compatible (BerryBrain)"
HEADERS = {"x-influxdb-version": VERSION, "x-influxdb-build": "BerryBrain", "cache-control": "no-store"}
HEADERS |= {"x-content-type-options": "nosniff"}
RETRY_S = 5
OLD_PATHS = ("/write", "/query")
"""Of InfluxDB 1.x, which says what is wrong in a shape of its own and takes an empty write."""
HELD = "berrybrain.held"
"""Key under which a request's scope says how much it holds [byte]."""


class RefusedError(Exception):
    """A request that is not served; `code` as InfluxDB names it."""

    def __init__(self, status: int, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"code": code, "message": message, **more}


class Door:
    """The application. It opens the store when the first request comes, in a thread of its own.

    Args:
        data: the farm's state folder.
        site: id of the farm's site, the bucket that is meant when none is named.
        timezone: of the farm, for times without an offset and days.
        now: UTC epoch seconds.
        opener: opens the farm's store, to be read only when told so; left out, the embedded one in `data`.
    """

    def __init__(
        self,
        data: Path,
        site: str,
        timezone: str,
        now: Callable[[], float],
        opener: Callable[[bool], Archive] | None = None,
    ) -> None:
        self._open = opener or (lambda read_only: open_store(data / "store", read_only=read_only))
        self._site, self._timezone, self._now = site, timezone, now
        self._tokens = Tokens(data / FILE, now)
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="door-write")
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="door-read")
        self._waiting = 0
        self._store: Archive | None = None
        self._archive: Archive | None = None
        self._lines: LinePoints | None = None
        self._routes = {
            ("POST", "/api/v2/write"): self._write,
            ("POST", "/write"): self._write,
            ("POST", "/query"): self._database,
            ("GET", "/query"): self._database,
            ("POST", "/api/v2/query"): self._flux,
            ("GET", "/api/v1/query"): self._query,
            ("POST", "/api/v1/query"): self._query,
            ("GET", "/ping"): self._ping,
            ("HEAD", "/ping"): self._ping,
            ("GET", "/ready"): self._ready,
        }
        self.paths = frozenset(path for _, path in self._routes)

    def close(self) -> None:
        """Wait for what is under way and close everything."""
        for thread in (self._writer, self._reader):
            thread.shutdown()
        for store in (self._store, self._archive):
            if store is not None:
                store.close()
        self._tokens.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            route = self._routes.get((request.method, request.url.path))
            if route is None:
                raise RefusedError(405, "method not allowed", f"{request.method} is not taken here")
            response = await route(request)
        except ClientDisconnect:
            return
        except RefusedError as refused:
            more = {"retry-after": str(RETRY_S)} if refused.status == 503 else {}
            more |= {"www-authenticate": "Token"} if refused.status == 401 else {}
            more |= {"x-influxdb-error": str(refused).replace("\n", " ").encode("ascii", "replace").decode()[:500]}
            body = {"error": str(refused)} if request.url.path in OLD_PATHS else refused.body
            response = JSONResponse(body, refused.status, headers=more)
        finally:
            self._waiting -= scope.get(HELD, 0)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        await response(scope, receive, send)

    def _bearer(self, request: Request, scope: str) -> Token:
        """Return the token of a request, when it may do what `scope` says."""
        kind, _, secret = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "basic":
            try:
                secret = base64.b64decode(secret, validate=True).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                secret = ""
        elif kind.lower() not in {"token", "bearer"}:
            secret = request.query_params.get("p", "")
        token = self._tokens.find(secret.strip()) if secret else None
        if token is None:
            hint = "unauthorized access: send a token; `berrybrain token add` makes one"
            raise RefusedError(401, "unauthorized", hint)
        if scope not in token.scopes:
            raise RefusedError(403, "forbidden", f"insufficient permissions: token {token.name} may not {scope}")
        return token

    async def _ping(self, request: Request) -> Response:
        return Response(status_code=204)

    async def _ready(self, request: Request) -> Response:
        return JSONResponse({"status": "ready"})

    async def _flux(self, request: Request) -> Response:
        self._bearer(request, "read")
        raise RefusedError(501, "not implemented", "Flux is not spoken here; ask GET /api/v1/query")

    async def _database(self, request: Request) -> Response:
        """Let a 1.x client, which makes its database at start, believe that it has: any bucket may be written."""
        self._bearer(request, "write")
        form = await self._body(request) if request.method == "POST" else b""
        if "CREATE" in (request.query_params.get("q", "") + form.decode(errors="replace")).upper():
            return JSONResponse({"results": [{"statement_id": 0}]})
        raise RefusedError(501, "not implemented", "InfluxQL is not spoken here; ask GET /api/v1/query")

    async def _write(self, request: Request) -> Response:
        token = self._bearer(request, "write")
        asked = request.query_params
        bucket = asked.get("bucket", asked.get("db", ""))
        precision = asked.get("precision", "ns") or "ns"
        known = V2_PRECISIONS if request.url.path == "/api/v2/write" else tuple(PRECISIONS)
        if precision not in known:
            problem = f"invalid precision; valid precision units are {', '.join(known[:-1])}, and {known[-1]}"
            raise RefusedError(400, "invalid", problem)
        if len(bucket) > 128 or not bucket.isprintable():
            raise RefusedError(400, "invalid", "bucket: expected at most 128 printable characters")
        if token.bucket and bucket != token.bucket:
            raise RefusedError(403, "forbidden", f"token {token.name} may write bucket {token.bucket!r} only")
        try:
            body = await self._body(request)
            if not body and request.url.path in OLD_PATHS:
                return Response(status_code=204)
            if not body:
                raise RefusedError(400, "invalid", "writing requires points")
            source = f"http:{request.url.path}?bucket={bucket}"
            loop = asyncio.get_running_loop()
            taken = await loop.run_in_executor(
                self._writer, lambda: self._store_lines(body, bucket, precision, source, limited=bool(token.bucket))
            )
        except StoreError as error:
            log.warning("lines were not stored: %s", error)
            raise RefusedError(503, "unavailable", f"it was not stored, send it again: {error.code}") from None
        if taken.dropped:
            partial = "partial write: " if taken.dropped < taken.lines else ""
            problems = "\n".join(taken.problems)
            message = f"{partial}{problems} dropped={taken.dropped}"
            raise RefusedError(400, "invalid", message, dropped=taken.dropped, accepted=taken.lines - taken.dropped)
        return Response(status_code=204)

    def _store_lines(self, body: bytes, bucket: str, precision: str, source: str, *, limited: bool) -> Taken:
        """Commit the lines of a request; runs in the writer's thread."""
        if self._store is None or self._lines is None:
            self._store = self._open(False)
            intake = Intake(IntakeSettings(), self._store.last().values(), site=self._site)
            self._lines = LinePoints(intake, self._site)
        now, taken = self._now(), Taken()
        site = self._lines.site_of(bucket)
        items = read(body, default_ns=round(now * 1e3) * 1_000_000, precision=precision)
        while True:
            before = taken.lines
            part = islice(items, SLICE)
            self._store.commit(self._lines.take(part, site, source, now, taken, site if limited else None))
            if taken.lines == before:
                return taken

    async def _query(self, request: Request) -> Response:
        token = self._bearer(request, "read")
        asked: list[tuple[str, str]] = list(request.query_params.multi_items())
        if request.method == "POST":
            asked += parse_qsl((await self._body(request)).decode(errors="replace"), max_num_fields=100)
        site = (self._site if token.bucket in ("", "farm") else token.bucket) if token.bucket else None

        def read_it() -> Response:
            if self._archive is None:
                self._archive = self._open(True)
            return answer_query(self._archive, asked, site=site, timezone=self._timezone, now=self._now())

        try:
            return await asyncio.get_running_loop().run_in_executor(self._reader, read_it)
        except ValueError as error:
            raise RefusedError(400, "invalid", str(error)) from None
        except StoreError as error:
            raise RefusedError(503, "unavailable", error.code) from None

    async def _body(self, request: Request) -> bytes:
        """Return the body, unpacked. What it holds counts against `MAX_WAITING` until the request is answered."""
        told = request.headers.get("content-length", "0")
        too_large = RefusedError(413, "request too large", f"expected at most {MAX_BODY} byte", maxLength=MAX_BODY)
        if not told.isdecimal() or len(told) > 12 or int(told) > MAX_BODY:
            raise too_large
        body = bytearray()
        async for block in request.stream():
            body += block
            self._waiting += len(block)
            request.scope[HELD] = len(body)
            if len(body) > MAX_BODY:
                raise too_large
            if self._waiting > MAX_WAITING:
                raise RefusedError(503, "unavailable", "too many writes at once, send it again")
        kind = request.headers.get("content-encoding", "identity").lower()
        if kind in {"identity", ""}:
            return bytes(body)
        if kind != "gzip":
            raise RefusedError(415, "invalid", f"content encoding: expected gzip or identity, got {kind[:40]!r}")
        try:
            return unpack(bytes(body), MAX_BODY)
        except zlib.error as error:
            raise RefusedError(400, "invalid", f"the body is not gzip: {error}") from None
        except OverflowError:
            raise too_large from None


def unpack(packed: bytes, most: int) -> bytes:
    """Unpack gzip, of several members too.

    Raises:
        OverflowError: it would be more than `most` bytes.
        zlib.error: it is not gzip, or not all of it.
    """
    found = b""
    while packed:
        engine = zlib.decompressobj(wbits=31)
        found += engine.decompress(packed, most + 1 - len(found))
        if len(found) > most:
            raise OverflowError
        if not engine.eof:
            raise zlib.error("the end is missing")
        packed = engine.unused_data
    return found
