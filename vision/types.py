"""The values that leave vision: detections in a picture and berries in space."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt


class Stage(StrEnum):
    """Stage of a flower or fruit; the boundaries are those of `ripeness.stage_of`."""

    FLOWER = "flower"
    GREEN = "green"
    WHITE = "white"
    TURNING = "turning"
    RIPE = "ripe"
    OVERRIPE = "overripe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """One berry in one picture, in pixels of the original picture (x right, y down).

    Attributes:
        box: x0, y0, x1, y1 [px].
        score: confidence, 0-1.
        ripeness: share of the visible surface that has its ripe colour, 0-1.
        polygon: outline of the visible fruit [px], shape (n, 2); None when the detector gives no mask.
        peduncle: point on the peduncle where the cut is wanted [px]; None when not found.
        calyx: point where the peduncle meets the calyx [px]; None when the detector does not tell.
        stem: unit direction of the peduncle in the picture, from the calyx up; None when the detector does not tell.
        visible: estimated share of the fruit that is not hidden, 0-1.
        box_spread: expected error of the box's sides [px]; None when the detector does not tell.
        ripeness_spread: expected error of the ripeness; None when the detector does not tell.
        peduncle_spread: expected error of calyx and peduncle [px]; None when the detector does not tell.
    """

    box: tuple[float, float, float, float]
    score: float
    ripeness: float
    stage: Stage
    polygon: npt.NDArray[np.float64] | None = None
    peduncle: tuple[float, float] | None = None
    visible: float = 1.0
    calyx: tuple[float, float] | None = None
    stem: tuple[float, float] | None = None
    box_spread: float | None = None
    ripeness_spread: float | None = None
    peduncle_spread: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Berry:
    """One berry in space, in the camera's optical frame (x right, y down, z forward).

    Attributes:
        position: centre of the fruit [m], shape (3,).
        covariance: of the centre [m^2], shape (3, 3).
        diameter: largest width across the axis [m].
        length: from tip to calyx [m].
        peduncle: cut point on the peduncle [m], shape (3,); None when not found.
        axis: unit vector from tip to calyx, shape (3,).
        stem: unit direction of the peduncle at the cut point, upwards, shape (3,); None when not found.
        peduncle_sd: standard deviation of the cut point over all three directions [m]; None where it is not known.
        axis_sd: standard deviation of the axis [rad].
        free: share of the left and right part of the outline that nothing covers, 0-1: where a hand can come in.
        flags: what the place rests on when not on good depth: `size_prior`, and why (`no_depth`, `depth_invalid`,
            `depth_misaligned`); `depth_doubtful` where depth may lie beside the picture; `cut_off` by the picture's
            border; `hidden` behind something for the most part.
    """

    detection: Detection
    position: npt.NDArray[np.float64]
    covariance: npt.NDArray[np.float64]
    diameter: float
    length: float
    axis: npt.NDArray[np.float64]
    peduncle: npt.NDArray[np.float64] | None = None
    stem: npt.NDArray[np.float64] | None = None
    peduncle_sd: float | None = None
    axis_sd: float = 0.3
    free: tuple[float, float] = (1.0, 1.0)
    flags: tuple[str, ...] = ()
    id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Intrinsics:
    """Pinhole camera with plumb-bob distortion; lengths in pixels."""

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    distortion: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One picture, with aligned depth where the camera measures it.

    Attributes:
        stamp: instant of exposure, UTC epoch [s].
        color: RGB, shape (h, w, 3), uint8.
        depth: distance along the optical axis [m], shape (h, w), float32; 0 where unknown. None without a depth camera.
    """

    stamp: float
    color: npt.NDArray[np.uint8]
    intrinsics: Intrinsics
    depth: npt.NDArray[np.float32] | None = None
    frame_id: str = "camera_color_optical_frame"


class Detector(Protocol):
    """Find berries in one RGB picture."""

    def detect(self, color: npt.NDArray[np.uint8]) -> list[Detection]:
        """Return the berries seen in `color` (RGB, shape (h, w, 3)), best score first."""
        ...


class Camera(Protocol):
    """A source of frames. Twins: simulated, folder or video, OpenCV device."""

    @property
    def intrinsics(self) -> Intrinsics: ...

    def read(self) -> Frame:
        """Return the next frame.

        Raises:
            CameraError: the camera is gone or gave no picture; `code` names the fault.
        """
        ...

    def close(self) -> None: ...


@dataclass
class CameraError(Exception):
    """A camera fault that someone handles; `code` is the alarm's key."""

    code: str
    detail: str = ""
    context: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"
