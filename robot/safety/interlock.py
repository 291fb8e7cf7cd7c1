"""The blade's interlock: it may sweep only at the crop, at rest, in RUN, with fruit measured between the pads."""

from __future__ import annotations

from robot.arms import ArmDescription
from robot.safety.states import State

FORCE_MIN = 0.08  # pads count as loaded above this [N]; below it is friction and noise
OPENING_MIN = 0.008  # jaws nearer than this have nothing between them [m]
STILL = 0.02  # the tool counts as at rest below this speed [m/s]


def blade_allowed(
    arm: ArmDescription,
    *,
    state: State,
    tool: tuple[float, float, float],
    tool_speed: float,
    force: float,
    opening: float,
) -> str:
    """Return why the blade may not sweep now, or an empty text when it may (R9).

    Args:
        tool: measured place of the tool in the world [m].
        tool_speed: of the set points [m/s].
        force: measured pad force [N].
        opening: measured distance between the pads [m].
    """
    low, high = arm.safety.crop_volume_min.tolist(), arm.safety.crop_volume_max.tolist()
    if state is not State.RUN:
        return f"the robot is in {state}, the blade works only in RUN"
    if not all(a <= x <= b for a, x, b in zip(low, tool, high, strict=True)):
        return f"the tool is at {tuple(round(x, 3) for x in tool)} m, outside the crop volume"
    if not tool_speed <= STILL:
        return f"the tool moves at {tool_speed:.3f} m/s"
    if not force >= FORCE_MIN:
        return f"nothing is held: pad force {force:.2f} N"
    if not OPENING_MIN <= opening <= arm.tool.opening_max:
        return f"nothing is held: the pads are {1000 * opening:.1f} mm apart"
    return ""
