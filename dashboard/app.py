"""The dashboard's application: pages, the open API and the live socket, behind one guard."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from dashboard import api_alarms, api_data, api_harvest, api_label, api_robots, api_session, live
from dashboard.assets import Assets
from dashboard.auth import AuthError
from dashboard.chain_check import ChainCheck
from dashboard.errors import TEXTS, ApiError, body_of, status_of
from dashboard.guard import Envelope, guard
from dashboard.harvest import HarvestLog
from dashboard.services import Services
from telemetry.brain.alarms import AlarmsError
from telemetry.door.http import VERSION, Door
from telemetry.records.records import RecordsError
from telemetry.store.journal import StoreError

log = logging.getLogger(__name__)

BY_STATUS = {404: "not_found", 405: "method_not_allowed"}
HEALTH = {"name": "berrybrain", "status": "pass", "message": "ready for writes", "version": VERSION, "checks": []}
UNAUTHORIZED, FORBIDDEN = 4401, 4403
"""Codes with which a live socket is closed: log in again, or do not come back."""


def create_app(services: Services) -> FastAPI:
    """Return the application; it owns nothing of `services` and closes nothing of it."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.hub.start()
        try:
            yield
        finally:
            await app.state.hub.close()

    app = FastAPI(
        title="BerryBrain",
        version="1",
        lifespan=lifespan,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(guard)],
    )
    app.state.services = services
    app.state.login = asyncio.Lock()
    app.state.histories = api_data.HistoryCache()
    app.state.harvest = HarvestLog(services.farm.site.id)
    app.state.chain = ChainCheck()
    app.state.hub = live.Hub(services)
    app.state.assets = Assets(services.static, editing=services.editing)
    _add_pages(app)
    for router in (
        api_session.router,
        api_data.router,
        api_harvest.router,
        api_label.router,
        api_robots.router,
        api_alarms.router,
        live.router,
    ):
        app.include_router(router)
    _add_errors(app)
    app.add_middleware(GZipMiddleware, minimum_size=1400, compresslevel=5)
    app.add_middleware(Envelope)
    if services.door is not None:
        app.add_middleware(BesideDoor, door=services.door)
    return app


class BesideDoor:
    """Leads programs to the door and everyone else to the pages: the two share an address and nothing else."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app, self._door = app, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        inside = scope["type"] != "http" or scope["path"] not in self._door.paths
        await (self._app if inside else self._door)(scope, receive, send)


def _add_pages(app: FastAPI) -> None:
    assets: Assets = app.state.assets

    def file(path: str, request: Request) -> Response:
        found = assets.response(path, request.headers)
        if found is None:
            raise ApiError("not_found", path[:200])
        return found

    @app.get("/", include_in_schema=False)
    async def index(request: Request) -> Response:
        return file("index.html", request)

    @app.get("/t/{lot}", include_in_schema=False)
    async def trace_page(request: Request, lot: str) -> Response:
        return file("index.html", request)

    @app.get("/static/{path:path}", include_in_schema=False)
    async def static(request: Request, path: str) -> Response:
        return file(path, request)

    @app.get("/health")
    async def health() -> Response:
        """Tell that the dashboard answers, in the shape that InfluxDB's clients expect."""
        return JSONResponse(HEALTH)


def _typed(connection: HTTPConnection) -> bool:
    """Tell whether a person asks for a page: pages have their addresses after a #, and a word forgets it easily."""
    asked = connection.scope.get("method") == "GET" and "text/html" in connection.headers.get("accept", "")
    return asked and not connection.url.path.startswith(("/api/", "/static/"))


def _add_errors(app: FastAPI) -> None:
    def answer(code: str, detail: str = "", status: int | None = None) -> Response:
        return JSONResponse(body_of(code, detail), status or status_of(code))

    async def refuse(connection: HTTPConnection, error: Exception) -> Response | None:
        code = error.code if isinstance(error, AuthError | ApiError) else "server_failed"
        if isinstance(connection, WebSocket):
            await connection.accept()
            await connection.close(UNAUTHORIZED if code == "not_signed_in" else FORBIDDEN, code)
            return None
        return answer(code, error.detail if isinstance(error, ApiError) else "")

    async def invalid(_: HTTPConnection, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return answer("bad_request", f"{where}: {first['msg']}"[:300])

    async def http(connection: HTTPConnection, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 404 and _typed(connection):
            asked = f"?{query}" if (query := connection.url.query) else ""
            return RedirectResponse(f"/#{quote(connection.scope['path'])}{asked}", 303)
        code = BY_STATUS.get(error.status_code, "bad_request")
        return answer(code, status=error.status_code)

    async def unreadable(_: HTTPConnection, error: Exception) -> Response:
        log.warning("a read failed: %s", error)
        return answer("store_failed")

    async def failed(_: HTTPConnection, error: Exception) -> Response:
        return answer("server_failed")

    assert set(BY_STATUS.values()) <= set(TEXTS)
    app.add_exception_handler(AuthError, refuse)  # type: ignore[arg-type]
    app.add_exception_handler(ApiError, refuse)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(StoreError, unreadable)
    app.add_exception_handler(RecordsError, unreadable)
    app.add_exception_handler(AlarmsError, unreadable)
    app.add_exception_handler(Exception, failed)
