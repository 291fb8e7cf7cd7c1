"""The shipped network finds drawn fruit, and answers every odd picture with berries or none, never with a crash."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vision import DETECTORS, detector
from vision.camera.pictures import decode_picture, load_picture
from vision.detect.network import NetworkDetector, NetworkSettings
from vision.detect.turned import turned_back
from vision.net.engine import Engine
from vision.net.layout import CHANNELS, PROTOTYPES
from vision.net.modelfile import ModelFile, ModelFileError, shipped_model
from vision.report import SHOWN_FROM
from vision.types import Detection


@pytest.fixture(scope="module")
def eyes():
    return detector("network")


@pytest.fixture(scope="module")
def scene():
    """A rendered bed: RGB, and its labels."""
    from sim.render import pictures
    from sim.scenarios import load_scenario

    return next(iter(pictures(load_scenario("isolated").scene, 3, 1)))


def shown(berries):
    return [b for b in berries if b.score >= SHOWN_FROM]


def check(berries, h: int, w: int):
    """Assert what holds of any answer."""
    assert [b.score for b in berries] == sorted((b.score for b in berries), reverse=True)
    for b in berries:
        assert isinstance(b, Detection)
        x0, y0, x1, y1 = b.box
        assert 0 <= x0 < x1 <= w
        assert 0 <= y0 < y1 <= h
        assert 0 <= b.ripeness <= 1
        assert 0 < b.score <= 1
        assert 0 < b.visible <= 1
        assert np.hypot(*b.stem) == pytest.approx(1.0, abs=1e-3)
        assert min(b.box_spread, b.ripeness_spread, b.peduncle_spread) > 0
        assert np.isfinite([*b.calyx, *b.peduncle]).all()
        if b.polygon is not None:
            assert (b.polygon >= -1).all()
            assert (b.polygon <= [w, h]).all()


def test_rendered_fruit_is_found_with_box_ripeness_and_outline(eyes, scene):
    berries = eyes.detect(scene.color)
    check(berries, *scene.color.shape[:2])
    large = [
        b
        for b in scene.berries
        if b.visible > 0.8 and b.box[2] - b.box[0] > 24 and b.stage in ("ripe", "green", "white")
    ]
    assert large
    found = 0
    for label in large:
        near = [b for b in shown(berries) if overlap(b.box, label.box) > 0.5]
        found += any(abs(b.ripeness - label.ripeness) < 0.35 and b.polygon is not None for b in near)
    assert found >= 0.6 * len(large)


def overlap(a, b):
    from vision.matching import intersection_over_union

    return intersection_over_union(a, b)


def test_int8_and_fp32_tell_of_the_same_fruit(eyes, scene):
    plain = shown(detector("network-fp32").detect(scene.color))
    quick = shown(eyes.detect(scene.color))
    both = sum(any(overlap(a.box, b.box) > 0.7 for b in quick) for a in plain)
    assert len(plain) > 0
    assert both >= 0.75 * len(plain)


def test_the_same_picture_gives_the_same_answer_also_after_another_size(eyes, scene):
    first = eyes.detect(scene.color)
    eyes.detect(scene.color[:200, :333])
    again = eyes.detect(scene.color)
    assert [b.box for b in first] == [b.box for b in again]


def test_boxes_are_in_pixels_of_the_picture_whatever_its_size(eyes, scene):
    small = shown(eyes.detect(scene.color))
    twice = cv2.resize(scene.color, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    large = shown(eyes.detect(twice))
    assert small
    matched = sum(any(overlap(tuple(v / 2 for v in b.box), a.box) > 0.7 for b in large) for a in small)
    assert matched >= 0.7 * len(small)


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_a_photograph_that_does_not_stand_upright_tells_of_the_same_fruit_where_it_is(eyes, scene, turn):
    upright = cv2.resize(scene.color, (960, 720), interpolation=cv2.INTER_LINEAR)
    lying = np.ascontiguousarray(np.rot90(upright, -turn))
    there, here = shown(eyes.detect(upright)), eyes.detect(lying)
    check(here, *lying.shape[:2])
    back = [b.box for b in turned_back(here, -turn, upright.shape)]
    assert there
    assert sum(any(overlap(b, a.box) > 0.7 for b in back) for a in there) >= 0.9 * len(there)


@pytest.mark.parametrize("level", [0, 255])
def test_black_and_overexposed_pictures_have_no_berries(eyes, level):
    assert shown(eyes.detect(np.full((480, 640, 3), level, np.uint8))) == []


def test_a_blurred_picture_is_answered(eyes, scene):
    check(eyes.detect(cv2.GaussianBlur(scene.color, (0, 0), 12)), 480, 640)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (7, 5), (33, 31), (479, 641)])
def test_tiny_and_odd_sizes_are_answered(eyes, size):
    rng = np.random.default_rng(0)
    check(eyes.detect(rng.integers(0, 256, (*size, 3)).astype(np.uint8)), *size)


def test_a_huge_picture_is_reduced_and_its_fruit_is_found(eyes, scene):
    huge = cv2.resize(scene.color, (6400, 4800), interpolation=cv2.INTER_LINEAR)
    berries = eyes.detect(huge)
    check(berries, 4800, 6400)
    assert len(shown(berries)) >= 0.5 * len(shown(eyes.detect(scene.color)))


def encoded(picture, suffix=".png"):
    done, data = cv2.imencode(suffix, picture)
    assert done
    return data.tobytes()


def test_a_grey_file_is_answered(eyes, scene):
    color = decode_picture(encoded(cv2.cvtColor(scene.color, cv2.COLOR_RGB2GRAY)), "grey")
    check(eyes.detect(color), *color.shape[:2])


def test_a_sixteen_bit_file_is_seen_as_its_upper_eight_bits(eyes, scene):
    deep = cv2.cvtColor(scene.color, cv2.COLOR_RGB2BGR).astype(np.uint16) * 257
    color = decode_picture(encoded(deep), "deep")
    assert [b.box for b in eyes.detect(color)] == [b.box for b in eyes.detect(scene.color)]


def test_a_truncated_file_is_refused_before_the_network_sees_it(tmp_path, scene):
    path = tmp_path / "cut.jpg"
    path.write_bytes(encoded(scene.color, ".jpg")[:4000])
    with pytest.raises(ValueError, match="cut short"):
        load_picture(path)


def test_of_an_animation_the_first_frame_is_looked_at(eyes, tmp_path, scene):
    path = tmp_path / "moving.webp"
    animation = cv2.Animation()
    first = cv2.cvtColor(scene.color, cv2.COLOR_RGB2BGRA)
    animation.frames = [first, np.zeros_like(first)]
    animation.durations = np.array([100, 100])
    assert cv2.imwriteanimation(str(path), animation)
    color = load_picture(path)
    assert color.shape == scene.color.shape
    check(eyes.detect(color), *color.shape[:2])


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((480, 640), np.uint8),
        np.zeros((480, 640, 4), np.uint8),
        np.zeros((480, 640, 3), np.float32),
        np.zeros((480, 640, 3), np.uint16),
        np.zeros((0, 640, 3), np.uint8),
    ],
)
def test_what_is_no_rgb_picture_is_refused(eyes, picture):
    with pytest.raises(ValueError, match="expected an RGB picture"):
        eyes.detect(picture)


def test_a_picture_that_is_a_view_into_another_is_read_right(eyes, scene):
    mirrored = scene.color[:, ::-1]
    assert [b.box for b in eyes.detect(mirrored)] == [b.box for b in eyes.detect(mirrored.copy())]


def test_a_picture_that_may_only_be_read_as_one_of_a_message_is_read_right(eyes, scene):
    color = np.frombuffer(scene.color.tobytes(), dtype=np.uint8).reshape(scene.color.shape)
    assert [b.box for b in eyes.detect(color)] == [b.box for b in eyes.detect(scene.color)]


def test_the_shipped_models_say_what_they_are_and_are_small():
    models = {precision: shipped_model(precision) for precision in ("int8", "fp32")}
    assert all(m.about["precision"] == p for p, m in models.items())
    assert sum(len(m.weights) for m in models.values()) < 6e6


def test_a_graph_that_cannot_be_read_is_refused_with_advice():
    with pytest.raises(ModelFileError, match="release"):
        Engine(ModelFile(graph=b"<net></nonsense>", weights=b"", about={}))


def test_a_graph_with_other_outputs_is_refused(tmp_path):
    import openvino as ov
    from openvino import opset13 as ops

    picture = ops.parameter([1, 3, 32, 32], np.float32)
    graph = ov.Model([ops.relu(picture), ops.sqrt(picture)], [picture])
    ov.save_model(graph, tmp_path / "model.xml")
    content = [(tmp_path / name).read_bytes() for name in ("model.xml", "model.bin")]
    with pytest.raises(ModelFileError, match=rf"expected .*{CHANNELS}.* got \[3, 3\]"):
        Engine(ModelFile(graph=content[0], weights=content[1], about={}))


def test_sides_that_do_not_fit_are_refused():
    engine = Engine(shipped_model())
    with pytest.raises(ValueError, match="multiples of 32"):
        engine.run(np.zeros((50, 64, 3), np.uint8))
    head, proto = engine.run(np.zeros((64, 96, 3), np.uint8))
    assert (head.shape, proto.shape) == ((CHANNELS, 8, 12), (PROTOTYPES, 16, 24))


def test_detectors_are_had_by_name_and_a_wrong_name_lists_them():
    with pytest.raises(ValueError, match=", ".join(DETECTORS)):
        detector("yolo")


def test_precisions_are_two():
    with pytest.raises(ModelFileError, match="int4"):
        NetworkDetector(NetworkSettings(precision="int4"))


def test_an_engine_is_bound_to_no_core_or_all_workers_would_share_the_first():
    engine = Engine(shipped_model())
    engine.run(np.zeros((64, 64, 3), np.uint8))
    for request in engine._requests.values():
        assert not request.get_compiled_model().get_property("ENABLE_CPU_PINNING")


class Counted:
    """An engine that sees nothing and keeps the sizes of the looks."""

    def __init__(self):
        self.sizes = []

    def run(self, picture):
        h, w = picture.shape[:2]
        self.sizes.append((w, h))
        return np.full((CHANNELS, h // 8, w // 8), -9.0, np.float32), np.zeros((PROTOTYPES, h // 4, w // 4), np.float32)


@pytest.mark.parametrize(
    ("photographs", "size", "turned"),
    [
        (None, (480, 640), False),
        (None, (240, 424), False),
        (None, (416, 416), True),
        (None, (960, 960), True),
        (True, (480, 640), True),
        (False, (416, 416), False),
        (False, (960, 960), False),
    ],
)
def test_photographs_are_looked_at_in_all_turns_and_frames_of_a_camera_are_not(photographs, size, turned):
    eyes = detector("network", photographs=photographs)
    eyes._engine = Counted()
    assert eyes.detect(np.zeros((*size, 3), np.uint8)) == []
    assert (len(eyes._engine.sizes) > 2) == turned


def test_a_tiny_photograph_is_enlarged_to_twice_its_size_and_no_more():
    eyes = detector("network", photographs=True)
    eyes._engine = Counted()
    eyes.detect(np.zeros((100, 70, 3), np.uint8))
    assert max(max(s) for s in eyes._engine.sizes) == 224  # 200 pixels, and grey up to a multiple of 32


def test_without_outlines_the_same_berries_are_told(scene):
    whole = NetworkDetector().detect(scene.color)
    bare = NetworkDetector(NetworkSettings(outlines=False)).detect(scene.color)
    assert [b.box for b in bare] == [b.box for b in whole]
    assert any(b.polygon is not None for b in whole)
    assert all(b.polygon is None for b in bare)
