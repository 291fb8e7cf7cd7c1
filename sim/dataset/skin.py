"""Pictures painted on fruit and leaves of rendered scenes, with the map of what is ripe on each skin."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from sim.scene.outline import skin_share

Image = npt.NDArray[np.uint8]
Array = npt.NDArray[np.float64]

SIZE = 128


def fruit_skin(
    ripeness: float, maturity: float, rng: np.random.Generator, *, overripe: bool = False
) -> tuple[Image, Array]:
    """Return the skin (v from calyx in row 0 to tip, u around) and how ripe each place is, 0-1, both SIZE x SIZE.

    Colour comes first on one side and from the tip; the border is soft; achenes sit in pits that catch light.
    """
    u, v = np.meshgrid((np.arange(SIZE) + 0.5) / SIZE, (np.arange(SIZE) + 0.5) / SIZE)
    sun = rng.uniform(0.0, 2.0 * np.pi)
    edge_at = min(ripeness, 1.0 - ripeness)
    score = rng.uniform(0.5, 1.0) * skin_share(v) + rng.uniform(0.0, 0.35) * np.cos(2 * np.pi * u - sun)
    score += (0.35 * edge_at + 0.03) * _blotches(rng, 14.0)
    weight = skin_weight(SIZE)
    soft = rng.uniform(0.02, 0.09)
    ripe = _ripe_map(score, weight, ripeness, soft)
    green = np.array([rng.uniform(120, 165), rng.uniform(158, 190), rng.uniform(70, 110)])
    white = np.array([rng.uniform(205, 235), rng.uniform(205, 226), rng.uniform(150, 190)])
    pale = green + (white - green) * maturity
    if ripeness > 0.03:
        near = cv2.GaussianBlur(ripe, (0, 0), 9.0)[..., None]
        pale = pale + (np.array([235.0, 160.0, 125.0]) - pale) * np.clip(1.4 * near, 0.0, 0.8)
    red = np.array([rng.uniform(165, 215), rng.uniform(14, 52), rng.uniform(14, 44)])
    if overripe:
        red = np.array([rng.uniform(70, 115), rng.uniform(5, 22), rng.uniform(12, 30)])
    colour = pale + (red - pale) * ripe[..., None]
    colour = _achenes(colour, u, v, ripe, rng)
    colour = colour * (1.0 + 0.06 * _blotches(rng, 10.0)[..., None]) * rng.uniform(0.9, 1.05)
    return np.asarray(np.clip(colour, 0, 255), np.uint8), ripe


def skin_weight(size: int) -> Array:
    """Return about how much area each place of a skin's picture has on the fruit, shape (size, size)."""
    v = (np.arange(size) + 0.5) / size
    return np.asarray((np.sin(np.pi * v**0.72) ** 0.78)[:, None] * np.ones((1, size)), np.float64)


def _ripe_map(score: Array, weight: Array, ripeness: float, soft: float) -> Array:
    if ripeness <= 0.0:
        return np.zeros_like(score)
    if ripeness >= 1.0:
        return np.ones_like(score)
    order = np.argsort(score, axis=None)
    share = np.cumsum(weight.ravel()[order]) / weight.sum()
    edge = score.ravel()[order][min(int(np.searchsorted(share, ripeness)), score.size - 1)]
    return np.asarray(1.0 / (1.0 + np.exp(np.clip((score - edge) / soft, -30.0, 30.0))), np.float64)


def _achenes(colour: Array, u: Array, v: Array, ripe: Array, rng: np.random.Generator) -> Array:
    """Return `colour` with seeds in pits: staggered rows, dense on small green fruit, lit from above."""
    rows = int(rng.integers(9, 15))
    around = int(rng.integers(12, 20))
    row = np.clip(np.floor(v * rows), 0, rows - 1).astype(int)
    number = np.maximum(4, np.round(around * np.sin(np.pi * (np.arange(rows) + 0.5) / rows) ** 0.6)).astype(int)[row]
    turn = (u * number + 0.5 * (row % 2)) % number
    jitter = rng.uniform(-0.16, 0.16, (rows, 64, 2))[row, np.floor(turn).astype(int) % 64]
    du = (turn % 1.0 - 0.5 + jitter[..., 0]) / number * 2.2 * np.sin(np.pi * np.clip(v, 0.05, 0.95)) ** 0.6
    dv = (v * rows - row - 0.5 + jitter[..., 1]) / rows
    size = rng.uniform(0.016, 0.024)
    d2 = (du * 1.25) ** 2 + dv**2
    pit, seed = np.exp(-d2 / (1.5 * size) ** 2), np.exp(-((du * 1.7) ** 2 + dv**2) / (0.62 * size) ** 2)
    emboss = 0.28 * dv / size * pit
    tint = np.array([150.0, 146.0, 70.0]) + ripe[..., None] * (
        np.array([rng.uniform(190, 226), rng.uniform(120, 180), 70.0]) - np.array([150.0, 146.0, 70.0])
    )
    shaded = colour * (1.0 - 0.25 * pit + emboss)[..., None]
    cover = (0.8 * seed)[..., None]
    return np.asarray(shaded * (1.0 - cover) + tint * cover, np.float64)


