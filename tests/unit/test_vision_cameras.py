"""Cameras of every kind keep one protocol, also when they are unplugged mid-stream and come back."""

from __future__ import annotations

from types import SimpleNamespace as Space

import cv2
import numpy as np
import pytest

from vision.camera.device import OpenCVCamera
from vision.camera.oak import OakCamera
from vision.camera.realsense import RealSenseCamera, forward_distortion
from vision.camera.sources import open_camera
from vision.types import CameraError, Intrinsics

PICTURE = np.full((480, 640, 3), (10, 20, 200), np.uint8)  # blue, green, red


class Capture:
    """Stands in for cv2.VideoCapture: gives `pictures` frames, then none, as an unplugged one."""

    def __init__(self, pictures: int, opens: bool = True) -> None:
        self.left, self.opens, self.released = pictures, opens, False

    def isOpened(self):
        return self.opens

    def read(self):
        self.left -= 1
        return (True, PICTURE) if self.left >= 0 else (False, None)

    def release(self):
        self.released = True


def test_an_opencv_camera_gives_rgb_is_lost_when_unplugged_and_comes_back():
    plugged = [Capture(2), Capture(0, opens=False), Capture(1)]
    used = list(plugged)
    camera = OpenCVCamera(0, now=lambda: 7.0, opener=lambda _: used.pop(0))
    with pytest.raises(CameraError):
        _ = camera.intrinsics
    frame = camera.read()
    assert frame.color[0, 0].tolist() == [200, 20, 10]
    assert (frame.stamp, frame.intrinsics.width, camera.intrinsics.height) == (7.0, 640, 480)
    camera.read()
    for reason in ("unplugged", "cannot be opened"):
        with pytest.raises(CameraError, match=reason) as lost:
            camera.read()
        assert lost.value.code == "camera_lost"
    assert plugged[0].released
    assert camera.read().color.shape == (480, 640, 3)


def test_a_camera_of_another_size_than_calibrated_is_refused():
    lens = Intrinsics(width=1280, height=720, fx=900, fy=900, cx=640, cy=360)
    camera = OpenCVCamera(0, now=lambda: 0.0, intrinsics=lens, opener=lambda _: Capture(1))
    with pytest.raises(CameraError, match="calibrated at 1280x720") as wrong:
        camera.read()
    assert wrong.value.code == "camera_lost"


class RealSense:
    """Stands in for pyrealsense2: what the camera uses of its documented API."""

    stream = Space(color="color", depth="depth")
    format = Space(rgb8="rgb8", z16="z16")
    distortion = Space(inverse_brown_conrady="inverse", brown_conrady="brown", none="none")

    def __init__(self) -> None:
        self.unplugged, self.asked = False, []
        self.told = Space(
            width=640, height=480, fx=430.0, fy=431.0, ppx=322.0, ppy=239.0, coeffs=[0.0] * 5, model="brown"
        )

    def config(self):
        return Space(enable_device=self.asked.append, enable_stream=lambda *words: self.asked.append(words))

    def pipeline(self):
        return Space(start=self.start, wait_for_frames=self.wait, stop=lambda: None)

    def start(self, _config):
        if self.unplugged:
            raise RuntimeError("No device connected")
        sensor = Space(get_depth_scale=lambda: 0.0001)
        profile = Space(as_video_stream_profile=lambda: Space(get_intrinsics=lambda: self.told))
        return Space(get_device=lambda: Space(first_depth_sensor=lambda: sensor), get_stream=lambda _: profile)

    def wait(self, _timeout_ms):
        if self.unplugged:
            raise RuntimeError("Frame didn't arrive within 2000")
        return "frames"

    def align(self, to):
        assert to == "color"
        color = Space(get_data=lambda: PICTURE[..., ::-1])
        depth = Space(get_data=lambda: np.full((480, 640), 4000, np.uint16))
        return Space(process=lambda _: Space(get_color_frame=lambda: color, get_depth_frame=lambda: depth))


def test_a_realsense_gives_colour_with_depth_in_metres():
    sdk = RealSense()
    camera = RealSenseCamera("123", now=lambda: 1.0, sdk=sdk)
    frame = camera.read()
    assert frame.color[0, 0].tolist() == [200, 20, 10]
    assert frame.depth is not None
    assert frame.depth[5, 5] == pytest.approx(0.4)
    assert (frame.intrinsics.fx, frame.intrinsics.cx, frame.intrinsics.distortion) == (430.0, 322.0, ())
    assert sdk.asked == ["123", ("color", 640, 480, "rgb8", 30), ("depth", 640, 480, "z16", 30)]


def test_a_realsense_unplugged_mid_stream_is_lost_until_it_is_back():
    sdk = RealSense()
    camera = RealSenseCamera(now=lambda: 1.0, sdk=sdk)
    camera.read()
    sdk.unplugged = True
    for reason in ("gives no frame", "cannot be started"):
        with pytest.raises(CameraError, match=reason) as lost:
            camera.read()
        assert lost.value.code == "camera_lost"
    sdk.unplugged = False
    assert camera.read().depth is not None
    camera.close()


