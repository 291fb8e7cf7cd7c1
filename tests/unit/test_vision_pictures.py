"""Whatever a file holds, it is loaded as RGB or refused with a message that says why."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest

from vision.camera.pictures import decode_picture

RED_RGB = np.zeros((24, 32, 3), np.uint8) + np.array([200, 30, 40], np.uint8)


def encoded(picture, suffix=".png"):
    good, data = cv2.imencode(suffix, picture)
    assert good
    return data.tobytes()


def bgr(picture):
    return cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".webp", ".tiff", ".gif"])
def test_every_common_format_comes_out_as_rgb(suffix):
    picture = decode_picture(encoded(bgr(RED_RGB), suffix), "x")
    assert picture.shape == (24, 32, 3)
    assert picture.dtype == np.uint8
    palette = 50 if suffix == ".gif" else 8
    assert picture[12, 16].astype(int) == pytest.approx([200, 30, 40], abs=palette)


def test_sixteen_bits_keep_their_upper_eight():
    picture = decode_picture(encoded(bgr(RED_RGB).astype(np.uint16) * 257), "x")
    assert picture.dtype == np.uint8
    assert picture[0, 0].tolist() == [200, 30, 40]


def test_grey_gets_three_equal_channels():
    assert decode_picture(encoded(np.full((8, 8), 77, np.uint8)), "x")[0, 0].tolist() == [77, 77, 77]


def test_an_alpha_channel_is_dropped():
    rgba = np.dstack([bgr(RED_RGB), np.full((24, 32), 255, np.uint8)])
    picture = decode_picture(encoded(rgba), "x")
    assert picture.shape == (24, 32, 3)
    assert picture[0, 0].tolist() == [200, 30, 40]


def test_an_animation_gives_its_first_frame():
    frames = cv2.Animation()
    frames.frames = [bgr(RED_RGB), bgr(RED_RGB) * 0]
    frames.durations = np.array([100, 100])
    good, data = cv2.imencodeanimation(".webp", frames)
    assert good
    assert decode_picture(data.tobytes(), "x")[12, 16].astype(int) == pytest.approx([200, 30, 40], abs=8)


@pytest.mark.parametrize("data", [b"this is a text, not a picture\n" * 20, b"\x00" * 100, b"%PDF-1.7 ..."])
def test_what_is_no_picture_is_refused(data):
    with pytest.raises(ValueError, match="expected a picture"):
        decode_picture(data, "note.txt")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_file_cut_short_is_refused_at_any_point(suffix, share):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    data = encoded(noise, suffix)
    with pytest.raises(ValueError, match=r"cut short|none of them"):
        decode_picture(data[: int(share * len(data))], "x")


def test_a_jpeg_with_bytes_after_its_end_is_whole():
    assert decode_picture(encoded(bgr(RED_RGB), ".jpg") + b"\xff\xda motion photo", "x").shape == (24, 32, 3)


def test_a_bomb_is_refused_before_it_is_decoded():
    data = bytearray(encoded(bgr(RED_RGB)))
    data[16:24] = struct.pack(">II", 60_000, 60_000)
    with pytest.raises(ValueError, match="60000x60000"):
        decode_picture(bytes(data), "huge.png")