def leaf(colour: tuple[float, float, float], rng: np.random.Generator) -> Image:
    """Return a leaflet: midrib and side veins, patches of light and dark; the first rows are the petiole's colour."""
    u, v = np.meshgrid(np.linspace(-1.0, 1.0, SIZE), np.linspace(0.0, 1.0, SIZE))
    phase = (7.0 * (v - 0.35 * np.abs(u))) % 1.0
    vein = np.exp(-((u / 0.035) ** 2)) + 0.55 * np.exp(-(((phase - 0.5) / 0.07) ** 2))
    base = 255.0 * np.array(colour)
    bulge = 0.12 * np.cos(2 * np.pi * phase)
    picture = base * (1.0 + 0.16 * _blotches(rng, 12.0) + bulge)[..., None]
    picture += 34.0 * np.clip(vein, 0, 1)[..., None] * np.array([0.9, 1.0, 0.55])
    picture[: int(0.08 * SIZE)] = [150.0, 165.0, 95.0]
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def surface(colour: tuple[float, float, float], rough: float, rng: np.random.Generator) -> Image:
    """Return film, gutter or soil: one colour with stains, wrinkles and grain."""
    wrinkle = _blotches(rng, 26.0)[:, None] if rough < 0.2 else _blotches(rng, 40.0)[:, None]
    wrinkle = wrinkle.reshape(SIZE, SIZE)
    grain = rng.normal(size=(SIZE, SIZE))
    picture = 255.0 * np.array(colour) * (1.0 + rough * (wrinkle + 0.6 * _blotches(rng, 8.0) + 0.5 * grain))[..., None]
    picture += 18.0 * np.clip(wrinkle - 1.0, 0.0, 1.0)[..., None]
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def scenery(rng: np.random.Generator, width: int = 256, height: int = 128) -> Image:
    """Return what is far behind: rows of plants, a bright cover, dark earth, or foliage; out of focus."""
    palette = {
        "rows": ([205, 212, 214], [92, 118, 74], [148, 145, 138]),
        "bright": ([235, 238, 240], [215, 218, 214], [190, 188, 180]),
        "dark": ([58, 66, 50], [40, 46, 34], [62, 52, 42]),
        "foliage": ([120, 150, 90], [70, 104, 52], [52, 74, 40]),
        "warm": ([222, 206, 178], [150, 132, 98], [120, 98, 74]),
    }
    kind = str(rng.choice(list(palette)))
    sky, rows, floor = (np.array(c, np.float64) for c in palette[kind])
    v = np.linspace(0.0, 1.0, height)[:, None, None]
    a, b = rng.uniform(0.1, 0.45), rng.uniform(0.5, 0.8)
    colour = sky + np.clip((v - a) / 0.15, 0, 1) * (rows - sky)
    colour = colour + np.clip((v - b) / 0.12, 0, 1) * (floor - colour) + np.zeros((1, width, 1))
    for spread, strength in ((10.0, 0.5), (3.0, 0.35), (1.2, 0.2)):
        noise = cv2.GaussianBlur(rng.normal(size=(height, width, 3)), (0, 0), spread)
        noise /= noise.std() + 1e-9
        grey = noise.mean(axis=2, keepdims=True)
        colour = colour * (1.0 + strength * rng.uniform(0.2, 1.0) * (0.35 * grey + 0.12 * noise))
    return np.asarray(np.clip(colour, 0, 255), np.uint8)


def _blotches(rng: np.random.Generator, cells: float) -> Array:
    """Return smooth noise of about unit amplitude that wraps around in u."""
    noise = rng.normal(size=(SIZE, SIZE))
    wide = cv2.GaussianBlur(np.hstack([noise, noise, noise]), (0, 0), SIZE / cells)[:, SIZE : 2 * SIZE]
    return np.asarray(wide / (2.0 * wide.std() + 1e-12), np.float64)
