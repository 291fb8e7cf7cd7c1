"""tf2: trees of frames over time, what can go wrong, and transforming messages."""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robot.ros.duration import Duration
from robot.ros.interfaces import geometry_msgs, std_msgs
from robot.ros.packages import tf2_geometry_msgs, tf2_ros
from robot.ros.packages.tf2_py.rotation import Transform, interpolate, multiply, rotate, slerp
from robot.ros.time import Time

HALF = math.sqrt(0.5)
LATEST = Time()


def transform(
    parent: str,
    child: str,
    at: float = 1.0,
    xyz: tuple[float, ...] = (0.0, 0.0, 0.0),
    q: tuple[float, ...] = (0.0, 0.0, 0.0, 1.0),
) -> Any:
    made = geometry_msgs.msg.TransformStamped(child_frame_id=child)
    made.header.frame_id = parent
    made.header.stamp = seconds(at).to_msg()
    made.transform.translation.x, made.transform.translation.y, made.transform.translation.z = xyz
    rotation = made.transform.rotation
    rotation.x, rotation.y, rotation.z, rotation.w = q
    return made


def seconds(at: float) -> Time:
    return Time(nanoseconds=round(at * 1e9))


def xyz(found: Any) -> tuple[float, float, float]:
    t = found.transform.translation
    return round(t.x, 9), round(t.y, 9), round(t.z, 9)


@pytest.fixture
def buffer() -> tf2_ros.Buffer:
    made = tf2_ros.Buffer()
    made.set_transform_static(transform("map", "tunnel", xyz=(10.0, 0.0, 0.0)), "test")
    for at, x in ((1.0, 0.0), (2.0, 1.0), (3.0, 4.0)):
        made.set_transform(transform("tunnel", "robot", at, (x, 0.0, 0.0)), "test")
    made.set_transform_static(transform("robot", "arm", xyz=(0.0, 0.0, 1.0), q=(0.0, 0.0, HALF, HALF)), "test")
    made.set_transform_static(transform("map", "bed", xyz=(0.0, 5.0, 0.0)), "test")
    return made


def test_frames_are_followed_up_and_down_the_tree(buffer: tf2_ros.Buffer) -> None:
    assert xyz(buffer.lookup_transform("map", "arm", LATEST)) == (14.0, 0.0, 1.0)
    assert xyz(buffer.lookup_transform("bed", "robot", LATEST)) == (14.0, -5.0, 0.0)
    found = buffer.lookup_transform("arm", "bed", seconds(2.0))
    assert (found.header.frame_id, found.child_frame_id, found.header.stamp.sec) == ("arm", "bed", 2)
    assert xyz(found) == (5.0, 11.0, -1.0)


def test_between_two_samples_the_place_is_interpolated(buffer: tf2_ros.Buffer) -> None:
    assert xyz(buffer.lookup_transform("tunnel", "robot", seconds(2.5))) == (2.5, 0.0, 0.0)
    buffer.set_transform(transform("robot", "turret", 1.0), "test")
    buffer.set_transform(transform("robot", "turret", 2.0, q=(0.0, 0.0, HALF, HALF)), "test")
    q = buffer.lookup_transform("robot", "turret", seconds(1.5)).transform.rotation
    assert (q.z, q.w) == pytest.approx((math.sin(math.pi / 8), math.cos(math.pi / 8)))


def test_time_zero_is_the_newest_common_to_all_parts(buffer: tf2_ros.Buffer) -> None:
    buffer.set_transform(transform("robot", "camera", 2.25, (1.0, 0.0, 0.0)), "test")
    found = buffer.lookup_transform("map", "camera", LATEST)
    assert (found.header.stamp.sec, found.header.stamp.nanosec) == (2, 250_000_000)
    assert xyz(found) == (12.75, 0.0, 0.0)
    assert buffer.get_latest_common_time("map", "camera") == seconds(2.25)
    assert buffer.lookup_transform("map", "bed", LATEST).header.stamp.sec == 0


@pytest.mark.parametrize(
    ("target", "source", "at", "error", "said"),
    [
        ("map", "robot", 4.0, tf2_ros.ExtrapolationException, r"into the future.*4\.000000000.*latest data.*3\.0"),
        ("map", "robot", 0.5, tf2_ros.ExtrapolationException, r"into the past.*from frame \[robot\] to frame \[map\]"),
        ("robot", "map", 4.0, tf2_ros.ForwardExtrapolationException, "into the future"),
        ("map", "nowhere", 0.0, tf2_ros.LookupException, '"nowhere" passed to lookupTransform argument source_frame'),
        ("map", "island", 0.0, tf2_ros.ConnectivityException, "not part of the same tree"),
        ("", "map", 0.0, tf2_ros.InvalidArgumentException, "cannot be empty"),
        ("/map", "bed", 0.0, tf2_ros.InvalidArgumentException, "cannot start with a '/'"),
    ],
)
def test_what_is_not_known_is_said(
    buffer: tf2_ros.Buffer, target: str, source: str, at: float, *, error: type[Exception], said: str
) -> None:
    buffer.set_transform_static(transform("sea", "island"), "test")
    with pytest.raises(error, match=said):
        buffer.lookup_transform(target, source, seconds(at))
    assert not buffer.can_transform(target, source, seconds(at))
    assert buffer.can_transform(target, source, seconds(at), return_debug_tuple=True)[1]


