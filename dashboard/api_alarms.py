"""Alarms, and seeing them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse, Response

from dashboard.errors import TEXTS, ApiError
from dashboard.guard import Address, Served, Signed, audited

router = APIRouter(prefix="/api/v1/alarms", tags=["alarms"])


@router.get("")
async def alarms(services: Served, state: Annotated[str, Query(pattern="^(active|all)$")] = "active") -> Response:
    """Return the farm's alarms, the most severe first; `active`: those that last or that nobody has seen."""
    return JSONResponse(services.alarms.rows(active_only=state == "active"))


@router.post("/{alarm}/acknowledge")
async def acknowledge(
    services: Served, session: Signed, address: Address, alarm: Annotated[str, Path(max_length=128)]
) -> Response:
    """Note that the person who is signed in has seen an alarm; that does not clear it."""
    result = await services.alarms.acknowledge(alarm, session.name)
    await audited(services, session, address, "acknowledge", alarm, result)
    if result in TEXTS:
        raise ApiError(result, alarm)
    return JSONResponse({"id": alarm, "status": result})
