"""Who is kept for later by a group that another thread leaves at that very moment is neither lost nor forgotten."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from robot.ros.callback_groups import MutuallyExclusiveCallbackGroup
from robot.ros.executing.agenda import Agenda
from robot.ros.gate import Gate


@dataclass(kw_only=True)
class Holder:
    """Something with callbacks."""

    callback_group: MutuallyExclusiveCallbackGroup


class LeftMeanwhile(MutuallyExclusiveCallbackGroup):
    """The group: another thread's callback, of another executor or not, ends just after it has refused ours."""

    def __init__(self, on_end: Callable[[], None]) -> None:
        super().__init__()
        self.other = Holder(callback_group=self)
        self._on_end = on_end
        assert super().beginning_execution(self.other)

    def beginning_execution(self, entity: object) -> bool:
        begun = super().beginning_execution(entity)
        if not begun and self._active_entity is self.other:
            self.ending_execution(self.other)
            self._on_end()
        return begun


def test_a_callback_refused_by_a_group_that_is_left_at_that_moment_runs_once(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, ran, woken = Gate(), list[str](), list[bool]()
    group = LeftMeanwhile(lambda: woken.append(bool(gate.held)))
    monkeypatch.setattr("robot.ros.gate.MutuallyExclusiveCallbackGroup", LeftMeanwhile)
    monkeypatch.setattr(group, "can_execute", lambda _: True)  # what it said before the other one began
    holder = Holder(callback_group=group)
    if gate.enter(None, holder, lambda: ran.append("ours")):
        gate.run(holder, lambda: ran.append("ours"), lambda: None)
    if woken == [True]:  # whoever left saw that one waits, and wakes the executor, which looks again
        held = gate.next_held()
        assert held is not None
        gate.run(held[1], held[2], lambda: None)
    assert ran == ["ours"] and not gate.held
    assert group.beginning_execution(group.other), "the group is free"


def test_an_agenda_gives_out_what_a_group_refused_that_was_left_at_that_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    agenda = Agenda()
    group = LeftMeanwhile(lambda: None)
    monkeypatch.setattr("robot.ros.executing.agenda.Plain", LeftMeanwhile)
    holder = Holder(callback_group=group)
    agenda.add((None, holder, lambda: None, 1))
    item = agenda.take()
    if item is None:  # refused twice: whoever left sees that one waits, and wakes the executor, which looks again
        assert agenda.held
        item = agenda.take()
    assert item is not None and item[1] is holder and not agenda.held


class Woken:
    """An executor that counts how often it is woken, and its node."""

    def __init__(self) -> None:
        self.count = 0
        self.executor = self

    def wake(self) -> None:
        self.count += 1


def test_an_executor_refused_by_a_group_is_woken_when_anothers_callback_in_it_ends() -> None:
    group, here, there = MutuallyExclusiveCallbackGroup(), Woken(), Woken()
    running, waiting, beside = (SimpleNamespace(node=executor) for executor in (here, there, here))
    assert group.beginning_execution(running)
    assert not group.beginning_execution(beside) and not group.can_execute(beside)
    assert not group.beginning_execution(waiting) and not group.can_execute(waiting)
    group.ending_execution(running)
    assert (here.count, there.count) == (0, 1), "one's own executor looks by itself"
    assert group.beginning_execution(waiting)
    group.ending_execution(waiting)
    assert there.count == 1
