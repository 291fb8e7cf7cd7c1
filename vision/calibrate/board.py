"""The ChArUco board: its pattern, its file for the printer, and its corners in a picture."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Picture = npt.NDArray[np.uint8]

DICTIONARIES = ("DICT_4X4_50", "DICT_4X4_100", "DICT_5X5_50", "DICT_5X5_100", "DICT_6X6_50", "DICT_6X6_100")
LEAST_CORNERS = 8
"""A view with fewer corners tells too little and is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A ChArUco board; the default fills a sheet of A4.

    Attributes:
        columns, rows: squares.
        square, marker: sides [m].
        dictionary: of the markers.
    """

    columns: int = 11
    rows: int = 8
    square: float = 0.024
    marker: float = 0.018
    dictionary: str = "DICT_5X5_100"

    def __post_init__(self) -> None:
        if self.dictionary not in DICTIONARIES:
            raise ValueError(f"expected a dictionary of {', '.join(DICTIONARIES)}, got {self.dictionary!r}")
        markers, most = self.columns * self.rows // 2, int(self.dictionary.rsplit("_", 1)[1])
        if self.columns < 4 or self.rows < 4 or markers > most:
            raise ValueError(
                f"expected at least 4 columns and rows and at most {most} markers ({self.dictionary}), "
                f"got {self.columns} x {self.rows} squares with {markers} markers"
            )
        if not 0 < self.marker < self.square < 1:
            raise ValueError(
                f"expected 0 < marker < square < 1 [m], got marker {self.marker:g} and square {self.square:g}: "
                f"a square of 24 mm is 0.024"
            )

    @property
    def size(self) -> tuple[float, float]:
        """Width and height [m]."""
        return self.columns * self.square, self.rows * self.square

    @property
    def corners(self) -> Array:
        """Inner corners in the board's frame (z = 0, x along the columns, y along the rows) [m], shape (n, 3)."""
        return np.asarray(self._cv().getChessboardCorners(), np.float64).reshape(-1, 3)

    def draw(self, pixels_per_square: int) -> Picture:
        """Return the pattern without border, grey, shape (rows, columns) times `pixels_per_square`."""
        drawn = self._cv().generateImage(
            (self.columns * pixels_per_square, self.rows * pixels_per_square), marginSize=0
        )
        return np.asarray(drawn, np.uint8)

    def _cv(self) -> cv2.aruco.CharucoBoard:
        words = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, self.dictionary))
        return cv2.aruco.CharucoBoard((self.columns, self.rows), self.square, self.marker, words)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The board as one picture shows it.

    Attributes:
        name: of the picture.
        size: width and height of the picture [px].
        ids: numbers of the corners found, shape (n,); pixels: where they are [px], shape (n, 2).
        markers: how many markers of the dictionary were found.
        strange: how many of them are not on this board.
    """

    name: str
    size: tuple[int, int]
    ids: npt.NDArray[np.int64]
    pixels: Array
    markers: int
    strange: int

    @property
    def good(self) -> bool:
        return len(self.ids) >= LEAST_CORNERS


def find_board(board: Board, picture: Picture, name: str) -> View:
    """Return the board's corners in an RGB picture, shape (h, w, 3)."""
    pattern = board._cv()
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    corners, ids, _, marker_ids = cv2.aruco.CharucoDetector(pattern).detectBoard(grey)
    seen = [] if marker_ids is None else marker_ids.ravel().tolist()
    on_board = set(np.asarray(pattern.getIds()).ravel().tolist())
    return View(
        name=name,
        size=(picture.shape[1], picture.shape[0]),
        ids=np.zeros(0, np.int64) if ids is None else np.asarray(ids, np.int64).ravel(),
        pixels=np.zeros((0, 2)) if corners is None else np.asarray(corners, np.float64).reshape(-1, 2),
        markers=len(seen),
        strange=sum(i not in on_board for i in seen),
    )


def dictionary_in(picture: Picture) -> str | None:
    """Return the dictionary of which most markers are in a picture, the larger of those that begin alike (5X5_50 is the
    beginning of 5X5_100); None when there are fewer than four of any."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    found = {}
    for name in DICTIONARIES[1::2]:
        words = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, name))
        ids = cv2.aruco.ArucoDetector(words).detectMarkers(grey)[1]
        found[name] = 0 if ids is None else len(ids)
    best = max(found, key=lambda name: found[name])
    return best if found[best] >= 4 else None


def save_board(board: Board, path: Path, *, pixels_per_square: int = 240) -> None:
    """Write the board for printing: `.pdf` in its true size, `.png` as pixels with a margin of half a square.

    Raises:
        ValueError: the suffix is another one, or the file cannot be written.
    """
    drawn = board.draw(pixels_per_square)
    try:
        if path.suffix.lower() == ".pdf":
            path.write_bytes(_pdf(board, drawn))
        elif path.suffix.lower() == ".png":
            margin = pixels_per_square // 2
            framed = cv2.copyMakeBorder(drawn, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=(255,))
            path.write_bytes(cv2.imencode(".png", framed)[1].tobytes())
        else:
            raise ValueError(f"expected a file name that ends in .pdf or .png, got {path}")
    except OSError as error:
        raise ValueError(f"cannot write {path}: {error.strerror}; name another place") from error


def _pdf(board: Board, drawn: Picture) -> bytes:
    """Return one page with the pattern in its true size, a margin of half a square, and its data in a line below."""
    point = 72 / 0.0254
    width, height = (side * point for side in board.size)
    margin = max(board.square / 2, 0.008) * point
    words = (
        f"BerryBrain ChArUco {board.columns}x{board.rows}, square {board.square * 1e3:g} mm, marker "
        f"{board.marker * 1e3:g} mm, {board.dictionary}. Print at 100 %, glue flat, measure a square."
    )
    content = (
        f"q {width:.3f} 0 0 {height:.3f} {margin:.3f} {margin:.3f} cm /B Do Q "
        f"BT /F 7 Tf {margin:.3f} {margin * 0.35:.3f} Td ({words}) Tj ET"
    ).encode()
    pixels = zlib.compress(drawn.tobytes(), 9)
    box = f"[0 0 {width + 2 * margin:.3f} {height + 2 * margin:.3f}]"
    resources = "<< /XObject << /B 5 0 R >> /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
    image = (
        f"/Type /XObject /Subtype /Image /Width {drawn.shape[1]} /Height {drawn.shape[0]} /ColorSpace /DeviceGray "
        "/BitsPerComponent 8 /Filter /FlateDecode"
    )
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox {box} /Contents 4 0 R /Resources {resources} >>".encode(),
        f"<< /Length {len(content)} >>\nstream\n".encode() + content + b"\nendstream",
        f"<< {image} /Length {len(pixels)} >>\nstream\n".encode() + pixels + b"\nendstream",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = b"".join(f"{place:010d} 00000 n \n".encode() for place in places)
    head = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    tail = f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n".encode()
    return out + head + table + tail
