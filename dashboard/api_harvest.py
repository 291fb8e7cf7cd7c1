"""What hangs on the beds, what was picked, what is planned, and where a lot comes from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from dashboard.api_label import LotId, address_of, trace_of
from dashboard.chain_check import ChainCheck
from dashboard.guard import Address, Served, Signed, audited
from dashboard.harvest import STAGES, HarvestLog
from dashboard.morning import Facts, RobotFacts, morning
from dashboard.services import Services
from telemetry.brain.field import SegmentKey
from telemetry.brain.health import Health, farm_health
from telemetry.farm import Farm
from telemetry.messages import Kind, State, Topic
from telemetry.records.records import Lot
from telemetry.store.journal import Archive

router = APIRouter(prefix="/api/v1", tags=["harvest"])

T = TypeVar("T")
BRAIN = "brain"
PLAN_ANSWER_S = 5.0


async def _folded(request: Request, use: Callable[[HarvestLog, Archive], T]) -> T:
    """Bring the fold of the journal up to date and return `use(fold, archive)`, both in the reader's thread."""
    log: HarvestLog = request.app.state.harvest
    services: Services = request.app.state.services

    def read(archive: Archive) -> T:
        log.update(archive)
        return use(log, archive)

    return await services.reader.archive(read)


@router.get("/segments")
async def segments(request: Request, services: Served) -> Response:
    """Return every segment of every bed with its newest count; null where nobody has looked yet."""
    return JSONResponse(await _folded(request, lambda log, _: _segments(services.farm, log)))


def _segments(farm: Farm, log: HarvestLog) -> list[dict[str, Any]]:
    rows = []
    left = log.left()
    for bed in farm.beds:
        for side in bed.sides:
            for segment in range(bed.segments):
                key = SegmentKey(bed.id, side, segment)
                count = log.counts.get(key)
                row: dict[str, Any] = key._asdict() | {"picked_at": log.picked_at.get(key)}
                if count is None:
                    unknown = dict.fromkeys((*STAGES, "at", "in_window", "ripe_mass", "left"))
                    rows.append(row | unknown)
                    continue
                row |= count.stages | {"at": count.at, "in_window": count.in_window, "ripe_mass": count.ripe_mass}
                rows.append(row | {"left": left.get(key, 0)})
    return rows


@router.get("/picks")
async def picks(request: Request, limit: Annotated[int, Query(ge=1, le=1000)] = 50) -> Response:
    """Return the newest picks and what became of each, newest first."""
    return JSONResponse(await _folded(request, lambda log, _: [pick.row() for pick in log.newest(limit)]))


@router.get("/morning")
async def morning_page(request: Request, services: Served) -> Response:
    """Return the sentence of the day, what to do, and the figures behind it."""
    now = services.clock.now()
    midnight = _midnight(services, now)
    alarms = services.alarms.rows(active_only=True)
    states = _brain_states(services)
    robots = [
        RobotFacts(
            id=robot.id,
            bed=robot.bed,
            status=robot.status,
            safety=robot.safety,
            fault=robot.fault or next(iter(robot.causes), ""),
            needs_reset=robot.needs_reset,
            link=services.view.link(robot.id, watched=False),
        )
        for robot in services.view.robots.values()
    ]

    def tell(log: HarvestLog, archive: Archive) -> dict[str, Any]:
        health = farm_health(archive, services.farm, now)
        facts = Facts(
            now=now,
            midnight=midnight,
            picks=log.since(midnight),
            counts=log.counts,
            left=log.left(),
            robots=robots,
            alarms=alarms,
            silent=[h.device for h in health if h.health in (Health.SILENT, Health.NEVER)],
        )
        chosen = [entry for entry in _plan(states, log)["entries"] if entry["chosen"]]
        return morning(facts) | {"plan": chosen[:8]}

    return JSONResponse(await _folded(request, tell))


