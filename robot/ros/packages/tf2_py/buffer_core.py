"""The tree of frames over time: `BufferCore` of tf2."""

from __future__ import annotations

import logging
import math
import threading
from typing import Any

from robot.ros.interfaces import geometry_msgs
from robot.ros.packages.tf2_py.exceptions import (
    ConnectivityException,
    ExtrapolationException,
    InvalidArgumentException,
    LookupException,
    TransformException,
)
from robot.ros.packages.tf2_py.history import SECOND, History, Sample
from robot.ros.packages.tf2_py.rotation import Transform

log = logging.getLogger("tf2_buffer")

CACHE_TIME = 10 * SECOND
NORM_TOLERANCE = 10e-3  # of a quaternion's squared length, as in tf2
DEPTH_MAX = 1000  # of the tree: more is a loop


def nanoseconds(time: Any) -> int:
    """Read a Time, a Duration, or one of their messages [ns]."""
    if hasattr(time, "nanoseconds"):
        return int(time.nanoseconds)
    return int(time.sec) * SECOND + int(time.nanosec)


def from_msg(transform: Any) -> Transform:
    t, r = transform.translation, transform.rotation
    return Transform((t.x, t.y, t.z), (r.x, r.y, r.z, r.w))


class BufferCore:
    """Frames and how they lay to each other in the last `cache_time` (a Duration; None = 10 s)."""

    def __init__(self, cache_time: Any = None) -> None:
        self._length = CACHE_TIME if cache_time is None else nanoseconds(cache_time)
        self._frames: dict[str, History] = {}
        self._authorities: dict[str, str] = {}
        self._known: dict[str, None] = {}
        self._lock = threading.RLock()

    # --- taking in

    def set_transform(self, transform: Any, authority: str) -> None:
        """Take in a `geometry_msgs/TransformStamped`."""
        self._set(transform, authority, static=False)

    def set_transform_static(self, transform: Any, authority: str) -> None:
        """Take in a transform that holds at all times."""
        self._set(transform, authority, static=True)

    def _set(self, message: Any, authority: str, *, static: bool) -> None:
        parent, child = message.header.frame_id.removeprefix("/"), message.child_frame_id.removeprefix("/")
        transform = from_msg(message.transform)
        wrong = _wrong(parent, child, transform)
        if wrong:
            log.error("ignoring transform from authority %r: %s", authority, wrong)
            return
        with self._lock:
            history = self._frames.get(child)
            if history is None or history.static != static:
                history = self._frames[child] = History(None if static else self._length)
            self._known[parent] = self._known[child] = None
            self._authorities[child] = authority
            at = nanoseconds(message.header.stamp)
            if not history.add(Sample(at, parent, transform)):
                log.warning("TF_OLD_DATA ignoring data from the past for frame %s at time %.6f", child, at / SECOND)

    def clear(self) -> None:
        """Forget everything but what never moves."""
        with self._lock:
            for name, history in self._frames.items():
                if not history.static:
                    self._frames[name] = History(self._length)

    # --- giving out

    def lookup_transform_core(self, target_frame: str, source_frame: str, time: Any) -> Any:
        """Return the `TransformStamped` that maps coordinates in the source frame to the target frame.

        Args:
            time: a Time or its message; 0 = the newest at which all parts are known.

        Raises:
            LookupException, ConnectivityException, ExtrapolationException, InvalidArgumentException
        """
        with self._lock:
            target = self._check(target_frame, "lookupTransform argument target_frame")
            source = self._check(source_frame, "lookupTransform argument source_frame")
            at, transform = self._between(target, source, nanoseconds(time))
        return _stamped(target, source, at, transform)

    def lookup_transform_full_core(
        self, target_frame: str, target_time: Any, source_frame: str, source_time: Any, fixed_frame: str
    ) -> Any:
        """Return the transform from the source at one time to the target at another, by way of a fixed frame."""
        with self._lock:
            target = self._check(target_frame, "lookupTransform argument target_frame")
            source = self._check(source_frame, "lookupTransform argument source_frame")
            fixed = self._check(fixed_frame, "lookupTransform argument fixed_frame")
            _, into_fixed = self._between(fixed, source, nanoseconds(source_time))
            at, into_target = self._between(target, fixed, nanoseconds(target_time))
        return _stamped(target, source, at, into_target @ into_fixed)

    def can_transform_core(self, target_frame: str, source_frame: str, time: Any) -> tuple[bool, str]:
        """Say whether the transform is known; the text says why not."""
        try:
            self.lookup_transform_core(target_frame, source_frame, time)
        except TransformException as error:
            return False, str(error)
        return True, ""

    def can_transform_full_core(
        self, target_frame: str, target_time: Any, source_frame: str, source_time: Any, fixed_frame: str
    ) -> tuple[bool, str]:
        try:
            self.lookup_transform_full_core(target_frame, target_time, source_frame, source_time, fixed_frame)
        except TransformException as error:
            return False, str(error)
        return True, ""

    def get_latest_common_time(self, target_frame: str, source_frame: str) -> Any:
        """Return the newest Time at which all parts between two frames are known."""
        from robot.ros.time import Time

        with self._lock:
            target = self._check(target_frame, "getLatestCommonTime argument target_frame")
            source = self._check(source_frame, "getLatestCommonTime argument source_frame")
            return Time(nanoseconds=self._latest(target, source))

    def _check(self, frame: str, what: str) -> str:
        if not frame:
            raise InvalidArgumentException(f"Invalid argument passed to {what} in tf2 frame_ids cannot be empty")
        if frame.startswith("/"):
            raise InvalidArgumentException(
                f"Invalid argument \"{frame}\" passed to {what} in tf2 frame_ids cannot start with a '/' like: "
            )
        if frame not in self._known:
            raise LookupException(f'"{frame}" passed to {what} does not exist. ')
        return frame

    def _parent(self, frame: str) -> str | None:
        history = self._frames.get(frame)
        newest = history.newest if history is not None else None
        return None if newest is None else newest.parent

    def _chain(self, frame: str) -> list[str]:
        chain = [frame]
        while (parent := self._parent(chain[-1])) is not None:
            chain.append(parent)
            if len(chain) > DEPTH_MAX:
                raise LookupException("The tf tree is invalid because it contains a loop.")
        return chain

    def _latest(self, target: str, source: str) -> int:
        up_source, up_target = self._chain(source), self._chain(target)
        common = next((frame for frame in up_source if frame in up_target), None)
        if common is None:
            raise _unconnected(target, source)
        parts = up_source[: up_source.index(common)] + up_target[: up_target.index(common)]
        times = [newest.at for part in parts if not self._frames[part].static and (newest := self._frames[part].newest)]
        if target == source and (history := self._frames.get(source)) is not None and not history.static:
            times = [history.newest.at] if history.newest else []
        return min(times, default=0)

    def _between(self, target: str, source: str, time: int) -> tuple[int, Transform]:
        time = time or self._latest(target, source)
        if target == source:
            return time, Transform()
        try:
            into = {source: Transform()}
            self._climb(source, time, into, stop=target)
            if target in into:
                return time, into[target]
            out = {target: Transform()}
            meeting = self._climb(target, time, out, stop=None, among=into)
        except ExtrapolationException as error:
            text = f"{error}, when looking up transform from frame [{source}] to frame [{target}]"
            raise type(error)(text) from error
        if meeting is None:
            raise _unconnected(target, source)
        return time, out[meeting].inverse() @ into[meeting]

    def _climb(
        self,
        frame: str,
        time: int,
        into: dict[str, Transform],
        *,
        stop: str | None,
        among: dict[str, Transform] | None = None,
    ) -> str | None:
        """Note how the frame lies in each frame above it; return the first of `among` that is met."""
        late: ExtrapolationException | None = None
        while True:
            if frame == stop or (among is not None and frame in among):
                return frame
            history = self._frames.get(frame)
            try:
                sample = history.at(time) if history is not None else None
            except ExtrapolationException as error:
                late = error
                break
            if sample is None or len(into) > DEPTH_MAX:
                break
            into[sample.parent] = sample.transform @ into[frame]
            frame = sample.parent
        if late is not None and among is not None:
            raise late
        if late is not None and not self._meets_later(stop, into):
            raise late
        return None

    def _meets_later(self, target: str | None, into: dict[str, Transform]) -> bool:
        return target is not None and any(frame in into for frame in self._chain(target))

    # --- telling

    def _frameExists(self, frame_id: str) -> bool:
        return frame_id in self._known

    def _getFrameStrings(self) -> list[str]:
        return list(self._known)

    def all_frames_as_string(self) -> str:
        """Say one line for each frame: whose child it is."""
        with self._lock:
            known = [(name, self._parent(name)) for name in self._known]
        return "".join(f"Frame {name} exists with parent {parent}.\n" for name, parent in known if parent is not None)

    def all_frames_as_yaml(self) -> str:
        """Describe the tree as the service `tf2_frames` does."""
        with self._lock:
            lines = [line for name in self._known for line in self._yaml(name)]
        return "\n".join(lines) + "\n" if lines else "{}"

    def _yaml(self, name: str) -> list[str]:
        history = self._frames.get(name)
        if history is None or (newest := history.newest) is None or (oldest := history.oldest) is None:
            return []
        span = 0.0 if history.static else (newest.at - oldest.at) / SECOND
        rate = 10000.0 if span == 0.0 else (len(history) - 1) / span
        at = (0, 0) if history.static else (newest.at, oldest.at)
        return [
            f"{name}: ",
            f"  parent: '{newest.parent}'",
            f"  broadcaster: '{self._authorities[name]}'",
            f"  rate: {rate:.3f}",
            f"  most_recent_transform: {at[0] / SECOND:.6f}",
            f"  oldest_transform: {at[1] / SECOND:.6f}",
            f"  buffer_length: {span:.3f}",
        ]


