"""message_filters, cv_bridge and sensor_msgs_py, without a wire."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from robot.ros.interfaces import sensor_msgs, std_msgs
from robot.ros.packages import message_filters
from robot.ros.packages.cv_bridge import CvBridge, CvBridgeError
from robot.ros.packages.sensor_msgs_py import point_cloud2
from robot.ros.time import Time


def at(seconds: float, text: str = "") -> Any:
    made = sensor_msgs.msg.TimeReference(source=text or str(seconds))
    made.header.stamp = Time(nanoseconds=round(seconds * 1e9)).to_msg()
    return made


class Heard:
    """Remembers the sources of what it is called with."""

    def __init__(self) -> None:
        self.sets: list[tuple[str, ...]] = []

    def __call__(self, *messages: Any) -> None:
        self.sets.append(tuple(message.source for message in messages))


def two() -> tuple[message_filters.SimpleFilter, message_filters.SimpleFilter]:
    return message_filters.SimpleFilter(), message_filters.SimpleFilter()


def test_equal_stamps_make_a_set_however_they_come() -> None:
    left, right = two()
    heard = Heard()
    message_filters.TimeSynchronizer([left, right], 10).registerCallback(heard)
    for seconds in (1.0, 2.0, 3.0):
        left.signalMessage(at(seconds, f"left {seconds}"))
    for seconds in (3.0, 2.5, 1.0):
        right.signalMessage(at(seconds, f"right {seconds}"))
    assert heard.sets == [("left 3.0", "right 3.0"), ("left 1.0", "right 1.0")]


def test_only_so_many_messages_wait_for_the_others() -> None:
    left, right = two()
    heard = Heard()
    message_filters.TimeSynchronizer([left, right], 2).registerCallback(heard)
    for seconds in (1.0, 2.0, 3.0):
        left.signalMessage(at(seconds))
    for seconds in (1.0, 2.0):
        right.signalMessage(at(seconds))
    assert heard.sets == [("2.0", "2.0")]


def test_near_stamps_make_a_set_and_the_nearest_is_taken() -> None:
    left, right = two()
    heard = Heard()
    message_filters.ApproximateTimeSynchronizer([left, right], 10, 0.1).registerCallback(heard)
    for seconds in (1.0, 1.06, 1.3):
        left.signalMessage(at(seconds))
    right.signalMessage(at(1.08, "right"))
    right.signalMessage(at(1.5, "too far"))
    assert heard.sets == [("1.06", "right")]
    right.signalMessage(at(1.25, "again"))
    assert heard.sets[1:] == [("1.3", "again")]


def test_streams_can_be_offset_against_each_other_or_matched_by_their_arrival() -> None:
    left, right = two()
    shifted, arrived = Heard(), Heard()
    make = message_filters.ApproximateTimeSynchronizer
    make([left, right], 10, 0.1, [0, 500_000_000]).registerCallback(shifted)
    make([left, right], 10, 60.0, sync_arrival_time=True).registerCallback(arrived)
    left.signalMessage(at(900.0))
    right.signalMessage(at(899.45))
    assert shifted.sets == [("900.0", "899.45")]
    left.signalMessage(at(1.0))
    right.signalMessage(at(500.0))
    assert len(shifted.sets) == 1 and arrived.sets == [("900.0", "899.45"), ("1.0", "500.0")]
    with pytest.raises(ValueError, match="an offset for each of 2 filters"):
        make([left, right], 10, 0.1, [1])
    assert make([left, right], 10, 0.1, True).allow_headerless  # the fourth argument before Kilted


def test_messages_without_a_stamp_are_left_out_unless_allowed(caplog: pytest.LogCaptureFixture) -> None:
    left, right = two()
    heard: list[Any] = []
    for allowed, count in ((False, 0), (True, 1)):
        sync = message_filters.ApproximateTimeSynchronizer([left, right], 10, 60.0, allow_headerless=allowed)
        sync.registerCallback(lambda a, b: heard.append((a, b)))
        left.signalMessage(std_msgs.msg.String(data="a"))
        right.signalMessage(std_msgs.msg.String(data="b"))
        assert len(heard) == count


def test_the_cache_gives_messages_by_time() -> None:
    source = message_filters.SimpleFilter()
    cache = message_filters.Cache(source, 3)
    assert (cache.getLast(), cache.getOldestTime()) == (None, None)
    for seconds in (1.0, 2.0, 3.0, 4.0):
        source.signalMessage(at(seconds))
    times = [Time.from_msg(at(seconds).header.stamp) for seconds in (1.0, 2.5, 3.0, 9.0)]
    assert [message.source for message in cache.getInterval(times[0], times[2])] == ["2.0", "3.0"]
    assert cache.getElemAfterTime(times[1]).source == "3.0"
    assert cache.getElemBeforeTime(times[1]).source == "2.0"
    assert cache.getElemBeforeTime(times[0]) is None and cache.getElemAfterTime(times[3]) is None
    assert cache.getLast().source == "4.0"
    with pytest.raises(AssertionError):
        cache.getInterval(times[3], times[0])


def test_filters_can_be_chained_and_callbacks_take_arguments() -> None:
    source = message_filters.SimpleFilter()
    chain = message_filters.Chain(source)
    caches = [message_filters.Cache(message_filters.SimpleFilter()) for _ in range(2)]
    for cache in caches:
        chain.addFilter(cache)
    heard: list[Any] = []
    chain.registerCallback(lambda message, word: heard.append((message.source, word)), "word")
    source.signalMessage(at(1.0))
    assert heard == [("1.0", "word")]
    assert chain.getFilter(1).getLast().source == "1.0"


# --- cv_bridge

PIXELS = np.random.default_rng(1).integers(0, 256, (6, 8, 3), np.uint8)
BRIDGE = CvBridge()


@pytest.mark.parametrize("depth", ["uint8", "int8", "uint16", "int16", "int32", "float32", "float64"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_arrays_of_every_type_come_back_as_they_were(depth: str, channels: int) -> None:
    shape = (5, 7) if channels == 1 else (5, 7, channels)
    array = (np.arange(np.prod(shape)).reshape(shape) % 100).astype(depth)
    message = BRIDGE.cv2_to_imgmsg(array)
    back = BRIDGE.imgmsg_to_cv2(message._decode(message._encode(message)))
    assert back.dtype == array.dtype and np.array_equal(back, array)
    assert back.flags.writeable


@pytest.mark.parametrize(
    ("have", "want", "code"),
    [
        ("bgr8", "rgb8", cv2.COLOR_BGR2RGB),
        ("rgb8", "bgra8", cv2.COLOR_RGB2BGRA),
        ("bgr8", "mono8", cv2.COLOR_BGR2GRAY),
        ("rgb8", "mono8", cv2.COLOR_RGB2GRAY),
    ],
)
def test_colours_are_converted_as_opencv_does(have: str, want: str, code: int) -> None:
    message = BRIDGE.cv2_to_imgmsg(PIXELS, have)
    assert np.array_equal(BRIDGE.imgmsg_to_cv2(message, want), cv2.cvtColor(PIXELS, code))


def test_bayer_yuv_and_deeper_pictures_are_converted() -> None:
    mosaic = BRIDGE.cv2_to_imgmsg(PIXELS[:, :, 0].copy(), "bayer_rggb8")
    assert np.array_equal(BRIDGE.imgmsg_to_cv2(mosaic, "rgb8"), cv2.cvtColor(PIXELS[:, :, 0], cv2.COLOR_BayerBG2RGB))
    yuv = BRIDGE.cv2_to_imgmsg(PIXELS[:, :, :2].copy(), "yuv422")
    assert np.array_equal(BRIDGE.imgmsg_to_cv2(yuv, "bgr8"), cv2.cvtColor(PIXELS[:, :, :2], cv2.COLOR_YUV2BGR_UYVY))
    assert BRIDGE.imgmsg_to_cv2(yuv, "mono16").dtype == np.uint16
    deep = BRIDGE.imgmsg_to_cv2(BRIDGE.cv2_to_imgmsg(PIXELS, "bgr8"), "rgb16")
    assert np.array_equal(deep, PIXELS[:, :, ::-1].astype(np.uint16) * 257)
    assert np.array_equal(BRIDGE.imgmsg_to_cv2(BRIDGE.cv2_to_imgmsg(deep, "rgb16"), "bgr8"), PIXELS)


def test_padded_rows_and_the_other_byte_order_are_read() -> None:
    depth = np.arange(12, dtype=">u2").reshape(3, 4)
    rows = b"".join(row.tobytes() + b"pad!" for row in depth)
    message = sensor_msgs.msg.Image(height=3, width=4, encoding="16UC1", is_bigendian=1, step=12, data=rows)
    assert np.array_equal(BRIDGE.imgmsg_to_cv2(message), depth)


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda: BRIDGE.imgmsg_to_cv2(sensor_msgs.msg.Image(encoding="pink8")), "Unrecognized image encoding"),
        (lambda: BRIDGE.cv2_to_imgmsg(PIXELS, "mono8"), "incompatible type 8UC3"),
        (lambda: BRIDGE.imgmsg_to_cv2(BRIDGE.cv2_to_imgmsg(PIXELS), "bgr8"), "is not a color format"),
        (lambda: BRIDGE.imgmsg_to_cv2(BRIDGE.cv2_to_imgmsg(PIXELS, "bgr8"), "32FC1"), "number of channels"),
        (lambda: BRIDGE.imgmsg_to_cv2(sensor_msgs.msg.Image(height=9, width=9, encoding="rgb8")), "expected 9 rows"),
        (lambda: BRIDGE.compressed_imgmsg_to_cv2(sensor_msgs.msg.CompressedImage(data=b"no")), "no picture"),
        (lambda: BRIDGE.cv2_to_compressed_imgmsg(PIXELS, "gif9"), "expected one of"),
        (lambda: BRIDGE.cv2_to_imgmsg("text"), "not a numpy array"),
    ],
)
def test_an_image_that_cannot_be_converted_is_refused(act: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said) as caught:
        act()
    assert isinstance(caught.value, CvBridgeError) or "numpy" in said


def test_compressed_images_come_back() -> None:
    message = BRIDGE.cv2_to_compressed_imgmsg(PIXELS, "png")
    assert message.format == "png"
    assert np.array_equal(BRIDGE.compressed_imgmsg_to_cv2(message), PIXELS)
    assert np.array_equal(BRIDGE.compressed_imgmsg_to_cv2(message, "rgb8"), PIXELS[:, :, ::-1])


# --- point clouds

POINTS = np.array([[0.0, 1.0, 2.0], [np.nan, 4.0, 5.0], [6.0, 7.0, 8.0], [9.0, 10.0, 11.0]], np.float32)


def test_points_come_back_from_a_cloud() -> None:
    cloud = point_cloud2.create_cloud_xyz32(std_msgs.msg.Header(frame_id="camera"), POINTS)
    assert (cloud.width, cloud.height, cloud.point_step, cloud.row_step) == (4, 1, 12, 48)
    cloud = cloud._decode(cloud._encode(cloud))
    assert np.array_equal(point_cloud2.read_points_numpy(cloud), POINTS, equal_nan=True)
    assert point_cloud2.read_points(cloud, field_names=["y", "x"])["y"].tolist() == [1.0, 4.0, 7.0, 10.0]
    assert len(point_cloud2.read_points(cloud, skip_nans=True)) == 3
    assert point_cloud2.read_points_numpy(cloud, uvs=[0, 3]).tolist() == [[0.0, 1.0, 2.0], [9.0, 10.0, 11.0]]
    assert point_cloud2.read_points_list(cloud)[2].z == 8.0
    with pytest.raises(AssertionError, match="'i'"):
        point_cloud2.read_points(cloud, field_names=["i"])


def test_points_can_be_chosen_also_none_of_them() -> None:
    cloud = point_cloud2.create_cloud_xyz32(std_msgs.msg.Header(), [[number, 0, 0] for number in range(4)])
    for chosen, expected in (([3, 1], [3, 1]), (iter([2]), [2]), ([(1, 0)], [1]), (np.array([0, 2]), [0, 2]), ([], [])):
        assert point_cloud2.read_points(cloud, uvs=chosen)["x"].tolist() == expected


def test_fields_of_several_types_gaps_and_rows_are_kept() -> None:
    field = sensor_msgs.msg.PointField
    fields = [
        field(name="x", offset=0, datatype=field.FLOAT64, count=1),
        field(name="rgb", offset=8, datatype=field.UINT8, count=3),
    ]
    cloud = point_cloud2.create_cloud(std_msgs.msg.Header(), fields, [(1.5, 1, 2, 3), (2.5, 4, 5, 6)], step=16)
    assert cloud.point_step == 16 and len(cloud.data) == 32
    points = point_cloud2.read_points(cloud)
    assert points.dtype.names == ("x", "rgb_0", "rgb_1", "rgb_2") and points.tolist()[1] == (2.5, 4, 5, 6)
    grid = point_cloud2.create_cloud_xyz32(std_msgs.msg.Header(), np.zeros((4, 2, 3), np.float32))
    assert (grid.width, grid.height) == (4, 2)
    assert point_cloud2.read_points(grid, reshape_organized_cloud=True).shape == (4, 2)
    assert point_cloud2.read_points(point_cloud2.create_cloud(std_msgs.msg.Header(), fields, [])).shape == (0,)


def test_received_points_and_the_pixels_of_an_image_are_the_callers_to_change() -> None:
    cloud = point_cloud2.create_cloud_xyz32(std_msgs.msg.Header(), np.zeros((1000, 3), np.float32))
    received = cloud._decode(memoryview(bytes(cloud._encode(cloud))))
    for read in (point_cloud2.read_points, point_cloud2.read_points_numpy):
        points = read(received)
        points[0] = 7.0
        assert np.array_equal(point_cloud2.read_points_numpy(received), np.zeros((1000, 3)))
    pixels = np.zeros((100, 100), np.uint8)
    message = CvBridge().cv2_to_imgmsg(pixels)
    pixels[:] = 9
    assert not any(message.data)
    with pytest.raises(AssertionError, match="not a sensor_msgs"):
        point_cloud2.read_points(message)


def test_a_callback_of_a_filter_can_be_taken_back() -> None:
    source, got = message_filters.SimpleFilter(), list[str]()
    first = source.registerCallback(got.append)
    source.registerCallback(lambda text: got.append(text * 2))
    source.unregisterCallback(first)
    source.signalMessage("a")
    assert got == ["aa"]
