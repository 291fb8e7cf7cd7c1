"""A lot by the number on its label: what is on record, the address of its public page, and the QR code of that."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from dashboard.errors import ApiError
from dashboard.guard import Served
from dashboard.label import qr_svg, trace_address
from dashboard.services import Services

router = APIRouter()

LotId = Annotated[str, Path(max_length=80)]


async def trace_of(services: Services, lot: str) -> dict[str, Any]:
    """Return everything on record about a lot.

    Raises:
        ApiError: there is no such lot.
    """
    try:
        return await services.reader.records(lambda records: records.trace(lot))
    except KeyError:
        raise ApiError("unknown_lot", lot) from None


def address_of(request: Request, services: Services, lot: str) -> str:
    """Return the absolute address of a lot's public page, as its label carries it.

    Raises:
        ApiError: the farm file names none, and the request came for a host that is none.
    """
    host = request.headers.get("host", "")
    try:
        return trace_address(lot, configured=services.farm.site.address, scheme=request.url.scheme, host=host)
    except ValueError as error:
        raise ApiError("bad_request", str(error)) from None


@router.get("/t/{lot}/qr.svg", include_in_schema=False)
async def qr_code(request: Request, services: Served, lot: LotId) -> Response:
    """Return the QR code of a lot's public page; checked by each page, since the farm may give another address."""
    await trace_of(services, lot)
    address = address_of(request, services, lot)
    tag = f'"{hashlib.sha256(address.encode()).hexdigest()[:24]}"'
    headers = {"etag": tag, "cache-control": "no-cache", "vary": "host"}
    if tag in (known.strip().removeprefix("W/") for known in request.headers.get("if-none-match", "").split(",")):
        return Response(status_code=304, headers=headers)
    content = await asyncio.to_thread(qr_svg, address)
    return Response(content, headers=headers, media_type="image/svg+xml")
