"""The control loop: read, watch, reference, limit, write, 250 times a second, on the hardware and clock given."""

from __future__ import annotations

from robot.loop.blackbox import BlackBox, limits_hash
from robot.loop.control import ControlLoop
from robot.loop.motion import LoopError, Motion
from robot.loop.reference import Reference
from robot.loop.settings import LoopSettings, LoopStats

__all__ = ["BlackBox", "ControlLoop", "LoopError", "LoopSettings", "LoopStats", "Motion", "Reference", "limits_hash"]
