"""Supplementary safety layer: states, causes, limiter, watchdogs and blade interlock; stands on the arm's data alone.

It supervises software with software: the machine still needs its hard-wired stop, guards and a certified controller.
"""

from __future__ import annotations

from robot.safety.causes import CAUSES, POWER_OFF, Effect
from robot.safety.interlock import blade_allowed
from robot.safety.lease import MotionLease
from robot.safety.limiter import Limiter
from robot.safety.signals import SIGNALS, Signal
from robot.safety.space import RowSpace
from robot.safety.states import TRANSITIONS, Event, State, step
from robot.safety.stopping import stop_duration, stop_position
from robot.safety.supervisor import Supervisor
from robot.safety.watchdog import STANDING, FeedbackWatch, Heartbeats, LateWatch, LoadWatch, ToolWatch, TrackingWatch

__all__ = [
    "CAUSES",
    "POWER_OFF",
    "SIGNALS",
    "STANDING",
    "TRANSITIONS",
    "Effect",
    "Event",
    "FeedbackWatch",
    "Heartbeats",
    "LateWatch",
    "Limiter",
    "LoadWatch",
    "MotionLease",
    "RowSpace",
    "Signal",
    "State",
    "Supervisor",
    "ToolWatch",
    "TrackingWatch",
    "blade_allowed",
    "step",
    "stop_duration",
    "stop_position",
]
