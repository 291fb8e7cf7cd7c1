"""`berrybrain calibrate …`: lens and mounting of a camera from pictures of a printed board."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dashboard.cli.errors import Problem

if TYPE_CHECKING:
    from vision.calibrate.board import Board, View
    from vision.calibrate.lens import LensResult
    from vision.calibrate.mount import MountResult

POSE = ("x", "y", "z", "qx", "qy", "qz", "qw")


def _board_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--dictionary", default="DICT_5X5_100", show_default=True, help="Of its markers."),
        click.option("--marker", type=float, default=0.018, show_default=True, help="Side of a marker [m]."),
        click.option(
            "--square", type=float, default=0.024, show_default=True, help="Side of a square [m]; measure it."
        ),
        click.option("--rows", type=int, default=8, show_default=True, help="Squares down."),
        click.option("--columns", type=int, default=11, show_default=True, help="Squares across."),
    ):
        command = option(command)
    return command


@click.group(name="calibrate")
def command() -> None:
    """Measure a camera's lens and where it sits on the tool, with a printed ChArUco board."""


@command.command(name="board")
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path), required=True, help="board.pdf or board.png.")
@_board_options
def board(*, out: Path, **values: Any) -> None:
    """Write the board for printing; a PDF has its true size. Print at 100 %, glue it flat, measure a square."""
    from vision.calibrate.board import save_board

    made = _board(values)
    try:
        save_board(made, out)
    except ValueError as error:
        raise Problem(str(error)) from error
    width, height = made.size
    click.echo(f"{out}: {made.columns}x{made.rows} squares, {width * 1e3:g} x {height * 1e3:g} mm")


