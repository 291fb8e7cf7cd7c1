"""A simulated camera's lens and mounting are found again, and views that tell neither are refused with the reason."""

from __future__ import annotations

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from dashboard.cli import main
from robot.arms import load_arm
from sim.calibration import CAMERA, MOUNTING, board_views
from vision.calibrate.board import Board, dictionary_in, find_board, save_board
from vision.calibrate.file import Calibration, load_calibration, quaternion_of, save_calibration, transform_of
from vision.calibrate.lens import CalibrationError, calibrate_lens, transform
from vision.calibrate.mount import calibrate_mount
from vision.calibrate.picture import lens_picture, mount_picture

BOARD = Board()
SMALL = replace(CAMERA, width=480, height=360, fx=324.4, fy=323.2, cx=241.7, cy=177.5)


@pytest.fixture(scope="module")
def taken():
    return list(board_views(BOARD, 14, 3, camera=SMALL))


@pytest.fixture(scope="module")
def views(taken):
    return [find_board(BOARD, v.picture, str(i)) for i, v in enumerate(taken)]


@pytest.fixture(scope="module")
def lens(views):
    return calibrate_lens(BOARD, views)


def test_the_lens_is_found_again(lens):
    c = lens.intrinsics
    assert c.fx == pytest.approx(SMALL.fx, rel=2e-3)
    assert c.fy == pytest.approx(SMALL.fy, rel=2e-3)
    assert (c.cx, c.cy) == pytest.approx((SMALL.cx, SMALL.cy), abs=0.8)
    assert lens.rms < 0.3
    assert 3 * lens.focal_sd > abs(c.fx / SMALL.fx - 1)
    assert lens.coverage > 0.7
    assert lens_picture(lens).std() > 5


def test_the_mounting_is_found_again_to_a_millimetre(taken, views, lens):
    poses = {str(i): v.T_base_tool for i, v in enumerate(taken)}
    result = calibrate_mount(BOARD, views, poses, lens.intrinsics)
    off = np.linalg.inv(MOUNTING) @ result.T_tool_camera
    assert np.linalg.norm(off[:3, 3]) < 1.5e-3
    assert np.degrees(np.linalg.norm(cv2.Rodrigues(off[:3, :3])[0])) < 0.25
    assert result.residual_mm < 2.0
    assert result.check_mm is not None
    assert result.check_mm < 3.0
    assert mount_picture(result).std() > 5


def test_too_few_views_are_refused(views):
    with pytest.raises(CalibrationError, match="at least 8 pictures") as refused:
        calibrate_lens(BOARD, views[:5])
    assert refused.value.code == "too_few_views"


def test_a_board_that_is_never_tilted_is_degenerate():
    square_on = board_views(BOARD, 8, 4, camera=SMALL, tilt=0.01)
    flat = [find_board(BOARD, v.picture, str(i)) for i, v in enumerate(square_on)]
    with pytest.raises(CalibrationError, match="tilt the board") as refused:
        calibrate_lens(BOARD, flat)
    assert refused.value.code == "degenerate"


def test_another_board_is_told_from_too_few_views(taken):
    other = Board(columns=8, rows=11)
    strange = [find_board(other, v.picture, str(i)) for i, v in enumerate(taken)]
    with pytest.raises(CalibrationError, match="another order") as refused:
        calibrate_lens(other, strange)
    assert refused.value.code == "wrong_board"
    assert dictionary_in(taken[0].picture) == "DICT_5X5_100"
    assert dictionary_in(np.full((200, 300, 3), 120, np.uint8)) is None


def test_pictures_of_two_sizes_are_refused(views):
    mixed = [replace(v, size=(640, 480)) if i % 2 else v for i, v in enumerate(views)]
    with pytest.raises(CalibrationError, match="one size"):
        calibrate_lens(BOARD, mixed)


def test_a_tool_that_turns_about_one_axis_only_tells_no_mounting(views):
    about_z = {v.name: transform([0, 0, 0.2 * i], [0.01 * i, 0, 0.3]) for i, v in enumerate(views)}
    with pytest.raises(CalibrationError, match="one axis only"):
        calibrate_mount(BOARD, views, about_z, SMALL)
    still = {v.name: transform([0, 0, 0], [0.01 * i, 0, 0.3]) for i, v in enumerate(views)}
    with pytest.raises(CalibrationError, match="turned by less"):
        calibrate_mount(BOARD, views, still, SMALL)


def test_poses_of_other_pictures_and_poses_upside_down_do_not_fit(taken, views, lens):
    inverted = {str(i): np.linalg.inv(v.T_base_tool) for i, v in enumerate(taken)}
    with pytest.raises(CalibrationError, match="seems to move"):
        calibrate_mount(BOARD, views, inverted, lens.intrinsics)
    with pytest.raises(CalibrationError, match="none for"):
        calibrate_mount(BOARD, views, {"0": taken[0].T_base_tool}, lens.intrinsics)


