"""Changes of light, lens and sensor for training: white balance, exposure, haze, shade, blur, noise, compression."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]

_STEPS = np.arange(256, dtype=np.float32) / 255.0


def relit(picture: Picture, rng: np.random.Generator) -> Picture:
    """Return the picture in another light and through another camera.

    Ripe and unripe must stay what they are, so hue moves by ten degrees at most, while exposure, gamma and white
    balance move by what cheap cameras and plastic roofs do.
    """
    picture = _tinted(picture, rng)
    if rng.random() < 0.7:
        picture = _recoloured(picture, rng)
    if rng.random() < 0.25:
        picture = _shaded(picture, rng)
    if rng.random() < 0.3:
        picture = _blurred(picture, rng)
    if rng.random() < 0.4:
        picture = _noisy(picture, rng)
    if rng.random() < 0.25:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))]
        picture = _compressed(picture, quality)
    return picture


def _compressed(picture: Picture, quality: list[int]) -> Picture:
    squeezed = cv2.imdecode(cv2.imencode(".jpg", picture, quality)[1], cv2.IMREAD_COLOR)
    assert squeezed is not None
    return np.asarray(squeezed, np.uint8)


def _tinted(picture: Picture, rng: np.random.Generator) -> Picture:
    gain = np.exp(rng.normal(0.0, 0.08, 3)) * np.exp(rng.normal(0.0, 0.18))
    gamma = np.exp(rng.normal(0.0, 0.28))
    contrast = np.exp(rng.normal(0.0, 0.15))
    haze = rng.uniform(0.0, 0.35) if rng.random() < 0.15 else 0.0
    curve = (_STEPS**gamma - 0.5) * contrast + 0.5
    table = haze + (1.0 - haze) * curve[:, None] * gain[None, :]
    lut = np.clip(255.0 * table, 0, 255).astype(np.uint8)
    tinted: Picture = cv2.LUT(picture, lut[None])
    return tinted


def _recoloured(picture: Picture, rng: np.random.Generator) -> Picture:
    hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV_FULL)
    shift = round(float(rng.uniform(-7, 7)))
    hue = ((np.arange(256) + shift) % 256).astype(np.uint8)
    saturation = np.clip(np.arange(256) * np.exp(rng.normal(0.0, 0.25)), 0, 255).astype(np.uint8)
    table = np.stack([hue, saturation, np.arange(256, dtype=np.uint8)], axis=1)
    recoloured: Picture = cv2.cvtColor(cv2.LUT(hsv, table[None]), cv2.COLOR_HSV2RGB_FULL)
    return recoloured


def _shaded(picture: Picture, rng: np.random.Generator) -> Picture:
    h, w = picture.shape[:2]
    coarse = np.clip(rng.normal(0.9, 0.3, (int(rng.integers(2, 6)), int(rng.integers(2, 6)))), 0.25, 1.6)
    gain = cv2.resize(coarse.astype(np.float32), (w, h), interpolation=cv2.INTER_LINEAR)
    shaded: Picture = cv2.multiply(picture, cv2.merge([gain] * 3), dtype=cv2.CV_8U)
    return shaded


def _blurred(picture: Picture, rng: np.random.Generator) -> Picture:
    if rng.random() < 0.5:
        blurred: Picture = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.4, 1.8)))
        return blurred
    length = int(rng.integers(3, 10))
    kernel = np.zeros((length, length), np.float32)
    angle = rng.uniform(0, np.pi)
    reach = (length - 1) / 2 * np.array([np.cos(angle), np.sin(angle)])
    middle = np.array([(length - 1) / 2] * 2)
    ends = [tuple(int(v) for v in np.round(middle + side * reach)) for side in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    moved: Picture = cv2.filter2D(picture, -1, kernel / kernel.sum())
    return moved


def _noisy(picture: Picture, rng: np.random.Generator) -> Picture:
    h, w = picture.shape[:2]
    grain = np.empty((h, w, 3), np.int16)
    cv2.setRNGSeed(int(rng.integers(2**31)))
    cv2.randn(grain, (0, 0, 0), (float(rng.uniform(2, 14)),) * 3)
    noisy: Picture = cv2.add(picture, grain, dtype=cv2.CV_8U)
    return noisy
