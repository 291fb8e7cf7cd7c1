"""The agenda of an executor: rounds in which each entity has one turn, timers first, groups that hold some back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from robot.ros.callback_groups import CallbackGroup, MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from robot.ros.executing import agenda as agenda_module
from robot.ros.executing.agenda import Agenda
from robot.ros.gate import run_entered


class Entity:
    """Something with callbacks."""

    def __init__(self, kind: str, group: CallbackGroup | None = None) -> None:
        self.kind = kind
        self.callback_group = ReentrantCallbackGroup() if group is None else group


class Tick(Entity):
    """Stands for a timer."""


@pytest.fixture
def agenda(monkeypatch: pytest.MonkeyPatch) -> Agenda:
    monkeypatch.setattr(agenda_module, "Timer", Tick)
    return Agenda()


def nothing() -> None: ...


def taken(agenda: Agenda, most: int = 100) -> list[Any]:
    """Take until none may run and tell whose they were; each one leaves its group at once."""
    whose = []
    while len(whose) < most and (item := agenda.take()) is not None:
        run_entered(item[1], item[2], agenda.held, lambda: None)
        whose.append(item[1])
    return whose


def test_a_round_begins_with_timers_and_goes_on_with_subscriptions_services_and_clients(agenda: Agenda) -> None:
    client, service, subscription, timer = Entity("client"), Entity("service"), Entity("subscription"), Tick("timer")
    for entity in (client, service, subscription, timer, None):
        agenda.add((None, entity, nothing, 1))
    assert taken(agenda) == [timer, subscription, service, client, None]  # a task's next step is one round later


def test_each_entity_has_one_turn_in_a_round_however_much_waits_for_it(agenda: Agenda) -> None:
    deep, shallow = Entity("subscription"), Entity("subscription")
    agenda.add((None, deep, nothing, 1000))
    agenda.add((None, shallow, nothing, 2))
    assert taken(agenda, 6) == [deep, shallow, deep, shallow, deep, deep]
    assert len(agenda) == 996


def test_a_timer_that_is_due_in_the_middle_of_a_round_is_next_but_only_once(agenda: Agenda) -> None:
    others, timer = [Entity("subscription") for _ in range(4)], Tick("timer")
    for entity in others:
        agenda.add((None, entity, nothing, 1))
    order = taken(agenda, 1)
    for _ in range(3):  # due again each time it has run, as one that takes longer than its period
        agenda.add((None, timer, nothing, 1))
        order += taken(agenda, 1)
    assert order == [others[0], timer, others[1], others[2]]
    assert taken(agenda) == [others[3], timer, timer]


def test_a_round_is_over_when_its_last_callback_is_taken(agenda: Agenda) -> None:
    first, second = Tick("timer"), Tick("timer")
    for handed_over in (False, False, True, False, False):
        agenda.add((None, first, nothing, 1))
        agenda.add((None, second, nothing, 1))
        whose = taken(agenda, 1)
        if handed_over:  # as by a node that leaves after each callback, and comes again
            agenda.forget(None)  # type: ignore[arg-type]
            agenda.add((None, second, nothing, 1))
        assert whose + taken(agenda) == [first, second]  # it took long: both are due again


def test_a_timer_that_is_due_again_goes_before_the_next_of_many_messages(agenda: Agenda) -> None:
    timer, topic = Tick("timer"), Entity("subscription")
    agenda.add((None, topic, nothing, 100))
    for _ in range(3):
        agenda.add((None, timer, nothing, 1))
        assert taken(agenda, 3) == [timer, topic, topic]


def test_an_entity_that_is_always_ready_keeps_no_other_out(agenda: Agenda) -> None:
    eager, patient = Entity("subscription"), Entity("service")
    agenda.add((None, eager, nothing, 1))
    agenda.add((None, patient, nothing, 1))
    order = []
    for _ in range(5):
        order += taken(agenda, 1)
        agenda.add((None, eager, nothing, 1))
    assert order.index(patient) == 1


def test_tasks_that_make_tasks_keep_nobody_out(agenda: Agenda) -> None:
    patient = Entity("service")
    agenda.add((None, None, nothing, 1))
    agenda.add((None, patient, nothing, 1))
    order = []
    for _ in range(4):
        order += taken(agenda, 1)
        agenda.add((None, None, nothing, 1))
    assert order.index(patient) <= 1


def test_callbacks_of_one_entity_keep_their_order(agenda: Agenda) -> None:
    entity, ran = Entity("service"), list[int]()
    for number in range(5):
        agenda.add((None, entity, lambda number=number: ran.append(number), 1))
        agenda.add((None, Entity("service"), nothing, 1))
    taken(agenda)
    assert ran == list(range(5))


def test_a_group_that_is_taken_holds_back_its_own_and_no_others(agenda: Agenda) -> None:
    group = MutuallyExclusiveCallbackGroup()
    one, two, free = Entity("subscription", group), Tick("timer", group), Entity("service")
    agenda.add((None, one, nothing, 3))
    assert (item := agenda.take()) is not None and item[1] is one
    agenda.add((None, two, nothing, 1))
    agenda.add((None, free, nothing, 1))
    assert taken(agenda) == [free] and not agenda.has_ready() and len(agenda) == 3
    group.ending_execution(one)
    assert taken(agenda) == [two, one, one]


def test_a_timer_that_is_due_again_while_it_runs_lets_those_of_its_group_have_their_turn(agenda: Agenda) -> None:
    group = MutuallyExclusiveCallbackGroup()
    timer, subscription = Tick("timer", group), Entity("subscription", group)
    agenda.add((None, timer, nothing, 1))
    agenda.add((None, subscription, nothing, 1))
    whose = []
    for _ in range(3):
        item = agenda.take()
        assert item is not None
        whose.append(item[1])
        assert agenda.take() is None  # another thread looks meanwhile: the group holds all back
        if item[1] is timer:
            agenda.add((None, timer, nothing, 1))  # its callback takes longer than its period
            assert agenda.take() is None
        group.ending_execution(item[1])
    assert whose == [timer, subscription, timer]


def test_a_group_of_a_users_own_may_hold_back_one_entity_and_let_another_run(agenda: Agenda) -> None:
    class Only(ReentrantCallbackGroup):
        allowed: Callable[[Any], bool] = staticmethod(lambda _: False)

        def can_execute(self, entity: Any) -> bool:
            return self.allowed(entity)

    group = Only()
    one, two = Entity("subscription", group), Entity("subscription", group)
    agenda.add((None, one, nothing, 1))
    agenda.add((None, two, nothing, 1))
    assert taken(agenda) == []
    group.allowed = lambda entity: entity is two  # type: ignore[method-assign]
    assert taken(agenda) == [two]
    group.allowed = lambda _: True  # type: ignore[method-assign]
    assert taken(agenda) == [one]


def test_what_waits_for_other_nodes_stays_in_its_place(agenda: Agenda) -> None:
    here, there = Entity("subscription"), Entity("subscription")
    agenda.add(("there", there, nothing, 2))
    agenda.add(("here", here, nothing, 2))
    assert [agenda.take(["here"]) is not None for _ in range(3)] == [True, True, False]
    assert taken(agenda) == [there, there]


def test_what_is_forgotten_of_a_node_is_given_out_in_order_and_runs_no_more(agenda: Agenda) -> None:
    group = MutuallyExclusiveCallbackGroup()
    held, ready, other = Entity("service", group), Entity("service"), Entity("service")
    group.beginning_execution(other)
    runs = [lambda number=number: number for number in range(4)]
    agenda.add(("node", held, runs[0], 1))
    assert taken(agenda) == []
    agenda.add(("node", ready, runs[1], 2))
    agenda.add(("other", other, nothing, 1))
    assert agenda.forget("node") == [(held, runs[0]), (ready, runs[1]), (ready, runs[1])]  # type: ignore[arg-type]
    group.ending_execution(other)
    assert taken(agenda) == [other] and not agenda.has_ready() and not agenda.held


def test_more_of_the_same_is_taken_at_once_only_while_nobody_else_is_ready(agenda: Agenda) -> None:
    one, two = Entity("subscription"), Entity("subscription")
    agenda.add((None, one, nothing, 4))
    assert agenda.take() is not None
    others = agenda.others(one)
    assert agenda.is_alone() and others is not None and others.popleft() is nothing
    agenda.add((None, two, nothing, 1))
    assert not agenda.is_alone() and agenda.others(two) is None
    assert taken(agenda) == [two, one, one]


def test_what_somebody_took_besides_has_no_turn_any_more(agenda: Agenda) -> None:
    one = Entity("subscription")
    agenda.add((None, one, nothing, 2))
    assert agenda.take() is not None
    others = agenda.others(one)
    assert others is not None
    others.clear()
    assert agenda.take() is None and not agenda.has_ready()
    agenda.add((None, one, nothing, 1))
    assert taken(agenda) == [one]
