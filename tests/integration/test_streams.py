"""Frames of many cameras are analysed in turn, old ones dropped first; a lost camera and a broken frame are told."""

from __future__ import annotations

import json
import threading
from types import SimpleNamespace as Space

import cv2
import numpy as np
import pytest

from dashboard.cli import main
from vision.bench_streams import measure_streams
from vision.camera.device import OpenCVCamera
from vision.streams.eyes import StreamEyes, decode_reduced
from vision.streams.post import Post
from vision.streams.server import CameraSource, FileSource, serve
from vision.types import CameraError, Detection, Stage


def jpeg(w=1920, h=1080, seed=0):
    small = np.random.default_rng(seed).integers(0, 255, (h // 40, w // 40, 3)).astype(np.uint8)
    return cv2.imencode(".jpg", cv2.resize(small, (w, h)))[1].tobytes()


def test_the_oldest_frames_are_dropped_and_streams_take_turns():
    post = Post(2, capacity=2)
    for number in range(5):
        post.put(0, number)
    post.put(1, "other")
    post.close()
    assert [post.take() for _ in range(4)] == [(0, 3), (1, "other"), (0, 4), None]
    assert (post.counts[0].received, post.counts[0].dropped, post.counts[1].dropped) == (5, 3, 0)


@pytest.mark.parametrize(
    ("size", "side", "shape"),
    [
        ((1920, 1080), 960, (540, 960)),
        ((1920, 1080), 832, (468, 832)),
        ((3840, 2160), 960, (540, 960)),
        ((640, 480), 960, (480, 640)),
    ],
)
def test_a_jpeg_is_decoded_no_finer_than_needed(size, side, shape):
    small, full = decode_reduced(jpeg(*size), side)
    assert small.shape == (*shape, 3)
    assert full == size


def test_a_frame_that_is_cut_short_is_refused():
    for data in (jpeg()[:3000], b"", b"\xff\xd8\xff\xd9", b"not a picture"):
        with pytest.raises(ValueError, match="expected"):
            decode_reduced(data, 960)


def test_a_frame_of_one_line_is_decoded():
    data = cv2.imencode(".jpg", np.full((1, 1000, 3), 90, np.uint8))[1].tobytes()
    small, full = decode_reduced(data, 704)
    assert (small.shape, full) == ((1, 704, 3), (1000, 1))


def test_a_file_that_is_gone_is_told_and_those_after_it_are_analysed(tmp_path):
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (tmp_path / name).write_bytes(jpeg(320, 240))
    source = FileSource(tmp_path, lambda: 5.0)
    (tmp_path / "b.jpg").unlink()
    eyes = Space(detect=lambda frame: ((320, 240), []))
    told = []
    serve([source], [eyes], told.append, monotonic=lambda: 0.0, stop=threading.Event())
    assert sorted(r.faults for r in told) == [(), (), ("picture_broken",)]
    assert "b.jpg" in next(r.detail for r in told if r.faults)


def test_boxes_are_told_in_pixels_of_the_full_frame():
    berry = Detection(
        box=(10, 20, 30, 40), score=0.9, ripeness=1, stage=Stage.RIPE, peduncle=(20.0, 10.0), box_spread=1.0
    )
    eyes = StreamEyes(Space(detect=lambda color: [berry]), working_side=960)
    size, found = eyes.detect(jpeg())
    assert size == (1920, 1080)
    assert found[0].box == (20, 40, 60, 80)
    assert found[0].peduncle == (40.5, 20.5)
    assert found[0].box_spread == 2.0
    assert eyes.detect(np.zeros((48, 64, 3), np.uint8))[1][0].box == berry.box


class Eyes:
    def detect(self, frame):
        if isinstance(frame, bytes) and frame == b"broken":
            raise ValueError("expected a whole JPEG")
        return (64, 48), []


class Frames:
    live = False

    def __init__(self, frames):
        self.left = iter(frames)

    def read(self):
        frame = next(self.left, None)
        if frame is None:
            raise CameraError("camera_lost", "all are shown")
        return 1.0, frame, ()

    def close(self): ...


def test_every_frame_of_a_file_is_analysed_and_a_broken_one_is_told():
    told = []
    streams = [Frames([b"a", b"broken", b"c"]), Frames([b"d"] * 7)]
    rates = serve(streams, [Eyes(), Eyes()], told.append, monotonic=lambda: 0.0, stop=threading.Event())
    assert [(r.received, r.dropped, r.analysed) for r in rates] == [(3, 0, 2), (7, 0, 7)]
    assert [r.faults for r in told if r.faults] == [("picture_broken",)]


def test_a_camera_unplugged_mid_stream_is_told_while_the_other_goes_on(tmp_path):
    pictures = [True, True]
    capture = Space(
        isOpened=lambda: True,
        read=lambda: (
            (True, np.full((48, 64, 3), len(pictures), np.uint8)) if pictures and pictures.pop() else (False, None)
        ),
        release=lambda: None,
    )
    stop, told = threading.Event(), []

    def tell(result):
        told.append(result)
        if "camera_lost" in result.faults:
            stop.set()

    (tmp_path / "a.jpg").write_bytes(jpeg(64, 48))
    camera = CameraSource(OpenCVCamera(0, now=lambda: 5.0, opener=lambda _: capture))
    sources = [camera, FileSource(tmp_path, lambda: 5.0)]
    rates = serve(sources, [Eyes()], tell, monotonic=lambda: 0.0, stop=stop, capacity=9)
    lost = [r for r in told if "camera_lost" in r.faults]
    assert len(lost) == 1
    assert "unplugged" in lost[0].detail
    assert lost[0].stream == 0
    assert lost[0].berries == ()
    assert rates[0].analysed == 2


def run(capsys, *words):
    with pytest.raises(SystemExit) as left:
        main([str(w) for w in words])
    told = capsys.readouterr()
    return left.value.code, told.out, told.err


def test_the_command_follows_folders_and_reports_the_rate_of_each(tmp_path, capsys):
    for name in ("left", "right"):
        (tmp_path / name).mkdir()
        for number in range(2):
            (tmp_path / name / f"{number}.jpg").write_bytes(jpeg(640, 480, number))
    (tmp_path / "right" / "2.jpg").write_bytes(jpeg()[:2000])
    code, out, err = run(capsys, "detect", "--stream", "--json", tmp_path / "left", tmp_path / "right")
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert sorted(line["stream"] for line in lines) == [0, 0, 1, 1, 1]
    assert [line["faults"] for line in lines if line["faults"]] == [["picture_broken"]]
    assert {(line["width"], line["height"]) for line in lines if not line["faults"]} == {(640, 480)}
    assert err.count("frames a second") == 2
    assert run(capsys, "detect", "--stream", tmp_path / "none")[0] == 1


def test_the_bench_tells_rate_and_loss(tmp_path):
    folder = tmp_path / "set" / "val"
    for kind in ("images", "labels"):
        (folder / kind).mkdir(parents=True)
    (folder / "images" / "a.jpg").write_bytes(jpeg(320, 240))
    (folder / "labels" / "a.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    figures = measure_streams(tmp_path, Space(detect=lambda color: []))
    assert figures["streams_1080p_fps"] > 0
    assert figures["streams"]["frames"] > 0
    assert figures["streams"]["ap50_ripe_loss"] == pytest.approx(0.0, abs=1.0)
    assert figures["streams"]["ap50_unripe_loss"] is None
