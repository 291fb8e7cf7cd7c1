"""Fit berry-shaped bodies to depths and rims, all berries of a picture at once: centre, size, proportions, lean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vision.camera.pinhole import rays
from vision.surface import Evidence
from vision.types import Intrinsics

Array = npt.NDArray[np.float64]

TAPER = 0.22
"""A strawberry is a spheroid that is wider towards the calyx: its radius is that of the spheroid times 1 + TAPER s."""

WIDEST = 1.0235
"""Largest radius of the tapered body over that of the spheroid: max of sqrt(1 - s^2) (1 + TAPER s)."""


ALIKE = 0.006
"""Depths that differ by less may lie on one fruit near its middle [m]; the depth with most such company wins."""

SIZES, STRETCHES = (float(np.log(0.004)), float(np.log(0.024))), (float(np.log(0.8)), float(np.log(1.8)))
"""Limits of log half width [m] and of log length over width: no strawberry lies outside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitSettings:
    """What is known before looking; lengths in metres.

    Attributes:
        half_width, half_width_sd: usual half width and its spread (as a share) over all stages and cultivars.
        stretch, stretch_sd: usual length over width, and its spread.
        lean_sd: how far axes lean from the vertical [rad] where the vertical is known.
        lean_sd_blind: the same where the picture's upward direction has to serve for it.
        noise: depth noise as sigma = noise[0] + noise[1] * z^2, of a short-range stereo camera (D405).
        model_sd: how far real fruit deviates from the body that is fitted, per point.
        floor_sd: error that every place has whatever the number of points, per axis.
        rim_px: error of an outline point [px].
        rim_sd: how far a real outline deviates from the body's.
        pointed: how far inside the body's surface, halfway between its middle and its tip, a berry's own lies, over the
            half width: between a cone and a spheroid.
        sepals: how far sepals stick out of it next to the calyx, over the half width.
        sepals_sd: how much more the outline deviates there.
        correlated, correlated_rim: neighbours share errors, the fruit's shape above all: so many count as one.
        iterations: of the reweighted least squares, at most.
        settled: they end when no centre moves by more than this in one step [m].
    """

    half_width: float = 0.0135
    half_width_sd: float = 0.25
    stretch: float = 1.22
    stretch_sd: float = 0.14
    lean_sd: float = 0.2
    lean_sd_blind: float = 0.3
    noise: tuple[float, float] = (0.0015, 0.002)
    model_sd: float = 0.0007
    floor_sd: float = 0.0006
    rim_px: float = 0.8
    rim_sd: float = 0.001
    pointed: float = 0.1
    sepals: float = 0.06
    sepals_sd: float = 0.001
    correlated: float = 4.0
    correlated_rim: float = 6.0
    iterations: int = 5
    settled: float = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bodies:
    """n fitted berries in the optical frame.

    Attributes:
        centre: midway between tip and calyx [m], (n, 3); axis: unit, tip to calyx, (n, 3).
        half_width, half_length: [m], (n,).
        covariance: of centre, log half width, log stretch and lean about two directions, (n, 7, 7).
        inliers: share of the depths that agree with the body, (n,); 0 without depths.
    """

    centre: Array
    axis: Array
    half_width: Array
    half_length: Array
    covariance: Array
    inliers: Array


