"""Commands to robots: each waits for the robot's own word, and leaves a line in the audit."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, Response

from dashboard.auth import Session
from dashboard.errors import ApiError
from dashboard.guard import Address, Served, Signed, audited
from dashboard.live import Hub
from dashboard.services import Services
from dashboard.urdf import chain
from telemetry.farm import Robot
from telemetry.messages import AckStatus, Kind, Topic

router = APIRouter(prefix="/api/v1/robots/{robot}", tags=["robots"])

ANSWER_S = 1.0
"""After this long without a word a page must say that the stop is not confirmed (design, "Interaction")."""
RobotId = Annotated[str, Path(max_length=64)]


@router.post("/stop")
async def stop(request: Request, services: Served, session: Signed, address: Address, robot: RobotId) -> Response:
    """Stop a robot; open to every role. Sent again until the robot acknowledges it."""
    return await _command(request, services, session, address, robot, "stop")


@router.post("/hold")
async def hold(request: Request, services: Served, session: Signed, address: Address, robot: RobotId) -> Response:
    """Let a robot finish the berry in hand and wait."""
    return await _command(request, services, session, address, robot, "hold")


@router.post("/resume")
async def resume(request: Request, services: Served, session: Signed, address: Address, robot: RobotId) -> Response:
    """Let a robot go on."""
    return await _command(request, services, session, address, robot, "resume")


@router.post("/reset")
async def reset(request: Request, services: Served, session: Signed, address: Address, robot: RobotId) -> Response:
    """Clear a stop whose cause is gone; nothing moves before a resume."""
    return await _command(request, services, session, address, robot, "reset")


@router.post("/cleaned")
async def cleaned(request: Request, services: Served, session: Signed, address: Address, robot: RobotId) -> Response:
    """Tell a robot that its pads, blade and lens were cleaned: it counts anew."""
    return await _command(request, services, session, address, robot, "cleaned")


@router.post("/blade_changed")
async def blade_changed(
    request: Request, services: Served, session: Signed, address: Address, robot: RobotId
) -> Response:
    """Tell a robot that it has a new blade: it counts anew."""
    return await _command(request, services, session, address, robot, "blade_changed")


@router.get("/model")
async def model(services: Served, robot: RobotId) -> Response:
    """Return the robot's shape for the 3-D view, as it told it itself."""
    known = find(services, robot)
    birth = services.view.births.get((known.zone, known.id))
    urdf = birth.description.get("urdf") if birth is not None else None
    if not isinstance(urdf, str):
        raise ApiError("no_model", robot)
    try:
        return JSONResponse(chain(urdf))
    except ValueError as error:
        raise ApiError("no_model", str(error)[:300]) from None


async def _command(  # noqa: PLR0917 - what every command needs
    request: Request, services: Services, session: Session, address: str, robot: str, command: str
) -> Response:
    known = find(services, robot)
    topic = Topic(site=services.farm.site.id, zone=known.zone, device=known.id, kind=Kind.CMD)
    answer = await services.commands.request(topic, command, session.name, timeout_s=ANSWER_S)
    # A repeat of the same message that the robot knows already: it has acted on the first.
    status = AckStatus.ACCEPTED.value if answer.status == AckStatus.DUPLICATE else answer.status
    content: dict[str, Any] = {"id": answer.id, "status": status, "seconds": round(answer.seconds, 3)}
    content["reason"] = answer.reason
    hub: Hub = request.app.state.hub
    hub.announce({"type": "ack", "robot": robot, "command": command, "by": session.name, **content})
    await audited(services, session, address, command, robot, f"{status} {answer.reason}".strip())
    return JSONResponse(content)


def find(services: Services, robot: str) -> Robot:
    """Return a robot of the farm file."""
    for known in services.farm.robots:
        if known.id == robot:
            return known
    raise ApiError("unknown_robot", robot)
