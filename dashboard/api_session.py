"""Logging in and out, and who one is."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from dashboard.audit import AuditLine
from dashboard.auth import LIFETIME_S, AuthError, Session
from dashboard.guard import COOKIE, Address, Served, Signed
from dashboard.services import Services

router = APIRouter(prefix="/api/v1", tags=["session"])


class Login(BaseModel):
    """A name and a password."""

    model_config = ConfigDict(strict=True, extra="forbid")

    name: str = Field(max_length=256)
    password: str = Field(max_length=1024)


def _site(services: Services) -> dict[str, Any]:
    site = services.farm.site
    return {"id": site.id, "name": site.name or site.id, "timezone": site.timezone}


def _me(services: Services, session: Session) -> dict[str, Any]:
    return {
        "name": session.name,
        "role": session.role.name.lower(),
        "csrf": session.csrf,
        "site": _site(services),
        "now": services.clock.now(),
    }


@router.get("/site")
async def site(request: Request, services: Served) -> Response:
    """Say which farm this is, and whether a session is open; public, for the log-in page."""
    signed_in = request.state.session is not None
    return JSONResponse(_site(services) | {"now": services.clock.now(), "signed_in": signed_in})


@router.post("/login")
async def login(request: Request, services: Served, address: Address, form: Login) -> Response:
    """Open a session; its key goes into a cookie that scripts cannot read."""

    def note(name: str, role: str, result: str) -> None:
        services.audit.write(name=name, role=role, address=address, action="login", target="", result=result)

    try:
        async with request.app.state.login:  # one at a time: many at once would outrun the limit of attempts
            key, session = await asyncio.to_thread(services.accounts.login, form.name, form.password, address)
    except AuthError as refusal:
        await asyncio.to_thread(note, form.name[:64], "", refusal.code)
        raise
    await asyncio.to_thread(note, session.name, session.role.name.lower(), "done")
    response = JSONResponse(_me(services, session))
    secure = request.url.scheme == "https"
    response.set_cookie(
        COOKIE, key, max_age=round(LIFETIME_S), path="/", httponly=True, samesite="strict", secure=secure
    )
    return response


@router.post("/logout")
async def logout(request: Request, services: Served, session: Signed, address: Address) -> Response:
    """End the session."""
    services.accounts.logout(request.cookies.get(COOKIE))
    role = session.role.name.lower()
    await asyncio.to_thread(
        services.audit.write, name=session.name, role=role, address=address, action="logout", target="", result="done"
    )
    response = JSONResponse({})
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return response


@router.get("/me")
async def me(services: Served, session: Signed) -> Response:
    """Say who is signed in, and the token that must come back with every change."""
    return JSONResponse(_me(services, session))


@router.get("/audit")
async def audit(services: Served, limit: int = 200) -> Response:
    """Return the newest lines of who did what."""
    lines: list[AuditLine] = await asyncio.to_thread(services.audit.read, max(1, min(limit, 1000)))
    return JSONResponse([{name: getattr(line, name) for name in AuditLine.__slots__} for line in lines])
