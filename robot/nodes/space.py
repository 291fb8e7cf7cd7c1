"""The lease on a row: machines on one rail ask this node for stretches, and no two hold the same place."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from robot.arms import ArmDescription
from robot.nodes.convert import NEWEST, RELIABLE, header
from robot.ros.context import Context
from robot.ros.interfaces import berry_msgs, sensor_msgs
from robot.ros.node import Node
from robot.safety import RowSpace
from robot.span import extent
from telemetry.clock import Clock

log = logging.getLogger(__name__)

Array = npt.NDArray[np.float64]

LOOK = 0.1
"""Between two looks at who has fallen silent [s]."""

AT_REST = 2e-3
"""Joints slower than this stand still [m/s, rad/s]."""

STALE = 0.3
"""Joints that are older say nothing of where a machine is [s]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceSettings:
    """Settings of the lease.

    Attributes:
        machines: all that share the row, by their namespaces without the slash.
        namespace: of the row.
        gap: kept free between two machines' stretches [m].
        age: a machine stops when its lease has not been renewed for so long [s].
        grace: after that, until it counts as standing: the way of its stop, and messages that are late [s].
    """

    machines: tuple[str, ...]
    namespace: str = "/row"
    gap: float = 0.02
    age: float = 1.0
    grace: float = 1.0


@dataclass(slots=True, kw_only=True)
class _Machine:
    """`away`: a person has said that it has left the row; `silent`: it is told in the log; `wants`: refused last."""

    renewed: float = float("-inf")
    wants: tuple[float, float] | None = None
    joints: Any = None
    heard: float = float("-inf")
    away: bool = False
    silent: bool = False


class SpaceNode(Node):
    """Serves `claim` and `release`, and tells on `leases` who holds what.

    Nobody gets anything before every machine of the row was seen at rest: that is what each holds first, also after
    this node was started again. A machine that falls silent stops by itself and still stands in the row: its stretch
    shrinks to where its joints, once at rest, show its body to be; while nobody knows where it is, it keeps what it
    had, until a person releases it. So no place becomes free by time alone. After a start nobody is looked at before
    every lease of an earlier node has run out: who rests for a moment may still go on by it.

    Args:
        arms: by machine.
    """

    def __init__(
        self, context: Context, clock: Clock, settings: SpaceSettings, arms: Mapping[str, ArmDescription]
    ) -> None:
        super().__init__("space", context=context, namespace=settings.namespace)
        self._clock_source, self._settings, self._arms = clock, settings, arms
        self._space = RowSpace(settings.gap)
        self._looks_from = clock.monotonic() + settings.age + settings.grace
        self._machines = {name: _Machine() for name in settings.machines}
        self._leases = self.create_publisher(berry_msgs.msg.SpaceLease, "leases", RELIABLE)
        self.create_service(berry_msgs.srv.ClaimSpace, "claim", self._on_claim)
        self.create_service(berry_msgs.srv.ReleaseSpace, "release", self._on_release)
        for name in settings.machines:
            heard = partial(self._on_joints, self._machines[name])
            self.create_subscription(sensor_msgs.msg.JointState, f"/{name}/joint_states", heard, NEWEST)
        self.create_timer(LOOK, self._look)

    def stretch(self, machine: str) -> tuple[float, float] | None:
        """Return what a machine holds; None = nothing."""
        return self._space.stretch(machine)

    def _on_claim(self, request: Any, response: Any) -> Any:
        machine = self._machines.get(request.holder)
        if machine is None:
            known = ", ".join(self._machines)
            response.reason = f"expected a machine of this row, {known}, got {request.holder or 'no name'}"
            return response
        machine.away = False
        unseen = [n for n, other in self._machines.items() if not other.away and self._space.stretch(n) is None]
        if unseen:
            response.reason = f"waits until {', '.join(unseen)} is seen at rest, or released"
            return response
        try:
            granted = self._space.claim(request.holder, request.low, request.high)
        except ValueError as error:
            response.reason = str(error)
            return response
        machine.renewed, machine.silent = self._clock_source.monotonic(), False
        response.granted, response.lasts = granted, self._settings.age
        response.free_low, response.free_high = self._space.free(request.holder)
        machine.wants = None if granted else (request.low, request.high)
        response.leave_low, response.leave_high = self._waited_for(request.holder)
        if not granted:  # who asks is alive, and keeps what it has
            response.reason = "another machine is there, or it does not meet the stretch that is held"
        self._tell(request.holder)
        return response

    def _waited_for(self, name: str) -> tuple[float, float]:
        """Return what another machine waits for because this one is there [m]; (0, 0) = nothing."""
        held, gap, since = self._space.stretch(name), self._settings.gap, self._clock_source.monotonic()
        for other, machine in self._machines.items():
            if other == name or held is None or machine.wants is None or since - machine.renewed > self._settings.age:
                continue
            low, high = machine.wants
            if low < held[1] + gap and held[0] < high + gap:
                return low, high
        return 0.0, 0.0

    def _tell(self, name: str) -> None:
        held = self._space.stretch(name)
        if held is not None:
            at = header(self._clock_source.now(), "world")
            low, high = held
            self._leases.publish(
                berry_msgs.msg.SpaceLease(header=at, holder=name, low=low, high=high, lasts=self._settings.age)
            )

    def _on_release(self, request: Any, response: Any) -> Any:
        machine = self._machines.get(request.holder)
        if machine is None:
            response.message = f"expected a machine of this row, {', '.join(self._machines)}, got {request.holder}"
            return response
        silent = self._clock_source.monotonic() - machine.renewed
        if silent <= self._settings.age + self._settings.grace:
            response.message = f"{request.holder} asked for its room {silent:.1f} s ago; switch it off, then release it"
            return response
        log.warning("%s is released: somebody says that it has left the row", request.holder)
        self._space.release(request.holder)
        machine.away = True
        response.success = True
        return response

    def _on_joints(self, machine: _Machine, message: Any) -> None:
        machine.joints, machine.heard = message, self._clock_source.monotonic()

    def _look(self) -> None:
        """Note where machines stand that hold nothing yet, and let silent ones keep no more than that place."""
        now, settings = self._clock_source.monotonic(), self._settings
        if now < self._looks_from:
            return
        for name, machine in self._machines.items():
            held = self._space.stretch(name)
            if machine.away or now - machine.renewed <= settings.age + settings.grace:
                continue
            if machine.renewed > 0.0 and not machine.silent:
                machine.silent = True
                log.warning("%s has not renewed its lease for %.1f s", name, now - machine.renewed)
            joints = self._at_rest(machine, self._arms[name].joint_names, now)
            if joints is None:
                continue
            low, high = extent(self._arms[name], joints)
            if held is not None:
                low, high = max(low, held[0]), min(high, held[1])
            if low <= high:
                self._space.claim(name, low, high)

    @staticmethod
    def _at_rest(machine: _Machine, names: tuple[str, ...], now: float) -> Array | None:
        """Return the joints of a machine that stands still; None while that is not known."""
        told = machine.joints
        if told is None or now - machine.heard > STALE:
            return None
        if not len(told.name) == len(told.position) == len(told.velocity):
            return None
        measured = dict(zip(told.name, zip(told.position, told.velocity, strict=True), strict=True))
        if any(name not in measured or not abs(measured[name][1]) < AT_REST for name in names):
            return None
        return np.array([measured[name][0] for name in names])
