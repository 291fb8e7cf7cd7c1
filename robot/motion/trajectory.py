"""A trajectory: joint positions, velocities and accelerations over time, smooth between its knots."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trajectory:
    """Knots joined by quintics, so that position, velocity and acceleration are continuous.

    Attributes:
        times: from 0, increasing [s], shape (n,), n >= 2.
        positions: [m, rad...], shape (n, 7).
        velocities: shape (n, 7).
        accelerations: shape (n, 7).
    """

    times: Array
    positions: Array
    velocities: Array
    accelerations: Array
    _knots: list[float] = field(init=False, repr=False)
    _coefficients: Array = field(init=False, repr=False)

    def __post_init__(self) -> None:
        n = len(self.times)
        if n < 2 or self.times[0] != 0.0 or not np.all(np.diff(self.times) > 0.0):
            raise ValueError(f"expected at least 2 increasing times from 0 s, got {self.times[:5]!r} of {n}")
        for name in ("positions", "velocities", "accelerations"):
            array = getattr(self, name)
            if array.ndim != 2 or len(array) != n or array.shape != self.positions.shape:
                raise ValueError(f"expected {name} of shape ({n}, joints), got {array.shape}")
            if not np.all(np.isfinite(array)):
                raise ValueError(f"expected finite {name}, got NaN or infinity")
        object.__setattr__(self, "_knots", self.times.tolist())
        object.__setattr__(self, "_coefficients", self._quintics())

    def _quintics(self) -> Array:
        """Return ascending coefficients of each segment in its own time, shape (n - 1, 6, joints)."""
        h = np.diff(self.times)[:, None]
        p, v, a = self.positions, self.velocities, self.accelerations
        dp, v0, v1, a0, a1 = np.diff(p, axis=0), v[:-1], v[1:], a[:-1], a[1:]
        c3 = (20 * dp - (8 * v1 + 12 * v0) * h - (3 * a0 - a1) * h**2) / (2 * h**3)
        c4 = (-30 * dp + (14 * v1 + 16 * v0) * h + (3 * a0 - 2 * a1) * h**2) / (2 * h**4)
        c5 = (12 * dp - 6 * (v1 + v0) * h - (a0 - a1) * h**2) / (2 * h**5)
        return np.stack([p[:-1], v0, 0.5 * a0, c3, c4, c5], axis=1)

    @property
    def duration(self) -> float:
        """Time from the first knot to the last [s]."""
        return self._knots[-1]

    def sample(self, t: float) -> tuple[Array, Array]:
        """Return position and velocity at time `t` [s], held at both ends, shape (7,) each."""
        if t <= 0.0:
            return self.positions[0], self.velocities[0]
        if t >= self._knots[-1]:
            return self.positions[-1], self.velocities[-1]
        i = bisect_right(self._knots, t) - 1
        s = t - self._knots[i]
        s2, s3, s4 = s * s, s * s * s, s * s * s * s
        both = (
            np.array(((1.0, s, s2, s3, s4, s4 * s), (0.0, 1.0, 2 * s, 3 * s2, 4 * s3, 5 * s4))) @ self._coefficients[i]
        )
        return both[0], both[1]

    def sample_many(self, t: Array) -> tuple[Array, Array, Array]:
        """Return positions, velocities and accelerations at times `t` [s], shape (m,), each of shape (m, 7)."""
        t = np.clip(t, 0.0, self._knots[-1])
        i = np.clip(np.searchsorted(self.times, t, side="right") - 1, 0, len(self._knots) - 2)
        s = t - self.times[i]
        zero, one = np.zeros_like(s), np.ones_like(s)
        powers = np.stack(
            [
                np.stack([one, s, s**2, s**3, s**4, s**5], axis=1),
                np.stack([zero, one, 2 * s, 3 * s**2, 4 * s**3, 5 * s**4], axis=1),
                np.stack([zero, zero, 2 * one, 6 * s, 12 * s**2, 20 * s**3], axis=1),
            ],
            axis=1,
        )
        values = powers @ self._coefficients[i]
        return values[:, 0], values[:, 1], values[:, 2]

    def peaks(self) -> tuple[Array, Array, Array]:
        """Return the largest velocity, acceleration and jerk of each joint, between the knots too, shape (7,) each.

        Velocity is bounded by the control points of its Bernstein form, which it never leaves; the others are exact.
        """
        h = np.diff(self.times)[:, None]
        v0, v1, a0, a1 = self.velocities[:-1], self.velocities[1:], self.accelerations[:-1], self.accelerations[1:]
        c3, c4, c5 = self._coefficients[:, 3], self._coefficients[:, 4], self._coefficients[:, 5]
        velocity = np.stack([v0, v0 + h * a0 / 4.0, v0 + h * a0 / 2.0 + h**2 * c3 / 2.0, v1 - h * a1 / 4.0, v1])
        with np.errstate(divide="ignore", invalid="ignore"):
            largest = -c4 / (5.0 * c5)  # the jerk, 6 c3 + 24 c4 s + 60 c5 s^2; and where it is 0:
            half = -(2.0 * c4 + np.copysign(np.sqrt(4.0 * c4**2 - 10.0 * c5 * c3), c4))
            turns = np.nan_to_num(np.stack([largest, half / (10.0 * c5), c3 / half]))
        s = np.concatenate([np.stack([0.0 * c3, h + 0.0 * c3]), np.clip(turns, 0.0, h)])
        jerk = 6.0 * c3 + s * (24.0 * c4 + s * 60.0 * c5)
        acceleration = a0 + s * (6.0 * c3 + s * (12.0 * c4 + s * 20.0 * c5))
        most = [np.abs(values).max(axis=(0, 1)) for values in (velocity, acceleration, jerk)]
        return most[0], most[1], most[2]

    def acceleration(self, t: float) -> Array:
        """Return the acceleration at time `t` [s], zero beyond the ends, shape (7,)."""
        if not 0.0 <= t < self._knots[-1]:
            return np.zeros(self.positions.shape[1])
        value: Array = self.sample_many(np.array([t]))[2][0]
        return value

    def slower(self, factor: float) -> Trajectory:
        """Return the same path, `factor` (> 0) times as long."""
        return Trajectory(
            times=self.times * factor,
            positions=self.positions,
            velocities=self.velocities / factor,
            accelerations=self.accelerations / factor**2,
        )
