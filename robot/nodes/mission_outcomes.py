"""What the mission keeps for the farm until the gateway has it: picks, counts and orders, as their events will say."""

from __future__ import annotations

import json
from typing import Any

from robot.nodes.convert import to_seconds
from robot.nodes.gateway_texts import count_data, count_key, finite, order_data, order_key, pick_data, pick_key
from robot.orders import OrderQueue, Outcome

TAKEN = 200
"""Outcomes in one answer."""


def pick_outcome(message: Any) -> Outcome:
    """Return what is kept of a `berry_msgs/PickOutcome`."""
    return _outcome("pick", pick_key(message), message, pick_data(message))


def count_outcome(message: Any) -> Outcome:
    """Return what is kept of a `berry_msgs/SegmentCount`."""
    return _outcome("count", count_key(message), message, count_data(message))


def order_outcome(message: Any) -> Outcome:
    """Return what is kept of a `berry_msgs/OrderStatus`."""
    return _outcome("order", order_key(message), message, order_data(message))


def answer_take(queue: OrderQueue, request: Any, response: Any) -> Any:
    """Answer `berry_msgs/TakeOutcomes` from the queue's file."""
    outcomes = queue.take(request.journal, int(request.after), limit=TAKEN)
    response.journal = queue.journal
    response.ids = [outcome.id for outcome in outcomes]
    response.types = [outcome.type for outcome in outcomes]
    response.keys = [outcome.key for outcome in outcomes]
    response.stamps = [outcome.at for outcome in outcomes]
    response.data = [outcome.data for outcome in outcomes]
    return response


def _outcome(type: str, key: str, message: Any, data: dict[str, Any]) -> Outcome:
    return Outcome(type=type, key=key, at=to_seconds(message.header.stamp), data=json.dumps(finite(data)))
