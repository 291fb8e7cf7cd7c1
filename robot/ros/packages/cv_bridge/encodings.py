"""The encodings of `sensor_msgs/Image`: what a pixel is made of, and how one becomes another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[Any]

DTYPES = {
    "8U": "uint8", "8S": "int8", "16U": "uint16", "16S": "int16", "32S": "int32", "32F": "float32", "64F": "float64",
}  # fmt: skip
DEPTHS = {dtype: depth for depth, dtype in DTYPES.items()}
DEPTH_NUMBERS = {depth: number for number, depth in enumerate(("8U", "8S", "16U", "16S", "32S", "32F", "64F"))}
COLOURS = {"rgb": ("RGB", 3), "bgr": ("BGR", 3), "rgba": ("RGBA", 4), "bgra": ("BGRA", 4), "mono": ("GRAY", 1)}
# OpenCV names a Bayer pattern by its second row, ROS by its first.
BAYER = {"rggb": "BayerBG", "bggr": "BayerRG", "gbrg": "BayerGR", "grbg": "BayerGB"}
YUV = {"yuv422": "UYVY", "uyvy": "UYVY", "yuv422_yuy2": "YUY2", "yuyv": "YUY2"}
_BARE = re.compile(r"(8U|8S|16U|16S|32S|32F|64F)(?:C(\d+))?")
_COLOUR = re.compile(r"(rgba|bgra|rgb|bgr|mono)(8|16)")
_BAYER = re.compile(r"bayer_(rggb|bggr|gbrg|grbg)(8|16)")


class CvBridgeError(TypeError):
    """An image that cannot be converted, or an encoding that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """What an encoding's name says.

    Attributes:
        depth: `8U`, `16U`, `32F` … of one number.
        channels: numbers in a pixel.
        colour: `RGB`, `GRAY`, `BayerBG`, `UYVY` … as OpenCV calls it, "" when the name says nothing of colour.
    """

    depth: str
    channels: int
    colour: str = ""

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(DTYPES[self.depth])

    @property
    def cv_type(self) -> int:
        """The number of OpenCV's `CV_8UC3` and so on."""
        return DEPTH_NUMBERS[self.depth] + ((self.channels - 1) << 3)

    @property
    def cv_name(self) -> str:
        return f"{self.depth}C{self.channels}"


def parse(name: str) -> Encoding:
    """Read an encoding's name, such as `bgr8`, `mono16`, `bayer_rggb8`, `yuv422` or `32FC1`."""
    if match := _BARE.fullmatch(name):
        return Encoding(depth=match[1], channels=int(match[2] or 1))
    if match := _COLOUR.fullmatch(name):
        colour, channels = COLOURS[match[1]]
        return Encoding(depth=f"{match[2]}U", channels=channels, colour=colour)
    if match := _BAYER.fullmatch(name):
        return Encoding(depth=f"{match[2]}U", channels=1, colour=BAYER[match[1]])
    if name in YUV:
        return Encoding(depth="8U", channels=2, colour=YUV[name])
    raise CvBridgeError(f"Unrecognized image encoding [{name}]")


def getCvType(encoding: str) -> int:
    """Return OpenCV's number of an encoding's type."""
    return parse(encoding).cv_type


def cvtColor2(image: Picture, encoding_in: str, encoding_out: str) -> Picture:
    """Convert a picture from one encoding to another.

    Raises:
        CvBridgeError: the conversion makes no sense.
    """
    if encoding_in == encoding_out:
        return image
    have, want = parse(encoding_in), parse(encoding_out)
    if bool(have.colour) != bool(want.colour) or not have.colour:
        if not have.colour and want.colour:
            raise CvBridgeError(
                f"[{encoding_in}] is not a color format. but [{encoding_out}] is. The conversion does not make sense"
            )
        if have.channels != want.channels:
            raise CvBridgeError(
                f"[{encoding_in}] and [{encoding_out}] do not have the same number of channels, "
                f"which are {have.channels} and {want.channels}"
            )
        return image.astype(want.dtype) if have.depth != want.depth else image
    made = _recolour(image, have.colour, want.colour, f"[{encoding_in}] to [{encoding_out}]")
    if have.depth == want.depth:
        return made
    scale = 65535 / 255 if have.depth == "8U" else 255 / 65535
    return np.rint(made * scale).astype(want.dtype)


def _recolour(image: Picture, have: str, want: str, what: str) -> Picture:
    import cv2

    if have == want:
        return image
    if want.startswith("Bayer"):
        raise CvBridgeError(f"no conversion of {what}")
    if have.startswith("Bayer") or have in YUV.values():
        if want not in ("RGB", "BGR", "GRAY"):
            return _recolour(_recolour(image, have, "BGR", what), "BGR", want, what)
        name = f"COLOR_YUV2{want}_{have}" if have in YUV.values() else f"COLOR_{have}2{want}"
    elif want in YUV.values():
        if have not in ("RGB", "BGR"):
            return _recolour(_recolour(image, have, "BGR", what), "BGR", want, what)
        name = f"COLOR_{have}2YUV_{want}"
    else:
        name = f"COLOR_{have}2{want}"
    code = getattr(cv2, name, None)
    if code is None:
        raise CvBridgeError(f"no conversion of {what}: OpenCV has no {name}")
    made: Picture = cv2.cvtColor(image, code)
    return made
