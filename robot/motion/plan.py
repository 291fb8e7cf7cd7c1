"""Plans moves from rest to rest: joint to joint, and the tool along a straight line."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from ruckig import InputParameter, Result, Ruckig
from ruckig import Trajectory as Profile

from robot.arms import ArmDescription
from robot.kinematics import forward, jacobian, solve
from robot.kinematics.many import tool_positions
from robot.kinematics.numeric import pose_error
from robot.motion.trajectory import Trajectory
from robot.safety.limiter import JERK_SLACK

Array = npt.NDArray[np.float64]
STEP = 0.008  # between knots [s]; two periods of the control loop
SHARE = 0.98  # of every limit; the rest is for what the servos add
LINE_ACCELERATION, LINE_JERK = 5.0, 150.0  # of the tool along a line [m/s^2, m/s^3]
TURN_SPEED, TURN_ACCELERATION, TURN_JERK = 4.0, 20.0, 400.0  # of the tool about its axis [rad/s ...]
LINE_STEP, TURN_STEP = 0.004, 0.03  # between points of a line where the joints are solved [m, rad]
REBASE_TIME = 0.5  # [s]
JUMP = 0.3  # joint change between two such points that tells another branch [rad]


class MotionError(Exception):
    """A move that cannot be planned; `code` is `ik_fail` or `bad_start`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code


def joint_move(
    arm: ArmDescription, start: Array, goal: Array, *, speed: float = 1.0, tool_speed: float | None = None
) -> Trajectory:
    """Plan from rest to rest, all joints arriving together, jerk-limited.

    Args:
        start: joint vector, shape (7,).
        goal: joint vector inside the limits, shape (7,).
        speed: share of the joints' velocity limits, 0-1.
        tool_speed: limit of the tool's speed [m/s]; default the arm's automatic limit times `speed`.

    Raises:
        MotionError: start or goal is outside the limits or not finite.
    """
    for name, q in (("start", start), ("goal", goal)):
        inside = q.shape == (7,) and np.all(q >= arm.position_min - 1e-6) and np.all(q <= arm.position_max + 1e-6)
        if not inside:
            raise MotionError("bad_start", f"expected {name} inside the joint limits, got {np.round(q, 3).tolist()}")
    if tool_speed is None:
        tool_speed = arm.safety.tool_speed_auto * speed
    velocity = arm.velocity * (SHARE * speed)
    for _ in range(3):  # lower the velocity, not the acceleration, until the tool is slow enough
        trajectory = _between(start, goal, velocity, SHARE * arm.acceleration, SHARE * arm.jerk)
        excess = _tool_speed(arm, trajectory) / (SHARE * tool_speed)
        if excess <= 1.0:
            break
        velocity = velocity / excess
    return within_limits(arm, trajectory, tool_speed)


def line_move(
    arm: ArmDescription, start: Array, T_goal: Array, *, speed: float = 0.25, step: float = LINE_STEP
) -> Trajectory:
    """Plan the tool along a straight line with the rail at rest, turning about one axis on the way.

    Args:
        start: joint vector at rest, shape (7,).
        T_goal: T_world_tool at the end, shape (4, 4).
        speed: of the tool [m/s].
        step: between points where the joints are solved [m]; wider where the way need not be straight to the tenth of
            a millimetre.

    Raises:
        MotionError: `ik_fail` when a point of the line is out of reach or the arm would change its posture.
    """
    path, length, angle = _line(arm, start, T_goal, step / LINE_STEP)
    if path is None:
        return _between(start, start, arm.velocity, arm.acceleration, arm.jerk)
    speed = min(speed, SHARE * arm.safety.tool_speed_auto)
    v = min(speed / max(length, 1e-9), TURN_SPEED / max(angle, 1e-9))
    a = min(LINE_ACCELERATION / max(length, 1e-9), TURN_ACCELERATION / max(angle, 1e-9))
    j = min(LINE_JERK / max(length, 1e-9), TURN_JERK / max(angle, 1e-9))
    for _ in range(4):  # lower what is exceeded: velocity, acceleration or jerk along the line
        moved = _along(path, v, a, j)
        excess_v, excess_a, excess_j = _excess(arm, moved)
        if max(excess_v, excess_a, excess_j) <= 1.0:
            break
        v, a, j = v / max(1.0, excess_v), a / max(1.0, excess_a), j / max(1.0, excess_j)
    return within_limits(arm, moved, arm.safety.tool_speed_auto)


def rebase(trajectory: Trajectory, start: Array) -> Trajectory:
    """Let a trajectory begin at `start` instead, shape (7,): the difference fades out over half a second at most.

    For plans made from measured joints, which are a servo's error away from the set points.
    """
    offset = start - trajectory.positions[0]
    if not offset.any():
        return trajectory
    span = min(REBASE_TIME, trajectory.duration)
    u = np.minimum(trajectory.times / span, 1.0)[:, None]
    fade = 1.0 - u**3 * (10.0 - 15.0 * u + 6.0 * u**2)
    slope = -30.0 * u**2 * (1.0 - u) ** 2 / span
    bend = -60.0 * u * (1.0 - u) * (1.0 - 2.0 * u) / span**2
    return Trajectory(
        times=trajectory.times,
        positions=trajectory.positions + offset * fade,
        velocities=trajectory.velocities + offset * slope,
        accelerations=trajectory.accelerations + offset * bend,
    )


