"""The calibration file: intrinsics and mounting in TOML, as cameras and the robot read them."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vision.camera.intrinsics import check_intrinsics
from vision.types import Intrinsics

Array = npt.NDArray[np.float64]

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """One camera's calibration.

    Attributes:
        T_tool_camera: maps the optical frame to the tool frame, shape (4, 4); None until hand-eye was done.
        lens, mount: how good they are: numbers by name, for people.
    """

    intrinsics: Intrinsics
    T_tool_camera: Array | None = None
    lens: Mapping[str, float] | None = None
    mount: Mapping[str, float] | None = None


def save_calibration(calibration: Calibration, path: Path) -> None:
    """Write the file.

    Raises:
        ValueError: it cannot be written.
    """
    c = calibration.intrinsics
    lines = [
        "# A camera's calibration, written by berrybrain calibrate. Lengths in pixels and metres; z forward, x right.",
        f"schema = {SCHEMA}",
        "",
        "[intrinsics]",
        f"width = {c.width}",
        f"height = {c.height}",
        *(f"{name} = {_number(value)}" for name, value in (("fx", c.fx), ("fy", c.fy), ("cx", c.cx), ("cy", c.cy))),
        f"distortion = {_list(c.distortion)}  # k1, k2, p1, p2, k3",
        *_table("lens", calibration.lens),
    ]
    if calibration.T_tool_camera is not None:
        T = calibration.T_tool_camera
        lines += [
            "",
            "[hand_eye]  # T_tool_camera: optical coordinates to the tool frame",
            f"position = {_list(T[:3, 3])}  # [m]",
            f"quaternion = {_list(quaternion_of(T[:3, :3]))}  # x, y, z, w",
            *_table("mount", calibration.mount),
        ]
    try:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise ValueError(f"cannot write {path}: {error.strerror}; name another place with --out") from error


def load_calibration(path: Path) -> Calibration:
    """Read the file.

    Raises:
        ValueError: it is missing, no calibration, of another version, or no camera is like that.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(
            f"cannot read {path}: {error.strerror}; make it with berrybrain calibrate intrinsics"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"expected a calibration file, got {path}: {error}") from error
    if content.get("schema") != SCHEMA:
        raise ValueError(f"expected schema = {SCHEMA} in {path}, got {content.get('schema')!r}: calibrate again")
    try:
        lens = content["intrinsics"]
        intrinsics = Intrinsics(
            width=int(lens["width"]),
            height=int(lens["height"]),
            **{name: float(lens[name]) for name in ("fx", "fy", "cx", "cy")},
            distortion=tuple(float(v) for v in lens.get("distortion", ())),
        )
        mount = content.get("hand_eye")
        T = None if mount is None else transform_of(mount["position"], mount["quaternion"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"expected the numbers of a calibration in {path}: {error!r}; calibrate again") from error
    check_intrinsics(intrinsics, (intrinsics.height, intrinsics.width))
    return Calibration(intrinsics=intrinsics, T_tool_camera=T, lens=content.get("lens"), mount=content.get("mount"))


def transform_of(position: npt.ArrayLike, quaternion: npt.ArrayLike) -> Array:
    """Return the transform, shape (4, 4), of a position [m] and a quaternion (x, y, z, w).

    Raises:
        ValueError: wrong lengths, a number that is not finite, or a quaternion that is not of length 1.
    """
    p, q = np.asarray(position, np.float64), np.asarray(quaternion, np.float64)
    if p.shape != (3,) or q.shape != (4,) or not (np.isfinite(p).all() and np.isfinite(q).all()):
        raise ValueError(f"expected a position of 3 and a quaternion of 4 finite numbers, got {p} and {q}")
    if abs(float(np.linalg.norm(q)) - 1.0) > 0.01:
        raise ValueError(f"expected a quaternion (x, y, z, w) of length 1, got {q} of {np.linalg.norm(q):.3f}")
    x, y, z, w = q / np.linalg.norm(q)
    T = np.eye(4)
    T[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    T[:3, 3] = p
    return T


def quaternion_of(rotation: Array) -> Array:
    """Return the quaternion (x, y, z, w >= 0) of a rotation matrix: the eigenvector of Bar-Itzhack 2000."""
    m = rotation
    K = np.array(
        [
            [m[0, 0] - m[1, 1] - m[2, 2], 0, 0, 0],
            [m[0, 1] + m[1, 0], m[1, 1] - m[0, 0] - m[2, 2], 0, 0],
            [m[0, 2] + m[2, 0], m[1, 2] + m[2, 1], m[2, 2] - m[0, 0] - m[1, 1], 0],
            [m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1], m[0, 0] + m[1, 1] + m[2, 2]],
        ]
    )
    q = np.linalg.eigh(K, UPLO="L")[1][:, -1]
    return np.asarray(q if q[3] >= 0 else -q, np.float64)


def _table(name: str, numbers: Mapping[str, Any] | None) -> list[str]:
    if not numbers:
        return []
    return ["", f"[{name}]", *(f"{key} = {_number(float(value))}" for key, value in numbers.items())]


def _number(value: float) -> str:
    return "nan" if math.isnan(value) else repr(float(f"{float(value):.9g}"))


def _list(values: npt.ArrayLike) -> str:
    return "[" + ", ".join(_number(v) for v in np.asarray(values, np.float64).ravel().tolist()) + "]"
