"""Every reason the safety layer stops for, with what it demands; keys are those of the farm's fault table."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

from robot.safety.states import Event


class Effect(IntEnum):
    """What a cause demands, by dominance. HOLD ends with its cause and a new start; the others latch until a reset."""

    HOLD = 1
    PSTOP = 2
    FAULT = 3
    ESTOP = 4


EVENT_OF: Mapping[Effect, Event] = MappingProxyType(
    {Effect.HOLD: Event.HOLD, Effect.PSTOP: Event.PSTOP, Effect.FAULT: Event.FAULT, Effect.ESTOP: Event.ESTOP}
)

UNKNOWN = Effect.FAULT  # effect of a key that is not listed

POWER_OFF = frozenset({"runaway", "overspeed"})  # the drives cannot be trusted to hold: brakes instead

CAUSES: Mapping[str, Effect] = MappingProxyType(
    {
        "eyes_lost": Effect.HOLD,
        "picker_lost": Effect.HOLD,
        "mission_lost": Effect.HOLD,
        "gateway_lost": Effect.HOLD,
        "camera_lost": Effect.HOLD,
        "heartbeat_lost": Effect.HOLD,
        "command_expired": Effect.HOLD,
        "lease_lost": Effect.HOLD,
        "gripper_force": Effect.HOLD,
        "operator_hold": Effect.HOLD,
        "operator_stop": Effect.PSTOP,
        "protective_stop": Effect.PSTOP,
        "door_open": Effect.PSTOP,
        "command_invalid": Effect.PSTOP,
        "joint_limit": Effect.PSTOP,
        "joint_speed": Effect.PSTOP,
        "joint_acceleration": Effect.PSTOP,
        "braking_distance": Effect.PSTOP,
        "tool_speed": Effect.PSTOP,
        "workspace": Effect.PSTOP,
        "tracking_error": Effect.PSTOP,
        "loop_overrun": Effect.PSTOP,
        "blade_interlock": Effect.PSTOP,
        "gripper_jammed": Effect.PSTOP,
        "position_mismatch": Effect.PSTOP,
        "collision": Effect.PSTOP,
        "overload": Effect.PSTOP,
        "collision_risk": Effect.HOLD,
        "hardware_fault": Effect.FAULT,
        "hardware_lost": Effect.FAULT,
        "sensor_frozen": Effect.FAULT,
        "encoder_jump": Effect.FAULT,
        "runaway": Effect.FAULT,
        "overspeed": Effect.FAULT,
        "not_homed": Effect.FAULT,
        "estop_input": Effect.ESTOP,
    }
)
