"""The buffer nodes use: the tree of frames with waiting, blocking or asynchronous."""

from __future__ import annotations

import logging
import threading
import time as wall
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from robot.ros.borrowed import finder
from robot.ros.clock import Clock, JumpThreshold
from robot.ros.duration import Duration
from robot.ros.interfaces import tf2_msgs
from robot.ros.packages.tf2_py.buffer_core import BufferCore, nanoseconds
from robot.ros.packages.tf2_py.history import SECOND
from robot.ros.packages.tf2_ros.buffer_interface import NO_WAIT, BufferInterface
from robot.ros.task import Future

log = logging.getLogger("tf2_buffer")


class Buffer(BufferCore, BufferInterface):
    """Keeps frames for `cache_time` (a Duration; None = 10 s) and forgets them when time jumps back.

    A lookup with a timeout blocks its thread; messages must come in on another one meanwhile (`TransformListener(...,
    spin_thread=True)` or a multi-threaded executor). `lookup_transform_async` does not block.

    Args:
        node: gives its clock and offers the service `tf2_frames`; None = the system's clock.
    """

    def __init__(self, cache_time: Any = None, node: Any = None) -> None:
        BufferCore.__init__(self, cache_time)
        BufferInterface.__init__(self)
        self._arrived = threading.Condition()
        self._waiting: list[Callable[[], None]] = []
        self.clock = Clock() if node is None else node.get_clock()
        if node is not None:
            self.srv = node.create_service(tf2_msgs.srv.FrameGraph, "tf2_frames", self._give_frames)
        threshold = JumpThreshold(min_forward=None, min_backward=Duration(seconds=-1), on_clock_change=True)
        self.jump_handle = self.clock.create_jump_callback(threshold, post_callback=self.time_jump_callback)

    def _give_frames(self, request: Any, response: Any) -> Any:
        response.frame_yaml = self.all_frames_as_yaml()
        return response

    def time_jump_callback(self, time_jump: Any) -> None:
        log.warning("Detected jump back in time. Clearing tf buffer.")
        self.clear()

    def set_transform(self, transform: Any, authority: str) -> None:
        super().set_transform(transform, authority)
        self._tell()

    def set_transform_static(self, transform: Any, authority: str) -> None:
        super().set_transform_static(transform, authority)
        self._tell()

    def _tell(self) -> None:
        with self._arrived:
            self._arrived.notify_all()
            waiting = list(self._waiting)
        for look in waiting:
            look()

    # --- at once, or after blocking

    def lookup_transform(self, target_frame: str, source_frame: str, time: Any, timeout: Any = NO_WAIT) -> Any:
        """Return the `TransformStamped` that maps coordinates in `source_frame` to `target_frame`.

        Args:
            time: a Time; 0 = the newest.
            timeout: a Duration to block until it is known.

        Raises:
            TransformException: one of its subclasses, which says why it is not known.
        """
        self.can_transform(target_frame, source_frame, time, timeout)
        return self.lookup_transform_core(target_frame, source_frame, time)

    def lookup_transform_full(
        self,
        target_frame: str,
        target_time: Any,
        source_frame: str,
        source_time: Any,
        fixed_frame: str,
        timeout: Any = NO_WAIT,
    ) -> Any:
        """Return the transform from the source at one time to the target at another, by way of a fixed frame."""
        names = (target_frame, target_time, source_frame, source_time, fixed_frame)
        self.can_transform_full(*names, timeout)
        return self.lookup_transform_full_core(*names)

    def can_transform(
        self,
        target_frame: str,
        source_frame: str,
        time: Any,
        timeout: Any = NO_WAIT,
        return_debug_tuple: bool = False,
    ) -> Any:
        """Say whether a transform is known, after blocking up to `timeout`; with the reason if that is asked for."""
        found = self._await(lambda: self.can_transform_core(target_frame, source_frame, time), timeout)
        return found if return_debug_tuple else found[0]

    def can_transform_full(
        self,
        target_frame: str,
        target_time: Any,
        source_frame: str,
        source_time: Any,
        fixed_frame: str,
        timeout: Any = NO_WAIT,
        return_debug_tuple: bool = False,
    ) -> Any:
        found = self._await(
            lambda: self.can_transform_full_core(target_frame, target_time, source_frame, source_time, fixed_frame),
            timeout,
        )
        return found if return_debug_tuple else found[0]

    def _await(self, look: Callable[[], tuple[bool, str]], timeout: Any) -> tuple[bool, str]:
        end = wall.monotonic() + nanoseconds(timeout) / SECOND
        found = look()
        while not found[0] and (left := end - wall.monotonic()) > 0.0:
            with self._arrived:
                found = look()
                if not found[0]:
                    self._arrived.wait(left)
            found = look()
        return found

    # --- later

    async def lookup_transform_async(self, target_frame: str, source_frame: str, time: Any) -> Any:
        """Return the transform as soon as it is known."""
        await self.wait_for_transform_async(target_frame, source_frame, time)
        return self.lookup_transform_core(target_frame, source_frame, time)

    async def lookup_transform_full_async(
        self, target_frame: str, target_time: Any, source_frame: str, source_time: Any, fixed_frame: str
    ) -> Any:
        names = (target_frame, target_time, source_frame, source_time, fixed_frame)
        await self.wait_for_transform_full_async(*names)
        return self.lookup_transform_full_core(*names)

    def wait_for_transform_async(self, target_frame: str, source_frame: str, time: Any) -> Future[Any]:
        """Return a future of the transform."""
        return self._later(
            lambda: self.can_transform_core(target_frame, source_frame, time)[0],
            lambda: self.lookup_transform_core(target_frame, source_frame, time),
        )

    def wait_for_transform_full_async(
        self, target_frame: str, target_time: Any, source_frame: str, source_time: Any, fixed_frame: str
    ) -> Future[Any]:
        names = (target_frame, target_time, source_frame, source_time, fixed_frame)
        return self._later(
            lambda: self.can_transform_full_core(*names)[0], lambda: self.lookup_transform_full_core(*names)
        )

    def _later(self, known: Callable[[], bool], look_up: Callable[[], Any]) -> Future[Any]:
        future: Future[Any] = Future()

        def look() -> None:
            if not future.done() and known():
                future.set_result(look_up())

        with self._arrived:
            self._waiting.append(look)
        look()
        future.add_done_callback(lambda _: self._forget(look))
        return future

    def _forget(self, look: Callable[[], None]) -> None:
        with self._arrived:
            if look in self._waiting:
                self._waiting.remove(look)


if not TYPE_CHECKING:
    __getattr__ = finder(__name__)
