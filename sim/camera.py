"""The simulated eye in hand: RGB and depth frames with the noise, gaps and faults of a real stereo camera."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from sim.cell import Cell
from sim.offscreen import Offscreen
from vision.types import CameraError, Frame, Intrinsics

Color = npt.NDArray[np.uint8]
Depth = npt.NDArray[np.float32]
Grain = npt.NDArray[np.float32]

GRAIN_MARGIN = 96


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorNoise:
    """Errors of a short-range stereo camera such as the RealSense D405.

    Attributes:
        depth_base, depth_square: sigma_z = base + square * z^2 [m].
        dropout: share of pixels without depth, in blobs.
        quantum: depth steps [m].
        shot: standard deviation of a mid-grey pixel [8-bit counts].
        exposure: standard deviation of the exposure between frames, as a share.
    """

    depth_base: float = 0.0015
    depth_square: float = 0.002
    dropout: float = 0.02
    quantum: float = 0.001
    shot: float = 2.2
    exposure: float = 0.03


@dataclass(slots=True, kw_only=True)
class CameraFaults:
    """Faults to inject: a `frozen` camera repeats its last frame, a `dark` one sees nothing, a `lost` one raises."""

    frozen: bool = False
    dark: bool = False
    lost: bool = False


class SimCamera:
    """`vision.types.Camera` on the simulated tool."""

    def __init__(self, cell: Cell, noise: SensorNoise | None = None) -> None:
        self._cell = cell
        self._description = cell.scene.arm.camera
        self._noise = (noise or SensorNoise()) if cell.settings.camera_noise else None
        self._rng = cell.rng(0xCA)
        self._grain = grain_bank(self._description.height, self._description.width, self._rng)
        self._offscreen = Offscreen(cell.model, self._description.width, self._description.height)
        self._view = self._offscreen.fixed(cell.scene.names.camera)
        self._last: Frame | None = None
        self.faults = CameraFaults()

    @property
    def intrinsics(self) -> Intrinsics:
        """Pinhole intrinsics; pixel centres are at whole numbers."""
        camera = self._description
        return Intrinsics(
            width=camera.width,
            height=camera.height,
            fx=camera.focal,
            fy=camera.focal,
            cx=0.5 * (camera.width - 1),
            cy=0.5 * (camera.height - 1),
        )

    def read(self) -> Frame:
        """Expose one frame now."""
        if self.faults.lost:
            raise CameraError(code="camera_lost", detail="the simulated camera does not answer")
        if self.faults.frozen and self._last is not None:
            return self._last
        picture = self._offscreen.draw(self._cell.data, self._view)
        color, depth = picture.color, picture.depth
        if self.faults.dark:
            color = np.zeros_like(color)
        if self._noise is not None:
            color = expose(color, self._noise, self._grain, self._rng)
            depth = measure(depth, self._noise, self._rng)
        depth = np.where(
            (depth >= self._description.range_min) & (depth <= self._description.range_max), depth, np.float32(0.0)
        )
        self._last = Frame(stamp=self._cell.now, color=color, depth=depth, intrinsics=self.intrinsics)
        return self._last

    def close(self) -> None:
        self._offscreen.close()


def grain_bank(height: int, width: int, rng: np.random.Generator) -> Grain:
    """Return unit noise, part grey and part coloured, larger than a picture: each frame crops another part."""
    shape = (height + GRAIN_MARGIN, width + GRAIN_MARGIN)
    grey = rng.standard_normal((*shape, 1), dtype=np.float32) * np.float32(0.6)
    return np.asarray(grey + rng.standard_normal((*shape, 3), dtype=np.float32) * np.float32(0.8), dtype=np.float32)


def expose(color: Color, noise: SensorNoise, bank: Grain, rng: np.random.Generator) -> Color:
    """Add exposure drift, lens softness and shot noise to an ideal picture."""
    gain = 1.0 + rng.normal(0.0, noise.exposure)
    soft = cv2.GaussianBlur(color, (3, 3), 0.6)
    level = np.arange(256, dtype=np.float32)
    sigma = (noise.shot * np.sqrt(np.maximum(level, 8.0) / 128.0)).astype(np.float32)
    top, left = rng.integers(0, GRAIN_MARGIN, 2).tolist()
    grain = bank[top : top + color.shape[0], left : left + color.shape[1]]
    noisy = cv2.multiply(sigma[soft], grain)
    noisy = cv2.addWeighted(soft, gain, noisy, 1.0, 0.0, dtype=cv2.CV_8U)
    return np.asarray(noisy, dtype=np.uint8)


def measure(depth: Depth, noise: SensorNoise, rng: np.random.Generator) -> Depth:
    """Add what stereo does to an ideal depth picture: noise that grows with distance, flying pixels at edges, gaps."""
    h, w = depth.shape
    coarse = rng.standard_normal((h // 2, w // 2), dtype=np.float32)
    error = cv2.resize(coarse, (w, h), interpolation=cv2.INTER_LINEAR) * np.float32(1.3)
    sigma = noise.depth_base + noise.depth_square * depth * depth
    low, high = cv2.erode(depth, np.ones((3, 3))), cv2.dilate(depth, np.ones((3, 3)))
    edge = (high - low) > 0.03
    mix = rng.random((h, w), dtype=np.float32)
    measured = np.where(edge, low + mix * np.minimum(high - low, 0.15), depth) + sigma * error
    holes = (rng.random((h // 4, w // 4), dtype=np.float32) < noise.dropout).astype(np.float32)
    measured[cv2.resize(holes, (w, h), interpolation=cv2.INTER_LINEAR) > 0.45] = 0.0
    measured[edge & (mix > 0.6)] = 0.0
    return np.asarray(np.round(measured / noise.quantum) * noise.quantum, dtype=np.float32)
