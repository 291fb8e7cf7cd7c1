"""Give detected berries their place in space, size, axis and peduncle, from depth or from their usual size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from vision.camera.intrinsics import check_intrinsics
from vision.fit import WIDEST, Bodies, FitSettings, fit
from vision.stem import StemSettings, cut_points
from vision.surface import Evidence, gather, of_some
from vision.types import Berry, Detection, Frame, Intrinsics, Stage

Array = npt.NDArray[np.float64]
Depth = npt.NDArray[np.float32]

SIZE_OF_STAGE = {Stage.FLOWER: 0.7, Stage.GREEN: 0.8, Stage.WHITE: 0.92}
"""Size of young fruit over that of ripe fruit of the same plant, which it reaches when it turns; an assumption."""

PICTURE_UP = np.array([0.0, -1.0, 0.0])


@dataclass(frozen=True, slots=True, kw_only=True)
class LocateSettings:
    """Settings of 3-D localisation; lengths in metres.

    Attributes:
        depth_range: depths outside are not measurements; the D405's usable range.
        diameter: usual width of a table fruit, the only scale when there is no depth.
        diameter_sd: its spread between fruits.
        min_points: fewer valid depths inside the mask than this, and the size prior takes over.
        least_step: shares of its outline along which depth makes a step, outwards or inwards: where the middle one of a
            frame's berries has less than the first, depth does not belong to the picture; less than the second, it may
            lie beside it. Fruit among leaves has steps all round it too: they are nearer.
        enough: frames with fewer measured berries are not asked that.
        least_inliers: when a smaller share of a mask's depths lies on one berry-shaped body, mask and depth do not show
            the same thing, and the size prior takes over.
        hidden_below: berries with less of their outline open on both sides are flagged `hidden`.
        body, stem: settings of the fit and of the peduncle.
    """

    depth_range: tuple[float, float] = (0.05, 1.2)
    diameter: float = 0.030
    diameter_sd: float = 0.006
    min_points: int = 12
    least_inliers: float = 0.5
    least_step: tuple[float, float] = (0.55, 0.75)
    enough: int = 4
    hidden_below: float = 0.3
    body: FitSettings = field(default_factory=FitSettings)
    stem: StemSettings = field(default_factory=StemSettings)


def locate_all(
    detections: Sequence[Detection], frame: Frame, settings: LocateSettings | None = None, up: Array | None = None
) -> list[Berry]:
    """Return the berries of a frame's detections in the camera's optical frame, in the same order.

    A berry-shaped body is fitted to the depths inside each mask and to that part of its outline which is the fruit's
    own rim (`vision.surface`, `vision.fit`). Where depth is missing or disagrees with the mask, outline and usual size
    alone give the place, with the covariance that this deserves, and the berry's flags say so.

    Args:
        up: direction against gravity in the optical frame, unit, shape (3,); without it the picture's own is taken.

    Raises:
        ValueError: intrinsics or depth do not belong to the picture; says why.
    """
    s = settings or LocateSettings()
    shape = (frame.color.shape[0], frame.color.shape[1])
    check_intrinsics(frame.intrinsics, shape)
    if frame.depth is not None and frame.depth.shape != shape:
        raise ValueError(f"expected depth aligned with the picture, {shape}, got {frame.depth.shape}: align them first")
    if frame.depth is not None and not np.issubdtype(frame.depth.dtype, np.floating):
        raise ValueError(f"expected depth in metres, float32, got {frame.depth.dtype}: multiply by the camera's scale")
    if up is not None and not (np.shape(up) == (3,) and 0.0 < np.linalg.norm(up) < np.inf):
        raise ValueError(f"expected an upward direction of three numbers, not all 0, got {up}")
    return _located(detections, frame.intrinsics, frame.depth, s, up, color=frame.color)


def locate(
    detection: Detection,
    intrinsics: Intrinsics,
    *,
    depth: Depth | None = None,
    settings: LocateSettings | None = None,
    up: Array | None = None,
    id: int = 0,
) -> Berry:
    """Return the berry of one detection; see `locate_all`."""
    return replace(_located([detection], intrinsics, depth, settings or LocateSettings(), up)[0], id=id)


def _located(
    detections: Sequence[Detection],
    intrinsics: Intrinsics,
    depth: Depth | None,
    s: LocateSettings,
    up: Array | None,
    *,
    color: npt.NDArray[np.uint8] | None = None,
) -> list[Berry]:
    if not detections:
        return []
    above = PICTURE_UP if up is None else np.asarray(up, np.float64) / np.linalg.norm(up)
    seen = gather(detections, intrinsics, depth, depth_range=s.depth_range)
    young = np.array([SIZE_OF_STAGE.get(d.stage, 1.0) for d in detections])
    bodies = fit(seen, intrinsics, above, s.body, blind=up is None, least=s.min_points, usual=s.body.half_width * young)
    measured = seen.depth_count >= s.min_points
    stepped = _stepped(seen, measured, s)
    agreed = (bodies.inliers >= s.least_inliers) & (stepped >= s.least_step[0])
    if not (measured & agreed).all():
        bodies = _by_size(
            bodies, seen, ~(measured & agreed), young, intrinsics=intrinsics, up=above, blind=up is None, s=s
        )
    cuts, stems, errors = cut_points(
        detections, bodies, intrinsics, depth, color=color, up=above, settings=s.stem, measured=measured & agreed
    )
    lean = np.sqrt(np.maximum(bodies.covariance[:, 5, 5] + bodies.covariance[:, 6, 6], 0.0))
    berries = []
    for i, detection in enumerate(detections):
        flags = _flags(detection, intrinsics, depth is not None, bool(measured[i]), bool(agreed[i]))
        if not flags and stepped < s.least_step[1]:
            flags = ("depth_doubtful",)
        left, right = (float(v) for v in seen.free[i])
        berries.append(
            Berry(
                detection=detection,
                position=bodies.centre[i],
                covariance=bodies.covariance[i, :3, :3],
                diameter=2.0 * float(bodies.half_width[i]),
                length=2.0 * float(bodies.half_length[i]),
                axis=bodies.axis[i],
                peduncle=cuts[i],
                stem=stems[i],
                peduncle_sd=float(errors[i]) if errors[i] < np.inf else None,
                axis_sd=float(lean[i]),
                free=(left, right),
                flags=flags if max(left, right) >= s.hidden_below else (*flags, "hidden"),
                id=i,
            )
        )
    return berries


def _by_size(
    bodies: Bodies,
    seen: Evidence,
    which: npt.NDArray[np.bool_],
    young: Array,
    *,
    intrinsics: Intrinsics,
    up: Array,
    blind: bool,
    s: LocateSettings,
) -> Bodies:
    """Fit those of `which` again by their outline and their usual size alone; return the bodies, changed in place."""
    known = replace(s.body, half_width_sd=s.diameter_sd / s.diameter)
    usual = s.diameter / 2.0 / WIDEST * young[which]
    outline = of_some(seen, which)
    outline = replace(
        outline,
        depth_weights=np.zeros_like(outline.depth_weights),
        beyond_weights=np.zeros_like(outline.beyond_weights),
    )
    again = fit(outline, intrinsics, up, known, blind=blind, least=s.min_points, usual=usual)
    for old, new in (
        (bodies.centre, again.centre),
        (bodies.axis, again.axis),
        (bodies.half_width, again.half_width),
        (bodies.half_length, again.half_length),
        (bodies.covariance, again.covariance),
    ):
        old[which] = new
    return bodies


def _stepped(seen: Evidence, measured: npt.NDArray[np.bool_], s: LocateSettings) -> float:
    """Return the share of the outline of a frame's middle berry along which depth makes a step; 1 with too few."""
    if np.count_nonzero(measured) < s.enough:
        return 1.0
    return float(np.median(seen.stepped[measured]))


def _flags(d: Detection, intrinsics: Intrinsics, camera: bool, measured: bool, agreed: bool) -> tuple[str, ...]:
    why = "no_depth" if not camera else "depth_invalid" if not measured else "depth_misaligned" if not agreed else ""
    flags = ("size_prior", why) if why else ()
    x0, y0, x1, y1 = d.box
    border = x0 <= 1 or y0 <= 1 or x1 >= intrinsics.width - 1 or y1 >= intrinsics.height - 1
    return (*flags, "cut_off") if border else flags
