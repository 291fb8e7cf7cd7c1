"""The label of a lot: its address, and a QR code that a reader reads as that address."""

from __future__ import annotations

import re

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from dashboard.label import LONGEST, qr_modules, qr_svg, trace_address

PIXELS = (3, 4, 6, 8)  # per module


def drawn(svg: str) -> npt.NDArray[np.uint8]:
    """Return the picture that an SVG of runs shows, shape (n, n)."""
    size = int(re.search(r'viewBox="0 0 (\d+) \1"', svg)[1])  # type: ignore[index]
    picture = np.full((size, size), 255, np.uint8)
    for x, y, run in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", svg):
        picture[int(y), int(x) : int(x) + int(run)] = 0
    return picture


def read(picture: npt.NDArray[np.uint8]) -> str:
    """Hold the label nearer and further away, as one does; OpenCV misses one code in ten at any one size."""
    for pixels in PIXELS:
        text, _, _ = cv2.QRCodeDetector().detectAndDecode(np.kron(picture, np.ones((pixels, pixels), np.uint8)))
        if text:
            return str(text)
    return ""


@pytest.mark.parametrize(
    "address",
    [
        "http://b/t/L1",
        "http://192.168.1.20:8080/t/L20261123-berry-1-0001",
        "https://berries.example.org/t/L20261123-the-robot-with-the-long-name-0417",
        "http://[fd00::17]:8080/t/" + "L" * 80,
        "https://berries.example.org/t/" + "%E8%8E%93" * 20,
    ],
)
def test_a_reader_reads_the_address_that_was_drawn(address: str) -> None:
    assert read(drawn(qr_svg(address))) == address


def test_the_code_has_its_quiet_zone_and_corrects_errors_of_level_m() -> None:
    address = "http://192.168.1.20:8080/t/L20261123-berry-1-0001"
    modules = qr_modules(address)
    version, rest = divmod(len(modules) - 17, 4)
    assert (
        rest == 0 and version == 4
    )  # 49 byte: at level L version 3 would do, at Q it takes 5 (ISO/IEC 18004, table 7)
    mask = np.array([1, 0], dtype=bool)  # M is 00, and the format's mask begins with 10 (ISO/IEC 18004, 7.9.1)
    assert (modules[8, :2] == mask).all()
    picture = drawn(qr_svg(address))
    assert (picture == np.pad(np.where(modules, 0, 255), 4, constant_values=255)).all()  # ISO/IEC 18004, 6.3.8


def test_a_blot_on_the_label_does_not_change_what_is_read() -> None:
    address = "http://192.168.1.20:8080/t/L20261123-berry-1-0001"
    picture = drawn(qr_svg(address))
    picture[20:25, 20:25] = 0
    assert read(picture) == address


def test_the_farm_file_goes_before_the_host_of_the_request() -> None:
    asked = {"scheme": "http", "host": "127.0.0.1:8080"}
    assert trace_address("L1", configured="", **asked) == "http://127.0.0.1:8080/t/L1"
    assert trace_address("L1", configured="https://b.example", **asked) == "https://b.example/t/L1"
    assert trace_address("一/1", configured="https://b.example", **asked) == "https://b.example/t/%E4%B8%80%2F1"


@pytest.mark.parametrize("host", ["", "a b", "evil.example/x?", "me@evil.example", "b.example:port", "b\r\nx: y"])
def test_a_host_that_is_none_gives_no_address(host: str) -> None:
    with pytest.raises(ValueError, match="Host: expected a name or an address"):
        trace_address("L1", configured="", scheme="http", host=host)


@pytest.mark.parametrize("text", ["", "a" * (LONGEST + 1)])
def test_what_no_code_can_hold_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="for a QR code, got"):
        qr_modules(text)