def _midnight(services: Services, now: float) -> float:
    local = datetime.fromtimestamp(now, ZoneInfo(services.farm.site.timezone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


@router.get("/plan")
async def plan(request: Request, services: Served) -> Response:
    """Return what the brain wants harvested next, and why; `at` is null while the brain has not said."""
    states = _brain_states(services)
    return JSONResponse(await _folded(request, lambda log, _: _plan(states, log)))


def _brain_states(services: Services) -> list[State]:
    return [state for (_, device), state in services.view.states.items() if device == BRAIN]


def _plan(states: Sequence[State], log: HarvestLog) -> dict[str, Any]:
    entries: list[dict[str, Any]] = []
    orders: list[dict[str, Any]] = []
    reasons: list[dict[str, Any]] = []
    at: float | None = None
    for state in states:
        at = max(at or 0.0, state.at)
        orders += [order for order in _dicts(state.detail.get("orders")) if isinstance(order.get("id"), str)]
        for row in _dicts(state.detail.get("plans")):
            reasons.append({name: row.get(name) for name in ("robot", "zh", "en")})
            entries += [_entry(entry, row.get("robot"), log) for entry in _dicts(row.get("entries"))]
    for order in orders:
        seen = log.orders.get(order["id"])
        for entry in entries:
            if seen is None or (entry["bed"], entry["side"]) != (seen.bed, seen.side):
                continue
            if entry["segment"] in seen.segments:  # the newest order of a segment comes last
                entry |= {"order_id": seen.id, "status": order.get("status"), "issuer": seen.issuer}
    return {"at": at, "entries": entries, "orders": orders, "reasons": reasons}


def _entry(entry: dict[str, Any], robot: Any, log: HarvestLog) -> dict[str, Any]:
    bed, side, segment = str(entry.get("bed", "")), str(entry.get("side", "")), entry.get("segment")
    count = log.counts.get(SegmentKey(bed, side, segment)) if isinstance(segment, int) else None
    return {
        "robot": robot,
        "bed": bed,
        "side": side,
        "segment": segment,
        "ripe": entry.get("ripe"),
        "value": entry.get("value"),
        "chosen": entry.get("chosen") is True,
        "last_visit": count.at if count is not None else None,
        "reason": {"zh": str(entry.get("zh", "")), "en": str(entry.get("en", ""))},
        "order_id": None,
        "status": None,
    }


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


@router.post("/plan/run")
async def run_plan(services: Served, session: Signed, address: Address) -> Response:
    """Ask the brain to plan now."""
    zone = services.farm.zones[0].id
    topic = Topic(site=services.farm.site.id, zone=zone, device=BRAIN, kind=Kind.CMD)
    answer = await services.commands.request(topic, "plan", session.name, timeout_s=PLAN_ANSWER_S)
    await audited(services, session, address, "plan", BRAIN, answer.status)
    content = {"id": answer.id, "status": answer.status, "seconds": round(answer.seconds, 3), "reason": answer.reason}
    return JSONResponse(content)


@router.get("/lots")
async def lots(services: Served) -> Response:
    """Return every lot, newest first."""
    found: list[Lot] = await services.reader.records(lambda records: records.lots())
    return JSONResponse([_lot(lot) for lot in reversed(found)])


def _lot(lot: Lot) -> dict[str, Any]:
    values = {name: getattr(lot, name) for name in Lot.__slots__}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


@router.get("/lots/{lot}")
async def lot(services: Served, lot: LotId) -> Response:
    """Return everything on record about one lot."""
    return JSONResponse(await trace_of(services, lot))


@router.get("/trace/{lot}")
async def trace(request: Request, services: Served, lot: LotId) -> Response:
    """Return what a buyer may see of a lot: place, minute, facts, climate; no names, no machines, no orders."""
    full = await trace_of(services, lot)
    known: dict[str, Any] = full["lot"]
    beds = {bed.id: bed for bed in services.farm.beds}
    zones = {zone.id: zone.name or zone.id for zone in services.farm.zones}
    site = services.farm.site
    chain: ChainCheck = request.app.state.chain
    return JSONResponse(
        {
            "lot": known["id"],
            "address": address_of(request, services, lot),
            "site": {"name": site.name or site.id, "timezone": site.timezone},
            "zone": zones.get(known["zone"], known["zone"]),
            "cultivars": sorted({beds[row["bed"]].cultivar for row in full["rows"] if row["bed"] in beds}),
            "rows": full["rows"],
            "beds": [{"id": b.id, "segments": b.segments} for b in services.farm.beds if b.zone == known["zone"]],
            "chain": await chain.found(services),
            "first_pick": full["first_pick"],
            "last_pick": full["last_pick"],
            "first_pick_at": known["first_pick_at"],
            "last_pick_at": known["last_pick_at"],
            "berries": known["berries"],
            "mass": known["mass"],
            "closed": known["closed"],
            "ripeness": [pick["ripeness"] for pick in full["picks"] if isinstance(pick.get("ripeness"), int | float)],
            "climate": full["climate"],
        }
    )
