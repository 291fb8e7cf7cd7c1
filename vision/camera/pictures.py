"""Load any picture file as RGB, or say clearly why it is not one."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from vision.camera.header import read_header

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"})
MAX_PIXELS = 120_000_000
MAX_BYTES = 500_000_000


def load_picture(path: Path) -> npt.NDArray[np.uint8]:
    """Return a picture as RGB of 8 bits, turned upright by its EXIF orientation.

    Grey pictures get three equal channels; of 16-bit ones the upper 8 of the bits in use are kept (cameras store 10, 12
    or 14 bits so), an alpha channel is dropped, and of an animation the first frame is taken.

    Returns:
        RGB, shape (h, w, 3).

    Raises:
        ValueError: the file is missing, empty, cut short, too large, or no picture; the message says which.
    """
    if not path.is_file():
        why = "it is a folder" if path.is_dir() else "there is no such file"
        raise ValueError(f"expected a picture file, got {path}: {why}")
    size = path.stat().st_size
    if size == 0:
        raise ValueError(f"expected a picture file, got {path}: it is empty (0 bytes)")
    if size > MAX_BYTES:
        raise ValueError(f"expected a picture of at most {MAX_BYTES} bytes, got {path} with {size}: reduce it first")
    return decode_picture(path.read_bytes(), str(path))


def decode_picture(data: bytes, name: str) -> npt.NDArray[np.uint8]:
    """Decode a picture file's bytes as `load_picture` does; `name` stands in messages.

    Raises:
        ValueError: see `load_picture`.
    """
    header = read_header(data)
    if header is not None:
        if not header.complete:
            raise ValueError(f"expected a whole picture, got {name}: it is cut short (truncated); copy it again")
        if header.width * header.height > MAX_PIXELS:
            raise ValueError(
                f"expected at most {MAX_PIXELS} pixels, got {name} with {header.width}x{header.height}: reduce it first"
            )
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    except cv2.error:
        decoded = None
    if decoded is None or decoded.size == 0:
        raise ValueError(
            f"expected a picture (JPEG, PNG, WebP, TIFF, BMP, GIF), got {name}: its content is none of them"
        )
    rgb: npt.NDArray[np.uint8] = cv2.cvtColor(_eight_bits(decoded), cv2.COLOR_BGR2RGB)
    return rgb


def _eight_bits(decoded: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    if decoded.dtype == np.uint16:
        highest = int(decoded.max())
        bits = next(b for b in (10, 12, 14, 16) if highest < 1 << b)
        return (decoded.astype(np.uint16) >> (bits - 8)).astype(np.uint8)
    if decoded.dtype == np.uint8:
        return decoded.astype(np.uint8)
    scaled: npt.NDArray[np.uint8] = np.clip(np.nan_to_num(decoded.astype(np.float64)) * 255.0, 0, 255).astype(np.uint8)
    return scaled
