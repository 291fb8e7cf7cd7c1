"""How a loop is set up, and what it counts."""

from __future__ import annotations

from dataclasses import dataclass

from robot.collision import Obstacles


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopSettings:
    """How the loop runs.

    Attributes:
        rate: ticks per second.
        required: names of the programs whose heartbeat a motion needs.
        lease_age: a remote holder of the motion lease who is silent for so long makes the robot HOLD [s].
        overrun_policy: stop when ticks come late; off in simulation, where time waits for the loop.
        blackbox: seconds kept.
        local_reset: a stop is answered by the reset button at the machine, by nobody far away; off in simulation.
        obstacles: what the limiter keeps the arm off, itself included; None = it does not look.
    """

    rate: float = 250.0
    required: tuple[str, ...] = ()
    overrun_policy: bool = False
    blackbox: float = 30.0
    lease_age: float = 0.2
    local_reset: bool = True
    obstacles: Obstacles | None = None


@dataclass(slots=True, kw_only=True)
class LoopStats:
    """Counts since the loop was built."""

    ticks: int = 0
    late: int = 0
    rejected: int = 0
    stops: int = 0
