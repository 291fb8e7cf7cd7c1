"""Pictures and videos on disk are played as frames."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vision.camera.folder import FolderCamera
from vision.camera.pictures import load_picture
from vision.types import CameraError


def write(path, grey):
    assert cv2.imwrite(str(path), np.full((40, 60, 3), grey, np.uint8))


def test_a_folder_is_played_by_name_and_ends_as_a_lost_camera(tmp_path):
    write(tmp_path / "b.png", 20)
    write(tmp_path / "a.png", 10)
    (tmp_path / "notes.txt").write_text("not a picture")
    times = iter([1.0, 2.0, 3.0])
    camera = FolderCamera(tmp_path, now=lambda: next(times))
    first, second = camera.read(), camera.read()
    assert (first.stamp, first.color[0, 0, 0]) == (1.0, 10)
    assert (second.stamp, second.color[0, 0, 0]) == (2.0, 20)
    assert (first.intrinsics.width, first.intrinsics.height) == (60, 40)
    with pytest.raises(CameraError) as lost:
        camera.read()
    assert lost.value.code == "camera_lost"
    camera.close()


def test_a_loop_begins_again(tmp_path):
    write(tmp_path / "a.png", 10)
    camera = FolderCamera(tmp_path / "a.png", now=lambda: 0.0, loop=True)
    assert [camera.read().color[0, 0, 0] for _ in range(3)] == [10, 10, 10]


def test_a_video_is_played_to_its_end(tmp_path):
    path = tmp_path / "row.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for grey in (50, 150):
        writer.write(np.full((48, 64, 3), grey, np.uint8))
    writer.release()
    camera = FolderCamera(path, now=lambda: 0.0)
    assert [int(camera.read().color.mean()) for _ in range(2)] == pytest.approx([50, 150], abs=3)
    with pytest.raises(CameraError):
        camera.read()
    camera.close()


def test_a_broken_picture_in_a_folder_is_a_camera_fault(tmp_path):
    write(tmp_path / "a.png", 10)
    (tmp_path / "b.jpg").write_bytes(b"")
    camera = FolderCamera(tmp_path, now=lambda: 0.0)
    camera.read()
    with pytest.raises(CameraError, match="0 bytes"):
        camera.read()


@pytest.mark.parametrize("name", ["nothing", "empty"])
def test_a_folder_without_pictures_is_an_error(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="expected"):
        FolderCamera(tmp_path / name, now=lambda: 0.0)


def test_empty_and_missing_files_are_refused_by_name(tmp_path):
    (tmp_path / "empty.jpg").write_bytes(b"")
    with pytest.raises(ValueError, match="0 bytes"):
        load_picture(tmp_path / "empty.jpg")
    with pytest.raises(ValueError, match="no such file"):
        load_picture(tmp_path / "missing.jpg")
    with pytest.raises(ValueError, match="it is a folder"):
        load_picture(tmp_path)
