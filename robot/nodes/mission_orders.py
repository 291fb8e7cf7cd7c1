"""Work orders between wire and bed: read from a request, held against the bed, turned into the picker's goals."""

from __future__ import annotations

import math
from typing import Any

from robot.nodes.convert import to_seconds
from robot.orders import Progress, WorkOrder
from robot.ros.interfaces import berry_msgs


def work_order(request: Any) -> WorkOrder:
    """Return the order of a `berry_msgs/SubmitOrder` request."""
    return WorkOrder(
        id=request.id,
        issuer=request.issuer,
        expires_at=to_seconds(request.expires_at),
        bed=request.bed,
        side=request.side,
        segments=tuple(int(s) for s in request.segments),
        segment_length=float(request.segment_length),
        ripeness_min=round(float(request.ripeness_min), 4),
        ripeness_max=round(float(request.ripeness_max), 4),
        quota=int(request.quota),
        speed=float(request.speed),
        force=float(request.force),
    )


def beyond(order: WorkOrder, length: float) -> str:
    """Return what is wrong with an order's segments on a bed of this length [m], or an empty text."""
    outside = [s for s in order.segments if s * order.segment_length > length - 1e-6]
    if not outside:
        return ""
    last = math.ceil(length / order.segment_length - 1e-6) - 1
    return f"expected segments 0 to {last} of bed {order.bed!r} ({length:.2f} m), got {outside[0]}"


def harvest_goal(progress: Progress, start: float, end: float) -> Any:
    """Return the goal of the segment that is next, on a bed from `start` to `end`, world x [m]."""
    order, segment = progress.order, progress.order.segments[progress.next]
    begin = start + segment * order.segment_length
    return berry_msgs.action.Harvest.Goal(
        order_id=order.id,
        bed=order.bed,
        side=order.side,
        segment=segment,
        start=begin,
        end=min(begin + order.segment_length, end),
        ripeness_min=order.ripeness_min,
        ripeness_max=order.ripeness_max,
        quota=progress.quota_left,
        speed=order.speed,
        force=order.force,
    )
