"""Make a drawing look like a photograph: shade in crevices, focus, exposure, white balance, blur and noise."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from sim.camera import SensorNoise, measure

Color = npt.NDArray[np.uint8]
Depth = npt.NDArray[np.float32]
Plane = npt.NDArray[np.float32]

BASELINE = 0.018
"""Distance between the two imagers of a RealSense D405 [m], data sheet 337029 (D400 series), D405 table."""

RANGE = (0.07, 1.2)
"""Depths that are kept [m]: the D405 measures from 7 cm and is specified to 0.5 m; beyond 1.2 m nothing is used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """How one picture is taken; drawn with `draw_photo`.

    Attributes:
        crevice: darkening of what lies behind something near, 0-1.
        defocus, blur: standard deviations of the far background's and of the whole picture's softness [px].
        metering: mean brightness that automatic exposure strives for [8-bit counts]; 0 = fixed exposure.
        gain, white: factors on brightness and on red, green, blue.
        motion, direction: length of the streak [px] and its angle [rad].
        shot: noise of a mid-grey pixel [8-bit counts].
        quality: of the JPEG file.
    """

    crevice: float
    defocus: float
    metering: float
    gain: float
    white: tuple[float, float, float]
    gamma: float
    saturation: float
    vignette: float
    blur: float
    motion: float
    direction: float
    shot: float
    quality: int


def draw_photo(rng: np.random.Generator, *, plain: bool = False) -> Photo:
    """Draw how a picture is taken; a `plain` one is like the robot's own camera."""
    if plain:
        return Photo(
            crevice=0.0, defocus=0.0, metering=0.0, gain=float(rng.normal(1.0, 0.08)), white=(1.0, 1.0, 1.0), gamma=1.0,
            saturation=1.0, vignette=0.0, blur=0.6, motion=0.0, direction=0.0, shot=float(rng.uniform(1.0, 4.0)),
            quality=95,
        )  # fmt: skip
    warmth, green = rng.normal(0.0, 0.08), rng.normal(0.0, 0.03)
    return Photo(
        crevice=float(rng.uniform(0.3, 1.0)),
        defocus=float(rng.uniform(0.0, 5.0)),
        metering=float(rng.uniform(85.0, 135.0)),
        gain=float(np.exp(rng.normal(0.0, 0.16))),
        white=(float(np.exp(warmth)), float(np.exp(green)), float(np.exp(-warmth))),
        gamma=float(np.exp(rng.normal(0.0, 0.15))),
        saturation=float(rng.uniform(0.7, 1.35)),
        vignette=float(rng.uniform(0.0, 0.35)),
        blur=float(rng.choice([0.0, 0.5, 0.9, 1.6], p=[0.35, 0.35, 0.2, 0.1])),
        motion=float(rng.choice([0.0, rng.uniform(2.0, 7.0)], p=[0.85, 0.15])),
        direction=float(rng.uniform(0.0, np.pi)),
        shot=float(rng.uniform(0.8, 7.0)),
        quality=int(rng.integers(55, 97)),
    )


def expose(drawing: Color, depth: Depth, photo: Photo, rng: np.random.Generator) -> Color:
    """Return the photograph of a drawing.

    Args:
        drawing: RGB, shape (h, w, 3).
        depth: of the same pixels [m], shape (h, w).
    """
    picture = drawing.astype(np.float32)
    if photo.crevice > 0.0:
        picture *= _crevices(depth, photo.crevice)[..., None]
    if photo.defocus > 0.3:
        soft = cv2.GaussianBlur(picture, (0, 0), photo.defocus)
        far = np.clip((depth - np.float32(np.quantile(depth[::8, ::8], 0.3)) - 0.25) / 0.3, 0.0, 1.0)
        far = cv2.GaussianBlur(far.astype(np.float32), (0, 0), 1.5)[..., None]
        picture = picture * (1.0 - far) + soft * far
    if photo.motion > 1.0:
        picture = cv2.filter2D(picture, -1, _streak(photo.motion, photo.direction))
    if photo.blur > 0.0:
        picture = cv2.GaussianBlur(picture, (0, 0), photo.blur)
    if photo.metering > 0.0:
        lit = float(picture[::4, ::4].mean()) + 1.0
        picture *= np.float32(np.clip((photo.metering / lit) ** 0.7, 0.6, 3.0))
    picture *= np.array(photo.white, np.float32) * np.float32(photo.gain)
    if photo.saturation != 1.0:
        grey = picture @ np.array([0.299, 0.587, 0.114], np.float32)
        picture = grey[..., None] + np.float32(photo.saturation) * (picture - grey[..., None])
    if photo.vignette > 0.0:
        picture *= _vignette(picture.shape[0], picture.shape[1], photo.vignette)[..., None]
    if photo.gamma != 1.0:
        picture = 255.0 * np.power(np.clip(picture / 255.0, 0.0, 1.6), np.float32(photo.gamma))
    picture = np.clip(picture, 0.0, 255.0)
    sigma = photo.shot * np.sqrt(np.maximum(picture, 8.0) / 128.0)
    picture += sigma * rng.standard_normal(picture.shape, dtype=np.float32)
    return np.asarray(np.clip(picture, 0.0, 255.0), np.uint8)