def test_one_sample_alone_is_not_extrapolated() -> None:
    buffer = tf2_ros.Buffer()
    buffer.set_transform(transform("a", "b", 1.0), "test")
    with pytest.raises(tf2_ros.NoDataForExtrapolationException, match="only time 1"):
        buffer.lookup_transform("a", "b", seconds(1.5))


def test_the_part_of_the_tree_above_both_frames_does_not_matter(buffer: tf2_ros.Buffer) -> None:
    for at in (7.0, 8.0):
        buffer.set_transform(transform("robot", "camera", at), "test")
        buffer.set_transform(transform("robot", "lamp", at), "test")
    assert buffer.can_transform("camera", "lamp", seconds(7.5))


def test_time_travel_takes_a_fixed_frame_as_at_rest(buffer: tf2_ros.Buffer) -> None:
    found = buffer.lookup_transform_full("robot", seconds(3.0), "robot", seconds(1.0), "map")
    assert xyz(found) == (-4.0, 0.0, 0.0)
    assert found.header.stamp.sec == 3


def test_old_samples_are_forgotten_and_older_ones_refused() -> None:
    buffer = tf2_ros.Buffer(cache_time=Duration(seconds=5))
    for at in (1.0, 4.0, 8.0):
        buffer.set_transform(transform("a", "b", at), "test")
    buffer.set_transform(transform("a", "b", 2.0), "test")
    with pytest.raises(tf2_ros.BackwardExtrapolationException, match="earliest data is at time 4"):
        buffer.lookup_transform("a", "b", seconds(3.0))


def test_a_jump_back_in_time_clears_what_moves(buffer: tf2_ros.Buffer) -> None:
    buffer.time_jump_callback(None)
    assert not buffer.can_transform("map", "robot", LATEST)
    assert buffer.can_transform("map", "bed", LATEST)


@pytest.mark.parametrize(
    "wrong",
    [
        transform("a", "a"),
        transform("", "b"),
        transform("a", "b", xyz=(math.nan, 0.0, 0.0)),
        transform("a", "b", q=(0.0, 0.0, 0.0, 0.5)),
    ],
    ids=["itself", "no parent", "nan", "no rotation"],
)
def test_a_transform_that_cannot_be_is_left_out(wrong: Any) -> None:
    buffer = tf2_ros.Buffer()
    buffer.set_transform(wrong, "test")
    assert buffer.all_frames_as_yaml() == "{}"


def test_a_loop_is_found() -> None:
    buffer = tf2_ros.Buffer()
    buffer.set_transform_static(transform("a", "b"), "test")
    buffer.set_transform_static(transform("b", "a"), "test")
    with pytest.raises(tf2_ros.LookupException, match="loop"):
        buffer.lookup_transform("a", "b", LATEST)


def test_frames_are_described_as_yaml(buffer: tf2_ros.Buffer) -> None:
    text = buffer.all_frames_as_yaml()
    assert "robot: \n  parent: 'tunnel'\n  broadcaster: 'test'\n  rate: 1.000\n  most_recent_transform: 3.0" in text
    assert "Frame bed exists with parent map." in buffer.all_frames_as_string()


def test_a_lookup_waits_for_what_comes_on_another_thread() -> None:
    buffer = tf2_ros.Buffer()
    late = threading.Timer(0.05, lambda: buffer.set_transform_static(transform("a", "b", xyz=(1.0, 2.0, 3.0)), "test"))
    late.start()
    assert xyz(buffer.lookup_transform("a", "b", LATEST, timeout=Duration(seconds=30))) == (1.0, 2.0, 3.0)
    late.join()


def test_a_future_is_done_when_the_transform_comes() -> None:
    buffer = tf2_ros.Buffer()
    future = buffer.wait_for_transform_async("a", "b", seconds(1.5))
    buffer.set_transform(transform("a", "b", 1.0), "test")
    assert not future.done()
    buffer.set_transform(transform("a", "b", 2.0, (1.0, 0.0, 0.0)), "test")
    result = future.result()
    assert result is not None and xyz(result) == (0.5, 0.0, 0.0)
    coroutine = buffer.lookup_transform_async("b", "a", seconds(2.0))
    with pytest.raises(StopIteration) as end:
        coroutine.send(None)
    assert xyz(end.value.value) == (-1.0, 0.0, 0.0)


