"""Sets of messages, one from each filter, whose stamps are equal or nearly so."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import product
from typing import Any

from robot.ros.clock import ROSClock
from robot.ros.duration import Duration
from robot.ros.packages.message_filters.simple_filter import SimpleFilter, stamp_of
from robot.ros.time import Time

Queue = dict[int, Any]  # stamp [ns] → message


class TimeSynchronizer(SimpleFilter):
    """Hands on sets of messages with equal stamps.

    Args:
        fs: the filters, one for each message of a set.
        queue_size: how many messages of each wait for the others.
    """

    def __init__(self, fs: Sequence[SimpleFilter], queue_size: int) -> None:
        super().__init__()
        self.queue_size = queue_size
        self.lock = threading.RLock()
        self.connectInput(fs)

    def connectInput(self, fs: Sequence[SimpleFilter]) -> None:
        self.queues: list[Queue] = [{} for _ in fs]
        self.input_connections = [
            f.registerCallback(self.add, queue, index)
            for index, (f, queue) in enumerate(zip(fs, self.queues, strict=True))
        ]

    def _take_in(self, message: Any, queue: Queue, stamp: int) -> None:
        queue[stamp] = message
        while len(queue) > self.queue_size:
            del queue[min(queue)]

    def add(self, msg: Any, my_queue: Queue, my_queue_index: int | None = None) -> None:
        stamp = stamp_of(msg, "message_filters", allow_headerless=False)
        if stamp is None:
            return
        with self.lock:
            self._take_in(msg, my_queue, stamp.nanoseconds)
            for time in sorted(set.intersection(*map(set, self.queues))):
                self._hand_on([time] * len(self.queues))

    def _hand_on(self, stamps: Sequence[int]) -> None:
        chosen = [queue.pop(stamp) for queue, stamp in zip(self.queues, stamps, strict=True)]
        self.signalMessage(*chosen)


class ApproximateTimeSynchronizer(TimeSynchronizer):
    """Hands on sets whose stamps differ by less than `slop` seconds, for each message the nearest of the others.

    Args:
        queue_offset: what to add to the stamps of each filter [ns]; False = nothing. A single True is Jazzy's fourth
            argument, `allow_headerless`.
        allow_headerless: take messages without a stamp at the time they come.
        sync_arrival_time: take every message at the time it comes.
    """

    def __init__(
        self,
        fs: Sequence[SimpleFilter],
        queue_size: int,
        slop: float,
        queue_offset: Sequence[int] | bool = False,
        allow_headerless: bool = False,
        sync_arrival_time: bool = False,
    ) -> None:
        self.slop = Duration(seconds=slop)
        self.allow_headerless = allow_headerless or queue_offset is True
        self.sync_arrival_time = sync_arrival_time
        self.queue_offset = [0] * len(fs) if isinstance(queue_offset, bool) else list(queue_offset)
        if len(self.queue_offset) != len(fs):
            raise ValueError(f"expected an offset for each of {len(fs)} filters, got {queue_offset!r}")
        super().__init__(fs, queue_size)

    def add(self, msg: Any, my_queue: Queue, my_queue_index: int | None = None) -> None:
        if self.sync_arrival_time:
            time: Time | None = ROSClock().now()
        else:
            time = stamp_of(msg, "message_filters_approx", allow_headerless=self.allow_headerless)
        if time is None:
            return
        offset = 0 if my_queue_index is None else self.queue_offset[my_queue_index]
        stamp, slop = time.nanoseconds + offset, self.slop.nanoseconds
        with self.lock:
            self._take_in(msg, my_queue, stamp)
            near = []
            for index, queue in enumerate(self.queues):
                own = index == my_queue_index
                stamps = [stamp] if own else [other for other in queue if abs(other - stamp) <= slop]
                if not stamps:
                    return
                near.append(sorted(stamps, key=lambda other: abs(other - stamp)))
            if stamp not in my_queue:  # too old to be kept
                return
            for chosen in product(*near):
                if max(chosen) - min(chosen) < slop or len(set(chosen)) == 1:
                    self._hand_on(chosen)
                    return