def stereo(depth: Depth, focal: float, rng: np.random.Generator, noise: SensorNoise | None = None) -> Depth:
    """Return what a D405-like stereo camera measures of an ideal depth picture; 0 where it measures nothing.

    Noise sigma = 1.5 mm + 2 mm/m^2 z^2 (for f 433 px and the 18 mm baseline that is 0.06 px of disparity at 0.5 m, the
    sub-pixel error that Keselman et al. 2017, "Intel RealSense Stereoscopic Depth Cameras", CVPRW, give), correlated
    over two pixels; flying pixels and gaps at edges, gaps in blobs, steps of 1 mm: `sim.camera.measure`. Added here:
    the strip beside everything near that only one of the two imagers sees.

    Args:
        depth: [m], shape (h, w).
        focal: [px].
    """
    shift = np.arange(depth.shape[1], dtype=np.float32) - np.float32(focal * BASELINE) / np.maximum(depth, 0.02)
    nearest = np.minimum.accumulate(shift[:, ::-1], axis=1)[:, ::-1]
    hidden = np.zeros(depth.shape, bool)
    hidden[:, :-1] = nearest[:, 1:] < shift[:, :-1] - 1.0
    measured = measure(depth, noise or SensorNoise(), rng)
    measured[hidden | (measured < RANGE[0]) | (measured > RANGE[1])] = 0.0
    return measured


def _crevices(depth: Depth, strength: float) -> Plane:
    """Return darkening where something near rises around a place (Luft 2006, unsharp masking of the depth buffer)."""
    h, w = depth.shape
    small = cv2.resize(np.minimum(depth, np.float32(1.5)), (w // 2, h // 2), interpolation=cv2.INTER_AREA)
    dark = np.zeros_like(small)
    for spread, reach in ((4.0, 0.012), (14.0, 0.04)):
        lower = small - cv2.GaussianBlur(small, (0, 0), spread)
        dark += np.clip(lower / reach, 0.0, 1.0)
    gap = small - cv2.erode(small, np.ones((25, 25), np.uint8))
    dark *= cv2.GaussianBlur(np.clip(1.0 - (gap - 0.08) / 0.1, 0.0, 1.0), (0, 0), 3.0)
    return np.asarray(cv2.resize(1.0 - 0.36 * strength * np.clip(dark, 0.0, 1.4), (w, h)), np.float32)


def _streak(length: float, direction: float) -> Plane:
    size = 2 * int(np.ceil(length / 2)) + 1
    kernel = np.zeros((size, size), np.float32)
    middle = size // 2
    reach = 0.5 * length * np.array([np.cos(direction), np.sin(direction)])
    begin, end = (tuple(round(middle + s * r) for r in reach) for s in (-1.0, 1.0))
    cv2.line(kernel, begin, end, 1.0, 1)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _vignette(h: int, w: int, strength: float) -> Plane:
    y, x = np.linspace(-1, 1, h, dtype=np.float32)[:, None], np.linspace(-1, 1, w, dtype=np.float32)[None]
    return np.asarray(1.0 - np.float32(0.5 * strength) * (x * x + y * y), np.float32)
