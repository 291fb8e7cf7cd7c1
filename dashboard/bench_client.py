"""What the dashboard's bench does from outside: requests at a fixed rate, open pages, the weight of a first load."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from websockets.asyncio.client import connect
from websockets.typing import Origin

STATIC = re.compile(r"""(?:from|import)\s*["'](/static/[^"']+)["']|(?:src|href)=["'](/static/[^"']+)["']""")
PAGE_CSS = re.compile(r"""css:\s*["'](/static/[^"']+\.css)["']""")
CSS_URL = re.compile(r"""url\(["']?(/static/[^"')]+)["']?\)|@import\s+["'](/static/[^"']+)["']""")
CONNECTIONS = 8
IDLE_S = 10.0
"""A connection idle for longer is opened anew: the server waits 30 s [s]."""


@dataclass(slots=True)
class Caller:
    """One keep-alive connection to the server."""

    host: str
    port: int
    headers: dict[str, str] = field(default_factory=dict)
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None
    used_at: float = 0.0

    async def request(self, method: str, path: str, body: object = None) -> tuple[int, int, bytes]:
        """Return status, bytes received (head and body as transferred) and the body as transferred."""
        if self.writer is not None and time.monotonic() - self.used_at > IDLE_S:
            self.close()
            self.writer = None
        self.used_at = time.monotonic()
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
        assert self.reader is not None
        content = b"" if body is None else json.dumps(body).encode()
        head = {"host": f"{self.host}:{self.port}", "accept-encoding": "gzip", **self.headers}
        if method != "GET":
            head |= {"content-type": "application/json", "content-length": str(len(content))}
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        self.writer.write(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + content)
        answer = await self.reader.readuntil(b"\r\n\r\n")
        status = int(answer.split(b" ", 2)[1])
        found = re.search(rb"(?i)\r\ncontent-length: *(\d+)", answer)
        if found is None:
            received = await self._chunks()
            return status, len(answer) + len(received), received
        received = await self.reader.readexactly(int(found[1]))
        return status, len(answer) + len(received), received

    async def _chunks(self) -> bytes:
        assert self.reader is not None
        parts = []
        while size := int(await self.reader.readline(), 16):
            parts.append(await self.reader.readexactly(size))
            await self.reader.readexactly(2)
        await self.reader.readexactly(2)
        return b"".join(parts)

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` (0-1) of `values` lie; NaN for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


async def at_rate(callers: Sequence[Caller], paths: Sequence[str], rate: float, seconds: float) -> list[float]:
    """Ask for `paths` in turn, `rate` times a second whatever the answers take; return times from due to answered [s].

    Raises:
        ValueError: an answer was not 200.
    """
    loop, free = asyncio.get_running_loop(), asyncio.Queue[Caller]()
    for caller in callers:
        free.put_nowait(caller)
    began, times = loop.time(), list[float]()

    async def ask(number: int) -> None:
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - loop.time()))
        caller = await free.get()
        status, _, _ = await caller.request("GET", paths[number % len(paths)])
        free.put_nowait(caller)
        if status != 200:
            raise ValueError(f"expected 200 from {paths[number % len(paths)]}, got {status}")
        times.append(loop.time() - due)

    await asyncio.gather(*(ask(number) for number in range(round(rate * seconds))))
    return times


@dataclass(slots=True)
class Heard:
    """What an open page was sent: bytes with the frames' heads, and pictures."""

    bytes: int = 0
    pictures: int = 0
    messages: int = 0


async def watch(host: str, port: int, key: str, topics: Sequence[str], seconds: float) -> Heard:
    """Be an open page for so many seconds, with a ping every 2 s as the pages do."""
    heard = Heard()
    address, cookie = f"{host}:{port}", {"cookie": f"bb_session={key}"}
    async with connect(
        f"ws://{address}/live",
        origin=Origin(f"http://{address}"),
        additional_headers=cookie,
        compression=None,
        max_size=None,
    ) as socket:
        await socket.send(json.dumps({"watch": list(topics)}))
        end = pinged = time.monotonic()
        end += seconds
        while (now := time.monotonic()) < end:
            if now - pinged >= 2.0:
                pinged = now
                await socket.send('{"ping":1}')
            try:
                message = await asyncio.wait_for(socket.recv(), min(0.5, end - now))
            except TimeoutError:
                continue
            size = len(message) if isinstance(message, bytes) else len(message.encode())
            heard.bytes += size + (2 if size < 126 else 4 if size < 65536 else 10)
            heard.pictures += isinstance(message, bytes)
            heard.messages += 1
    return heard


async def weigh_page(caller: Caller, page: str, language: str = "zh") -> tuple[int, int]:
    """Return bytes and files of a first visit of a page: everything its modules import, before anything on demand.

    What is imported on demand later (the 3-D view) is not followed; the API's first answers are counted.
    """
    import gzip

    wanted = [
        "/",
        f"/static/pages/{page}.js",
        f"/static/i18n/{language}/common.js",
        f"/static/i18n/{language}/{page}.js",
    ]
    wanted += ["/api/v1/me", "/api/v1/farm"]
    seen: dict[str, int] = {}
    while wanted:
        path = wanted.pop()
        if path in seen:
            continue
        status, size, body = await caller.request("GET", path)
        if status != 200:
            if not path.startswith("/static/i18n/"):
                raise ValueError(f"expected 200 from {path}, got {status}")
            continue
        seen[path] = size
        if path.endswith((".js", ".css")) or path == "/":
            text = (gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body).decode()
            for pattern in (STATIC, PAGE_CSS) if not path.endswith(".css") else (CSS_URL,):
                for match in pattern.finditer(text):
                    wanted += [found for found in match.groups() if found]
    return sum(seen.values()), len(seen)
