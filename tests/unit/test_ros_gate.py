"""Who is kept for later by a group that another thread leaves at that very moment is neither lost nor forgotten."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from robot.ros.callback_groups import MutuallyExclusiveCallbackGroup
from robot.ros.gate import Gate, Item


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


def run_through(gate: Gate, item: Item) -> None:
    gate.pass_through(item, lambda: None, lambda _: False)


def run_entered(gate: Gate, item: Item) -> None:
    if gate.enter(*item):
        gate.run(item[1], item[2], lambda: None)


@pytest.mark.parametrize("run", [run_through, run_entered])
def test_a_callback_refused_by_a_group_that_is_left_at_that_moment_runs_once(
    run: Callable[[Gate, Item], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, ran, woken = Gate(), list[str](), list[bool]()
    group = LeftMeanwhile(lambda: woken.append(gate.holds()))
    monkeypatch.setattr("robot.ros.gate.MutuallyExclusiveCallbackGroup", LeftMeanwhile)
    monkeypatch.setattr(group, "can_execute", lambda _: True)  # what it said before the other one began
    run(gate, (None, Holder(callback_group=group), lambda: ran.append("ours")))
    if woken == [True]:  # whoever left saw that one waits, and wakes the executor, which looks again
        held = gate.next_held()
        assert held is not None
        gate.run(held[1], held[2], lambda: None)
    assert ran == ["ours"] and not gate.holds()
    assert group.beginning_execution(group.other), "the group is free"
