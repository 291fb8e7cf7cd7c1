"""`CvBridge`: images and compressed images to arrays and back."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from robot.ros.interfaces import sensor_msgs
from robot.ros.packages.cv_bridge.encodings import DEPTHS, DTYPES, CvBridgeError, Picture, cvtColor2, getCvType, parse

__all__ = ["CvBridge", "CvBridgeError"]

FORMATS = (
    "jpg", "jpeg", "jpe", "png", "bmp", "dib", "ppm", "pgm", "pbm", "jp2", "sr", "ras", "tif", "tiff", "webp",
)  # fmt: skip


class CvBridge:
    """Converts between messages and arrays.

    Pixels read from a message are the caller's to draw on, so a received image is copied; `numpy.frombuffer` does not.
    """

    def __init__(self) -> None:
        kinds = [(f"{depth}C{channels}") for depth in DTYPES for channels in (1, 2, 3, 4)]
        self.cvtype_to_name = {getCvType(kind): kind for kind in kinds}
        self.numpy_type_to_cvtype = {**DEPTHS, **DTYPES}

    def dtype_with_channels_to_cvtype2(self, dtype: np.dtype[Any], n_channels: int) -> str:
        """Name the type of an array's pixels, `8UC3` for three uint8."""
        if dtype.name not in DEPTHS:
            raise CvBridgeError(f"no image has pixels of {dtype.name}; expected one of {', '.join(DEPTHS)}")
        return f"{DEPTHS[dtype.name]}C{n_channels}"

    def cvtype2_to_dtype_with_channels(self, cvtype: int) -> tuple[str, int]:
        encoding = parse(self.cvtype_to_name[cvtype])
        return encoding.dtype.name, encoding.channels

    def encoding_to_cvtype2(self, encoding: str) -> int:
        return getCvType(encoding)

    def encoding_to_dtype_with_channels(self, encoding: str) -> tuple[str, int]:
        known = parse(encoding)
        return known.dtype.name, known.channels

    def imgmsg_to_cv2(self, img_msg: Any, desired_encoding: str = "passthrough") -> Picture:
        """Return the pixels of a `sensor_msgs/Image`, shape (height, width) or (height, width, channels).

        Args:
            desired_encoding: `passthrough` keeps what the message has.

        Raises:
            CvBridgeError: the encoding is unknown, the data too short, or the conversion makes no sense.
        """
        encoding = parse(img_msg.encoding)
        row = img_msg.width * encoding.channels
        flat = np.frombuffer(img_msg.data, np.uint8) if len(img_msg.data) else np.empty(0, np.uint8)
        step = img_msg.step or row * encoding.dtype.itemsize
        if step < row * encoding.dtype.itemsize or flat.size < step * img_msg.height:
            raise CvBridgeError(
                f"expected {img_msg.height} rows of {row * encoding.dtype.itemsize} bytes, "
                f"got {flat.size} bytes with a step of {step}"
            )
        rows = flat[: step * img_msg.height].reshape(img_msg.height, step)[:, : row * encoding.dtype.itemsize]
        image: Picture = np.ascontiguousarray(rows).view(encoding.dtype)
        if bool(img_msg.is_bigendian) == (sys.byteorder == "little"):
            image = image.byteswap()
        shape = (img_msg.height, img_msg.width)
        image = image.reshape(shape if encoding.channels == 1 else (*shape, encoding.channels))
        if desired_encoding != "passthrough":
            image = cvtColor2(image, img_msg.encoding, desired_encoding)
        return image if image.flags.writeable else image.copy()

    def cv2_to_imgmsg(self, cvim: Any, encoding: str = "passthrough", header: Any = None) -> Any:
        """Return a `sensor_msgs/Image` with a copy of the pixels of an array, which may be drawn on again at once.

        Raises:
            TypeError: no array.
            CvBridgeError: pixels that do not fit the encoding.
        """
        if not isinstance(cvim, np.ndarray | np.generic):
            raise TypeError("Your input type is not a numpy array")
        image: Picture = np.ascontiguousarray(cvim)
        channels = 1 if image.ndim < 3 else int(image.shape[2])
        kind = self.dtype_with_channels_to_cvtype2(image.dtype, channels)
        if encoding != "passthrough" and parse(encoding).cv_name != kind:
            raise CvBridgeError(f"encoding specified as {encoding}, but image has incompatible type {kind}")
        big = image.dtype.byteorder == ">" or (image.dtype.byteorder == "=" and sys.byteorder == "big")
        message = sensor_msgs.msg.Image(
            height=int(image.shape[0]),
            width=int(image.shape[1]),
            encoding=kind if encoding == "passthrough" else encoding,
            is_bigendian=int(big),
            step=image.nbytes // len(image) if len(image) else 0,
            data=image.tobytes(),
        )
        if header is not None:
            message.header = header
        return message

    def compressed_imgmsg_to_cv2(self, cmprs_img_msg: Any, desired_encoding: str = "passthrough") -> Picture:
        """Return the pixels of a `sensor_msgs/CompressedImage`; BGR unless another encoding is asked for."""
        import cv2

        data = np.frombuffer(cmprs_img_msg.data, np.uint8) if len(cmprs_img_msg.data) else np.empty(0, np.uint8)
        flags = cv2.IMREAD_ANYCOLOR if desired_encoding != "passthrough" else cv2.IMREAD_UNCHANGED
        image = cv2.imdecode(data, flags) if data.size else None
        if image is None:
            raise CvBridgeError(f"{data.size} bytes of format {cmprs_img_msg.format!r} are no picture OpenCV can read")
        have = {1: "mono8", 3: "bgr8", 4: "bgra8"}[1 if image.ndim == 2 else image.shape[2]]
        return image if desired_encoding == "passthrough" else cvtColor2(image, have, desired_encoding)

    def cv2_to_compressed_imgmsg(self, cvim: Any, dst_format: str = "jpg") -> Any:
        """Return a `sensor_msgs/CompressedImage` of an array in BGR or grey."""
        import cv2

        if not isinstance(cvim, np.ndarray | np.generic):
            raise TypeError("Your input type is not a numpy array")
        if dst_format not in FORMATS:
            raise CvBridgeError(f"expected one of {', '.join(FORMATS)}, got {dst_format!r}")
        done, data = cv2.imencode(f".{dst_format}", np.asarray(cvim))
        if not done:
            raise CvBridgeError(f"OpenCV could not write {dst_format}")
        return sensor_msgs.msg.CompressedImage(format=dst_format, data=data.tobytes())
