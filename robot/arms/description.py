"""What an arm is: rail, DH parameters, tool, camera, punnet and safety limits as frozen data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

WRIST = 6
"""Joints that an arm needs to put its tool anywhere within reach, turned at will."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Capsule:
    """A segment with a radius, fixed to a link (0 = base, i = after DH joint i, n + 1 = tool). Lengths [m]."""

    link: int
    start: Array
    end: Array
    radius: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rail:
    """The prismatic joint along world x that carries the arm's base.

    Attributes:
        base: arm base in the world at rail position 0 [m], shape (3,).
    """

    joint: str
    position_min: float
    position_max: float
    velocity: float
    acceleration: float
    jerk: float
    base: Array
    mass: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arm:
    """n (5 or 6) revolute joints in standard DH: A_i = Rz(q_i + theta_i) Tz(d_i) Tx(a_i) Rx(alpha_i).

    Arrays have shape (n,). `theta` is what the table adds to the joint's own zero [rad].
    """

    joints: tuple[str, ...]
    d: Array
    a: Array
    alpha: Array
    theta: Array
    mass: Array
    position_min: Array
    position_max: Array
    velocity: Array
    acceleration: Array
    jerk: Array
    effort: Array
    payload: float
    capsules: tuple[Capsule, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tool:
    """The cutting gripper. Tool frame: origin between the pads, z approach, x jaw opening, y down when level.

    Attributes:
        T_flange_tool: tool in the flange frame (the last DH frame), shape (4, 4).
        pad: half-sizes of a pad along tool x, y, z [m], shape (3,).
        blade_offset: the blade's plane is at tool y = -blade_offset [m].
        blade_reach: range of tool z the blade covers [m].
    """

    T_flange_tool: Array
    mass: float
    center_of_mass: Array
    opening_min: float
    opening_max: float
    opening_velocity: float
    pad: Array
    finger_length: float
    force_max: float
    force_limit: float
    blade_offset: float
    blade_reach: tuple[float, float]
    blade_time: float
    blade_force: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Camera:
    """The eye in hand. `T_tool_camera` maps optical coordinates (z forward, x right, y down) to the tool frame."""

    T_tool_camera: Array
    width: int
    height: int
    fovy_deg: float
    range_min: float
    range_max: float
    rate: float

    @property
    def focal(self) -> float:
        """Focal length of the ideal pinhole [px], the same along both axes."""
        return 0.5 * self.height / float(np.tan(np.radians(self.fovy_deg) / 2.0))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Posture:
    """How the arm likes to stand while it picks.

    Attributes:
        joints: of the arm [rad], shape (n,), that poses are solved near: ahead of the carriage, wrist far from
            singular, the crop's whole height and the punnet within reach without another family of joints.
        ahead: of the tool before the arm's base along the rail in that posture [m].
        neutral: y, z [m] and tilt below the horizontal [rad] of poses from which the others are reached.
    """

    joints: Array
    ahead: float
    neutral: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Punnet:
    """The punnets on the carriage. `position`: centre of the floor in the world at rail position 0 [m]."""

    position: Array
    inner: Array
    capacity: int
    places: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SafetyLimits:
    """Limits of the safety layer. Speeds [m/s], ages [s], boxes in the world [m], errors [m, rad...] (n + 1,)."""

    tool_speed_auto: float
    tool_speed_manual: float
    workspace_min: Array
    workspace_max: Array
    command_age: float
    heartbeat_age: float
    tracking_error: Array
    crop_volume_min: Array
    crop_volume_max: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArmDescription:
    """Everything geometric about one machine. Joint vectors are rail first [m], then the arm [rad], shape (n + 1,).

    `nominal` is the description before a unit's calibration was added; None when there is none.
    """

    name: str
    rail: Rail
    arm: Arm
    tool: Tool
    camera: Camera
    punnet: Punnet
    posture: Posture
    safety: SafetyLimits
    joint_names: tuple[str, ...]
    position_min: Array
    position_max: Array
    velocity: Array
    acceleration: Array
    jerk: Array
    nominal: ArmDescription | None = None

    @property
    def tool_link(self) -> int:
        """The number of the tool among the links; the flange's is one less."""
        return len(self.arm.joints) + 1

    @property
    def size(self) -> int:
        """How many numbers a joint vector has."""
        return len(self.joint_names)

    def require_six(self) -> None:
        """Refuse an arm for tasks that turn the tool freely.

        Raises:
            ValueError: it has fewer than six joints.
        """
        if len(self.arm.joints) < WRIST:
            raise ValueError(
                f"expected an arm with {WRIST} joints for the picking skill and the control loop, got {self.name} with "
                f"{len(self.arm.joints)}: it brings its tool to a full pose only where the rail takes part; it can "
                "be described, solved, simulated and measured (berrybrain robot --check), but it does not pick"
            )