def _wrong(parent: str, child: str, transform: Transform) -> str:
    if not child or not parent:
        return f"a frame's name is empty: parent {parent!r}, child {child!r}"
    if child == parent:
        return f"TF_SELF_TRANSFORM: frame_id and child_frame_id are both {child!r}"
    if not all(map(math.isfinite, (*transform.translation, *transform.rotation))):
        return f"TF_NAN_INPUT: {child!r} has a nan value in its transform"
    if abs(sum(x * x for x in transform.rotation) - 1.0) > NORM_TOLERANCE:
        return f"TF_DENORMALIZED_QUATERNION: {child!r} has an invalid quaternion {transform.rotation}"
    return ""


def _unconnected(target: str, source: str) -> ConnectivityException:
    return ConnectivityException(
        f"Could not find a connection between '{target}' and '{source}' because they are not part of the same tree. "
        "Tf has two or more unconnected trees."
    )


def _stamped(target: str, source: str, at: int, transform: Transform) -> Any:
    made = geometry_msgs.msg.TransformStamped(child_frame_id=source)
    made.header.frame_id = target
    made.header.stamp.sec, made.header.stamp.nanosec = divmod(at, SECOND)
    t, r = made.transform.translation, made.transform.rotation
    t.x, t.y, t.z = transform.translation
    r.x, r.y, r.z, r.w = transform.rotation
    return made