def test_the_robot_and_the_cameras_read_the_file(tmp_path):
    file = tmp_path / "camera.toml"
    save_calibration(Calibration(intrinsics=CAMERA), file)
    assert load_calibration(file).intrinsics == CAMERA
    with pytest.raises(ValueError, match="intrinsics only"):
        load_arm("ur3e", camera=file)
    save_calibration(Calibration(intrinsics=CAMERA, T_tool_camera=MOUNTING), file)
    assert np.allclose(load_arm("ur3e", camera=file).camera.T_tool_camera, MOUNTING, atol=1e-7)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("schema = 1", "schema = 9"), "calibrate again"),
        (("fx = ", "fx = -"), "expected fx"),
        (("fx = ", "f = "), "expected the numbers"),
        (("[intrinsics]", "[intrinsics"), "expected a calibration file"),
    ],
)
def test_a_damaged_calibration_file_is_refused_with_the_reason(tmp_path, change, reason):
    file = tmp_path / "camera.toml"
    save_calibration(Calibration(intrinsics=CAMERA), file)
    file.write_text(file.read_text().replace(*change))
    with pytest.raises(ValueError, match=reason):
        load_calibration(file)


def test_rotations_survive_the_quaternion():
    rng = np.random.default_rng(0)
    for turn in (*rng.normal(0, 2, (20, 3)), [np.pi, 0, 0], [0, 0, 0]):
        T = transform(turn, [1, 2, 3])
        assert np.allclose(transform_of(T[:3, 3], quaternion_of(T[:3, :3])), T, atol=1e-9)


def test_the_printed_board_has_its_true_size_and_is_found(tmp_path):
    save_board(BOARD, tmp_path / "board.png", pixels_per_square=60)
    picture = cv2.imread(str(tmp_path / "board.png"))
    assert len(find_board(BOARD, picture, "board").ids) == 70
    save_board(BOARD, tmp_path / "board.pdf", pixels_per_square=20)
    page = (tmp_path / "board.pdf").read_bytes()
    assert page.startswith(b"%PDF-1.4")
    assert b"748.346 0 0 544.252" in page  # 264 x 192 mm in points of 1/72 inch
    with pytest.raises(ValueError, match=r"\.pdf or \.png"):
        save_board(BOARD, tmp_path / "board.svg")


def run(capsys, *words):
    with pytest.raises(SystemExit) as left:
        main([str(w) for w in words])
    told = capsys.readouterr()
    return left.value.code, told.out, told.err


def test_the_commands_go_from_board_to_mounting(tmp_path, taken, capsys):
    for i, v in enumerate(taken):
        cv2.imwrite(str(tmp_path / f"{i:02d}.png"), v.picture)
    rows = [
        ",".join(
            [f"{i:02d}.png", *(f"{x:.7f}" for x in (*v.T_base_tool[:3, 3], *quaternion_of(v.T_base_tool[:3, :3])))]
        )
        for i, v in enumerate(taken)
    ]
    (tmp_path / "poses.csv").write_text("\n".join(["picture,x,y,z,qx,qy,qz,qw", *rows]))
    file = tmp_path / "camera.toml"
    code, out, _ = run(
        capsys, "calibrate", "intrinsics", tmp_path, "--out", file, "--report", tmp_path / "r.jpg", "--json"
    )
    assert code == 0
    assert json.loads(out)["reprojection_px"] < 0.3
    (tmp_path / "r.jpg").unlink()
    code, out, _ = run(capsys, "calibrate", "hand-eye", tmp_path, "--camera", file, "--json")
    assert code == 0
    assert json.loads(out)["residual_mm"] < 2.0
    assert load_calibration(file).T_tool_camera is not None
    code, _, err = run(capsys, "calibrate", "intrinsics", tmp_path, "--out", file, "--dictionary", "DICT_4X4_50")
    assert code == 1
    assert "markers of DICT_5X5_100" in err


def test_misuse_is_told(tmp_path, capsys):
    assert run(capsys, "calibrate", "board", "--out", tmp_path / "b.pdf", "--square", "24")[0] == 2
    code, _, err = run(capsys, "calibrate", "intrinsics", tmp_path / "none")
    assert code == 1
    assert "no such thing" in err
    assert run(capsys, "calibrate", "simulate", "--out", tmp_path / "s", "--views", "1")[0] == 0
    assert sorted(p.name for p in (tmp_path / "s").iterdir()) == ["poses.csv", "truth.toml", "view-00.png"]
