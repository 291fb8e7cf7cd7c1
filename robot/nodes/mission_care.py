"""What the machine needs between picks: cleaning and a new blade by count, charge by the battery's word."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from robot.nodes.convert import NEWEST
from robot.orders import OrderQueue
from robot.ros.interfaces import sensor_msgs, std_srvs
from robot.ros.node import Node

log = logging.getLogger(__name__)

CLEANED, BLADE_CHANGED = "cleaned", "blade_changed"
CHARGE_LOW = "charge_low"


@dataclass(frozen=True, slots=True, kw_only=True)
class CareSettings:
    """When the machine asks for care; the counts are assumptions until a farm has its own.

    Attributes:
        clean_every: berries cut between two cleanings of pads, blade and lens; about one working shift.
        blade_every: berries cut with one blade.
        battery_low: share of the charge below which no segment is begun any more, 0-1.
        battery_critical: share below which the one under way is broken off, 0-1.
        battery_enough: share from which work goes on, 0-1.
    """

    clean_every: int = 3000
    blade_every: int = 20_000
    battery_low: float = 0.20
    battery_critical: float = 0.10
    battery_enough: float = 0.80

    def __post_init__(self) -> None:
        if min(self.clean_every, self.blade_every) < 1:
            raise ValueError(f"expected counts >= 1, got {self.clean_every} and {self.blade_every}")
        if not 0.0 <= self.battery_critical <= self.battery_low < self.battery_enough <= 1.0:
            levels = (self.battery_critical, self.battery_low, self.battery_enough)
            raise ValueError(f"expected 0 <= critical <= low < enough <= 1, got {levels}")


class Care:
    """Listens to `battery`, serves `care/cleaned` and `care/blade_changed`; counts are kept in the queue's file.

    Args:
        changed: called when something has become due, or is no longer.
    """

    def __init__(self, node: Node, queue: OrderQueue, settings: CareSettings, changed: Callable[[], None]) -> None:
        self._queue, self._settings, self._changed = queue, settings, changed
        self._charge = float("nan")
        self.battery_low = False
        for name in (CLEANED, BLADE_CHANGED):
            node.create_service(std_srvs.srv.Trigger, f"care/{name}", self._answer(name))
        node.create_subscription(sensor_msgs.msg.BatteryState, "battery", self._on_battery, NEWEST)

    @property
    def due(self) -> list[str]:
        """Keys of the fault table for what somebody should see to soon; all but a low battery let the robot work on."""
        cut, settings = self._queue.cut_since, self._settings
        found = ["cleaning_due"] if cut(CLEANED) >= settings.clean_every else []
        found += ["blade_due"] if cut(BLADE_CHANGED) >= settings.blade_every else []
        return [*found, CHARGE_LOW] if self.battery_low else found

    @property
    def battery_critical(self) -> bool:
        return self._charge < self._settings.battery_critical

    def _answer(self, name: str) -> Callable[[Any, Any], Any]:
        def respond(_: Any, response: Any) -> Any:
            log.info("%s, %d berries after the last time", name, self._queue.cut_since(name))
            self._queue.serviced(name)
            response.success = True
            self._changed()
            return response

        return respond

    def _on_battery(self, message: Any) -> None:
        """Take the charge; a battery that does not know it says nothing."""
        charge = float(message.percentage)
        if not np.isfinite(charge):
            return
        self._charge = charge
        low = charge < (self._settings.battery_enough if self.battery_low else self._settings.battery_low)
        if low is not self.battery_low:
            log.log(logging.WARNING if low else logging.INFO, "battery at %.0f %%", 100.0 * charge)
            self.battery_low = low
            self._changed()
