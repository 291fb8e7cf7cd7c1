"""The label of a lot: the address of its public page, and that address as a QR code."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

from telemetry.farm.settings import ORIGIN

QUIET = 4
"""Light modules that a reader needs on each side (ISO/IEC 18004:2015, 6.3.8)."""
LONGEST = 2331
"""What the largest code holds at error correction M [byte] (ISO/IEC 18004:2015, table 7)."""


def trace_address(lot: str, *, configured: str, scheme: str, host: str) -> str:
    """Return the absolute address of a lot's public page.

    Args:
        configured: the farm's `site.address`, which goes before what the request says; may be empty.
        scheme, host: how the request reached the dashboard; `host` as in its header, with its port.

    Raises:
        ValueError: nothing is configured, and the request's host is none that a phone could open.
    """
    base = configured or f"{scheme}://{host}"
    if not re.fullmatch(ORIGIN, base):
        raise ValueError(f"Host: expected a name or an address, with :PORT where it needs one, got {host[:80]!r}")
    return f"{base}/t/{quote(lot, safe='')}"


def qr_modules(text: str) -> npt.NDArray[np.bool_]:
    """Return the QR code of `text` without its quiet zone, error correction M; True is dark, shape (n, n).

    Raises:
        ValueError: the text is empty or longer than a code can hold.
    """
    import cv2  # the dashboard's process draws its first label late or never

    if not 0 < len(text.encode()) <= LONGEST:
        raise ValueError(f"expected 1 to {LONGEST} byte for a QR code, got {len(text.encode())}")
    wanted: Any = cv2.QRCodeEncoder.Params()
    wanted.correction_level = cv2.QRCodeEncoder_CORRECT_LEVEL_M
    wanted.mode = cv2.QRCodeEncoder_MODE_BYTE
    dark: npt.NDArray[np.bool_] = cv2.QRCodeEncoder.create(wanted).encode(text) == 0
    used = np.flatnonzero(dark.any(axis=0))  # OpenCV adds a quiet zone of two; the three corners reach the edge
    low, high = int(used[0]), int(used[-1]) + 1
    return dark[low:high, low:high]


def qr_svg(text: str) -> str:
    """Return the QR code of `text` as an SVG of black on white, one unit per module, quiet zone included.

    Raises:
        ValueError: as `qr_modules`.
    """
    dark = np.pad(qr_modules(text), QUIET)
    runs = []
    for y, row in enumerate(dark):
        edges = np.flatnonzero(np.diff(np.concatenate(([False], row, [False])).astype(np.int8)))
        runs += [f"M{a} {y}h{b - a}v1h{a - b}z" for a, b in zip(edges[::2], edges[1::2], strict=True)]
    n = len(dark)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {n} {n}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{n}v{n}h-{n}z"/><path d="{"".join(runs)}"/></svg>'
    )