def fit(
    seen: Evidence,
    intrinsics: Intrinsics,
    up: Array,
    s: FitSettings,
    *,
    blind: bool,
    least: int,
    usual: Array | None = None,
) -> Bodies:
    """Fit the bodies by reweighted least squares from the priors on.

    Every depth and every rim point says that the body's surface passes there; a residual is about the distance from it
    along the radius, exact for a sphere. Depths count by Tukey's weights, so that flying pixels,
    a leaf in front or a neighbour inside the mask are outvoted; rim points by how surely they are the rim.

    Args:
        up: direction against gravity in the optical frame, or the picture's own, unit, shape (3,).
        blind: whether `up` is only the picture's.
        least: fewer depths than this are not used.
        usual: each berry's usual half width [m], shape (n,), where that is known better than `s.half_width`.
    """
    n, k, m = len(seen.radius), seen.depths.shape[1], seen.rim.shape[1]
    focal = (intrinsics.fx + intrinsics.fy) / 2
    expected = np.full(n, s.half_width) if usual is None else usual
    places = np.concatenate([seen.centre[:, None], seen.pixels, seen.rim, seen.beyond], axis=1)
    directions = rays(places.reshape(-1, 2), intrinsics).reshape(n, places.shape[1], 3)
    sight = np.ascontiguousarray(directions[:, 1:].transpose(0, 2, 1))
    measured = seen.depth_weights * (seen.depth_count >= least)[:, None]
    distance = _distance(seen, measured, focal, expected)
    state = _State(
        centre=directions[:, 0] * distance[:, None],
        turn=np.broadcast_to(_frame(up), (n, 3, 3)),
        size=np.log(np.clip(seen.radius * distance / focal / 1.08, 0.006, 0.022)),
        stretch=np.full(n, np.log(s.stretch)),
    )
    lean_sd = s.lean_sd_blind if blind else s.lean_sd
    information = np.array([1e-2, 1e-2, 1e-2, s.half_width_sd**-2, s.stretch_sd**-2, lean_sd**-2, lean_sd**-2])
    spread = np.hypot(s.noise[0] + s.noise[1] * distance**2, s.model_sd)[:, None]
    weights = np.zeros((n, sight.shape[2]))
    for step in range(s.iterations):
        value, jacobian, along = _linearise(state, sight, seen.depths)
        # Towards the tip a strawberry is a cone rather than round: its surface lies within the body's.
        lower = np.minimum(np.maximum(along[:, :k], -1.0), 0.0)
        shrunk = (4.0 * s.pointed) * np.exp(state.size)[:, None] * lower * (1.0 + lower)
        value[:, :k] -= shrunk
        jacobian[:, 3, :k] -= shrunk
        # The outline has sepals in it that stick out next to the calyx.
        sepals = np.clip(2.0 * along[:, k : k + m] - 1.0, 0.0, 1.0)
        sepal = s.sepals * np.exp(state.size)[:, None] * sepals
        value[:, k : k + m] -= sepal
        jacobian[:, 3, k : k + m] -= sepal
        loose = max(1.0, 4.0 - step)  # far from the solution nothing is an outlier yet
        scaled = value[:, :k] / spread
        weights[:, :k] = measured * _tukey(scaled / loose) / (spread**2 * s.correlated)
        bare_sd = np.hypot(s.rim_px / focal * state.centre[:, 2:], s.rim_sd)
        rim_sd = bare_sd + s.sepals_sd * sepals
        rim = value[:, k : k + m]
        weights[:, k : k + m] = seen.rim_weights * _tukey(rim / (1.5 * loose * rim_sd)) + seen.hidden * (rim > 0.0)
        weights[:, k + m :] = seen.beyond_weights * (value[:, k + m :] < 0.0)
        weights[:, k : k + m] /= rim_sd**2 * s.correlated_rim
        weights[:, k + m :] /= bare_sd**2 * s.correlated_rim
        weighted = jacobian * weights[:, None]
        normal = weighted @ jacobian.transpose(0, 2, 1)
        normal[:, range(7), range(7)] += information
        pull = -(weighted @ value[..., None])[..., 0]
        pull[:, 3] += (np.log(expected) - state.size) * information[3]
        pull[:, 4] += (np.log(s.stretch) - state.stretch) * information[4]
        pull[:, 5:] += (up @ state.turn)[:, :2] * information[5]
        move = np.asarray(np.linalg.solve(normal, pull[..., None])[..., 0], np.float64)
        state = _moved(state, move)
        if step > 2 and float(np.abs(move[:, :3]).max(initial=0.0)) < s.settled:
            break
    covariance = np.asarray(np.linalg.inv(normal), np.float64)
    covariance[:, :3] = state.turn @ covariance[:, :3]
    covariance[:, :, :3] = covariance[:, :, :3] @ state.turn.transpose(0, 2, 1)
    covariance[:, [0, 1, 2], [0, 1, 2]] += s.floor_sd**2
    agree = (np.abs(scaled) < 4.0) * measured
    return Bodies(
        centre=state.centre,
        axis=state.turn[:, :, 2],
        half_width=np.exp(state.size) * WIDEST,
        half_length=np.exp(state.size + state.stretch),
        covariance=covariance,
        inliers=agree.sum(axis=1) / np.maximum(measured.sum(axis=1), 1.0),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _State:
    """Centres (n, 3), rotations whose third column is the axis (n, 3, 3), log half width and log stretch (n,)."""

    centre: Array
    turn: Array
    size: Array
    stretch: Array


def _moved(state: _State, move: Array) -> _State:
    """Return the state after a bounded step: centre in the body's own frame, log size, log stretch, two leans."""
    bound = 0.5 * np.exp(state.size)[:, None]
    shift = state.turn @ _within(move[:, :3], bound)[..., None]
    lean = _within(move[:, 5:], 0.3)
    axis = state.turn[:, :, 2] + (state.turn[:, :, :2] @ lean[..., None])[..., 0]
    axis /= np.sqrt((axis * axis) @ np.ones(3))[:, None]
    side = state.turn[:, :, 0] - axis * ((axis * state.turn[:, :, 0]) @ np.ones(3))[:, None]
    side /= np.sqrt((side * side) @ np.ones(3))[:, None]
    return _State(
        centre=state.centre + shift[..., 0],
        turn=np.stack([side, _cross(axis, side), axis], axis=2),
        size=np.minimum(np.maximum(state.size + _within(move[:, 3], 0.3), SIZES[0]), SIZES[1]),
        stretch=np.minimum(np.maximum(state.stretch + _within(move[:, 4], 0.15), STRETCHES[0]), STRETCHES[1]),
    )


def _within(value: Array, bound: Array | float) -> Array:
    """Return `value` cut to plus and minus `bound`; quicker than numpy's clip on short arrays."""
    return np.minimum(np.maximum(value, -bound), bound)


def _distance(seen: Evidence, measured: Array, focal: float, expected: Array) -> Array:
    """Return a first guess of each centre's distance [m]: the mode of its depths plus the bulge, or the usual size."""
    known = measured > 0.0
    alike = np.abs(seen.depths[:, :, None] - seen.depths[:, None]) < ALIKE
    votes = (alike & known[:, None]).sum(axis=2) * known
    surface = np.take_along_axis(seen.depths, votes.argmax(axis=1)[:, None], axis=1)[:, 0]
    bulge = np.minimum(0.8 * seen.radius * surface / focal, 0.016)
    return np.where(known.any(axis=1), surface + bulge, expected * 1.08 * focal / seen.radius)


def _frame(axis: Array) -> Array:
    """Return a rotation whose third column is `axis`, shape (3, 3)."""
    helper = np.array([1.0, 0.0, 0.0]) if abs(axis[0]) < 0.9 else np.array([0.0, 0.0, 1.0])
    side = helper - (helper @ axis) * axis
    side /= np.linalg.norm(side)
    return np.stack([side, np.cross(axis, side), axis], axis=1)


def _cross(a: Array, b: Array) -> Array:
    return a[:, [1, 2, 0]] * b[:, [2, 0, 1]] - a[:, [2, 0, 1]] * b[:, [1, 2, 0]]


def _linearise(state: _State, sight: Array, depths: Array) -> tuple[Array, Array, Array]:
    """Return distances from the surface (n, j), their derivatives (n, 7, j), and where on the axis: -1 tip, 1 calyx.

    The first places lie at their measured depth; the others, of which only the line of sight is known, where that line
    is deepest in the body.

    Args:
        sight: directions with z = 1, shape (n, 3, j).
        depths: of the first k of them [m], shape (n, k).
    """
    k = depths.shape[1]
    x, y, z = (state.turn.transpose(0, 2, 1) @ sight).transpose(1, 0, 2)
    cx, cy, cz = (state.centre[:, None] @ state.turn)[:, 0].T[..., None]
    wide2, long = np.exp(-2.0 * state.size)[:, None], np.exp(state.size + state.stretch)[:, None]
    slim2 = 1.0 / long**2
    reach = np.empty(x.shape)
    reach[:, :k] = depths
    px, py, pz = x[:, k:], y[:, k:], z[:, k:]
    bottom = wide2 * (px * px + py * py) + slim2 * pz * pz
    t = (wide2 * (px * cx + py * cy) + slim2 * (pz * cz)) / bottom
    # The deepest place in the tapered body is near that in the untapered one: one step of Newton's leads there. Without
    # it the outline would not fix the scale's direction well, and bodies placed by size alone would come out too large.
    ax, ay, az = px * t - cx, py * t - cy, pz * t - cz
    narrow = 1.0 / np.maximum(1.0 + TAPER / long * az, 0.3)
    wide = wide2 * narrow * narrow
    fall = 2.0 * wide * (ax * px + ay * py) + pz * (
        2.0 * slim2 * az - 2.0 * TAPER / long * wide * narrow * (ax * ax + ay * ay)
    )
    reach[:, k:] = t - 0.5 * fall / bottom
    across, other, along = x * reach - cx, y * reach - cy, z * reach - cz
    s = along / long
    taper = np.maximum(1.0 + TAPER * s, 0.3)
    wide = wide2 / (taper * taper)
    flat = across * across + other * other
    round2 = flat * wide
    by_s = 2.0 * s - (2.0 * TAPER) * round2 / taper
    slope = by_s / long
    steep = np.sqrt(4.0 * wide * round2 + slope * slope) + 1e-6
    root = np.sqrt(round2 + s * s)
    value = 2.0 * root * (root - 1.0) / steep
    wide *= 2.0
    lean = slope - along * wide
    stretched = s * by_s
    jacobian = np.empty((x.shape[0], 7, x.shape[1]))
    jacobian[:, 0], jacobian[:, 1], jacobian[:, 2] = -across * wide, -other * wide, -slope
    jacobian[:, 3], jacobian[:, 4] = -2.0 * round2 - stretched, -stretched
    jacobian[:, 5], jacobian[:, 6] = across * lean, other * lean
    jacobian /= steep[:, None]
    jacobian[:, 3] += value  # the distance itself grows with the body; without this, noise would blow bodies up
    return value, jacobian, s


def _tukey(scaled: Array) -> Array:
    """Return Tukey's biweight with its usual 4.685 (95 % efficiency for normal noise)."""
    weight = scaled * (1.0 / 4.685)
    weight *= weight
    weight = np.maximum(1.0 - weight, 0.0)
    weight *= weight
    return weight