@command.command(name="simulate")
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path), required=True, help="An empty or new folder.")
@click.option("--views", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Same seed, same views.")
@_board_options
def simulate(*, out: Path, views: int, seed: int, **values: Any) -> None:
    """Write simulated views of the board and the tool's poses, to try the other commands; truth.toml is the truth."""
    import cv2

    from sim.calibration import CAMERA, MOUNTING, board_views
    from vision.calibrate.file import Calibration, quaternion_of, save_calibration

    made = _board(values)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise Problem(f"{out} is not an empty folder; name another with --out")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with (out / "poses.csv").open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(("picture", *POSE))
            for number, view in enumerate(board_views(made, views, seed)):
                name = f"view-{number:02d}.png"
                (out / name).write_bytes(cv2.imencode(".png", view.picture)[1].tobytes())
                T = view.T_base_tool
                rows.writerow((name, *(f"{v:.7f}" for v in (*T[:3, 3], *quaternion_of(T[:3, :3])))))
        save_calibration(Calibration(intrinsics=CAMERA, T_tool_camera=MOUNTING), out / "truth.toml")
    except OSError as error:
        raise Problem(f"cannot write into {out}: {error.strerror}; name another folder") from error
    click.echo(f"{views} views and poses.csv in {out}")


@command.command(name="intrinsics")
@click.argument("pictures", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path), default=Path("camera.toml"), show_default=True)
@click.option(
    "--report", metavar="FILE", type=click.Path(path_type=Path), help="Picture of corners and residuals, .png."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_board_options
def intrinsics(*, pictures: Path, out: Path, report: Path | None, as_json: bool, **values: Any) -> None:
    """Measure focal length, optical axis and distortion from the pictures in DIR (15-30, the board tilted).

    The file is what the cameras and the robot read.
    """
    from vision.calibrate.file import Calibration, save_calibration
    from vision.calibrate.lens import CalibrationError, calibrate_lens
    from vision.calibrate.picture import lens_picture
    from vision.report import save_picture

    made = _board(values)
    try:
        views = _views(made, pictures)
        try:
            result = calibrate_lens(made, views)
        except CalibrationError as error:
            raise Problem(str(error) + _other_dictionary(error.code, made, pictures)) from error
        figures = _lens_figures(result)
        quality = {name: value for name, value in figures.items() if name in LENS_KEPT}
        save_calibration(Calibration(intrinsics=result.intrinsics, lens=quality), out)
        if report is not None:
            save_picture(report, lens_picture(result))
    except ValueError as error:
        raise Problem(str(error)) from error
    _tell({**figures, "left_out": list(result.left_out), "file": str(out)}, as_json)


@command.command(name="hand-eye")
@click.argument("pictures", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--poses",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="CSV: picture,x,y,z,qx,qy,qz,qw of the tool in the base frame [m].  [default: DIR/poses.csv]",
)
@click.option(
    "--camera",
    metavar="FILE",
    type=click.Path(path_type=Path),
    default=Path("camera.toml"),
    show_default=True,
    help="Its intrinsics; the mounting is written into the same file unless --out names another.",
)
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--report", metavar="FILE", type=click.Path(path_type=Path), help="Picture of the residuals, .png.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_board_options
def hand_eye(
    *,
    pictures: Path,
    poses: Path | None,
    camera: Path,
    out: Path | None,
    report: Path | None,
    as_json: bool,
    **values: Any,
) -> None:
    """Measure where the camera sits on the tool: pictures of a board that lies still, taken from turned poses."""
    from dataclasses import replace

    from vision.calibrate.file import load_calibration, save_calibration
    from vision.calibrate.lens import CalibrationError
    from vision.calibrate.mount import calibrate_mount
    from vision.calibrate.picture import mount_picture
    from vision.report import save_picture

    made = _board(values)
    try:
        known = load_calibration(camera)
        taken = _poses(poses or pictures / "poses.csv")
        views = _views(made, pictures)
        try:
            result = calibrate_mount(made, views, taken, known.intrinsics)
        except CalibrationError as error:
            raise Problem(str(error) + _other_dictionary(error.code, made, pictures)) from error
        figures = _mount_figures(result)
        quality = {name: value for name, value in figures.items() if name in MOUNT_KEPT and value is not None}
        target = out or camera
        save_calibration(replace(known, T_tool_camera=result.T_tool_camera, mount=quality), target)
        if report is not None:
            save_picture(report, mount_picture(result))
    except ValueError as error:
        raise Problem(str(error)) from error
    _tell({**figures, "file": str(target)}, as_json)


LENS_KEPT = ("views", "reprojection_px", "worst_view_px", "focal_sd_pct", "coverage", "tilt_deg")
MOUNT_KEPT = ("views", "residual_mm", "residual_deg", "check_mm", "reprojection_px")


def _lens_figures(result: LensResult) -> dict[str, Any]:
    import numpy as np

    c = result.intrinsics
    return {
        "views": len(result.views),
        "reprojection_px": round(result.rms, 4),
        "worst_view_px": round(result.worst, 4),
        "focal_sd_pct": round(100 * result.focal_sd, 4),
        "centre_sd_px": round(result.centre_sd, 3),
        "coverage": round(result.coverage, 3),
        "tilt_deg": round(float(np.degrees(result.tilt)), 1),
        "fx": round(c.fx, 3),
        "fy": round(c.fy, 3),
        "cx": round(c.cx, 3),
        "cy": round(c.cy, 3),
        "distortion": [round(v, 6) for v in c.distortion],
    }


def _mount_figures(result: MountResult) -> dict[str, Any]:
    from vision.calibrate.file import quaternion_of

    T = result.T_tool_camera
    return {
        "views": len(result.views),
        "residual_mm": round(result.residual_mm, 4),
        "residual_deg": round(result.residual_deg, 4),
        "check_mm": None if result.check_mm is None else round(result.check_mm, 4),
        "reprojection_px": round(result.rms, 4),
        "position": [round(float(v), 6) for v in T[:3, 3]],
        "quaternion": [round(float(v), 7) for v in quaternion_of(T[:3, :3])],
    }


def _board(values: dict[str, Any]) -> Board:
    from vision.calibrate.board import Board

    try:
        return Board(**values)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _views(board: Board, folder: Path) -> list[View]:
    from vision.calibrate.board import find_board
    from vision.camera.folder import picture_files
    from vision.camera.pictures import load_picture

    views = []
    for path in picture_files(folder):
        try:
            views.append(find_board(board, load_picture(path), path.name))
        except ValueError as error:
            click.echo(f"berrybrain: left out: {error}", err=True)
    return views


def _other_dictionary(code: str, board: Board, folder: Path) -> str:
    """Return the hint that the pictures show another dictionary's markers, or nothing."""
    from vision.calibrate.board import dictionary_in
    from vision.camera.folder import picture_files
    from vision.camera.pictures import load_picture

    if code not in {"too_few_views", "wrong_board"}:
        return ""
    try:
        found = dictionary_in(load_picture(picture_files(folder)[0]))
    except ValueError:
        return ""
    return f". The first picture shows markers of {found}" if found and found[:8] != board.dictionary[:8] else ""


def _poses(path: Path) -> dict[str, Any]:
    """Return T_base_tool by the picture's name.

    Raises:
        ValueError: the file is missing or a line is wrong.
    """
    from vision.calibrate.file import transform_of

    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot read the tool's poses from {path}: {error}; name the file with --poses") from error
    poses = {}
    for number, row in enumerate(rows, 2):
        try:
            values = [float(row[key]) for key in POSE]
            poses[row["picture"]] = transform_of(values[:3], values[3:])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"expected picture,{','.join(POSE)} in line {number} of {path}: {error}") from error
    return poses


def _tell(figures: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(figures))
        return
    for name, value in figures.items():
        click.echo(f"{name:16} {value}")
