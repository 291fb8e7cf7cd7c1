"""Pictures painted on fruit, leaves and background: RGB arrays drawn from a seed."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from sim.scene.outline import skin_share
from sim.scene.plants import BerrySpec

Image = npt.NDArray[np.uint8]
Array = npt.NDArray[np.float64]

GREEN_SKIN = np.array([146.0, 176.0, 84.0])
WHITE_SKIN = np.array([226.0, 220.0, 176.0])
PINK_SKIN = np.array([232.0, 168.0, 132.0])
RED_SKIN = np.array([190.0, 26.0, 24.0])
DEEP_RED_SKIN = np.array([150.0, 12.0, 18.0])


def fruit_skin(berry: BerrySpec, rng: np.random.Generator, size: int = 96) -> Image:
    """Return the skin, v from calyx (row 0) to tip; `berry.ripeness` of the real skin's area has the ripe colour."""
    u, v = np.meshgrid((np.arange(size) + 0.5) / size, (np.arange(size) + 0.5) / size)
    from_tip = skin_share(v)
    weight = np.abs(np.gradient(skin_share((np.arange(size) + 0.5) / size)))[:, None] * np.ones((1, size))
    amplitude = 0.45 * min(berry.ripeness, 1.0 - berry.ripeness) + 0.03
    score = from_tip + amplitude * _blotches(rng, size)
    edge = _weighted_quantile(score, weight, berry.ripeness)
    ripe = 1.0 / (1.0 + np.exp(np.clip((score - edge) / 0.02, -30.0, 30.0)))
    near = np.clip(1.0 - (score - edge) / 0.25, 0.0, 1.0) * min(1.0, 4.0 * berry.ripeness)
    unripe = GREEN_SKIN + (WHITE_SKIN - GREEN_SKIN) * berry.maturity
    pale = unripe + (PINK_SKIN - unripe) * (0.55 * near[..., None])
    red = DEEP_RED_SKIN + (RED_SKIN - DEEP_RED_SKIN) * float(rng.uniform(0.2, 1.0))
    colour = pale + (red - pale) * ripe[..., None]
    colour = _achenes(colour, u, v, ripe, rng)
    colour = colour * (1.0 + 0.07 * _blotches(rng, size)[..., None]) * rng.uniform(0.93, 1.05)
    return np.asarray(np.clip(colour, 0, 255), dtype=np.uint8)


def ripe_share(skin: Image) -> float:
    """Return the share of a skin's area that is red; what `fruit_skin` was asked for, measured back."""
    size = skin.shape[0]
    weight = np.abs(np.gradient(skin_share((np.arange(size) + 0.5) / size)))[:, None] * np.ones((1, size))
    rgb = skin.astype(np.float64)
    red = (rgb[..., 0] > 1.8 * rgb[..., 1]) & (rgb[..., 0] > 80.0)
    return float((weight * red).sum() / weight.sum())


def leaf(rng: np.random.Generator, size: int = 128) -> Image:
    """Return a leaflet with veins; the first rows are the petiole's colour."""
    u, v = np.meshgrid(np.linspace(-1.0, 1.0, size), np.linspace(0.0, 1.0, size))
    base = np.array([62.0, 112.0, 44.0])
    vein = np.exp(-((u / 0.03) ** 2)) + 0.5 * np.exp(-(((np.abs(u) - 7.0 * ((v * 7.0) % 1.0) / 7.0) / 0.035) ** 2))
    colour = base * (1.0 + 0.18 * _blotches(rng, size)[..., None]) + 42.0 * np.clip(vein, 0, 1)[..., None] * [
        0.9,
        1.0,
        0.6,
    ]
    colour[: int(0.08 * size)] = [138.0, 168.0, 86.0]
    return np.asarray(np.clip(colour, 0, 255), dtype=np.uint8)


def backdrop(rng: np.random.Generator, width: int = 256, height: int = 128) -> Image:
    """Return the blurred greenhouse behind the bed: bright cover above, the next rows, dim floor below."""
    v = np.linspace(0.0, 1.0, height)[:, None, None]
    sky, rows, floor = np.array([205.0, 212.0, 214.0]), np.array([92.0, 118.0, 74.0]), np.array([148.0, 145.0, 138.0])
    blend = np.clip((v - 0.25) / 0.2, 0, 1) * (rows - sky) + sky
    colour = blend + np.clip((v - 0.62) / 0.15, 0, 1) * (floor - blend) + np.zeros((1, width, 1))
    noise = cv2.GaussianBlur(rng.normal(size=(height, width)), (0, 0), 2.5)
    colour = (
        colour * (1.0 + 0.5 * noise[..., None])
        + np.array([6.0, 14.0, 0.0]) * cv2.GaussianBlur(rng.normal(size=(height, width)), (0, 0), 1.2)[..., None]
    )
    return np.asarray(np.clip(colour, 0, 255), dtype=np.uint8)


def ground(rng: np.random.Generator, size: int = 128) -> Image:
    """Return a woven, dusty ground cover."""
    weave = 8.0 * np.sin(np.arange(size) * np.pi / 2.0)
    colour = 168.0 + weave[:, None, None] + 6.0 * rng.normal(size=(size, size, 1)) + np.array([4.0, 2.0, -4.0])
    return np.asarray(np.clip(colour, 0, 255), dtype=np.uint8)


def _blotches(rng: np.random.Generator, size: int) -> Array:
    """Return smooth noise of about unit amplitude that wraps around in u."""
    noise = rng.normal(size=(size, size))
    wide = cv2.GaussianBlur(np.hstack([noise, noise, noise]), (0, 0), size / 14.0)[:, size : 2 * size]
    return np.asarray(wide / (2.0 * wide.std() + 1e-12), dtype=np.float64)


def _weighted_quantile(values: Array, weight: Array, q: float) -> float:
    order = np.argsort(values, axis=None)
    share = np.cumsum(weight.ravel()[order]) / weight.sum()
    if q <= 0.0:
        return float(values.min()) - 1.0
    if q >= 1.0:
        return float(values.max()) + 1.0
    return float(values.ravel()[order][int(np.searchsorted(share, q))])


def _achenes(colour: Array, u: Array, v: Array, ripe: Array, rng: np.random.Generator) -> Array:
    """Return `colour` with seeds: yellow in small dark pits on red skin, brown-green on pale skin."""
    rows = 9
    row = np.floor(v * rows)
    across = np.maximum(5.0, np.round(15.0 * np.sqrt(np.clip(4.0 * v * (1.0 - v), 0.05, 1.0))))
    du = ((u * across + 0.5 * (row % 2)) % 1.0 - 0.5) / across * 1.0
    dv = (v * rows - row - 0.5) / rows
    distance = np.hypot(du * 1.6, dv)
    pit = np.exp(-((distance / 0.024) ** 2))[..., None]
    seed = np.exp(-((distance / 0.012) ** 2))[..., None]
    tint = np.array([126.0, 128.0, 62.0]) + ripe[..., None] * (
        np.array([206.0, 160.0, 74.0]) - np.array([126.0, 128.0, 62.0])
    )
    del rng
    return np.asarray(colour * (1.0 - 0.22 * pit) * (1.0 - 0.85 * seed) + tint * (0.85 * seed), dtype=np.float64)
