"""What is wrong with a picture, its depth, its camera or the model is refused with the reason, or flagged."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from vision.apart import locate_apart
from vision.camera.intrinsics import check_intrinsics
from vision.camera.pictures import decode_picture, load_picture
from vision.locate import locate_all
from vision.net.modelfile import ABOUT, GRAPH, WEIGHTS, ModelFileError, read_model
from vision.types import Berry, Detection, Frame, Intrinsics, Stage

CAMERA = Intrinsics(width=160, height=120, fx=110.0, fy=110.0, cx=79.5, cy=59.5)
COLOR = np.full((120, 160, 3), 90, np.uint8)
PLACES = ((30, 30), (80, 30), (130, 30), (30, 90), (80, 90), (130, 90))


def detections() -> list[Detection]:
    turn = np.linspace(0.0, 2.0 * np.pi, 24, endpoint=False)
    ring = 12.0 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    return [
        Detection(
            box=(x - 12.0, y - 12.0, x + 13.0, y + 13.0),
            score=0.9,
            ripeness=0.0,
            stage=Stage.GREEN,
            polygon=ring + (x, y),  # noqa: RUF005
        )
        for x, y in PLACES
    ]


def located(depth: npt.NDArray[np.generic], **more: object) -> list[Berry]:
    frame = Frame(stamp=0.0, color=COLOR, intrinsics=CAMERA, depth=depth)  # type: ignore[arg-type]
    return locate_apart(detections(), frame, **more)  # type: ignore[arg-type]


def balls() -> npt.NDArray[np.float32]:
    """Return a depth picture in which each detection's place bulges before a wall."""
    y, x = np.mgrid[:120, :160]
    depth = np.full((120, 160), 0.40, np.float32)
    for at in PLACES:
        r2 = ((x - at[0]) ** 2 + (y - at[1]) ** 2) / 12.0**2
        depth = np.where(r2 < 1.0, 0.17 - 0.016 * np.sqrt(np.maximum(1.0 - r2, 0.0)), depth).astype(np.float32)
    return depth


def test_depth_that_fits_the_picture_has_no_flag() -> None:
    assert all(b.flags == () for b in located(balls()))


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf"), -0.3, 400.0])
def test_depth_that_measures_nothing_is_flagged(value: float) -> None:
    berries = located(np.full((120, 160), value, np.float32))
    assert len(berries) == len(PLACES)
    assert all(b.flags[:2] == ("size_prior", "depth_invalid") for b in berries)
    assert all(np.isfinite(b.position).all() for b in berries)


def test_a_depth_picture_without_any_of_the_fruit_is_flagged_misaligned() -> None:
    assert all("depth_misaligned" in b.flags for b in located(np.full((120, 160), 0.4, np.float32)))


def test_a_depth_picture_beside_the_colour_picture_is_flagged() -> None:
    for b in located(np.roll(balls(), 16, axis=1)):
        assert {"depth_doubtful", "depth_misaligned"} & set(b.flags), b.flags


def test_fruit_with_nearer_leaves_all_round_is_not_taken_for_depth_of_another_picture() -> None:
    among_leaves = np.where(balls() > 0.3, 0.13, balls()).astype(np.float32)
    for b in located(among_leaves):
        assert not {"size_prior", "depth_doubtful"} & set(b.flags), b.flags


def test_depth_of_another_kind_is_taken_or_refused_with_the_reason() -> None:
    assert len(located(balls().astype(np.float64))) == len(PLACES)
    with pytest.raises(ValueError, match=r"metres.*uint16.*scale"):
        located((1000 * balls()).astype(np.uint16))
    with pytest.raises(ValueError, match="align them first"):
        located(balls()[::2, ::2])


@pytest.mark.parametrize("up", [(0.0, 0.0, 0.0), (float("nan"), 0.0, 1.0), (0.0, 1.0)])
def test_an_upward_direction_that_is_none_is_refused(up: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="upward"):
        located(balls(), up=np.array(up))


@pytest.mark.parametrize("distortion", [(0.1, 0.1, 0.1), (50.0, 0.0, 0.0, 0.0, 0.0)])
def test_distortion_that_no_lens_has_is_refused(distortion: tuple[float, ...]) -> None:
    wrong = replace(CAMERA, distortion=distortion)
    with pytest.raises(ValueError, match="distortion"):
        check_intrinsics(wrong, (120, 160))
    with pytest.raises(ValueError, match="distortion"):
        locate_all(detections(), Frame(stamp=0.0, color=COLOR, intrinsics=wrong))


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_sixteen_bit_pictures_of_cameras_with_fewer_bits_are_not_dark(bits: int) -> None:
    picture = np.full((8, 8, 3), 200 << (bits - 8), np.uint16)
    _, data = cv2.imencode(".png", picture)
    assert (decode_picture(data.tobytes(), "x") == 200).all()


def test_a_picture_with_values_that_are_no_numbers_is_read() -> None:
    picture = np.full((8, 8, 3), 0.5, np.float32)
    picture[0] = np.nan
    _, data = cv2.imencode(".tiff", picture)
    read = decode_picture(data.tobytes(), "x")
    assert (read[0] == 0).all()
    assert (read[1:] == 127).all()


def test_a_folder_in_a_pictures_place_is_named_as_one(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="it is a folder"):
        load_picture(tmp_path)


def test_a_model_file_damaged_in_its_compressed_part_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in (ABOUT, GRAPH, WEIGHTS):
            archive.writestr(name, bytes(range(256)) * 40)
        at = archive.getinfo(GRAPH).header_offset + 30 + len(GRAPH)
    data = bytearray(path.read_bytes())
    for offset in (ABOUT, GRAPH):
        start = data.find(offset.encode()) + len(offset)
        data[start : start + 20] = b"\xff" * 20
    assert at > 0
    path.write_bytes(bytes(data))
    with pytest.raises(ModelFileError, match="damaged"):
        read_model(path)
