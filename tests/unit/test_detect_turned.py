"""What is found in a turned or mirrored picture is told where it is in the picture itself."""

from __future__ import annotations

import numpy as np
import pytest

from vision.detect.looks import hanging
from vision.detect.turned import turned_back
from vision.net.decode import DecodeSettings, decode
from vision.net.layout import CHANNELS, PROTOTYPES, SPANS
from vision.net.mirror import unmirrored
from vision.types import Detection, Stage

HEIGHT, WIDTH = 30, 50


def spot_of(picture):
    """Return the box of the bright pixels."""
    y, x = np.nonzero(picture)
    return (float(x.min()), float(y.min()), float(x.max() + 1), float(y.max() + 1))


@pytest.mark.parametrize("turn", range(5))
def test_a_turned_detection_comes_back_to_its_own_pixels(turn):
    picture = np.zeros((HEIGHT, WIDTH), np.uint8)
    picture[4:9, 30:42] = 1
    marked = np.zeros_like(picture)
    marked[4, 41] = 1
    turned = np.rot90(picture, turn)
    y, x = (int(v[0]) for v in np.nonzero(np.rot90(marked, turn)))
    up = {0: (0.0, -1.0), 1: (-1.0, 0.0), 2: (0.0, 1.0), 3: (1.0, 0.0)}[turn % 4]  # the picture's up, turned along
    seen = Detection(
        box=spot_of(turned),
        score=0.5,
        ripeness=0.9,
        stage=Stage.RIPE,
        polygon=np.array([[x, y], [x, y + 1.0], [x + 1.0, y]]),
        calyx=(float(x), float(y)),
        stem=up,
    )
    back = turned_back([seen], turn, picture.shape)[0]
    assert back.box == pytest.approx(spot_of(picture))
    assert back.calyx == pytest.approx((41.0, 4.0))
    assert back.polygon[0] == pytest.approx([41.0, 4.0])
    assert back.stem == pytest.approx((0.0, -1.0))
    assert back.peduncle is None


def test_a_berry_seen_in_a_mirror_is_decoded_as_the_one_before_it():
    rng = np.random.default_rng(3)
    plain = rng.normal(size=(CHANNELS, 6, 8)).astype(np.float32)
    plain[SPANS["heat"].slice] = -9.0
    plain[SPANS["heat"].start, 2, 5] = 3.0
    mirrored = plain[:, :, ::-1].copy()
    left = SPANS["box"].start
    mirrored[[left, left + 2]] = mirrored[[left + 2, left]]
    for name in ("calyx", "peduncle", "stem"):
        mirrored[SPANS[name].start] *= -1.0
    proto = rng.normal(size=(PROTOTYPES, 12, 16)).astype(np.float32)
    head, back = unmirrored(mirrored, proto[:, :, ::-1])
    np.testing.assert_array_equal(back, proto)
    one, other = (decode(h, DecodeSettings()) for h in (plain, head))
    assert len(one.scores) == 1
    for name in ("boxes", "calyx", "peduncle", "stem", "weights"):
        np.testing.assert_allclose(getattr(other, name), getattr(one, name), rtol=1e-6)


def test_fruit_that_hangs_tells_more_of_up_than_fruit_that_stands_on_its_stem():
    head = np.zeros((CHANNELS, 6, 8), np.float32)
    head[SPANS["heat"].slice] = -9.0
    head[SPANS["heat"].start, 2, 5] = 3.0
    stem = SPANS["stem"].start
    told = []
    for upward in (1.0, 0.0, -1.0):
        head[stem : stem + 2, 2, 5] = 0.3, -upward
        told.append(hanging(decode(head, DecodeSettings())))
    assert told[0] > told[1] >= 0 > told[2]
    head[SPANS["heat"].slice] = -9.0
    assert hanging(decode(head, DecodeSettings())) == 0
