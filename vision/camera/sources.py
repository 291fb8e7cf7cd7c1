"""Open a camera by what a person types: a folder, a video, a device, an address, `realsense`, `oak`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from vision.types import Camera, Intrinsics


def open_camera(
    source: str, *, now: Callable[[], float], intrinsics: Intrinsics | None = None, loop: bool = False
) -> Camera:
    """Return the camera that `source` names.

    Args:
        source: `opencv:0` or `0` (USB), `/dev/video0`, `rtsp://…` or `http://…`, `realsense` or `realsense:SERIAL`,
            `oak` or `oak:DEVICE`; anything else is a folder of pictures, a picture or a video.
        now: UTC clock that stamps the frames [s].
        intrinsics: from the camera's calibration file.
        loop: begin a folder or video again at its end.

    Raises:
        ValueError: there is no such folder, picture or video, or the SDK for it is not installed.
    """
    kind, _, name = source.partition(":")
    if kind == "realsense":
        from vision.camera.realsense import RealSenseCamera

        return RealSenseCamera(name, now=now, intrinsics=intrinsics)
    if kind == "oak":
        from vision.camera.oak import OakCamera

        return OakCamera(name, now=now, intrinsics=intrinsics)
    number = name if kind == "opencv" else source
    if number.isdecimal() or "://" in source or source.startswith("/dev/"):
        from vision.camera.device import OpenCVCamera

        return OpenCVCamera(int(number) if number.isdecimal() else source, now=now, intrinsics=intrinsics)
    from vision.camera.folder import FolderCamera

    return FolderCamera(Path(source), now=now, loop=loop, intrinsics=intrinsics)