unit = (
    st.tuples(*[st.floats(-1.0, 1.0)] * 4)
    .filter(lambda q: math.hypot(*q) > 0.1)
    .map(lambda q: tuple(x / math.hypot(*q) for x in q))
)
place = st.tuples(*[st.floats(-10.0, 10.0)] * 3)
rigid = st.builds(Transform, place, unit)


@settings(max_examples=100, deadline=None)
@given(a=rigid, b=rigid, point=place)
def test_transforms_compose_and_invert(a: Transform, b: Transform, point: Any) -> None:
    assert (a @ b).apply(point) == pytest.approx(a.apply(b.apply(point)), abs=1e-9)
    assert a.inverse().apply(a.apply(point)) == pytest.approx(point, abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(a=unit, b=unit, share=st.floats(0.0, 1.0))
def test_slerp_goes_from_one_to_the_other_at_constant_speed(a: Any, b: Any, share: float) -> None:
    def angle(p: Any, q: Any) -> float:
        return 2.0 * math.acos(min(1.0, abs(sum(x * y for x, y in zip(p, q, strict=True)))))

    assert angle(a, slerp(a, b, share)) == pytest.approx(share * angle(a, b), abs=2e-3)
    assert interpolate(Transform(rotation=a), Transform(rotation=b), 1.0).rotation == pytest.approx(
        b, abs=1e-6
    ) or pytest.approx([-x for x in b], abs=1e-6) == list(slerp(a, b, 1.0))


TURN = transform("map", "robot", xyz=(1.0, 2.0, 3.0), q=(0.0, 0.0, HALF, HALF))


def header(frame: str) -> Any:
    return std_msgs.msg.Header(frame_id=frame, stamp=seconds(1.0).to_msg())


def test_messages_of_every_kind_are_transformed() -> None:
    point = geometry_msgs.msg.PointStamped(header=header("robot"), point=geometry_msgs.msg.Point(x=1.0))
    moved = tf2_geometry_msgs.do_transform_point(point, TURN)
    assert (moved.point.x, moved.point.y, moved.point.z) == pytest.approx((1.0, 3.0, 3.0))
    assert moved.header.frame_id == "map"
    vector = geometry_msgs.msg.Vector3Stamped(vector=geometry_msgs.msg.Vector3(x=1.0))
    turned = tf2_geometry_msgs.do_transform_vector3(vector, TURN).vector
    assert (turned.x, turned.y) == pytest.approx((0.0, 1.0))
    pose = geometry_msgs.msg.Pose(orientation=geometry_msgs.msg.Quaternion(x=1.0, w=0.0))
    placed = tf2_geometry_msgs.do_transform_pose(pose, TURN)
    assert (placed.position.x, placed.orientation.x, placed.orientation.y) == pytest.approx((1.0, HALF, HALF))
    wrench = geometry_msgs.msg.WrenchStamped(wrench=geometry_msgs.msg.Wrench(force=geometry_msgs.msg.Vector3(x=2.0)))
    assert tf2_geometry_msgs.do_transform_wrench(wrench, TURN).wrench.force.y == pytest.approx(2.0)


def test_covariance_turns_with_the_frame() -> None:
    pose = geometry_msgs.msg.PoseWithCovarianceStamped()
    pose.pose.covariance = np.diag([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).ravel()
    turned = tf2_geometry_msgs.do_transform_pose_with_covariance_stamped(pose, TURN).pose.covariance
    assert np.diag(turned.reshape(6, 6)) == pytest.approx([2.0, 1.0, 3.0, 5.0, 4.0, 6.0])


def test_the_buffer_transforms_registered_types_and_names_others(buffer: tf2_ros.Buffer) -> None:
    pose = geometry_msgs.msg.PoseStamped(header=header("robot"))
    assert buffer.transform(pose, "map").pose.position.x == 10.0
    assert buffer.transform_full(pose, "robot", seconds(3.0), "map").pose.position.x == -4.0
    with pytest.raises(tf2_ros.TypeException, match="String"):
        buffer.transform(std_msgs.msg.String(), "map")


def test_rotating_by_a_product_is_rotating_twice() -> None:
    a, b = (HALF, 0.0, 0.0, HALF), (0.0, 0.0, HALF, HALF)
    assert rotate(multiply(a, b), (1.0, 2.0, 3.0)) == pytest.approx(rotate(a, rotate(b, (1.0, 2.0, 3.0))))