def _line(arm: ArmDescription, start: Array, T_goal: Array, coarse: float) -> tuple[Trajectory | None, float, float]:
    """Return joints over the share of the line covered (0-1, in the place of time), its length [m] and angle [rad]."""
    T = forward(arm, start)
    twist = pose_error(T_goal, T)
    length, angle = float(np.linalg.norm(twist[:3])), float(np.linalg.norm(twist[3:]))
    if length < 1e-6 and angle < 1e-6:
        return None, length, angle
    shares = np.linspace(0.0, 1.0, 2 + int(max(length / LINE_STEP, angle / TURN_STEP) / coarse))
    positions, slopes = np.empty((len(shares), 7)), np.zeros((len(shares), 7))
    q = start
    for i, s in enumerate(shares):
        target = np.eye(4)
        target[:3, :3] = _rotation(s * twist[3:]) @ T[:3, :3]
        target[:3, 3] = T[:3, 3] + s * twist[:3]
        q = _continue(arm, target, q)
        positions[i] = q
        slopes[i, 1:] = np.linalg.solve(jacobian(arm, q)[:, 1:], twist)
    bends: Array = np.asarray(np.gradient(slopes, shares, axis=0), dtype=np.float64)
    return Trajectory(times=shares, positions=positions, velocities=slopes, accelerations=bends), length, angle


def _along(path: Trajectory, v: float, a: float, j: float) -> Trajectory:
    """Follow a path (joints over the share covered) with a jerk-limited profile of that share."""
    share = _between(np.zeros(1), np.ones(1), np.array([v]), np.array([a]), np.array([j]))
    q, slope, bend = path.sample_many(share.positions[:, 0])
    rate, change = share.velocities, share.accelerations
    return Trajectory(
        times=share.times, positions=q, velocities=slope * rate, accelerations=bend * rate**2 + slope * change
    )


def _between(start: Array, goal: Array, velocity: Array, acceleration: Array, jerk: Array) -> Trajectory:
    n = len(start)
    question, profile = InputParameter(n), Profile(n)
    question.current_position, question.target_position = start.tolist(), goal.tolist()
    question.max_velocity, question.max_acceleration = velocity.tolist(), acceleration.tolist()
    question.max_jerk = jerk.tolist()
    result = Ruckig(n).calculate(question, profile)
    if result not in (Result.Working, Result.Finished):
        raise MotionError("bad_start", f"no profile from {start.tolist()} to {goal.tolist()}: {result}")
    return from_profile(profile)


def from_profile(profile: Profile) -> Trajectory:
    """Sample a profile of ruckig at the knots."""
    times = _grid(profile.duration)
    knots = [profile.at_time(t) for t in times.tolist()]
    p, v, a = (np.array(part, dtype=np.float64) for part in zip(*knots, strict=True))
    return Trajectory(times=times, positions=p, velocities=v, accelerations=a)


def _grid(duration: float) -> Array:
    """Return knots every STEP from 0, the last at `duration` and never nearer than half a step to the one before."""
    n = max(1, int(duration / STEP + 0.5))
    times = np.arange(n + 1, dtype=np.float64) * float(STEP)
    times[-1] = max(duration, times[-2] + 0.5 * STEP)
    return times


def _tool_speed(arm: ArmDescription, trajectory: Trajectory) -> float:
    points = tool_positions(arm, trajectory.positions)
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1) / np.diff(trajectory.times)
    return float(steps.max())


def within_limits(arm: ArmDescription, trajectory: Trajectory, tool_speed: float) -> Trajectory:
    """Slow the whole trajectory down by the one factor that brings joints and tool [m/s] inside their limits."""
    v, a, j = _excess(arm, trajectory)
    factor = max(1.0, v, a**0.5, j ** (1 / 3), _tool_speed(arm, trajectory) / (SHARE * tool_speed))
    return trajectory if factor <= 1.0 + 1e-9 else trajectory.slower(factor)


def _excess(arm: ArmDescription, trajectory: Trajectory) -> tuple[float, float, float]:
    """Return the largest velocity, acceleration and jerk as shares of what the joints may, between the knots too.

    The limit holds for the mean jerk from knot to knot. Where a profile goes from one jerk to another in between, the
    quintic overshoots both: that may take up the limiter's slack.
    """
    velocity, acceleration, peak = trajectory.peaks()
    jerk = np.diff(trajectory.accelerations, axis=0) / np.diff(trajectory.times)[:, None]
    steepest = np.maximum(np.abs(jerk).max(axis=0), peak / JERK_SLACK)
    return (
        float(np.max(velocity / (SHARE * arm.velocity))),
        float(np.max(acceleration / (SHARE * arm.acceleration))),
        float(np.max(steepest / (SHARE * arm.jerk))),
    )


def _continue(arm: ArmDescription, target: Array, q: Array) -> Array:
    """Return the joint vector at the target that is next to `q`, with the rail where it is."""
    solutions = solve(arm, target, q, rail=float(q[0]))
    if solutions:
        best = min(solutions, key=lambda s: float(np.max(np.abs(s - q))))
        if float(np.max(np.abs(best - q))) < JUMP:
            return best
    x, y, z = target[:3, 3]
    raise MotionError("ik_fail", f"the straight line leaves the arm's reach at ({x:.3f}, {y:.3f}, {z:.3f}) m")


def _rotation(vector: Array) -> Array:
    """Return the rotation matrix of a rotation vector [rad] (Rodrigues)."""
    angle = float(np.linalg.norm(vector))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = vector / angle
    K = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    R: Array = np.eye(3) + np.sin(angle) * K + (1 - np.cos(angle)) * (K @ K)
    return R
