"""What is ready to run, in rounds: each entity gets one turn per round, timers first, as with rclpy's wait sets."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Collection
from heapq import heappop, heappush
from itertools import count, repeat
from typing import TYPE_CHECKING, Any

from robot.ros.callback_groups import CallbackGroup
from robot.ros.callback_groups import MutuallyExclusiveCallbackGroup as Plain
from robot.ros.graph import CLIENT, SERVICE, SUBSCRIPTION
from robot.ros.guard_condition import GuardCondition
from robot.ros.timer import Timer

if TYPE_CHECKING:
    from robot.ros.gate import Item
    from robot.ros.node_parts.running import Run, Running

KINDS = {SUBSCRIPTION: 2, SERVICE: 4, CLIENT: 5}


def _rank(entity: Any) -> int:
    """Return the place of an entity in a round: tasks, timers, subscriptions, guards, services, clients, the rest."""
    if entity is None:
        return 0
    if isinstance(entity, Timer):
        return 1
    return 3 if isinstance(entity, GuardCondition) else KINDS.get(getattr(entity, "kind", ""), 6)


class Line:
    """The callbacks of one entity that wait, in the order in which they came."""

    __slots__ = ("entity", "node", "runs")

    def __init__(self, node: Running | None, entity: Any, runs: deque[Run]) -> None:
        self.node, self.entity, self.runs = node, entity, runs


Place = tuple[int, int, int, Line]
"""When a line has its next turn: in which round, at which place of it, behind those that stood there before it."""


class Agenda:
    """The callbacks of one executor that are ready. Any thread may call it; `add` also a signal handler.

    Attributes:
        arrived: what came since somebody took one, to be lined up by the next who does.
        heap: the lines in the order of their turns.
        held: the lines whose callback group lets none of them start now; empty most of the time.
    """

    def __init__(self) -> None:
        self.held: dict[CallbackGroup, list[Place]] = {}
        self.arrived: deque[tuple[Running | None, Any, Run, int]] = deque()
        self._lines: dict[int, Line] = {}  # by their entity's id
        self.heap: list[Place] = []
        self._round = 0
        self._served: set[int] = set()  # ids of those that had their turn in this round and have nothing left
        self._numbers = count()
        self._lock = threading.RLock()
        self.add = self.arrived.append

    def has_ready(self) -> bool:
        """Tell whether anything waits that no group holds back."""
        return bool(self.arrived or self.heap)

    def __len__(self) -> int:
        """Count the callbacks that wait, also those that are held back."""
        with self._lock:
            return sum(entry[3] for entry in tuple(self.arrived)) + sum(len(line.runs) for line in self._all())

    def _all(self) -> list[Line]:
        return [place[3] for places in (self.heap, *self.held.values()) for place in places]

    def width(self) -> int:
        """Count the entities that are ready: the turns of a round, or more."""
        return len(self.arrived) + len(self.heap)

    def take(self, nodes: Collection[Any] | None = None) -> Item | None:
        """Take the callback whose turn it is and begin it in its group; None when none may run.

        Args:
            nodes: only of these; None = of all.
        """
        with self._lock:
            arrived = self.arrived
            if not self.held and nodes is None:  # nearly always
                if not self.heap:
                    if not arrived:
                        return None
                    if len(arrived) == 1:
                        node, entity, run, left = arrived[0]
                        if left == 1 and (
                            entity is None
                            or (group := entity.callback_group) is None
                            or (
                                group.beginning_execution(entity)
                                if group.__class__ is Plain
                                else self._enters(group, entity)
                            )
                        ):
                            arrived.popleft()
                            return node, entity, run
                elif not arrived and len(self.heap) == 1:
                    line = self.heap[0][3]
                    if not line.runs:  # somebody took the rest of it
                        self._clear()
                        return None
                    entity = line.entity
                    group = None if entity is None else entity.callback_group
                    if group is None or self._enters(group, entity):
                        run = line.runs.popleft()
                        if not line.runs:
                            self._clear()
                        elif self._served:  # nobody else waits: who comes now has not had a turn
                            self._served.clear()
                        return line.node, line.entity, run
            if not self.heap and not self.held:  # the last round is over: all that has come begins another
                self._served.clear()
            while arrived:
                self._line_up(*arrived.popleft())
            if self.held:
                self._let_in()
            held = len(self.held)
            item = self._pick(nodes)
            if item is None and len(self.held) > held and self._let_in():  # left meanwhile by one who saw none wait
                item = self._pick(nodes)
            return item

    def _line_up(self, node: Running | None, entity: Any, run: Run, count: int) -> None:
        line = None if entity is None else self._lines.get(id(entity))
        if line is not None:
            line.runs.extend(repeat(run, count))
            return
        line = Line(node, entity, deque(repeat(run, count)))
        turn = self._round
        if entity is None:
            turn += 1
        else:
            self._lines[id(entity)] = line
            turn += id(entity) in self._served
        heappush(self.heap, (turn, _rank(entity), next(self._numbers), line))

    @staticmethod
    def _enters(group: CallbackGroup, entity: Any) -> bool:
        plain = group.__class__ is Plain  # it says the same when asked before
        return (plain or group.can_execute(entity)) and group.beginning_execution(entity)

    def _pick(self, nodes: Collection[Any] | None) -> Item | None:
        heap, passed_over = self.heap, list[Place]()
        try:
            while heap:
                place = heappop(heap)
                line = place[3]
                if nodes is not None and line.node is not None and line.node not in nodes:
                    passed_over.append(place)
                    continue
                entity = line.entity
                if not line.runs:
                    self._lines.pop(id(entity), None)
                    continue
                group = None if entity is None else entity.callback_group
                if group is None or self._enters(group, entity):
                    return line.node, entity, self._turn(place)
                self.held.setdefault(group, []).append(place)
            return None
        finally:
            for place in passed_over:
                heappush(heap, place)

    def _turn(self, place: Place) -> Run:
        """Begin a line's turn and place it for its next one."""
        turn, rank, _, line = place
        if turn > self._round:
            self._round = turn
            self._served.clear()
        run = line.runs.popleft()
        if line.runs:
            heappush(self.heap, (self._round + 1, rank, next(self._numbers), line))
        elif line.entity is not None:
            del self._lines[id(line.entity)]
            if self.heap:
                self._served.add(id(line.entity))
        return run

    def _let_in(self) -> bool:
        """Give those that were held back their places again where a group lets one start; False when none does."""
        found = False
        for group, places in tuple(self.held.items()):
            if group.__class__ is Plain:  # one says it for all
                free = places if group.can_execute(places[0][3].entity) else []
            else:
                free = [place for place in places if group.can_execute(place[3].entity)]
            for place in free:
                heappush(self.heap, place)
                found = True
            kept = [] if free is places else [place for place in places if place not in free]
            if kept:
                self.held[group] = kept
            else:
                del self.held[group]
        return found

    def others(self, entity: Any) -> deque[Run] | None:
        """Return what waits for an entity if nobody but it is ready; who takes from it asks `is_alone` each time."""
        place = self.heap[0] if len(self.heap) == 1 else None
        return None if place is None or entity is None or place[3].entity is not entity else place[3].runs

    def is_alone(self) -> bool:
        """Tell whether no more than one entity is ready, and nothing has come since or is held back."""
        return len(self.heap) <= 1 and not self.arrived and not self.held

    def _clear(self) -> None:
        self.heap.clear()
        self._lines.clear()
        self._served.clear()

    def put_back(self, item: Item) -> None:
        """Take back what was taken and not run, before what else waits for its entity, and end it in its group."""
        node, entity, run = item
        with self._lock:
            while self.arrived:
                self._line_up(*self.arrived.popleft())
            if entity is not None and entity.callback_group is not None:
                entity.callback_group.ending_execution(entity)
            line = None if entity is None else self._lines.get(id(entity))
            if line is None:
                self._line_up(node, entity, run, 1)
            else:
                line.runs.appendleft(run)

    def forget(self, node: Running) -> list[tuple[Any, Run]]:
        """Give out (entity, callback) of all that waits for a node, in order for each entity."""
        with self._lock:
            while self.arrived:
                self._line_up(*self.arrived.popleft())
            places = sorted(place for waiting in (self.heap, *self.held.values()) for place in waiting)
            self.heap.clear()
            self.held.clear()
            given: list[tuple[Any, Run]] = []
            for place in places:
                line = place[3]
                if line.node is not node:
                    heappush(self.heap, place)
                    continue
                with contextlib.suppress(IndexError):  # somebody takes from it
                    while True:
                        given.append((line.entity, line.runs.popleft()))
                self._lines.pop(id(line.entity), None)
            return given
