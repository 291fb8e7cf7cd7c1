"""The one place every request passes: who is it, may they, is it from our own page, and is it of a bearable size."""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.auth import AuthError, Session, authorize
from dashboard.errors import ApiError, body_of, status_of
from dashboard.services import Services

log = logging.getLogger(__name__)

COOKIE = "bb_session"
CSRF_HEADER = "x-csrf"
MAX_BODY = 64 * 1024
"""No form of ours comes near it [byte]."""
SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' blob: data:; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


def services(connection: HTTPConnection) -> Services:
    """Return what the application was built with."""
    found: Services = connection.app.state.services
    return found


def address(connection: HTTPConnection) -> str:
    """Return where a request came from."""
    return connection.client.host if connection.client else "unknown"


async def guard(connection: HTTPConnection) -> None:
    """Let a request pass to its route, or refuse it. Every route of the application depends on this.

    Raises:
        AuthError: nobody is signed in, the role may not, or the token is not the session's.
        ApiError: the request comes from a page of another origin.
    """
    method = "WS" if connection.scope["type"] == "websocket" else connection.scope["method"]
    template: str = connection.scope["route"].path
    if method not in ("GET", "HEAD"):
        _check_origin(connection.headers, required=method == "WS")
    session = services(connection).accounts.session(connection.cookies.get(COOKIE))
    authorize(method, template, session, connection.headers.get(CSRF_HEADER))
    connection.state.session = session


def _check_origin(headers: Headers, *, required: bool) -> None:
    """Hold a browser's Origin against the host it spoke to; programs that are no browsers may leave it out."""
    origin = headers.get("origin")
    if origin is None and not required:
        return
    if origin is None or urlsplit(origin).netloc != headers.get("host"):
        raise ApiError("wrong_origin", f"expected the origin of {headers.get('host')}, got {origin}"[:200])


def current(connection: HTTPConnection) -> Session:
    """Return the session of a request that has passed the guard.

    Raises:
        AuthError: the route is public and nobody is signed in.
    """
    session: Session | None = connection.state.session
    if session is None:
        raise AuthError("not_signed_in", 401)
    return session


async def audited(  # noqa: PLR0917 - the columns of one line
    services: Services, session: Session, address: str, action: str, target: str, result: str
) -> None:
    """Add a line to the audit; it is on the disk when this returns."""
    role = session.role.name.lower()
    await asyncio.to_thread(
        services.audit.write,
        name=session.name,
        role=role,
        address=address,
        action=action,
        target=target,
        result=result,
    )


Signed = Annotated[Session, Depends(current)]
Served = Annotated[Services, Depends(services)]
Address = Annotated[str, Depends(address)]


class Envelope:
    """Around everything: security headers on each answer, and no body larger than `MAX_BODY`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        length = Headers(scope=scope).get("content-length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY:
            await _too_large(scope, receive, send_with_headers)
            return
        counted = 0

        async def receive_bounded() -> Message:
            nonlocal counted
            message = await receive()
            counted += len(message.get("body", b""))
            if counted > MAX_BODY:
                raise ApiError("too_large", f"expected at most {MAX_BODY} byte")
            return message

        async def send_unless_too_large(message: Message) -> None:
            if counted <= MAX_BODY:  # else what the application makes of half a body does not matter
                await send_with_headers(message)

        try:
            await self._app(scope, receive_bounded, send_unless_too_large)
        except ApiError:
            if counted <= MAX_BODY:
                raise
        if counted > MAX_BODY:
            await _too_large(scope, receive, send_with_headers)


async def _too_large(scope: Scope, receive: Receive, send: Send) -> None:
    detail = f"expected at most {MAX_BODY} byte"
    await JSONResponse(body_of("too_large", detail), status_of("too_large"))(scope, receive, send)