def test_a_lens_told_by_the_inverse_polynomial_is_told_forward():
    told = Space(
        width=640, height=480, fx=430.0, fy=431.0, ppx=322.0, ppy=239.0, coeffs=[-0.055, 0.066, 0.0004, 0.001, -0.02]
    )
    k = np.array(forward_distortion(told))
    matrix = np.array([[430.0, 0, 322], [0, 431, 239], [0, 0, 1]])
    bent = np.array([[50.0, 40], [600, 30], [330, 450]])
    x, y = ((bent - (322, 239)) / (430, 431)).T
    k1, k2, p1, p2, k3 = told.coeffs
    r2 = x * x + y * y
    f = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
    straight = np.stack(
        [x * f + 2 * p1 * x * y + p2 * (r2 + 2 * x * x), y * f + 2 * p2 * x * y + p1 * (r2 + 2 * y * y)], 1
    )
    again = cv2.projectPoints(np.c_[straight, np.ones(3)], np.zeros(3), np.zeros(3), matrix, k)[0].reshape(-1, 2)
    assert np.abs(again - bent).max() < 0.05


class Node:
    """A DepthAI node: every output links, every setting is taken."""

    def __init__(self) -> None:
        self.inputs = {"rgb": "rgb", "depth": "depth"}
        self.left = self.right = self.input = self.inputAlignTo = "in"
        self.depth = self.outputAligned = Space(link=lambda _: None)

    def build(self, _socket):
        return self

    def requestOutput(self, size, type=None, fps=None, enableUndistortion=None):
        self.asked = (size, type, enableUndistortion)
        return Space(link=lambda _: None)

    def setLeftRightCheck(self, _): ...
    def setSubpixel(self, _): ...
    def setExtendedDisparity(self, _): ...


class Oak:
    """Stands in for depthai 3: what the camera uses of its documented API."""

    CameraBoardSocket = Space(CAM_A="a", CAM_B="b", CAM_C="c")
    ImgFrame = Space(Type=Space(RGB888i="rgb"))
    node = Space(Camera=1, StereoDepth=2, ImageAlign=3, Sync=4)

    def __init__(self) -> None:
        self.unplugged, self.devices = False, []

    def Device(self, name):
        self.devices.append(name)
        return name

    def Pipeline(self, _device=None):
        if self.unplugged:
            raise RuntimeError("No available devices")
        handler = Space(getCameraIntrinsics=lambda *_: [[500.0, 0, 320], [0, 501, 240], [0, 0, 1]])
        return Space(
            create=self.create,
            start=lambda: None,
            stop=lambda: None,
            getDefaultDevice=lambda: Space(readCalibration=lambda: handler),
        )

    def create(self, _kind):
        node = Node()
        node.out = Space(createOutputQueue=lambda maxSize, blocking: Space(get=self.get))
        return node

    def get(self):
        if self.unplugged:
            raise RuntimeError("Communication exception: X_LINK_ERROR")
        depth = np.full((480, 640), 350, np.uint16)
        return {"rgb": Space(getFrame=lambda: PICTURE[..., ::-1]), "depth": Space(getFrame=lambda: depth)}


def test_an_oak_gives_colour_with_depth_and_is_lost_when_unplugged():
    sdk = Oak()
    camera = OakCamera("10.0.0.5", now=lambda: 2.0, sdk=sdk)
    assert (camera.intrinsics.fx, camera.intrinsics.cy) == (500.0, 240.0)
    frame = camera.read()
    assert frame.color[0, 0].tolist() == [200, 20, 10]
    assert frame.depth is not None
    assert frame.depth[0, 0] == pytest.approx(0.35)
    assert sdk.devices == ["10.0.0.5"]
    sdk.unplugged = True
    for reason in ("gives no frame", "cannot be started"):
        with pytest.raises(CameraError, match=reason) as lost:
            camera.read()
        assert lost.value.code == "camera_lost"


def test_a_source_names_its_camera(tmp_path):
    now = lambda: 0.0  # noqa: E731
    assert isinstance(open_camera("0", now=now), OpenCVCamera)
    assert isinstance(open_camera("opencv:2", now=now), OpenCVCamera)
    assert isinstance(open_camera("rtsp://127.0.0.1/x", now=now), OpenCVCamera)
    with pytest.raises(ValueError, match="no such thing"):
        open_camera(str(tmp_path / "none"), now=now)


@pytest.mark.parametrize(("source", "module"), [("realsense", "pyrealsense2"), ("oak", "depthai")])
def test_a_camera_without_its_sdk_says_what_to_install(source, module, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(ValueError, match=rf"berrybrain\[{source}\]"):
        open_camera(source, now=lambda: 0.0)
