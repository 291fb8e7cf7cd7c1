"""Robot hardware: one small protocol, with the fake and the real drivers behind it.

Feedback is measured, never echoed: a driver that copies commands into states fails the conformance suite.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt


class StopCategory(IntEnum):
    """IEC 60204-1 stop categories a driver may offer."""

    POWER_OFF = 0
    STOP_THEN_POWER_OFF = 1
    STOP_AND_HOLD = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class JointState:
    """What the joints measure, in the order of `Capabilities.joint_names`.

    Attributes:
        stamp: monotonic instant of the measurement [s].
        position: [rad], or [m] for a prismatic joint, shape (n,).
        velocity: [rad/s] or [m/s], shape (n,).
        effort: [N m] or [N], shape (n,); NaN where the hardware has no such sensor.
        faults: codes of faults the driver reports now; empty when healthy.
    """

    stamp: float
    position: npt.NDArray[np.float64]
    velocity: npt.NDArray[np.float64]
    effort: npt.NDArray[np.float64]
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JointCommand:
    """Set points of all joints; the driver holds by itself once `valid_until` (monotonic [s]) has passed."""

    seq: int
    valid_until: float
    position: npt.NDArray[np.float64]
    velocity: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class GripperState:
    """What the gripper measures.

    Attributes:
        opening: distance between the pads [m].
        force: pad force on what is between them, the mean of the two pads [N].
        blade_out: the blade is not fully retracted.
    """

    stamp: float
    opening: float
    opening_velocity: float
    force: float
    blade_out: bool
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GripperCommand:
    """Move the pads towards `opening` [m] with at most `max_force` [N]; `cut` sweeps the blade once, as it rises."""

    seq: int
    valid_until: float
    opening: float
    max_force: float
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a driver can do. `position_min/max` are the hardware's own limits, shape (n,)."""

    name: str
    joint_names: tuple[str, ...]
    position_min: npt.NDArray[np.float64]
    position_max: npt.NDArray[np.float64]
    velocity_max: npt.NDArray[np.float64]
    rate: float
    has_effort: bool
    has_gripper_force: bool
    has_brakes: bool
    stop_categories: tuple[StopCategory, ...]


class HardwareError(Exception):
    """A fault at the hardware boundary; `code` is the alarm's key in faults.toml."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class Hardware(Protocol):
    """Arm (with its rail, when it has one) and gripper: configure → activate → read/write … → deactivate → shutdown."""

    @property
    def capabilities(self) -> Capabilities: ...

    def configure(self) -> None: ...

    def activate(self) -> None:
        """Power the drives and hold the measured position; motion needs a fresh command."""
        ...

    def deactivate(self) -> None: ...

    def shutdown(self) -> None: ...

    def read(self) -> tuple[JointState, GripperState]:
        """Return the newest measurement.

        Raises:
            HardwareError: the device does not answer.
        """
        ...

    def write(self, joints: JointCommand, gripper: GripperCommand) -> None:
        """Send set points. They are obeyed until `valid_until`; then the driver stops and holds."""
        ...

    def stop(self, category: StopCategory) -> None:
        """Stop by the driver's own means, whatever was written before."""
        ...
